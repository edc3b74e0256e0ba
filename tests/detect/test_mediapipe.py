"""MediaPipe: honest about what it is."""

import hashlib
from importlib import resources

import pytest

from facialpalsy.detect import mediapipe_engine
from facialpalsy.detect.base import RECOVERY_REGIONS
from facialpalsy.synth import BENCHMARK_REGIONS


def test_the_engine_says_what_it_is():
    engine = mediapipe_engine()
    assert (engine.name, engine.version, engine.licence) == ("mediapipe", "0.10.21", "Apache-2.0")
    assert set(engine.recovery) == set(RECOVERY_REGIONS) == set(BENCHMARK_REGIONS)
    assert all(0 <= slope <= 1 for slope in engine.recovery.values())
    assert "symmetric" in engine.trained_on


def test_the_hash_is_that_of_the_network_in_the_wheel():
    pytest.importorskip("mediapipe", reason="mediapipe is not installed")
    folder = resources.files("mediapipe").joinpath("modules/face_landmark")
    hashes = {
        hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir() if file.name.endswith(".tflite")
    }
    assert mediapipe_engine().sha256 in hashes
