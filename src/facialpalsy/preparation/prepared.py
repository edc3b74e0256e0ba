"""Prepared: the table of a prepared corpus, one row per sample, whether a face was found in it or not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from facialpalsy.clinical.expressions import Expression
from facialpalsy.datasets.sample import Sample
from facialpalsy.errors import PreparationError
from facialpalsy.face import SCHEMES, Landmarks, Mirrored, Pose, ReferenceSide
from facialpalsy.preparation.quality import Quality
from facialpalsy.writing import atomic_path

if TYPE_CHECKING:
    import pyarrow as pa

TABLE = "prepared.parquet"
SCHEMA = "facialpalsy.prepared/1"

_CROP = "crop_"
_POINTS = "landmarks"
_ROWS_AT_ONCE = 1000
_TEXT = "string"
_COLUMNS = {
    "corpus": _TEXT,
    "key": _TEXT,
    "subject": _TEXT,
    "capture": _TEXT,
    "frame": "int64",
    "expression": _TEXT,
    "affected": _TEXT,
    "mirrored": _TEXT,
    "unmirrored": "bool",
    "grade": "int64",
    "split": _TEXT,
    "targets": _TEXT,
    "sha256": _TEXT,
    "engine": _TEXT,
    "scheme": _TEXT,
    "landmarks_size": "int64",
    "yaw": "float64",
    "pitch": "float64",
    "roll": "float64",
    "face_width_px": "float64",
    "faces": "int64",
    "laplacian_variance": "float64",
    "brightness": "float64",
    "outside": "float64",
    "failure": _TEXT,
    "message": _TEXT,
}
COLUMNS = (*_COLUMNS, "warnings", _POINTS)
"""Columns of every table; one column `crop_<size>` per size comes on top."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """One sample after preparation. What the corpus says of it is kept as in `Sample`.

    Attributes:
        sha256: Of the file's bytes; None where it cannot be read.
        unmirrored: Whether the picture was mirrored and has been turned back, so that left is the subject's left.
        engine: Landmark engine.
        crops: Side in pixels -> PNG; empty where no face was found.
        scheme: Name of the landmark scheme.
        points: (n, 2) landmarks in the pixels of the first crop.
        points_size: Side of that crop.
        pose: Of the head; with unknown mirroring, as if the picture were not mirrored.
        face_width_px: Width of the landmarks in the picture.
        faces: How many faces were found; the largest is shown.
        warnings: Whole sentences about the picture and the choice of the face.
        quality: Numbers of the first crop.
        failure: Name of the error, None where there is a crop.
        message: Its sentence.
    """

    corpus: str
    key: str
    subject: str
    capture: str = ""
    frame: int | None = None
    expression: Expression | None = None
    affected: ReferenceSide = ReferenceSide.UNKNOWN
    mirrored: Mirrored = Mirrored.UNKNOWN
    unmirrored: bool = False
    grade: int | None = None
    split: str | None = None
    targets: Mapping[str, str | float] = field(default_factory=dict)
    sha256: str | None = None
    engine: str = ""
    crops: Mapping[int, Path] = field(default_factory=dict)
    scheme: str | None = None
    points: NDArray[np.float32] | None = None
    points_size: int | None = None
    pose: Pose | None = None
    face_width_px: float | None = None
    faces: int = 0
    warnings: tuple[str, ...] = ()
    quality: Quality | None = None
    failure: str | None = None
    message: str | None = None

    @classmethod
    def of(cls, sample: Sample, **found: Any) -> Prepared:
        """The row of `sample` with what was `found`."""
        names = "corpus key subject capture frame expression affected mirrored grade split targets"
        return cls(
            **{name: getattr(sample, name) for name in names.split()},
            unmirrored=sample.mirrored is Mirrored.YES,
            **found,
        )

    def landmarks(self, size: int) -> Landmarks | None:
        """The landmarks in the pixels of a crop of `size`; None where no face was found."""
        if self.points is None or self.points_size is None or self.scheme is None:
            return None
        points = self.points.astype(np.float64) * (size / self.points_size)
        return Landmarks(SCHEMES[self.scheme], points, (size, size), engine=self.engine)


def write_prepared(folder: Path, rows: Iterable[Prepared], sizes: Iterable[int]) -> None:
    """Write the table of `rows`, as they come, whole or not at all."""
    import pyarrow as pa
    from pyarrow import parquet

    fields = [pa.field(name, getattr(pa, kind.replace("bool", "bool_"))()) for name, kind in _COLUMNS.items()]
    fields += [pa.field("warnings", pa.list_(pa.string())), pa.field(_POINTS, pa.list_(pa.float32()))]
    fields += [pa.field(f"{_CROP}{size}", pa.string()) for size in sizes]
    schema = pa.schema(fields, {"schema": SCHEMA})
    with atomic_path(folder / TABLE) as temporary, parquet.ParquetWriter(temporary, schema) as writer:
        cells = (_cells(row, folder) for row in rows)
        while chunk := list(islice(cells, _ROWS_AT_ONCE)):
            writer.write_table(pa.Table.from_pylist(chunk, schema=schema))


def read_prepared(folder: Path) -> list[Prepared]:
    """Every row of a prepared folder.

    Raises:
        PreparationError: there is no table, or it is damaged or of another version.
    """
    import pyarrow as pa
    from pyarrow import parquet

    path = folder / TABLE
    try:
        with parquet.ParquetFile(path) as file:
            if (file.schema_arrow.metadata or {}).get(b"schema") != SCHEMA.encode():
                raise PreparationError(
                    f"{TABLE} in {folder.name!r} is not of the schema {SCHEMA}; run `facialpalsy prepare` again."
                )
            return [row for batch in file.iter_batches(_ROWS_AT_ONCE) for row in _rows(batch, folder)]
    except FileNotFoundError:
        raise PreparationError(
            f"{folder.name!r} holds no {TABLE}: name the --out folder of a finished `facialpalsy prepare`."
        ) from None
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError) as error:
        raise PreparationError(
            f"{TABLE} in {folder.name!r} is damaged ({error}); run `facialpalsy prepare` again, which keeps the crops."
        ) from None


def _cells(row: Prepared, folder: Path) -> dict[str, Any]:
    pose, quality = row.pose, row.quality
    cells = {
        **{name: getattr(row, name) for name in _COLUMNS if hasattr(row, name)},
        "targets": json.dumps(dict(row.targets)),
        "landmarks_size": row.points_size,
        **{name: None if pose is None else getattr(pose, name) for name in ("yaw", "pitch", "roll")},
        **{
            name: None if quality is None else getattr(quality, name)
            for name in ("laplacian_variance", "brightness", "outside")
        },
        "warnings": list(row.warnings),
        _POINTS: None if row.points is None else row.points.ravel(),
        **{f"{_CROP}{size}": path.relative_to(folder).as_posix() for size, path in row.crops.items()},
    }
    return {name: _plain(cell) if isinstance(cell, str) else cell for name, cell in cells.items()}


def _plain(text: str) -> str:
    """Text without the stray bytes that names of files may hold and a table may not."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _rows(batch: pa.RecordBatch, folder: Path) -> Iterator[Prepared]:
    # As Python floats the points of a large corpus would not fit into memory.
    points = batch.column(_POINTS)
    for cells, flat in zip(batch.drop_columns([_POINTS]).to_pylist(), points, strict=True):
        yield _row(cells, None if flat.values is None else flat.values.to_numpy().reshape(-1, 2), folder)


def _row(cells: dict[str, Any], points: NDArray[np.float32] | None, folder: Path) -> Prepared:
    pose = [cells.pop(name) for name in ("yaw", "pitch", "roll")]
    quality = [cells.pop(name) for name in ("laplacian_variance", "brightness", "outside")]
    crops = {name: cells.pop(name) for name in list(cells) if name.startswith(_CROP)}
    expression = cells.pop("expression")
    return Prepared(
        expression=None if expression is None else Expression(expression),
        affected=ReferenceSide(cells.pop("affected")),
        mirrored=Mirrored(cells.pop("mirrored")),
        targets=json.loads(cells.pop("targets")),
        warnings=tuple(cells.pop("warnings")),
        points=points,
        points_size=cells.pop("landmarks_size"),
        pose=None if points is None else Pose(*pose),
        quality=None if points is None else Quality(*quality),
        crops={int(name.removeprefix(_CROP)): _below(folder, path) for name, path in crops.items() if path is not None},
        **cells,
    )


def _below(folder: Path, path: str) -> Path:
    if path.startswith("/") or "\\" in path or ".." in path.split("/"):
        raise ValueError("it names a crop outside the folder")
    return folder / path
