"""Exam table: `exam.csv`, which names the captures of an exam and what is known about the subject.

Columns `file, expression, mirrored` per row; `subject, date, phase, surgery, reference_side, iris_mm, ruler_mm` once
per exam (in the first row, or equal wherever repeated). `ruler_mm` is the distance between the outer canthi, measured
on the person with a ruler. Unknown expressions and missing files become failure rows; the others are analysed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TypeVar, get_args

from facialpalsy.analysis.request import ExamHeader
from facialpalsy.assessment import Failure, Phase
from facialpalsy.clinical.expressions import Expression
from facialpalsy.errors import ExamError, FacialPalsyError, InputNotFoundError, UsageError, did_you_mean
from facialpalsy.face import Mirrored, ReferenceSide
from facialpalsy.spreadsheet import read_cells

FILE_NAME = "exam.csv"

_ROW_COLUMNS = ("file", "expression", "mirrored")
_EXAM_COLUMNS = ("subject", "date", "phase", "surgery", "reference_side", "iris_mm", "ruler_mm")
_NO_SURGERY = ("", "no", "none", "-", "0")
_Choice = TypeVar("_Choice", bound=StrEnum)
_LIMITS_MM = {"iris_mm": (5.0, 20.0), "ruler_mm": (40.0, 160.0)}


@dataclass(frozen=True)
class ExamRow:
    """One capture of the table; `expression` and `mirrored` are None where the cell is empty."""

    path: Path
    expression: Expression | None
    mirrored: Mirrored | None


def read_exam_table(folder: Path) -> tuple[ExamHeader, list[ExamRow], list[Failure]]:
    """Read `exam.csv` of an exam's folder.

    Raises:
        ExamError: the table is unreadable, has unknown or missing columns, or contradicts itself.
    """
    rows = _read_rows(folder / FILE_NAME)
    header = _header(rows)
    captures, failures = [], []
    for row in rows:
        if not row["file"]:
            continue
        try:
            captures.append(_capture(folder, row))
        except FacialPalsyError as error:
            failures.append(Failure(source=_shown(row), error=type(error).__name__, message=str(error)))
    return header, captures, failures


def _read_rows(path: Path) -> list[dict[str, str]]:
    filled = read_cells(path, ExamError)
    columns = [name.lower() for name in filled[0][1]] if filled else []
    for name in columns:
        if name not in (*_ROW_COLUMNS, *_EXAM_COLUMNS):
            raise ExamError(
                f"{FILE_NAME} has an unknown column {name!r}. {did_you_mean(name, (*_ROW_COLUMNS, *_EXAM_COLUMNS))}"
            )
    if (twice := next((name for name in columns if columns.count(name) > 1), None)) is not None:
        raise ExamError(f"{FILE_NAME} has the column {twice!r} more than once; keep one of them.")
    if "file" not in columns or len(filled) < 2:
        raise ExamError(f"{FILE_NAME} needs a column 'file' and at least one row; write one row per picture.")
    for line, cells in filled[1:]:
        if len(cells) > len(columns):
            raise ExamError(
                f"{FILE_NAME}, line {line} has {len(cells)} cells, but the first line names {len(columns)}; "
                "put a cell that holds a comma or semicolon into quotes."
            )
    rows = [dict(zip(columns, cells, strict=False)) for _, cells in filled[1:]]
    return [{name: row.get(name, "") for name in (*_ROW_COLUMNS, *_EXAM_COLUMNS)} for row in rows]


def _header(rows: list[dict[str, str]]) -> ExamHeader:
    values: dict[str, str] = {}
    for name in _EXAM_COLUMNS:
        found = sorted({row[name] for row in rows} - {""})
        if len(found) > 1:
            raise ExamError(
                f"{FILE_NAME} gives several values for {name}: {', '.join(map(repr, found))}; an exam has one. "
                "Correct the table, or make one folder per exam."
            )
        values[name] = found[0] if found else ""
    phase = values["phase"].lower()
    if phase and phase not in get_args(Phase):
        raise ExamError(f"{FILE_NAME} has an unknown phase {phase!r}. {did_you_mean(phase, get_args(Phase))}")
    return ExamHeader(
        subject=values["subject"] or None,
        date=_date(values["date"]),
        phase=phase or None,  # type: ignore[arg-type]
        surgery=None if values["surgery"].lower() in _NO_SURGERY else values["surgery"],
        reference_side=_choice(ReferenceSide, "reference_side", values) or ReferenceSide.UNKNOWN,
        iris_mm=_millimetres("iris_mm", values),
        ruler_mm=_millimetres("ruler_mm", values),
    )


def _capture(folder: Path, row: dict[str, str]) -> ExamRow:
    # A table written on Windows names files in folders with backslashes.
    name = row["file"] if _is_file(folder / row["file"]) else row["file"].replace("\\", "/")
    parts = {*PurePosixPath(name).parts, *PureWindowsPath(name).parts}
    if PurePosixPath(name).is_absolute() or PureWindowsPath(name).is_absolute() or ".." in parts:
        raise ExamError(
            f"{FILE_NAME} names {_shown(row)!r}, which lies outside the exam's folder; "
            "copy the picture into the folder."
        )
    path = folder / name
    if not _is_file(path):
        raise InputNotFoundError(
            f"{FILE_NAME} names {name!r}, but there is no such file in the exam's folder; correct the name."
        )
    try:
        expression = Expression.parse(row["expression"]) if row["expression"] else Expression.from_name(path.stem)
    except UsageError as error:
        raise ExamError(f"{FILE_NAME}, row {name!r}: {error}") from error
    return ExamRow(path, expression, _choice(Mirrored, "mirrored", row))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long for the system
        return False


def _shown(row: Mapping[str, str]) -> str:
    """The file of a row for messages: without the folders of an absolute path, which are nobody's business."""
    path = PureWindowsPath(row["file"])
    return path.name if path.is_absolute() or path.root else row["file"]


def _date(text: str) -> str | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ExamError(f"{FILE_NAME} has the date {text!r}; write it as year-month-day, such as 2026-03-01.") from None
    if day > date.today() + timedelta(days=1):
        raise ExamError(f"{FILE_NAME} has the date {text!r}, which lies in the future; correct it.")
    return day.isoformat()


def _choice(kind: type[_Choice], name: str, values: Mapping[str, str]) -> _Choice | None:
    text = values[name].lower()
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        raise ExamError(f"{FILE_NAME} has {name} = {text!r}. {did_you_mean(text, list(kind))}") from None


def _millimetres(name: str, values: Mapping[str, str]) -> float | None:
    if not values[name]:
        return None
    low, high = _LIMITS_MM[name]
    try:
        number = float(values[name].replace(",", "."))
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise ExamError(f"{FILE_NAME} has {name} = {values[name]!r}; allowed are {low:g} to {high:g} millimetres.")
    return number
