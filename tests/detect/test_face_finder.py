"""Face finder: where faces are, whatever their size, turn and place."""

import numpy as np
import pytest
from PIL import Image

from facialpalsy.detect import OWN, open_detector
from facialpalsy.detect.face_finder import FaceFinder
from facialpalsy.face import DENSE, FACE6, Landmarks, Side, face_frame, mirror_landmarks, mirror_picture

NAMES = ("outer_canthus", "inner_canthus", "commissure")


@pytest.fixture(scope="module")
def finder():
    return FaceFinder()


@pytest.fixture(scope="module")
def seen(astronaut):
    return open_detector(OWN).detect(astronaut).landmarks


@pytest.fixture(scope="module")
def truth(seen):
    """Its six points as the landmark networks have them."""
    return seen.points[[DENSE.point(name, side) for name in NAMES for side in (Side.RIGHT, Side.LEFT)]]


def apart(found, true):
    """The greatest distance of the points, in outer-canthus distances."""
    return np.linalg.norm(found - true, axis=1).max() / np.linalg.norm(true[0] - true[1])


def nearest(faces, true):
    """The face that lies nearest to the true points, and how far."""
    return min(((apart(face, true), face) for face in faces), key=lambda one: one[0])


def test_it_finds_six_points_of_a_portrait(finder, astronaut, truth):
    far, face = nearest(finder.faces(astronaut), truth)
    assert far < 0.15 and face.shape == (FACE6.size, 2)
    face_frame(Landmarks(FACE6, face, (astronaut.shape[1], astronaut.shape[0])))


def test_of_the_mirrored_picture_it_finds_the_mirrored_points(finder, astronaut):
    size = (astronaut.shape[1], astronaut.shape[0])
    faces, mirrored = finder.faces(astronaut), finder.faces(mirror_picture(astronaut))
    assert len(faces) == len(mirrored) >= 1
    for one in mirrored:
        far, _ = nearest(faces, mirror_landmarks(Landmarks(FACE6, one, size)).points)
        assert far < 1e-9


@pytest.mark.parametrize("degrees", [-30, -15, 15, 30])
def test_a_turned_head_is_found(finder, astronaut, truth, degrees):
    turned = np.asarray(Image.fromarray(astronaut).rotate(degrees, Image.Resampling.BICUBIC))
    middle, turn = np.array(astronaut.shape[1::-1]) / 2, np.radians(degrees)
    back = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    assert nearest(finder.faces(turned), (truth - middle) @ back.T + middle)[0] < 0.2


def test_a_face_that_fills_the_picture_is_found(finder, astronaut, truth):
    low, high = truth.min(axis=0).astype(int) - 12, truth.max(axis=0).astype(int) + 25
    tight = astronaut[low[1] : high[1], low[0] : high[0]]
    assert nearest(finder.faces(tight), truth - low)[0] < 0.2


@pytest.mark.parametrize("degrees", [-25, 25])
@pytest.mark.parametrize(("width", "left", "top"), [(330, 310, 0), (330, 0, 250), (600, 10, 0)])
def test_neither_size_nor_turn_nor_place_matter_to_the_landmarks(seen, astronaut, width, left, top, degrees):
    """A face of 60 pixels, the smallest that is promised, and a large one, in a larger picture."""
    zoom, turn = width / astronaut.shape[1], np.radians(degrees)
    picture = np.full((640, 640, 3), 120, np.uint8)
    small = Image.fromarray(astronaut).resize((width, width), Image.Resampling.BOX)
    small = np.asarray(small.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=(120, 120, 120)))
    picture[top : top + width, left : left + width] = small[: 640 - top]
    back = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    middle = np.array(astronaut.shape[1::-1]) / 2
    frame = face_frame(open_detector(OWN).detect(picture).landmarks)
    true = ((face_frame(seen).origin - middle) @ back.T + middle) * zoom + (left, top)
    assert np.linalg.norm(frame.origin - true) < 0.03 * frame.iod
    assert frame.iod == pytest.approx(zoom * face_frame(seen).iod, rel=0.03)


def test_two_faces_are_two(astronaut):
    both = np.concatenate([astronaut, mirror_picture(astronaut)], axis=1)
    found = open_detector(OWN).detect(both)
    assert found.faces == 2
    assert "2 faces were found" in found.warnings[0]
    assert not found.overlapped
