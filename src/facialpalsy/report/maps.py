"""Maps: what networks saw, drawn over the aligned face or, without photos, over its landmarks alone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from facialpalsy.assessment import INSIDE, Capture, FaceMaps
from facialpalsy.report.words import SideWords, side_words

Colour = tuple[int, int, int]

# Okabe and Ito's hues, which colour-blind readers can tell apart.
REGION_COLOURS: Mapping[str, Colour] = MappingProxyType(
    {
        "forehead": (0, 114, 178),
        "left_eye": (0, 158, 115),
        "right_eye": (0, 158, 115),
        "nose": (204, 121, 167),
        "mouth": (230, 159, 0),
    }
)
ASYMMETRY_COLOUR: Colour = (213, 94, 0)
PALSY_COLOUR: Colour = (86, 60, 160)

_TINT, _SHEER = 0.3, 0.7
_GROUND, _LINE, _INK, _CASING = (250, 250, 248), (96, 104, 112), (24, 30, 36), (255, 255, 255)
_EDGE, _LABEL, _LINE_PX = 10, 28, 3  # pixels of a crop of 448, which a page shows about 170 wide


def draw_maps(capture: Capture, maps: FaceMaps, *, photo: bool) -> dict[str, Image.Image]:
    """Every kind of map that the capture names, as `draw_map`."""
    return {kind: draw_map(kind, capture, maps, photo=photo) for kind in capture.maps}


def draw_map(kind: str, capture: Capture, maps: FaceMaps, *, photo: bool) -> Image.Image:
    """One kind of map of one capture, as an RGB image of the crop's size.

    Args:
        kind: `regions` tints and names each region; `asymmetry` tints the face inside the mask, and `palsy` the face,
            by the map's value, from clear at 0 to opaque at 1.
        capture: The capture.
        maps: Its maps.
        photo: Whether the face may be shown; it is shown in grey.
    """
    image = _face(maps, photo=photo)
    words = side_words(capture.side_frame.value)
    labels = {(_EDGE, _EDGE): (words.mark(words.shown_left), "lt")}
    labels[(image.width - _EDGE, _EDGE)] = (words.mark(words.shown_right), "rt")
    if kind == "asymmetry" and maps.asymmetry is not None and maps.mask is not None:
        of_the_face = maps.asymmetry * (maps.mask >= INSIDE)
        image.paste(ASYMMETRY_COLOUR, mask=_opacity(_enlarged(of_the_face, image.size)))
    elif kind == "palsy" and maps.palsy is not None:
        image.paste(PALSY_COLOUR, mask=_opacity(_SHEER * _enlarged(maps.palsy, image.size)))
    else:
        for name, region in maps.regions.items():
            inside = _enlarged(region, image.size) >= INSIDE
            image.paste(REGION_COLOURS[name], mask=_opacity(np.where(_outline(inside), 1, _TINT * inside)))
            if inside.any():
                rows, columns = np.nonzero(inside)
                at = (int(columns.min() + columns.max()) // 2, max(int(rows.min()), _LABEL))
                labels[at] = (_called(name, words), "mm")
    draw = ImageDraw.Draw(image)
    for at, (text, anchor) in labels.items():
        draw.text(at, text, _INK, ImageFont.load_default(_LABEL), anchor, stroke_width=3, stroke_fill=_CASING)
    return image


def _face(maps: FaceMaps, *, photo: bool) -> Image.Image:
    if photo:
        return Image.fromarray(maps.picture).convert("L").convert("RGB")
    image = Image.new("RGB", maps.landmarks.image_size, _GROUND)
    draw = ImageDraw.Draw(image)
    for name, sides in maps.landmarks.contours().items():
        for curve in sides if name != "iris_ring" else ():
            draw.line(curve, _LINE, 1)
    return image


def _enlarged(grid: NDArray[Any], size: tuple[int, int]) -> NDArray[np.float32]:
    """A grid in pixels of the crop, straight between the middles of its places."""
    return np.asarray(Image.fromarray(grid.astype(np.float32)).resize(size, Image.Resampling.BILINEAR))


def _outline(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What of a region lies within a line's width of its border."""
    padded = np.pad(inside, _LINE_PX)
    near = [np.roll(padded, by, axis) for by in (-_LINE_PX, _LINE_PX) for axis in (0, 1)]
    core = np.logical_and.reduce(near)[_LINE_PX:-_LINE_PX, _LINE_PX:-_LINE_PX]
    return np.asarray(inside & ~core)


def _opacity(values: NDArray[Any]) -> Image.Image:
    return Image.fromarray(np.round(255 * np.clip(values, 0, 1)).astype(np.uint8))


def _called(region: str, words: SideWords) -> str:
    side, _, part = region.rpartition("_")
    return f"{words.mark(side)} {part}".strip() if side else part
