"""Overlay: what is drawn, how large, and that no photo shows where none may."""

from __future__ import annotations

import numpy as np
import pytest

from facialpalsy.assessment import Face, Pose
from facialpalsy.report import overlay

from .conftest import landmarks

MAGENTA = np.full((100, 100, 3), (255, 0, 255), np.uint8)
GUTTER = 168


def _face(size: float) -> Face:
    box = (0.0, 0.0, size, size)
    return Face(box=box, detector="file", landmarks=landmarks(size), pose_deg=Pose(yaw=0, pitch=0, roll=0))


@pytest.mark.parametrize("size", [60, 700, 4000])
def test_a_face_of_any_size_is_shown_1000_pixels_large(capture, size):
    image = overlay(capture(face=_face(size)), None)
    assert image.mode == "RGB"
    assert image.width == 1000 + 2 * GUTTER
    assert 1000 < image.height < 1300


def test_a_photo_fills_the_picture(capture):
    pixels = np.asarray(overlay(capture(), MAGENTA)).astype(int)
    face = pixels[:1000, GUTTER:-GUTTER]
    magenta = (face[..., 0] > 230) & (face[..., 1] < 30) & (face[..., 2] > 230)
    # The picture ends at the face's box, 8 % within the window on each side: (100 / 116)^2 of it, less the lines.
    assert 0.62 < magenta.mean() < (100 / 116) ** 2


def test_without_a_photo_no_pixel_of_it_is_shown(capture):
    pixels = np.asarray(overlay(capture(), None)).astype(int)
    assert not ((pixels[..., 0] > 200) & (pixels[..., 1] < 60) & (pixels[..., 2] > 200)).any()
    assert np.median(pixels) > 240


def test_the_midline_stands_between_the_eyes(capture):
    pixels = np.asarray(overlay(capture(measures=()), None).convert("L")).astype(int)[:1000]
    dark = (pixels < 170).mean(axis=0)
    # x = 50 of a window from -8 to 108, 1000 pixels wide.
    assert abs(int(dark.argmax()) - (GUTTER + 500)) <= 2
    assert dark.max() > 0.4


def test_the_canthal_line_runs_through_the_canthi(capture):
    pixels = np.asarray(overlay(capture(measures=()), None).convert("L")).astype(int)[:1000, GUTTER:-GUTTER]
    dark = (pixels < 170).mean(axis=1)
    assert abs(int(dark.argmax()) - (40 + 8) * 1000 / 116) <= 2


def test_a_measure_is_drawn_where_it_was_taken_in_the_colour_of_its_region(capture):
    pixels = np.asarray(overlay(capture(), None)).astype(int)
    blue = (pixels[..., 2] > 140) & (pixels[..., 0] < 30)
    for x in (30, 70):
        column = round(GUTTER + (x + 8) * 1000 / 116)
        low, high = round(28 * 1000 / 116), round(48 * 1000 / 116)
        assert blue[low:high, column - 1 : column + 2].any(axis=1).mean() > 0.95


def test_halves_of_an_image_are_not_called_the_subjects_sides(capture):
    subject = np.asarray(overlay(capture(measures=()), None))
    image = np.asarray(overlay(capture(measures=(), side_frame="image", mirrored="unknown"), None))
    # Only the headings above the two columns differ: R and L against the halves' names.
    differing = np.argwhere((subject[:1000] != image[:1000]).any(axis=2))
    assert len(differing)
    assert differing[:, 0].max() < 104
    assert not ((differing[:, 1] >= GUTTER) & (differing[:, 1] < GUTTER + 1000)).any()


def test_remarks_lengthen_the_strip_below(capture):
    flagged, plain = capture(), capture(quality={"usable": True, "reasons": ()})
    assert overlay(flagged, None).height > overlay(plain, None).height


def test_a_face_that_leaves_the_picture_is_still_drawn(capture):
    face = Face(
        box=(-40, -40, 60, 60), detector="file", landmarks=landmarks(100, -40), pose_deg=Pose(yaw=0, pitch=0, roll=0)
    )
    assert overlay(capture(face=face), MAGENTA).width == 1000 + 2 * GUTTER
