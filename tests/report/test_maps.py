"""Maps: where a region and an asymmetry are drawn, in which colour, and that no photo shows where none may."""

from dataclasses import replace

import numpy as np
import pytest

from facialpalsy.report.maps import ASYMMETRY_COLOUR, REGION_COLOURS, draw_map, draw_maps

SIZE, CELL = 448, 28  # 16 places of 28 pixels


def pixels(kind, capture, maps, *, photo=True):
    return np.asarray(draw_map(kind, capture, maps, photo=photo)).astype(int)


def test_an_asymmetry_tints_its_own_place_inside_the_mask_by_its_value(capture, maps):
    """The mouth's rows 11 to 13 have 0.5, and the mask ends at the columns 3 and 12."""
    shown = pixels("asymmetry", capture(), maps())
    tinted = [(one + 120) / 2 for one in ASYMMETRY_COLOUR]
    # In the middle of row 12, where a row on either side is alike.
    assert shown[round(12.5 * CELL), SIZE // 2] == pytest.approx(tinted, abs=1)
    assert shown[round(12.5 * CELL), 8 * CELL] == pytest.approx(shown[round(12.5 * CELL), SIZE - 1 - 8 * CELL])
    for row, column in ((5.5, 8), (12.5, 1.5), (12.5, 14.5)):
        assert shown[round(row * CELL), round(column * CELL)].tolist() == [120, 120, 120]


def test_no_asymmetry_is_no_tint(capture, maps):
    shown = pixels("asymmetry", capture(), replace(maps(), asymmetry=np.zeros((16, 16), np.float32)))
    assert (shown[60:] == 120).all()


def test_each_region_is_tinted_in_its_colour_where_it_is(capture, maps):
    """Places as in tests/stand_in.py; a tint is 0.3 of the colour over the grey of 120."""
    shown = pixels("regions", capture(), maps())
    middles = {
        "forehead": (3.5, 6),
        "left_eye": (6.8, 10.5),
        "right_eye": (6.8, 5.5),
        "nose": (8.8, 8),
        "mouth": (12.8, 8),
    }
    for name, (row, column) in middles.items():
        expected = [0.3 * one + 0.7 * 120 for one in REGION_COLOURS[name]]
        assert shown[round(row * CELL), round(column * CELL)] == pytest.approx(expected, abs=2), name
    assert shown[round(10.5 * CELL), round(1.5 * CELL)].tolist() == [120, 120, 120]


def test_the_outline_of_a_region_stands_where_it_ends(capture, maps):
    """The mouth covers the columns 5 to 10: it ends at 5 and 11 places, where the enlarged map is one half."""
    row = pixels("regions", capture(), maps())[round(12.8 * CELL)]
    outline = np.flatnonzero((np.abs(row - REGION_COLOURS["mouth"]) <= 2).all(axis=1))
    assert outline.min() == pytest.approx(5 * CELL, abs=3)
    assert outline.max() == pytest.approx(11 * CELL, abs=3)


def test_a_photo_is_shown_in_grey_and_never_where_none_may_be(capture, maps):
    magenta = replace(maps(), picture=np.full((SIZE, SIZE, 3), (255, 0, 255), np.uint8))
    for kind in ("regions", "asymmetry"):
        shown = pixels(kind, capture(), magenta)[round(10.5 * CELL), round(1.5 * CELL)]
        # Luma of ITU-R 601-2: 0.299 of red and 0.114 of blue.
        assert shown.tolist() == [round(255 * 0.413)] * 3
        plain = pixels(kind, capture(), magenta, photo=False)
        assert np.median(plain) > 240
        assert (plain == pixels(kind, capture(), maps(), photo=False)).all()


def test_sides_are_named_only_where_they_are_the_subjects(capture, maps):
    """The corners hold R and L, or nothing."""
    for kind in ("regions", "asymmetry"):
        subject = pixels(kind, capture(), maps())
        image = pixels(kind, capture(side_frame="image", mirrored="unknown"), maps())
        for corner in (np.s_[:45, :45], np.s_[:45, -45:]):
            assert (subject[corner] != 120).any()
            assert (image[corner] == 120).all()


def test_every_map_that_a_capture_names_is_drawn(capture, maps):
    assert draw_maps(capture(), maps(), photo=True) == {}
    drawn = draw_maps(capture(maps={"regions": "a.png", "asymmetry": "b.png"}), maps(), photo=True)
    assert {kind: image.size for kind, image in drawn.items()} == {"regions": (SIZE, SIZE), "asymmetry": (SIZE, SIZE)}
