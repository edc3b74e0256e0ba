"""Colour spread: painted faces, whose colours are known."""

import numpy as np
import pytest

from facialpalsy.face import DENSE, MEDIAPIPE478, colour_spread, mirror_landmarks, mirror_picture


def striped(landmarks, *colours):
    """A picture whose left half has one colour and its right half another."""
    columns, rows = landmarks.image_size
    picture = np.full((rows, columns, 3), colours[0], np.uint8)
    picture[:, round(float(landmarks.points[:, 0].mean())) :] = colours[-1]
    return picture


@pytest.mark.parametrize("scheme", [MEDIAPIPE478, DENSE])
def test_a_face_of_one_colour_has_none_in_any_light(make_face, scheme):
    landmarks = make_face(scheme, zoom=2)
    assert colour_spread(striped(landmarks, (180, 120, 60)), landmarks) == 0
    dark_and_light = striped(landmarks, (52, 52, 52), (232, 232, 232))  # With what is added, 60 and 240 of each.
    assert colour_spread(dark_and_light, landmarks) == pytest.approx(0, abs=1e-9)


def shaded(landmarks, far):
    """One brightness everywhere, with red and green that change evenly from one corner to the other, by up to `far`."""
    columns, rows = landmarks.image_size
    x, y = np.meshgrid(np.linspace(-far, far, columns), np.linspace(-far, far, rows))
    by = (x + y) / 2
    return np.stack([120 + by, 120 - by, np.full_like(by, 120)], axis=2).round().astype(np.uint8)


def test_it_grows_with_the_distance_of_the_colours(make_face):
    """Of 360 + 24 in all, red and green up to 40 more or less: shares up to 40 * sqrt(2) / 384 from those of grey."""
    landmarks = make_face(DENSE, zoom=2)
    found = colour_spread(shaded(landmarks, 40), landmarks)
    assert 0 < found < 40 * 2**0.5 / 384
    assert colour_spread(shaded(landmarks, 80), landmarks) == pytest.approx(2 * found, rel=0.02)


def test_of_the_mirror_image_it_is_the_same(make_face):
    landmarks = make_face(DENSE, zoom=2)
    picture = shaded(landmarks, 40)
    mirrored = colour_spread(mirror_picture(picture), mirror_landmarks(landmarks))
    assert mirrored == pytest.approx(colour_spread(picture, landmarks), rel=0.1)
