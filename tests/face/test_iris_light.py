"""Iris light: drawn eyes, whose shades are known."""

import numpy as np
import pytest

from facialpalsy.face import DENSE, IBUG68, MEDIAPIPE478, Side, iris_light, mirror_landmarks, mirror_picture


def drawn(landmarks, right, left, white=200):
    """A picture of one shade, with the irises of both eyes in others."""
    columns, rows = landmarks.image_size
    picture = np.full((rows, columns, 3), white, np.uint8)
    x, y = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
    for side, shade in ((Side.RIGHT, right), (Side.LEFT, left)):
        ring = landmarks.curve("iris_ring", side)
        centre = ring.mean(axis=0)
        picture[np.hypot(x - centre[0], y - centre[1]) < np.linalg.norm(ring[0] - centre)] = shade
    return picture


@pytest.mark.parametrize("scheme", [MEDIAPIPE478, DENSE])
@pytest.mark.parametrize("degrees", [0, 25])
def test_it_is_the_shade_of_the_darker_iris_over_that_of_the_white(make_face, turn, scheme, degrees):
    landmarks = turn(make_face(scheme, zoom=2), degrees, shift=(0, 0) if not degrees else (150, -100))
    for right, left, share in ((50, 50, 0.25), (50, 150, 0.25), (150, 100, 0.5), (200, 200, 1.0)):
        assert iris_light(drawn(landmarks, right, left), landmarks) == pytest.approx(share)
    half_lit = drawn(landmarks, 50, 50) // 2
    assert iris_light(half_lit, landmarks) == pytest.approx(0.25)


def test_of_the_mirror_image_it_is_the_same(make_face):
    landmarks = make_face(DENSE, zoom=2)
    picture = drawn(landmarks, 60, 150)
    mirrored = iris_light(mirror_picture(picture), mirror_landmarks(landmarks))
    assert mirrored == pytest.approx(iris_light(picture, landmarks))


def test_it_is_none_where_an_eye_is_shut_or_rolled_up_and_without_irises(make_face, move):
    landmarks = make_face(DENSE, zoom=2)
    picture = drawn(landmarks, 50, 50)
    lower, upper = landmarks.curve("lower_lid", Side.LEFT), landmarks.curve("upper_lid", Side.LEFT)
    height = float((lower[:, 1] - upper[:, 1]).max())
    assert iris_light(picture, move(landmarks, "lower_lid", Side.LEFT, 0, -height)) is None
    assert iris_light(picture, move(landmarks, "iris_ring", Side.LEFT, 0, -height)) is None
    assert iris_light(picture, make_face(IBUG68, zoom=2)) is None
