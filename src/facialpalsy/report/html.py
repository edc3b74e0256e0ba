"""HTML: one assessment as a self-contained page, and as a folder of page and overlays."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from markupsafe import Markup
from PIL import Image

from facialpalsy.assessment import Assessment, Capture
from facialpalsy.report.contents import Notes, measures_table, movements_table, regions_table, scale_cards
from facialpalsy.report.figures import bars, movement_bars
from facialpalsy.report.overlay import SMALL_LONG_SIDE, Picture, overlay, small_overlay
from facialpalsy.report.page import environment
from facialpalsy.report.summary import flags, retakes, sides, summary, under_reporting
from facialpalsy.report.words import DASH, capture_titles, exam_order, expression_title, number, slug
from facialpalsy.writing import atomic_path, write_text

REPORT = "report.html"

# An exam of nine captures stays below 3 MB.
_IMAGE_SIDE_ALONE = 1100
_IMAGE_SIDE = 800
_JPEG_QUALITY = 85


def render(
    assessment: Assessment, pictures: Mapping[int, Image.Image], small: Mapping[int, Image.Image], *, photos: bool
) -> str:
    """The report as one HTML page without scripts or references to anything outside itself.

    On paper an exam is two pages: what a screen can scroll through, measures and reasons, is left out and said to be.

    Args:
        assessment: What to report.
        pictures: Index of a capture -> its overlay.
        small: Index of a capture -> its small overlay, for the paper version of several captures.
        photos: Whether the overlays show the subject's face; the page then says so on top.
    """
    notes = Notes()
    order = sorted(range(len(assessment.captures)), key=lambda index: exam_order(assessment.captures[index].expression))
    assessment = _in_exam_order(assessment, order)
    captures = assessment.captures
    titles = capture_titles(captures)
    alone = len(captures) == 1
    side = _IMAGE_SIDE_ALONE if alone else _IMAGE_SIDE
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            a=assessment,
            alone=alone,
            photos=photos,
            sides=sides(assessment),
            summary=summary(assessment),
            flags=flags(assessment),
            retakes=retakes(assessment),
            titles=titles,
            images=_in_order(pictures, order, side),
            small={} if alone else _in_order(small, order, SMALL_LONG_SIDE),
            bars=[Markup(bars(capture)) for capture in captures],  # noqa: S704  made by an escaping template
            scales=scale_cards(assessment, notes),
            movement_bars=Markup(movement_bars(assessment)),  # noqa: S704  made by an escaping template
            regions=regions_table(assessment, notes),
            movements=movements_table(assessment, notes),
            measures=[measures_table(title, capture, notes) for title, capture in zip(titles, captures, strict=True)],
            notes=notes,
            under_reporting=under_reporting(assessment),
            expression_title=expression_title,
            number=number,
            dash=DASH,
        )
    )


def write_report(
    folder: Path, assessment: Assessment, pictures: Mapping[int, Picture], *, photos: bool = True
) -> list[Path]:
    """Write `overlay_<n>_<expression or name>.png` per capture and `report.html` to an existing folder.

    Args:
        folder: Where to.
        assessment: What to report.
        pictures: Index of a capture -> its picture (h, w, 3) RGB, upright and un-mirrored, as it was measured.
        photos: Whether the pictures may be shown; a capture without one shows its landmarks alone.

    Returns:
        The files written.

    Raises:
        OutputError: the folder cannot be written or the disk is full.
    """
    shown = dict(pictures) if photos else {}
    written, drawn, small = [], {}, {}
    for index, capture in enumerate(assessment.captures):
        drawn[index] = overlay(capture, shown.get(index))
        small[index] = small_overlay(capture, shown.get(index))
        path = folder / overlay_name(index, capture)
        with atomic_path(path) as temporary:
            drawn[index].save(temporary, format="PNG", compress_level=4)
        written.append(path)
    page = folder / REPORT
    write_text(page, render(assessment, drawn, small, photos=bool(shown)))
    return [*written, page]


def overlay_name(index: int, capture: Capture) -> str:
    """File name of the overlay of the capture at `index`."""
    return f"overlay_{index + 1}_{slug(capture)}.png"


def _in_exam_order(assessment: Assessment, order: Sequence[int]) -> Assessment:
    """The assessment as it is shown: captures in this order of indices, movements in the exam's."""
    movements = sorted(assessment.movements, key=lambda movement: exam_order(movement.expression))
    captures = tuple(assessment.captures[index] for index in order)
    return assessment.model_copy(update={"captures": captures, "movements": tuple(movements)})


def _in_order(images: Mapping[int, Image.Image], order: Sequence[int], side: int) -> dict[int, str]:
    """Place in `order` -> its image."""
    return {place: _data_uri(images[index], side) for place, index in enumerate(order) if index in images}


def _data_uri(image: Image.Image, side: int) -> str:
    small = image.convert("RGB")
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, format="JPEG", quality=_JPEG_QUALITY, subsampling=0, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
