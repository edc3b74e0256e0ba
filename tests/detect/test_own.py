"""Own: points of our network on real faces, beside MediaPipe's; the mirror law; what is no face; clips."""

import numpy as np
import pytest

from facialpalsy.detect import OWN, open_detector, own_engine
from facialpalsy.detect.base import RECOVERY_REGIONS
from facialpalsy.errors import NoFaceError
from facialpalsy.face import DENSE, Side, face_frame, mirror_landmarks, mirror_picture
from facialpalsy.weights import LANDMARKER, find_card

pytest.importorskip("mediapipe", reason="mediapipe is not installed")

SHARED = ("inner_canthus", "outer_canthus", "commissure")


@pytest.fixture(scope="module")
def own():
    return open_detector(OWN)


@pytest.fixture(scope="module")
def seen(own, astronaut):
    return own.detect(astronaut)


def test_its_points_lie_where_mediapipe_has_them(seen, astronaut):
    """Of one name both mean one place; two networks differ by a few hundredths of an eye distance."""
    other = open_detector("mediapipe").detect(astronaut).landmarks
    frame = face_frame(other)
    assert seen.landmarks.scheme is DENSE and seen.landmarks.engine == OWN
    for name in SHARED:
        for side in Side:
            apart = np.linalg.norm(seen.landmarks.point(name, side) - other.point(name, side)) / frame.iod
            assert apart < 0.06, (name, side)


def test_the_mirrored_photo_has_the_mirrored_points(own, seen, astronaut):
    mirrored = own.detect(np.ascontiguousarray(mirror_picture(astronaut)))
    np.testing.assert_allclose(mirrored.landmarks.points, mirror_landmarks(seen.landmarks).points, atol=0.01)


def test_points_are_the_mean_of_several_looks_whose_spread_is_the_noise(seen):
    landmarks = seen.landmarks
    assert landmarks.repeats.shape == (5, DENSE.size, 2)
    np.testing.assert_allclose(landmarks.repeats.mean(axis=0), landmarks.points, atol=1e-9)
    assert 0 < np.median(landmarks.sigma()) < 0.02 * face_frame(landmarks).iod


def test_where_there_is_no_face_there_are_no_points(own):
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    for picture in (noise, np.full((300, 300, 3), 127, np.uint8)):
        with pytest.raises(NoFaceError):
            own.detect(picture)


def test_a_clip_is_followed_and_found_again(own, paste):
    tracker = own.tracker()
    first, moved, far = paste(700, 600, (0, 0, 1)), paste(700, 600, (6, 4, 1)), paste(700, 600, (180, 80, 1))
    one, other = tracker.update(first), tracker.update(moved)
    shift = (other.points - one.points).mean(axis=0)
    np.testing.assert_allclose(shift, (6, 4), atol=0.5)
    assert tracker.update(np.full((600, 700, 3), 90, np.uint8)) is None
    again = tracker.update(far)
    np.testing.assert_allclose((again.points - one.points).mean(axis=0), (180, 80), atol=0.5)


def test_the_engine_is_the_network_of_the_card():
    engine, card = own_engine(), find_card(LANDMARKER)
    assert (engine.name, engine.sha256, engine.licence) == (OWN, card.sha256, "Apache-2.0")
    assert set(engine.recovery) == set(RECOVERY_REGIONS)
    assert "London" in engine.trained_on
