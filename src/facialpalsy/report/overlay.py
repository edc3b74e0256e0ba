"""Overlay: landmarks, midline and measures drawn where they are taken."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from facialpalsy.assessment import MEASURE_REGIONS, NOTICE, Capture, Measure
from facialpalsy.report.readings import readings
from facialpalsy.report.words import MINUS, amount, capture_title, number, quantity, sentence, side_words

Picture = NDArray[np.uint8]
Point = tuple[float, float]
Colour = tuple[int, int, int]

FACE_LONG_SIDE = 1000
"""The face is scaled so that the longer side of its window has this many pixels."""

SMALL_LONG_SIDE = 480
"""The same for a face among others."""

_SMOOTHING = 2  # lines are drawn this many times larger and shrunk, because Pillow draws them without antialiasing
_MARGIN = 0.08
_GUTTER = 168
_LABEL_HEIGHT = 54
_EDGE = 14
# Named beside the face; the first of a group that could be measured stands for it.
_LABELLED = (
    ("Brow", ("brow_height", "brow_to_canthus")),
    ("MRD1", ("mrd1",)),
    ("Fissure", ("palpebral_fissure_height",)),
    ("Ala", ("alar_height",)),
    ("Fold angle", ("nasolabial_fold_angle",)),
    ("Commissure", ("commissure_position",)),
    ("Smile angle", ("smile_angle",)),
    ("Lower lip", ("lower_lip_height",)),
)
_MIDLINE_LABELS = (("philtrum", "philtrum_deviation"), ("chin", "chin_deviation"))


@dataclass(frozen=True)
class _Palette:
    """Colours of one background; the regions' hues are Okabe and Ito's, which colour-blind readers can tell apart."""

    ground: Colour
    ink: Colour
    muted: Colour
    casing: Colour
    mesh: Colour
    regions: dict[str | None, Colour]


_ON_PHOTO = _Palette(
    ground=(17, 22, 28),
    ink=(244, 246, 248),
    muted=(168, 180, 192),
    casing=(10, 12, 16),
    mesh=(255, 255, 255),
    regions={
        "brow": (86, 180, 233),
        "eye": (240, 228, 66),
        "midface": (233, 150, 200),
        "mouth": (255, 168, 60),
        None: (225, 225, 225),
    },
)
_ON_PLAIN = _Palette(
    ground=(250, 250, 248),
    ink=(24, 30, 36),
    muted=(90, 98, 106),
    casing=(255, 255, 255),
    mesh=(96, 104, 112),
    regions={
        "brow": (0, 95, 158),
        "eye": (112, 92, 0),
        "midface": (150, 45, 115),
        "mouth": (176, 68, 0),
        None: (70, 70, 70),
    },
)


def overlay(capture: Capture, picture: Picture | None) -> Image.Image:
    """Draw the measures of one capture on its picture.

    Args:
        capture: The capture to draw.
        picture: (h, w, 3) RGB, upright and un-mirrored, as it was measured; None draws the landmarks alone.

    Returns:
        An RGB image: the face between two columns of values (the subject's right side on the left, as it is seen),
        above a strip with pose, remarks and the notice.
    """
    palette = _ON_PLAIN if picture is None else _ON_PHOTO
    view = _View.of(capture, FACE_LONG_SIDE)
    face = _face(capture, picture, view, palette)
    footer = _footer(capture, face.width + 2 * _GUTTER, palette)
    sheet = Image.new("RGB", (footer.width, face.height + footer.height), palette.ground)
    sheet.paste(face, (_GUTTER, 0))
    sheet.paste(footer, (0, face.height))
    _write_columns(sheet, capture, view, face.size, palette)
    return sheet


def small_overlay(capture: Capture, picture: Picture | None) -> Image.Image:
    """Draw one capture to be shown small, beside others: the face, its lines and the letters of its sides, no values.

    Args:
        capture: The capture to draw.
        picture: As for `overlay`.
    """
    palette = _ON_PLAIN if picture is None else _ON_PHOTO
    view = _View.of(capture, SMALL_LONG_SIDE)
    face = _face(capture, picture, view, palette, dots=picture is None)
    draw = ImageDraw.Draw(face)
    words = side_words(capture.side_frame.value)
    for side, x, anchor in ((words.shown_left, _EDGE, "lt"), (words.shown_right, face.width - _EDGE, "rt")):
        draw.text(
            (x, _EDGE), words.mark(side), palette.ink, _font(46), anchor, stroke_width=3, stroke_fill=palette.casing
        )
    return face


@dataclass(frozen=True)
class _View:
    """The window of the picture that is shown, and its scale."""

    left: float
    top: float
    width: float
    height: float
    zoom: float

    @classmethod
    def of(cls, capture: Capture, long_side: int) -> _View:
        x0, y0, x1, y1 = capture.face.box
        margin = _MARGIN * max(x1 - x0, y1 - y0)
        width, height = x1 - x0 + 2 * margin, y1 - y0 + 2 * margin
        return cls(x0 - margin, y0 - margin, width, height, long_side / max(width, height))

    def size(self, times: int = 1) -> tuple[int, int]:
        """Width and height of the window as shown, `times` larger."""
        return times * round(self.width * self.zoom), times * round(self.height * self.zoom)

    def shown(self, points: Iterable[Point], times: int = 1) -> list[Point]:
        """Pixels of the picture -> pixels of the window as shown, `times` larger."""
        return [((x - self.left) * self.zoom * times, (y - self.top) * self.zoom * times) for x, y in points]


class _Pen:
    """Draws in pixels of the picture, with widths in pixels of the finished overlay, light on a dark casing."""

    def __init__(self, image: Image.Image, view: _View, palette: _Palette) -> None:
        self._draw = ImageDraw.Draw(image, "RGBA")
        self._view = view
        self._palette = palette

    def line(self, points: Iterable[Point], colour: Colour, width: float, opacity: float = 1.0) -> None:
        """A polyline on its casing."""
        shown = self._view.shown(points, _SMOOTHING)
        if len(shown) > 1:
            self._stroke(shown, (*self._palette.casing, round(150 * opacity)), width + 1.6)
            self._stroke(shown, (*colour, round(255 * opacity)), width)

    def dots(self, points: Iterable[Point], colour: Colour, radius: float, opacity: float = 1.0) -> None:
        """Filled circles on their casing."""
        for x, y in self._view.shown(points, _SMOOTHING):
            for extra, fill in (
                (0.8, (*self._palette.casing, round(130 * opacity))),
                (0.0, (*colour, round(255 * opacity))),
            ):
                r = (radius + extra) * _SMOOTHING
                self._draw.ellipse((x - r, y - r, x + r, y + r), fill=fill)

    def _stroke(self, points: list[Point], fill: tuple[int, ...], width: float) -> None:
        self._draw.line(points, fill=fill, width=max(1, round(width * _SMOOTHING)), joint="curve")


def _face(
    capture: Capture, picture: Picture | None, view: _View, palette: _Palette, *, dots: bool = True
) -> Image.Image:
    """The window with everything that is drawn on the face; `dots` are the landmarks."""
    image = _window(picture, view, palette)
    pen = _Pen(image, view, palette)
    landmarks = capture.face.landmarks
    if dots:
        pen.dots(landmarks.shown(), palette.mesh, 0.9 if len(landmarks.points) > 100 else 2.0, opacity=0.55)
    for name, sides in landmarks.contours().items():
        for curve in sides:
            pen.line(_circle(curve) if name == "iris_ring" else curve, palette.mesh, 1.2, opacity=0.75)
    for axis in _axes(landmarks.canthi(), view):
        for dash in axis:
            pen.line(dash, palette.mesh, 1.4)
    for measure in capture.measures:
        colour = palette.regions[MEASURE_REGIONS.get(measure.name)]
        for line in measure.lines.values():
            pen.line(line, colour, 2.4)
            pen.dots(line, colour, 2.8)
    return image.reduce(_SMOOTHING)


def _window(picture: Picture | None, view: _View, palette: _Palette) -> Image.Image:
    size = view.size(_SMOOTHING)
    sheet = Image.new("RGB", size, palette.ground)
    if picture is None:
        return sheet
    height, width = picture.shape[:2]
    x0, y0 = max(0, math.floor(view.left)), max(0, math.floor(view.top))
    x1, y1 = min(width, math.ceil(view.left + view.width)), min(height, math.ceil(view.top + view.height))
    if x1 > x0 and y1 > y0:
        seen = Image.fromarray(picture[y0:y1, x0:x1])
        (left, top), (right, bottom) = view.shown([(x0, y0), (x1, y1)], _SMOOTHING)
        scaled = seen.resize((max(1, round(right - left)), max(1, round(bottom - top))), Image.Resampling.BICUBIC)
        sheet.paste(scaled, (round(left), round(top)))
    return sheet


def _circle(ring: list[Point]) -> list[Point]:
    """The circle that the four points of an iris ring stand for; none where something covers one of them."""
    if len(ring) < 4:
        return []
    centre = np.mean(ring, axis=0)
    radius = np.linalg.norm(np.array(ring) - centre, axis=1).mean()
    angles = np.linspace(0, 2 * np.pi, 49)
    points = centre + radius * np.column_stack([np.cos(angles), np.sin(angles)])
    return [(x, y) for x, y in points.tolist()]


def _axes(canthi: tuple[Point, ...], view: _View) -> Iterator[list[tuple[Point, Point]]]:
    """The canthal line and the facial midline as dashes, through the origin of the face frame."""
    right_eye, left_eye = np.mean(canthi[:2], axis=0), np.mean(canthi[2:], axis=0)
    origin, along = (right_eye + left_eye) / 2, (left_eye - right_eye) / np.linalg.norm(left_eye - right_eye)
    reach = 2 * max(view.width, view.height)
    for direction in (along, np.array([-along[1], along[0]])):
        steps = np.arange(-reach, reach, 18 / view.zoom)
        starts = origin + steps[:, None] * direction
        ends = starts + direction * 11 / view.zoom
        yield [((x0, y0), (x1, y1)) for (x0, y0), (x1, y1) in zip(starts.tolist(), ends.tolist(), strict=True)]


def _write_columns(sheet: Image.Image, capture: Capture, view: _View, face: tuple[int, int], palette: _Palette) -> None:
    """Name the sides and write the key values beside the face, each joined to its place."""
    draw = ImageDraw.Draw(sheet, "RGBA")
    words = side_words(capture.side_frame.value)
    for side, is_first in ((words.shown_left, True), (words.shown_right, False)):
        mark, name = words.mark(side), words.name(side)
        x = _EDGE if is_first else _GUTTER + face[0] + _EDGE
        draw.text((x, 10), mark, palette.ink, _font(46))
        title = f"Subject's {name.lower()}" if mark else name.replace(" half", "\nhalf")
        draw.multiline_text((x, 66 if mark else 16), title, palette.muted, _font(18), spacing=5)
        placed = [
            (_outermost(view.shown(label.measure.lines[side]), is_first), label)
            for label in _labels(capture, side)
            if side in label.measure.lines
        ]
        placed.sort(key=lambda pair: pair[0][1])
        tops = _spread([y - _LABEL_HEIGHT / 2 for (_, y), _ in placed], 104.0, face[1] - _LABEL_HEIGHT - 6.0)
        inner = float(_GUTTER - 4 if is_first else _GUTTER + face[0] + 4)
        for top, ((anchor_x, anchor_y), label) in zip(tops, placed, strict=True):
            colour = palette.regions[MEASURE_REGIONS.get(label.measure.name)]
            draw.line([(inner, top + _LABEL_HEIGHT / 2), (anchor_x + _GUTTER, anchor_y)], (*colour, 130), 1)
            draw.text((x, top), label.name, palette.muted, _font(18))
            draw.text((x, top + 19), _drawable(label.value), colour, _font(26))


@dataclass(frozen=True)
class _Label:
    name: str
    value: str
    measure: Measure


def _labels(capture: Capture, side: str) -> Iterator[_Label]:
    by_name = {measure.name: measure for measure in capture.measures}
    for title, names in _LABELLED:
        for name in names:
            found = readings(by_name[name], capture.scale.mm_per_iod) if name in by_name else []
            if found:
                value = found[-1].left if side == "left" else found[-1].right
                yield _Label(title, quantity(value, found[-1].unit), by_name[name])
                break


def _outermost(line: list[Point], is_first: bool) -> Point:
    """Where a leader meets a line: the end nearer to its column, or the middle of an upright line."""
    (x0, y0), (x1, y1) = line
    if abs(x1 - x0) < abs(y1 - y0):
        return (x0 + x1) / 2, (y0 + y1) / 2
    return min(line) if is_first else max(line)


def _spread(tops: list[float], first: float, last: float) -> list[float]:
    """Move ascending label tops apart so that none overlap, and within `first` and `last`."""
    tops = list(tops)
    for index in range(len(tops)):
        tops[index] = max(tops[index], tops[index - 1] + _LABEL_HEIGHT if index else first)
    for index in reversed(range(len(tops))):
        tops[index] = min(tops[index], tops[index + 1] - _LABEL_HEIGHT if index + 1 < len(tops) else last)
    return tops


def _footer(capture: Capture, width: int, palette: _Palette) -> Image.Image:
    """The strip below the face: capture, pose, midline, remarks, notice."""
    pose = capture.face.pose_deg
    angles = (f"{name} {number(value, 1, sign=True)}°" for name, value in vars(pose).items())
    facts = [
        capture_title(capture) if capture.expression else "Expression not stated",
        *angles,
        *_midline_facts(capture),
    ]
    paragraphs = [("  ·  ".join(facts), palette.ink, 21)]
    paragraphs += [(f"! {sentence(reason)}", palette.ink, 19) for reason in capture.quality.reasons]
    paragraphs.append((NOTICE, palette.muted, 16))
    lines = [
        (line, colour, size) for text, colour, size in paragraphs for line in _wrapped(text, size, width - 2 * _EDGE)
    ]
    strip = Image.new("RGB", (width, sum(size + 8 for _, _, size in lines) + 2 * _EDGE), palette.ground)
    draw = ImageDraw.Draw(strip)
    draw.line([(0, 0), (width, 0)], palette.muted, 1)
    y = _EDGE
    for line, colour, size in lines:
        draw.text((_EDGE, y), _drawable(line), colour, _font(size))
        y += size + 8
    return strip


def _midline_facts(capture: Capture) -> Iterator[str]:
    words = side_words(capture.side_frame.value)
    by_name = {measure.name: measure for measure in capture.measures}
    for title, name in _MIDLINE_LABELS:
        found = readings(by_name[name], capture.scale.mm_per_iod) if name in by_name else []
        if found:
            shift = found[-1].difference
            towards = words.left if shift > 0 else words.right
            yield f"{title} {amount(abs(shift), found[-1].unit)} {found[-1].unit} to {towards.lower()}"


def _wrapped(text: str, size: int, width: int) -> Iterator[str]:
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}".strip(" ") if line else word
        if line and _font(size).getlength(longer) > width:
            yield line
            longer = word
        line = longer
    yield line


def _drawable(text: str) -> str:
    """Pillow's own font has no minus sign."""
    return text.replace(MINUS, "-")


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, so that overlays look the same on every machine."""
    return ImageFont.load_default(size)
