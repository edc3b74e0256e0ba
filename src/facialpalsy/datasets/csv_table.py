"""CSV table: a user's own list of graded pictures, `image_path,grade,side,split` and more.

Columns: `image_path`; `subject`, unless a rule finds it in the path; `grade`, 1 to 6 or I to VI; `side`, the affected
one, the subject's own; `split`; `expression`, `capture`, `mirrored`. Any other column is kept as a target. Paths are
below the table's folder or the data root. A wrong cell costs its row or its label and is told by its line.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from facialpalsy.clinical.expressions import Expression
from facialpalsy.datasets.corpus import Kind, Reading
from facialpalsy.datasets.files import number_in, whole_number
from facialpalsy.datasets.subjects import subject_in
from facialpalsy.datasets.tree import files_in, shown
from facialpalsy.errors import CorpusError, FacialPalsyError, UsageError, did_you_mean
from facialpalsy.face import Mirrored, ReferenceSide
from facialpalsy.media import VIDEO_SUFFIXES
from facialpalsy.spreadsheet import read_cells

EXPECTED = "a table .csv with a column image_path, or a folder of such tables"

MAX_TABLE_BYTES = 200_000_000
ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6}
"""House-Brackmann grades as clinicians write them."""

_COLUMNS = ("image_path", "subject", "grade", "side", "split", "expression", "capture", "mirrored")
_SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
_LOOKED_AT = 4096
_SHOWN = 60


def looks_like(root: Path) -> bool:
    """Whether `root` is, or holds, a table with the column image_path."""
    return any(_has_header(path) for path in tables(root))


def tables(root: Path) -> list[Path]:
    """The table that `root` is, or the .csv files in it."""
    if root.is_file():
        return [root] if root.suffix.lower() == ".csv" else []
    return [path for path in files_in(root) if path.suffix.lower() == ".csv"]


def read(reading: Reading) -> None:
    """Every row that names a picture and a person.

    Raises:
        CorpusError: a table is unreadable, or does not say who is seen.
    """
    for path in tables(reading.source):
        if not _has_header(path):
            reading.problem(path, Kind.LEFT_ASIDE, "Its first line names no column image_path, so it was not read.")
            continue
        table = _Table(reading, path)
        for line, cells in table.rows:
            table.add(line, cells)


def missing_header(path: Path) -> str:
    """Why a file is no table of pictures, and what to do."""
    if path.suffix.lower() != ".csv":
        return "A file is read only if it is a table .csv; give one, or the corpus's folder."
    first = _first_line(path).decode("utf-8", errors="replace").strip()
    said = f"names {shown(first[:_SHOWN])!r}" if first else "is empty"
    return f"Its first line {said}, but must name the column image_path; correct it."


def parse_grade(text: str, *, zero_based: bool = False) -> int | None:
    """House-Brackmann grade 1 to 6 from `III`, `3` or `3.0` (0 to 5 if `zero_based`); None where it is none."""
    roman = None if zero_based else ROMAN.get(text.upper())
    number = roman if roman is not None else whole_number(number_in(text.replace(",", ".")))
    if number is None:
        return None
    grade = number + zero_based
    return grade if grade in range(1, 7) else None


def _has_header(path: Path) -> bool:
    return b"image_path" in _first_line(path).lower()


def _first_line(path: Path) -> bytes:
    """The first filled line in an 8-bit or a 16-bit encoding, without marks and nulls; empty where it is unreadable."""
    try:
        # A pipe would keep its reader waiting.
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            start = file.read(_LOOKED_AT)
    except OSError:
        return b""
    return re.split(rb"[\r\n]", start.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \r\n"), maxsplit=1)[0]


class _Table:
    """One table while it is read."""

    def __init__(self, reading: Reading, path: Path) -> None:
        self.reading, self.path, self.options = reading, path, reading.options
        self.root = reading.root
        filled = read_cells(path, CorpusError, max_bytes=MAX_TABLE_BYTES)
        self.columns = [name.lower() for name in filled[0][1]]
        self.rows = filled[1:]
        self._check_columns()

    def _check_columns(self) -> None:
        name = self.path.name
        if (twice := next((one for one in self.columns if one and self.columns.count(one) > 1), None)) is not None:
            raise CorpusError(f"{name!r} has the column {twice!r} more than once; keep one of them.")
        if "image_path" not in self.columns:
            raise CorpusError(f"{name!r} has no column 'image_path'; name the column of the pictures so.")
        if "subject" in self.columns and self.options.subject_from is not None:
            raise UsageError(f"{name!r} has a column 'subject', so --subject-from has nothing to do; leave it out.")
        if "subject" not in self.columns and self.options.subject_from is None:
            raise CorpusError(
                f"{name!r} has no column 'subject', so nothing keeps the pictures of one person out of both training "
                "and test. Add the column, or say with --subject-from where the file names state the person."
            )
        for one in self.columns:
            if one and one not in _COLUMNS:
                message = f"The unknown column {one!r} is kept as the target csv.{one}. {did_you_mean(one, _COLUMNS)}"
                self._tell(1, Kind.LEFT_ASIDE, message)

    def _tell(self, line: int, kind: Kind, message: str) -> None:
        self.reading.problem(self.path, kind, f"Line {line}: {message}")

    def add(self, line: int, cells: list[str]) -> None:
        """Add the sample of one row, or say what keeps it out."""
        if len(cells) > len(self.columns):
            self._tell(
                line, Kind.UNREADABLE_LABEL, "It has more cells than the first line; put text with commas in quotes."
            )
            return
        row = dict.fromkeys((*_COLUMNS, *self.columns), "") | dict(zip(self.columns, cells, strict=False))
        path = self._picture(line, row["image_path"])
        if path is None:
            return
        subject = row["subject"]
        if self.options.subject_from is not None:
            subject = subject_in(self.options.subject_from, path.relative_to(self.root).as_posix()) or ""
        if not subject:
            self._tell(line, Kind.NO_SUBJECT, f"Nothing says who is seen in {row['image_path'][:80]!r}.")
            return
        extra = {f"csv.{name}": row[name] for name in self.columns if name and name not in _COLUMNS and row[name]}
        # A frame cannot be named in a table, so a clip is kept whole.
        add = self.reading.add_clip if path.suffix.lower() in VIDEO_SUFFIXES else self.reading.add
        add(path, subject, capture=row["capture"], targets=extra, **self._labels(line, row))

    def _labels(self, line: int, row: dict[str, str]) -> dict[str, Any]:
        """Fields of the sample that have a fixed set of words."""
        labels: dict[str, Any] = {}
        grade = parse_grade(row["grade"], zero_based=self.options.zero_based)
        if grade is None and row["grade"]:
            self._tell(line, Kind.IMPOSSIBLE_VALUE, self._grade_message(row["grade"]))
        labels["grade"] = grade
        split = _SPLITS.get(row["split"].lower())
        if split is None and row["split"]:
            message = f"The split is {row['split'][:20]!r}; allowed are train, val and test."
            self._tell(line, Kind.IMPOSSIBLE_VALUE, message)
        labels["split"] = split
        for name, column, parse in (
            ("affected", "side", ReferenceSide),
            ("mirrored", "mirrored", Mirrored),
            ("expression", "expression", Expression.parse),
        ):
            try:
                labels |= {name: parse(row[column].lower())} if row[column] else {}
            except (ValueError, FacialPalsyError):
                allowed = {"side": ReferenceSide, "mirrored": Mirrored, "expression": Expression}[column]
                message = f"{column} is {row[column][:30]!r}. {did_you_mean(row[column], list(allowed))}"
                self._tell(line, Kind.IMPOSSIBLE_VALUE, message)
        return labels

    def _grade_message(self, text: str) -> str:
        if self.options.zero_based:
            return f"The grade is {text[:20]!r}; with --grades-from-zero allowed are 0 to 5."
        hint = " If the table counts from 0 to 5, say --grades-from-zero." if text.strip() == "0" else ""
        return f"The grade is {text[:20]!r}; allowed are 1 to 6 or I to VI.{hint}"

    def _picture(self, line: int, name: str) -> Path | None:
        """The picture of a row, if it lies below the root and exists."""
        if not name:
            self._tell(line, Kind.UNREADABLE_LABEL, "The cell image_path is empty.")
            return None
        # A table written on Windows names files in folders with backslashes.
        if not _is_file(self.root / name):
            name = name.replace("\\", "/")
        windows = PureWindowsPath(name)
        if PurePosixPath(name).is_absolute() or windows.drive or windows.root or ".." in windows.parts:
            message = f"{windows.name!r} is named by a path that leaves the root; name it from there, without '..'."
            self._tell(line, Kind.OUTSIDE_ROOT, message)
            return None
        path = self.root / name
        if not _is_file(path):
            self._tell(line, Kind.LABEL_WITHOUT_IMAGE, f"There is no file {name[:80]!r} below the root.")
            return None
        return path


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long for the system, or holds a null character
        return False
