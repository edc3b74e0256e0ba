"""A grader small enough for a test, and pictures that are their own mirror image."""

from dataclasses import replace

import pytest
import torch

from facialpalsy.models.landmarker import LandmarkerSpec
from facialpalsy.models.registry import GraderSpec

SPEC = GraderSpec(
    image_size=32, patch_size=4, dim=16, heads=2, block_repeats=(2, 2, 2), dropout=0.0, position="face", hidden=16
)

POINTS = LandmarkerSpec(image_size=48, pairs=3, middle=2, widths=(4, 8, 8, 8), layers=(1, 1, 1))
"""A landmarker to go with it, in pictures of 48 pixels."""


@pytest.fixture(autouse=True)
def _same_numbers():
    torch.manual_seed(0)


@pytest.fixture
def spec():
    return SPEC


@pytest.fixture
def make_grader():
    """A grader with random weights, ready to be asked; what differs from `SPEC` is given."""

    def make(**changes):
        return replace(SPEC, **changes).network().eval()

    return make


@pytest.fixture
def symmetric():
    """Pictures (n, 3, size, size) that are exactly their own mirror image."""

    def make(count, size):
        half = torch.rand(count, 3, size, size // 2)
        return torch.cat([half, half.flip(-1)], dim=-1)

    return make
