"""Mirroring: one function swaps picture, points, repeats, sides and labels together, and undoes itself."""

from dataclasses import replace

import numpy as np
import pytest

from facialpalsy.face import IBUG68, SCHEMES, Side, mirror

both = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda scheme: scheme.name)


@both
def test_points_change_place_and_name(make_face, move, scheme):
    landmarks = move(make_face(scheme), "commissure", Side.LEFT, 4, -10)
    _, flipped, _ = mirror(landmarks=landmarks)
    # In a picture 300 px wide x becomes 300 - x: the raised left corner at (181, 170) is now the right one.
    np.testing.assert_allclose(landmarks.point("commissure", Side.LEFT), [181, 170])
    np.testing.assert_allclose(flipped.point("commissure", Side.RIGHT), [119, 170])
    np.testing.assert_allclose(flipped.point("commissure", Side.LEFT), [177, 180])
    assert flipped.image_size == (300, 300)


@both
def test_a_point_stays_on_its_pixel(make_face, scheme):
    landmarks = make_face(scheme)
    picture = np.zeros((300, 300, 3), dtype=np.uint8)
    x, y = landmarks.point("commissure", Side.LEFT).astype(int)
    picture[y, x] = (10, 20, 30)
    flipped_picture, flipped, _ = mirror(picture, landmarks.single(landmarks.points + 0.5))
    x, y = np.floor(flipped.point("commissure", Side.RIGHT)).astype(int)
    assert flipped_picture[y, x].tolist() == [10, 20, 30]


@both
def test_repeats_are_mirrored_with_the_points(make_face, scheme):
    landmarks = make_face(scheme)
    noise = np.random.default_rng(0).normal(size=(4, scheme.size, 2))
    landmarks = replace(landmarks, repeats=landmarks.points + noise)
    _, flipped, _ = mirror(landmarks=landmarks)
    order = list(scheme.mirror)
    np.testing.assert_allclose(flipped.repeats - flipped.points, noise[:, order] * (-1, 1), atol=1e-9)
    np.testing.assert_allclose(flipped.sigma(), landmarks.sigma()[order])


@both
def test_a_hidden_point_is_hidden_on_its_new_side(make_face, scheme):
    landmarks = make_face(scheme)
    hidden = np.zeros(scheme.size, bool)
    hidden[scheme.point("commissure", Side.LEFT)] = True
    _, flipped, _ = mirror(landmarks=replace(landmarks, hidden=hidden))
    assert np.flatnonzero(flipped.hidden).tolist() == [scheme.point("commissure", Side.RIGHT)]
    if scheme is not IBUG68:
        few = replace(landmarks, hidden=hidden).to_ibug68().hidden
        assert np.flatnonzero(few).tolist() == [IBUG68.point("commissure", Side.LEFT)]


def test_labels_change_sides_at_any_depth():
    labels = {Side.LEFT: {"affected": Side.RIGHT, "grade": 3}, "seen": [Side.LEFT, (Side.RIGHT, None)], "name": "left"}
    assert mirror(labels=labels)[2] == {
        Side.RIGHT: {"affected": Side.LEFT, "grade": 3},
        "seen": [Side.RIGHT, (Side.LEFT, None)],
        "name": "left",
    }


def test_what_is_not_given_stays_none(make_face):
    assert mirror() == (None, None, None)
    picture, landmarks, labels = mirror(labels=Side.LEFT)
    assert (picture, landmarks, labels) == (None, None, Side.RIGHT)


@both
def test_twice_is_nothing(make_face, scheme):
    landmarks = make_face(scheme)
    landmarks = replace(landmarks, points=np.round(landmarks.points), repeats=np.round(landmarks.points)[None])
    picture = np.random.default_rng(1).integers(0, 255, (300, 300, 3)).astype(np.uint8)
    labels = {Side.LEFT: 1, Side.RIGHT: 2}
    back_picture, back, back_labels = mirror(*mirror(picture, landmarks, labels))
    np.testing.assert_array_equal(back_picture, picture)
    np.testing.assert_array_equal(back.points, landmarks.points)
    np.testing.assert_array_equal(back.repeats, landmarks.repeats)
    assert back_labels == labels
    assert back.scheme is landmarks.scheme
