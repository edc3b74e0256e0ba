"""Quality: numbers of pictures whose numbers are known."""

import numpy as np
import pytest

from facialpalsy.face import MEDIAPIPE478, align
from facialpalsy.preparation.quality import crop_quality


@pytest.fixture
def of_crop(make_face):
    """Quality of a crop that is the whole of its picture."""
    face = make_face(MEDIAPIPE478)

    def of(crop):
        whole = face.transformed(np.array([[0.1, 0, 0], [0, 0.1, 0]]), crop.shape[1::-1])
        return crop_quality(crop, whole, whole)

    return of


def test_an_even_picture_has_its_level_and_no_detail(of_crop):
    quality = of_crop(np.full((40, 40, 3), 117, np.uint8))
    assert quality.brightness == pytest.approx(117)
    assert quality.laplacian_variance == pytest.approx(0, abs=1e-9)
    assert quality.outside == 0


def test_a_checkerboard_has_four_times_its_contrast_at_every_pixel(of_crop):
    board = 255 * (np.indices((40, 40)).sum(axis=0) % 2)
    quality = of_crop(np.repeat(board[..., None], 3, axis=2).astype(np.uint8))
    assert quality.laplacian_variance == pytest.approx((4 * 255) ** 2)
    assert quality.brightness == pytest.approx(127.5)


def test_colours_weigh_as_in_bt601(of_crop):
    for channel, weight in enumerate((0.299, 0.587, 0.114)):
        picture = np.zeros((40, 40, 3), np.uint8)
        picture[..., channel] = 200
        assert of_crop(picture).brightness == pytest.approx(200 * weight)


def test_blur_lowers_the_detail(of_crop):
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 255, (40, 40, 3)).astype(float)
    blurred = (noise + np.roll(noise, 1, 0) + np.roll(noise, 1, 1) + np.roll(noise, (1, 1), (0, 1))) / 4
    assert of_crop(blurred.astype(np.uint8)).laplacian_variance < of_crop(noise.astype(np.uint8)).laplacian_variance / 2


def test_what_lies_beyond_the_picture_counts_for_neither(make_face):
    """The face frame's origin, at half the width of the crop, is put on the right edge of an even grey picture."""
    face = make_face(MEDIAPIPE478)
    picture = np.full((300, 150, 3), 100, np.uint8)
    face = face.transformed(np.array([[1.0, 0, 0], [0, 1.0, 0]]), (150, 300))
    crop, cropped = align(picture, face, 64)
    quality = crop_quality(crop, face, cropped)
    assert quality.outside == pytest.approx(0.5)
    assert quality.brightness == pytest.approx(100, abs=2)
