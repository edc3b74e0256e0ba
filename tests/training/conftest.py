"""Exams of noise and settings of seconds, for all tests of training."""

import pytest


@pytest.fixture(scope="session")
def noise_exams():
    pytest.importorskip("torch")
    from .noise import NoiseExams

    return NoiseExams


@pytest.fixture(scope="session")
def training():
    pytest.importorskip("torch")
    from .noise import small_training

    return small_training
