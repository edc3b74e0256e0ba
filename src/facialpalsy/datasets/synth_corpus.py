"""Synth corpus: synthetic patients as `facialpalsy synth` writes them, pictures with a table `labels.parquet`.

Columns that a sample knows go to its fields; every other column of plain values becomes a target `synth.<column>`.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from facialpalsy.clinical.expressions import Expression
from facialpalsy.datasets.corpus import Kind, Reading
from facialpalsy.datasets.files import whole_number
from facialpalsy.errors import CorpusError, UsageError
from facialpalsy.face import Mirrored, ReferenceSide

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

EXPECTED = "a table labels.parquet and a folder images"

_TABLE = "labels.parquet"
_SETTINGS = "corpus.json"
_PARTS = "parts"
_MASK = "zones"
_POINTS = ("points_x", "points_y")
_NEEDED = ("path", "subject")
_AFFECTED = ("affected", "affected_side")
_FIELDS = (*_NEEDED, *_AFFECTED, "capture", "expression", "mirrored", "grade")
_MAX_BYTES = 2_000_000_000


def looks_like(root: Path) -> bool:
    """Whether `root` holds the table, or is to hold it once a stopped run is finished."""
    return (root / _TABLE).is_file() or ((root / _SETTINGS).is_file() and (root / _PARTS).is_dir())


def read(reading: Reading) -> None:
    """Every picture of the table.

    Raises:
        CorpusError: the table is unreadable, or lacks a column that every sample needs.
    """
    table = _table(reading.root / _TABLE)
    columns = {name: table.column(name).to_pylist() for name in table.column_names if _is_plain(table, name)}
    if missing := [name for name in _NEEDED if name not in columns]:
        raise CorpusError(f"{_TABLE!r} has no column {' and '.join(missing)}; write the corpus again.")
    names = [name for name in columns if name not in _FIELDS]
    landmarks = reading.root / _TABLE if set(_POINTS) <= set(table.column_names) else None
    for number in range(table.num_rows):
        row = {name: values[number] for name, values in columns.items()}
        targets = {f"synth.{name}": _scalar(row[name]) for name in names if row[name] is not None}
        if row.get(_MASK):
            reading.belongs(reading.root / str(row[_MASK]))
        path = _picture(reading, number, row["path"])
        if path is not None:
            subject, labels = str(row["subject"] or ""), _labels(reading, number, row)
            reading.add(path, subject, targets=targets, landmarks=landmarks, **labels)


def points_of(table: Path) -> dict[Path, NDArray[np.float64]]:
    """The points (n, 2) in pixels of each picture of a table that has as many x as y.

    Raises:
        CorpusError: the table is unreadable.
    """
    import numpy as np

    columns = _table(table).select(["path", *_POINTS]).to_pydict().values()
    return {
        table.parent / name: np.column_stack([x, y]).astype(np.float64)
        for name, x, y in zip(*columns, strict=True)
        if name and x and y and len(x) == len(y)
    }


def _table(path: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise CorpusError(
            f"{path.parent.name!r} holds a corpus of which {_TABLE!r} is missing, because its run was stopped. Run the "
            "same `facialpalsy synth` again, which finishes it."
        )
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise CorpusError(f"{path.name!r} is larger than {_MAX_BYTES // 10**9} GB, too much for a table.")
        return pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise CorpusError(f"{path.name!r} is no Parquet table that can be read; write the corpus again.") from error


def _is_plain(table: pa.Table, name: str) -> bool:
    import pyarrow.types as kinds

    kind = table.schema.field(name).type
    plain = (kinds.is_integer, kinds.is_floating, kinds.is_boolean, kinds.is_string, kinds.is_large_string)
    return any(test(kind) for test in (*plain, kinds.is_dictionary, kinds.is_null))


def _scalar(value: object) -> str | float:
    return float(value) if isinstance(value, bool | int | float) else str(value)


def _picture(reading: Reading, number: int, name: object) -> Path | None:
    inside = PurePosixPath(str(name or ""))
    if name is None or inside.is_absolute() or ".." in inside.parts:
        reading.problem(_TABLE, Kind.OUTSIDE_ROOT, f"Row {number} names no path below the root.")
        return None
    path = reading.root / inside
    if not path.is_file():
        reading.problem(
            path, Kind.LABEL_WITHOUT_IMAGE, f"Row {number} of {_TABLE} names it, but there is no such file."
        )
        return None
    return path


def _labels(reading: Reading, number: int, row: dict[str, Any]) -> dict[str, Any]:
    """Fields of the sample that have a fixed set of values."""
    labels: dict[str, Any] = {"capture": str(row.get("capture") or "")}
    affected = next((row[name] for name in _AFFECTED if row.get(name) is not None), None)
    for name, value, parse in (
        ("affected", affected, ReferenceSide),
        ("mirrored", row.get("mirrored"), Mirrored),
        ("expression", row.get("expression"), Expression.parse),
    ):
        try:
            labels |= {name: parse(str(value))} if value is not None else {}
        except (ValueError, UsageError):
            reading.problem(_TABLE, Kind.IMPOSSIBLE_VALUE, f"Row {number} has {name} = {str(value)[:30]!r}.")
    grade = row.get("grade")
    if grade is not None:
        labels["grade"] = whole_number(grade) if grade in range(1, 7) else None
        if labels["grade"] is None:
            reading.problem(_TABLE, Kind.IMPOSSIBLE_VALUE, f"Row {number} has the grade {grade}; allowed are 1 to 6.")
    return labels
