"""Own: points of our network on real faces, beside MediaPipe's; the mirror law; what is no face; clips."""

import hashlib
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from facialpalsy.clinical.expressions import Expression
from facialpalsy.detect import OWN, open_detector, own_engine
from facialpalsy.detect.base import RECOVERY_REGIONS
from facialpalsy.detect.own import OwnTracker
from facialpalsy.errors import AssetNotInstalledError, NoFaceError
from facialpalsy.face import DENSE, Side, face_frame, mirror_landmarks, mirror_picture
from facialpalsy.measure import panel
from facialpalsy.weights import EYE_LANDMARKER, FACE_FINDER, LANDMARKER, MOUTH_LANDMARKER, find_card

NETWORKS = (LANDMARKER, EYE_LANDMARKER, MOUTH_LANDMARKER, FACE_FINDER)
SHARED = ("inner_canthus", "outer_canthus", "commissure")


@pytest.fixture(scope="module")
def own():
    return open_detector(OWN)


@pytest.fixture(scope="module")
def seen(own, astronaut):
    return own.detect(astronaut)


def test_its_points_lie_where_mediapipe_has_them(seen, astronaut):
    """Of one name both mean one place; two networks differ by a few hundredths of an eye distance."""
    pytest.importorskip("mediapipe", reason="mediapipe is not installed")
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


def test_in_a_portrait_nothing_is_withheld(seen):
    assert [one.name for one in panel(seen.landmarks) if one.sides is None] == []


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("colour", [(25, 20, 18), (214, 170, 150)], ids=["dark", "skin"])
def test_what_lies_behind_something_is_hidden_and_nothing_else(own, seen, astronaut, side, colour):
    frame, picture = face_frame(seen.landmarks), Image.fromarray(astronaut)
    centre = frame.to_pixels(np.array([0.36 * side.sign, -0.08]))
    low, high = centre - 0.30 * frame.iod, centre + 0.30 * frame.iod
    ImageDraw.Draw(picture).ellipse((*low, *high), fill=colour)
    found = own.detect(np.asarray(picture)).landmarks
    for name in ("upper_lid", "lower_lid"):
        assert found.hidden[list(DENSE.curve(name, side))].mean() > 0.5
        assert not found.hidden[list(DENSE.curve(name, side.other))].any()
    for name in ("upper_lip_outer", "lower_lip_outer"):
        assert not found.hidden[[*DENSE.curve(name, side), *DENSE.curve(name, side.other)]].any()


@pytest.mark.parametrize(("top", "left"), [(0, 90), (61, 0), (140, 33)])
def test_a_larger_picture_of_the_same_face_has_the_same_points(own, seen, astronaut, top, left):
    """The finder finds it a little elsewhere then; less than 0.3 % of the outer-canthus distance is wanted."""
    larger = np.pad(astronaut, ((top, 20), (left, 50), (0, 0)), constant_values=128)
    moved = own.detect(larger).landmarks.points - seen.landmarks.points - (left, top)
    assert np.linalg.norm(moved, axis=1).mean() / face_frame(seen.landmarks).iod < 0.003


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


def test_the_engine_is_the_networks_of_the_cards():
    engine, cards = own_engine(), [find_card(name) for name in NETWORKS]
    together = hashlib.sha256("".join(card.sha256 for card in cards).encode()).hexdigest()
    assert (engine.name, engine.sha256, engine.licence) == (OWN, together, "Apache-2.0")
    assert set(engine.recovery) == set(RECOVERY_REGIONS)
    assert "London" in engine.trained_on


def test_a_still_point_is_averaged_and_a_fast_one_followed(own, seen, astronaut):
    """Of a step of 0.01 iod half is taken, of one of 0.1 iod 100 of 101 parts; each point by itself."""
    face = replace(seen.landmarks, repeats=None)
    far = 0.01 * face_frame(face).iod
    steps = np.zeros((DENSE.size, 2))
    steps[DENSE.point("pupil", Side.LEFT)] = 0, far
    steps[DENSE.point("chin")] = 10 * far, 0
    later = iter([face, face.single(face.points + steps)])
    tracker = OwnTracker(SimpleNamespace(found=lambda *_: next(later), seen=lambda *_: next(later)))
    tracker.update(astronaut)
    moved = tracker.update(astronaut).points - face.points
    assert moved[DENSE.point("pupil", Side.LEFT)] == pytest.approx((0, far / 2))
    assert moved[DENSE.point("chin")] == pytest.approx((10 * far * 100 / 101, 0))
    assert not moved[DENSE.point("nose_tip")].any()


def test_the_irises_of_rendered_people_lie_where_they_are(own):
    """Within 0.3 pixels of a picture of 256, the median over twelve people at rest, with glasses or without."""
    pytest.importorskip("numba", reason="rendering needs the extra `synth`")
    from facialpalsy.synth.stream import PatientStream

    people, beside = PatientStream(seed=77), []
    for number in range(12):
        try:
            photo = people.picture(number * len(Expression))
        except AssetNotInstalledError as reason:
            pytest.skip(f"needs the face model: {reason}")
        found = own.detect(photo.frame.pixels).landmarks
        for side in Side:
            centres = [one.curve("iris_ring", side).mean(axis=0) for one in (found, photo.landmarks)]
            beside.append(np.linalg.norm(centres[0] - centres[1]))
    assert np.median(beside) < 0.3
