"""Face Landmarker: honest about what it is, and following a face without delay; the laws of a mesh are in test_mesh."""

import numpy as np
import pytest
from PIL import Image

from facialpalsy.detect import FaceLandmarkerDetector, face_landmarker_engine
from facialpalsy.detect.base import RECOVERY_REGIONS
from facialpalsy.errors import AssetNotInstalledError
from facialpalsy.weights import find_asset, find_entry


@pytest.fixture(scope="module")
def landmarker():
    pytest.importorskip("mediapipe", reason="mediapipe is not installed")
    try:
        return FaceLandmarkerDetector()
    except AssetNotInstalledError as error:
        pytest.skip(str(error))


def test_the_engine_says_what_it_is():
    engine, asset = face_landmarker_engine(), find_entry("face-landmarker")
    assert (engine.name, engine.version) == (asset.name, "0.10.21")
    assert (engine.sha256, engine.licence) == (asset.sha256, asset.licence)
    assert set(engine.recovery) == set(RECOVERY_REGIONS)
    assert all(0 <= slope <= 1 for slope in engine.recovery.values())
    assert "do not state" in engine.trained_on


def test_the_file_is_read_from_any_folder(landmarker, astronaut, tmp_path, monkeypatch):
    """Native code reads paths in an encoding of its own, so that it is not given one."""
    folder = tmp_path / "an odd folder, ü 脸 \n"
    folder.mkdir()
    (folder / "face_landmarker.task").write_bytes(find_asset("face-landmarker").read_bytes())
    monkeypatch.setenv("FACIALPALSY_ASSETS", str(folder))
    points = FaceLandmarkerDetector().detect(astronaut).landmarks.points
    np.testing.assert_array_equal(points, landmarker.detect(astronaut).landmarks.points)


def test_a_tracker_shows_a_movement_at_once_and_in_full(landmarker, astronaut):
    """The network's own mode for clips smooths the points over time; here no frame knows of those before it."""
    tracker = landmarker.tracker()
    for step in (0, 12, 24, 12):
        frame = np.ascontiguousarray(np.roll(astronaut, step, axis=1))
        alone = landmarker.tracker().update(frame)
        np.testing.assert_array_equal(tracker.update(frame).points, alone.points)


def test_a_tracker_stays_with_its_face_when_a_larger_one_comes(landmarker, astronaut):
    large = astronaut[20:204, 140:300]
    small = np.asarray(Image.fromarray(large).resize((120, 138), Image.Resampling.LANCZOS))
    alone = np.full((184, 300, 3), 90, dtype=np.uint8)
    alone[23:161, 170:290] = small
    both = alone.copy()
    both[:, :160] = large
    tracker = landmarker.tracker()
    first = tracker.update(alone).points
    assert np.abs(tracker.update(both).points - first).max() < 3
    # What is lost is forgotten: the widest face is followed anew.
    assert tracker.update(np.zeros_like(both)) is None
    again = tracker.update(both).points
    assert np.ptp(again[:, 0]) == pytest.approx(np.ptp(first[:, 0]) / 0.75, rel=0.05)
