"""Files: the small label files of corpora, bounded in size, and the numbers in them."""

from __future__ import annotations

import codecs
import math
from pathlib import Path

from facialpalsy.datasets.corpus import Kind, Reading
from facialpalsy.errors import CorpusError

MAX_LABEL_BYTES = 64_000_000


def read_label_text(path: Path, max_bytes: int = MAX_LABEL_BYTES) -> str:
    """The text of a label file, in UTF-8, UTF-16 with its mark, or else Latin-1.

    Raises:
        CorpusError: it is no regular file, too large, or cannot be read.
    """
    try:
        if not path.is_file():
            raise CorpusError(f"{path.name!r} is no regular file; copy it again from where it came.")
        if path.stat().st_size > max_bytes:
            raise CorpusError(f"{path.name!r} is larger than {max_bytes // 1_000_000} MB, too much for a label file.")
        raw = path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{path.name!r} cannot be read ({error.strerror}); check who may read it.") from None
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def read_numbers(reading: Reading, path: Path, *, header: bool = False) -> list[tuple[int, list[float]]]:
    """Line number and numbers of every line that holds finite numbers alone, separated by commas, semicolons or blanks.

    Lines that hold anything else become one problem of the file; with `header`, the first line may hold words.
    """
    try:
        rows, bad = number_lines(path)
    except CorpusError as error:
        reading.problem(path, Kind.UNREADABLE_LABEL, str(error))
        return []
    if bad := [line for line in bad if not (header and line == 1)]:
        what = f"Line {bad[0]}" if len(bad) == 1 else f"{len(bad)} lines, the first of them line {bad[0]},"
        verb = "holds" if len(bad) == 1 else "hold"
        reading.problem(path, Kind.UNREADABLE_LABEL, f"{what} {verb} something else than numbers and were not read.")
    return rows


def number_lines(path: Path) -> tuple[list[tuple[int, list[float]]], list[int]]:
    """Line number and numbers of every line that holds finite numbers alone, and the lines that hold anything else.

    Raises:
        CorpusError: as `read_label_text`.
    """
    rows: list[tuple[int, list[float]]] = []
    bad: list[int] = []
    for line, content in enumerate(read_label_text(path).splitlines(), start=1):
        cells = content.replace(",", " ").replace(";", " ").split()
        numbers = [number for cell in cells if (number := number_in(cell)) is not None]
        if len(numbers) < len(cells):
            bad.append(line)
        elif cells:
            rows.append((line, numbers))
    return rows, bad


def number_in(text: str) -> float | None:
    """The finite number that `text` is, or None; `1_2`, a number to Python alone, is none."""
    if "_" in text:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def whole_number(number: float | None) -> int | None:
    """`number` as an int where it is a whole number, or None."""
    return int(number) if number is not None and number == int(number) else None
