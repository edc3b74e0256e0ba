"""Tables: assessments as CSV, long (one row per capture and measure) and wide (one row per exam)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from facialpalsy.assessment import MEASURE_UNITS, MOVEMENT_EXPRESSIONS, OVERALL, REGIONS, Assessment, Capture, Measure
from facialpalsy.report.readings import Reading, readings
from facialpalsy.report.words import SCALE_TITLES
from facialpalsy.writing import atomic_path

Cell = str | float | bool | None
Row = dict[str, Cell]

MEASURE_COLUMNS = (
    "name", "source", "frame", "time_s", "expression", "side_frame", "yaw", "pitch", "roll", "usable", "measure",
    "unit", "left", "right", "difference", "ratio", "noise", "limit_low", "limit_high", "z", "withheld",
)  # fmt: skip
EXAM_COLUMNS = (
    "name", "source", "subject", "date", "phase", "surgery", "reference_side", "side_frame", "complete", "missing",
)  # fmt: skip

_MOVEMENT_COLUMNS = tuple(
    f"{expression}.{name}.{value}"
    for name, expressions in MOVEMENT_EXPRESSIONS.items()
    for expression in expressions
    for value in ("left", "right", "ratio")
)

# Spreadsheets run text that begins with one of these as a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def measures_rows(name: str, assessment: Assessment) -> Iterator[Row]:
    """Every measure of every capture, as `capture_rows`."""
    for capture in assessment.captures:
        yield from capture_rows(name, capture)


def capture_rows(name: str, capture: Capture) -> Iterator[Row]:
    """Every measure of one capture: a row in its own unit (iod or deg) and, where there is a scale, a row in mm.

    Args:
        name: Name of the result that the capture belongs to.
        capture: The capture.
    """
    pose = capture.face.pose_deg
    place: Row = {
        "name": name,
        "source": capture.source,
        "frame": capture.frame,
        "time_s": capture.time_s,
        "expression": None if capture.expression is None else capture.expression.value,
        "side_frame": capture.side_frame.value,
        "yaw": pose.yaw,
        "pitch": pose.pitch,
        "roll": pose.roll,
        "usable": capture.quality.usable,
    }
    yield from measure_rows(capture.measures, place, capture.scale.mm_per_iod)


def measure_rows(measures: Iterable[Measure], place: Mapping[str, Cell], mm_per_iod: float | None) -> Iterator[Row]:
    """Measures of one picture or frame, each row beginning with the cells of `place`.

    Args:
        measures: The measures.
        place: The columns before `measure`.
        mm_per_iod: Scale; without one there are no rows in mm.
    """
    for measure in measures:
        found: list[Reading | None] = [*readings(measure, mm_per_iod)]
        for reading in found or [None]:
            yield {**place, **_measure_cells(measure, reading)}


def write_measures_csv(path: Path, results: Mapping[str, Assessment]) -> None:
    """Write the measures of all `results`, name -> assessment, as one long table, whole or not at all.

    Raises:
        OutputError: the folder cannot be written or the disk is full.
    """
    write_csv(path, MEASURE_COLUMNS, (row for one in results.items() for row in measures_rows(*one)))


def write_exams_csv(path: Path, results: Mapping[str, Assessment]) -> None:
    """Write one row per assessment of `results`, name -> assessment.

    A row holds the exam, every scale, every movement (iod) and asymmetry at rest (z).

    After the exam's own columns come the others in alphabetical order.

    Raises:
        OutputError: the folder cannot be written or the disk is full.
    """
    rows = [exam_row(*one) for one in results.items()]
    found = {name for row in rows for name in row} | set(_scale_cells({})) | set(_rest_cells(None))
    write_csv(path, (*EXAM_COLUMNS, *sorted(found - set(EXAM_COLUMNS))), rows)


def write_csv(path: Path, columns: Iterable[str], rows: Iterable[Mapping[str, Cell]]) -> None:
    """Write `rows` as they come; text that a spreadsheet would run as a formula gets a leading apostrophe.

    Raises:
        OutputError: the folder cannot be written or the disk is full.
    """
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        # The writer's own CRLF: with a plain line feed it would leave a carriage return in a name unquoted.
        writer = csv.DictWriter(file, list(columns))
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _written(cell) for name, cell in row.items()})


def exam_row(name: str, assessment: Assessment) -> Row:
    """One exam as one wide row."""
    exam = assessment.exam
    row: Row = {
        "name": name,
        "source": _folder(assessment),
        "subject": exam.subject,
        "date": exam.date,
        "phase": exam.phase,
        "surgery": exam.surgery,
        "reference_side": exam.reference_side.value,
        "side_frame": exam.side_frame.value,
        "complete": exam.complete,
        "missing": "; ".join(f"{one.expression.value}: {one.reason}" for one in exam.missing),
    }
    row |= _scale_cells(
        {f"{scale}.{field}": cell for scale in assessment.scales for field, cell in _scale(assessment, scale).items()}
    )
    row |= dict.fromkeys(_MOVEMENT_COLUMNS)
    for movement in assessment.movements:
        column = f"{movement.expression}.{movement.measure}"
        row[f"{column}.left"] = None if movement.iod is None else movement.iod.left
        row[f"{column}.right"] = None if movement.iod is None else movement.iod.right
        row[f"{column}.ratio"] = movement.ratio
    rest = next((one for one in assessment.captures if one.expression == "rest" and one.quality.usable), None)
    return row | _rest_cells(rest)


def _measure_cells(measure: Measure, reading: Reading | None) -> Row:
    low, high = (None, None) if reading is None or reading.limits is None else reading.limits
    return {
        "measure": measure.name,
        "unit": MEASURE_UNITS.get(measure.name) if reading is None else reading.unit,
        "left": None if reading is None else reading.left,
        "right": None if reading is None else reading.right,
        "difference": None if reading is None else reading.difference,
        "ratio": measure.ratio,
        "noise": None if reading is None else reading.noise,
        "limit_low": low,
        "limit_high": high,
        "z": measure.z,
        "withheld": "; ".join(f"{field}: {reason}" for field, reason in measure.withheld.items()),
    }


def _scale(assessment: Assessment, name: str) -> Row:
    scale = assessment.scales[name]
    low, high = scale.interval or (scale.estimate, scale.estimate)
    rated = "; ".join(f"{one.rater}: {one.value:g}" for one in scale.rated)
    return {"estimate": scale.estimate, "low": low, "high": high, "withheld": scale.withheld, "rated": rated or None}


def _scale_cells(known: Row) -> Row:
    fields = ("estimate", "low", "high", "withheld", "rated")
    return {f"{name}.{field}": known.get(f"{name}.{field}") for name in SCALE_TITLES for field in fields}


def _rest_cells(rest: Capture | None) -> Row:
    found = {} if rest is None else rest.asymmetry
    return {f"rest.asymmetry.{name}": found[name].z if name in found else None for name in (*REGIONS, OVERALL)}


def _folder(assessment: Assessment) -> str | None:
    """The folder that holds the exam's first capture, or that capture itself where it lies in none."""
    if not assessment.captures:
        return None
    source = PurePosixPath(assessment.captures[0].source)
    return str(source if source.parent == PurePosixPath() else source.parent)


def _written(cell: Cell) -> Cell:
    if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS):
        return f"'{cell}"
    # A zero has no sign.
    return f"{cell + 0.0:.8g}" if isinstance(cell, float) else cell
