"""HTML: one assessment as a self-contained page, and as a folder of page and overlays."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from markupsafe import Markup
from PIL import Image

from facialpalsy.assessment import Assessment, Capture, FaceMaps
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
from facialpalsy.report.figures import bars, grade_bars, movement_bars
from facialpalsy.report.followup import from_to, reference_remarks
from facialpalsy.report.maps import draw_maps
from facialpalsy.report.network import map_caption, most_asymmetric, network_lines, network_table, recognition_lines
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
_MAP_SIDE = 448
_JPEG_QUALITY = 85

# What keeps an exam to two pages of A4: lists are cut, and the small overlays share what the tables leave of page two.
_REMARKS, _CHANGES, _FAILURES = 5, 3, 2
_MOST = {
    False: {"remarks": _REMARKS, "changes": _CHANGES, "failures": _FAILURES},
    True: {"remarks": _REMARKS, "changes": 1, "failures": 1},
}
_PAGE_WIDTH_MM, _ROW_MM, _CAPTION_MM = 186.0, 3.7, 6.0
_SHARED_HEIGHT_MM, _OVERLAYS_AT_LEAST_MM = 185.0, 26.0
_FACE_HEIGHT = 1.15  # of its width
_NETWORK_MM, _NETWORK_BRIEF_MM = 58.0, 11.0  # with its figures, and in words alone


def render(
    assessment: Assessment,
    pictures: Mapping[int, Image.Image],
    small: Mapping[int, Image.Image],
    maps: Mapping[int, Mapping[str, Image.Image]] = MappingProxyType({}),
    *,
    photos: bool,
) -> str:
    """The report as one HTML page without scripts or references to anything outside itself.

    On paper an exam is two pages: what a screen can scroll through, measures and reasons, is left out and said to be.

    Args:
        assessment: What to report.
        pictures: Index of a capture -> its overlay.
        small: Index of a capture -> its small overlay, to be shown on paper; none where there is one capture only.
        maps: Index of a capture -> kind of map -> it drawn; the few most asymmetric captures are shown.
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
    paper = _paper(len(small), assessment, (regions, movements))
    # The recogniser's caution says most.
    networks = (assessment.recognition, assessment.regions, assessment.grade)
    mapped = [place for place in most_asymmetric(captures) if order[place] in maps]
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
            network=[*network_lines(assessment), *recognition_lines(assessment)],
            caution=next((one.caution for one in networks if one.caution is not None), None),
            network_bars=Markup(grade_bars(assessment)),  # noqa: S704  made by an escaping template
            network_table=network_table(assessment),
            maps=[
                (
                    map_caption(titles[place], captures[place]),
                    {kind: _data_uri(image, _MAP_SIDE) for kind, image in maps[order[place]].items()},
                )
                for place in mapped
            ],
            notes=notes,
            reference_remarks=reference_remarks(assessment.changes),
            from_to=from_to,
            most=_MOST[paper.crowded],
            paper=paper,
            expression_title=expression_title,
            value_title=value_title,
            number=number,
            sentence=sentence,
            dash=DASH,
        )
    )


def write_report(
    folder: Path,
    assessment: Assessment,
    pictures: Mapping[int, Picture],
    maps: Mapping[int, FaceMaps] = MappingProxyType({}),
    *,
    photos: bool = True,
) -> list[Path]:
    """Write `overlay_<n>_<expression or name>.png` per capture, its maps and `report.html` to an existing folder.

    Args:
        folder: Where to.
        assessment: What to report.
        pictures: Index of a capture -> its picture (h, w, 3) RGB, upright and un-mirrored, as it was measured.
        maps: Index of a capture -> its maps, written to the files that the capture names.
        photos: Whether the pictures may be shown; a capture without one shows its landmarks alone.

    Returns:
        The files written.

    Raises:
        OutputError: the folder cannot be written or the disk is full.
    """
    shown = dict(pictures) if photos else {}
    captures = assessment.captures
    drawn = {index: overlay(capture, shown.get(index)) for index, capture in enumerate(captures)}
    drawn_maps = {index: draw_maps(captures[index], found, photo=index in shown) for index, found in maps.items()}
    files = {overlay_name(index, captures[index]): image for index, image in drawn.items()}
    files |= {captures[index].maps[kind]: image for index, one in drawn_maps.items() for kind, image in one.items()}
    for name, image in files.items():
        with atomic_path(folder / name) as temporary:
            image.save(temporary, format="PNG", compress_level=4)
    on_paper = paper_captures(captures) if len(drawn) > 1 else []
    small = {index: small_overlay(captures[index], shown.get(index)) for index in on_paper}
    page = folder / REPORT
    write_text(page, render(assessment, drawn, small, drawn_maps, photos=bool(shown)))
    return [*(folder / name for name in files), page]


def overlay_name(index: int, capture: Capture) -> str:
    """File name of the overlay of the capture at `index`."""
    return f"overlay_{index + 1}_{slug(capture)}.png"


def _in_exam_order(assessment: Assessment, order: Sequence[int]) -> Assessment:
    """The assessment as it is shown: captures in this order of indices, movements in the exam's."""
    movements = sorted(assessment.movements, key=lambda movement: exam_order(movement.expression))
    captures = tuple(assessment.captures[index] for index in order)
    return assessment.model_copy(update={"captures": captures, "movements": tuple(movements)})


@dataclass(frozen=True)
class _Paper:
    """How page two of an exam is shared out.

    Attributes:
        columns: Fewest columns, and five at least, in which the small overlays leave room for everything else.
        brief: Whether the network has words alone, for want of a grade or of room for its figures.
        crowded: Whether the overlays have less room than they should, so that everything else is cut shorter.
    """

    columns: int
    brief: bool
    crowded: bool


def _paper(overlays: int, assessment: Assessment, tables: Sequence[Table | None]) -> _Paper:
    rows = sum(sum(table.on_paper) for table in tables if table is not None)
    if assessment.changes:
        rows += 5 + _CHANGES + 2 * len(reference_remarks(assessment.changes))
    if assessment.failures:
        rows += 4 + 2 * min(_FAILURES, len(assessment.failures))
    left = _SHARED_HEIGHT_MM - rows * _ROW_MM
    brief = assessment.grade.estimate is None or left - _NETWORK_MM < _OVERLAYS_AT_LEAST_MM
    left -= _NETWORK_BRIEF_MM if brief else _NETWORK_MM
    room = max(left, _OVERLAYS_AT_LEAST_MM)
    columns = 5
    while math.ceil(overlays / columns) * (_FACE_HEIGHT * _PAGE_WIDTH_MM / columns + _CAPTION_MM) > room:
        columns += 1
    return _Paper(columns, brief, left < room)


def _in_order(images: Mapping[int, Image.Image], order: Sequence[int], side: int) -> dict[int, str]:
    """Place in `order` -> its image."""
    return {place: _data_uri(images[index], side) for place, index in enumerate(order) if index in images}


def _data_uri(image: Image.Image, side: int) -> str:
    small = image.convert("RGB")
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, format="JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
