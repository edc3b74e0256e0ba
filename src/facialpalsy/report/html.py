"""HTML: one assessment as a self-contained page, and as a folder of page and overlays."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from markupsafe import Markup
from PIL import Image

from facialpalsy.assessment import Assessment, Capture
from facialpalsy.report.contents import (
    Notes,
    Table,
    measures_table,
    movements_table,
    paper_captures,
    regions_table,
    scale_cards,
    scale_remarks,
)
from facialpalsy.report.figures import bars, movement_bars
from facialpalsy.report.followup import from_to, reference_remarks
from facialpalsy.report.overlay import SMALL_LONG_SIDE, Picture, overlay, small_overlay
from facialpalsy.report.page import environment
from facialpalsy.report.summary import quality, sides, summary, units
from facialpalsy.report.words import (
    DASH,
    capture_titles,
    exam_order,
    expression_title,
    number,
    sentence,
    slug,
    value_title,
)
from facialpalsy.writing import atomic_path, write_text

REPORT = "report.html"

# An exam of nine captures stays below 3 MB.
_IMAGE_SIDE_ALONE = 1100
_IMAGE_SIDE = 800
_JPEG_QUALITY = 85

# What keeps an exam to two pages of A4: lists are cut, and the small overlays share what the tables leave of page two.
_REMARKS, _CHANGES, _FAILURES = 5, 3, 2
_PAGE_WIDTH_MM, _ROW_MM, _CAPTION_MM = 186.0, 3.7, 6.0
_SHARED_HEIGHT_MM, _OVERLAYS_AT_LEAST_MM = 185.0, 26.0
_FACE_HEIGHT = 1.15  # of its width


def render(
    assessment: Assessment, pictures: Mapping[int, Image.Image], small: Mapping[int, Image.Image], *, photos: bool
) -> str:
    """The report as one HTML page without scripts or references to anything outside itself.

    On paper an exam is two pages: what a screen can scroll through, measures and reasons, is left out and said to be.

    Args:
        assessment: What to report.
        pictures: Index of a capture -> its overlay.
        small: Index of a capture -> its small overlay, to be shown on paper; none where there is one capture only.
        photos: Whether the overlays show the subject's face; the page then says so on top.
    """
    notes = Notes()
    order = sorted(range(len(assessment.captures)), key=lambda index: exam_order(assessment.captures[index].expression))
    assessment = _in_exam_order(assessment, order)
    captures = assessment.captures
    titles = capture_titles(captures)
    alone = len(captures) == 1
    side = _IMAGE_SIDE_ALONE if alone else _IMAGE_SIDE
    scales, regions = scale_cards(assessment, notes), regions_table(assessment, notes)
    movements = None if alone else movements_table(assessment, notes)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            a=assessment,
            alone=alone,
            photos=photos,
            sides=sides(assessment),
            summary=summary(assessment),
            units=units(assessment),
            quality=quality(assessment),
            titles=titles,
            images=_in_order(pictures, order, side),
            small=_in_order(small, order, SMALL_LONG_SIDE),
            bars=[Markup(bars(capture)) for capture in captures],  # noqa: S704  made by an escaping template
            scales=scales,
            scale_remarks=scale_remarks(assessment),
            movement_bars=Markup(movement_bars(assessment)),  # noqa: S704  made by an escaping template
            regions=regions,
            movements=movements,
            measures=[measures_table(title, capture, notes) for title, capture in zip(titles, captures, strict=True)],
            notes=notes,
            reference_remarks=reference_remarks(assessment.changes),
            from_to=from_to,
            most={"remarks": _REMARKS, "changes": _CHANGES, "failures": _FAILURES},
            columns=_columns(len(small), assessment, (regions, movements)),
            expression_title=expression_title,
            value_title=value_title,
            number=number,
            sentence=sentence,
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
    written, drawn = [], {}
    for index, capture in enumerate(assessment.captures):
        drawn[index] = overlay(capture, shown.get(index))
        path = folder / overlay_name(index, capture)
        with atomic_path(path) as temporary:
            drawn[index].save(temporary, format="PNG", compress_level=4)
        written.append(path)
    on_paper = paper_captures(assessment.captures) if len(drawn) > 1 else []
    small = {index: small_overlay(assessment.captures[index], shown.get(index)) for index in on_paper}
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


def _columns(overlays: int, assessment: Assessment, tables: Sequence[Table | None]) -> int:
    """Fewest columns, and five at least, in which the small overlays leave room for everything else on their page."""
    rows = sum(sum(table.on_paper) for table in tables if table is not None)
    if assessment.changes:
        rows += 5 + _CHANGES + 2 * len(reference_remarks(assessment.changes))
    if assessment.failures:
        rows += 4 + 2 * min(_FAILURES, len(assessment.failures))
    room = max(_SHARED_HEIGHT_MM - rows * _ROW_MM, _OVERLAYS_AT_LEAST_MM)
    columns = 5
    while math.ceil(overlays / columns) * (_FACE_HEIGHT * _PAGE_WIDTH_MM / columns + _CAPTION_MM) > room:
        columns += 1
    return columns


def _in_order(images: Mapping[int, Image.Image], order: Sequence[int], side: int) -> dict[int, str]:
    """Place in `order` -> its image."""
    return {place: _data_uri(images[index], side) for place, index in enumerate(order) if index in images}


def _data_uri(image: Image.Image, side: int) -> str:
    small = image.convert("RGB")
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, format="JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
