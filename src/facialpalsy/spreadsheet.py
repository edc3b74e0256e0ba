"""Spreadsheet: the small tables that people write, as rows of cells.

What spreadsheet programs save as CSV is read: UTF-8 or UTF-16 with its byte-order mark, separated by commas, semicolons
(as in many countries) or tabs, with empty lines and empty cells at the ends of lines.
"""

from __future__ import annotations

import codecs
import csv
import io
from pathlib import Path

from facialpalsy.errors import FacialPalsyError

_MAX_BYTES = 1_000_000


def read_cells(
    path: Path, error: type[FacialPalsyError], *, max_bytes: int = _MAX_BYTES
) -> list[tuple[int, list[str]]]:
    """Line number and stripped cells of every filled line of a table of at most `max_bytes`.

    Raises:
        error: the table is too large, cannot be read, or is no text.
    """
    text = _text(path, error, max_bytes)
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max((",", ";", "\t"), key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as problem:
        raise error(f"{path.name!r}, line {reader.line_num} is not CSV ({problem}). Save it as CSV again.") from problem
    return [(line, _without_empty_end(cells)) for line, cells in rows if any(cells)]


def _text(path: Path, error: type[FacialPalsyError], max_bytes: int) -> str:
    try:
        size = path.stat().st_size
        # A pipe would keep its reader waiting, a folder has no text.
        if not path.is_file():
            raise error(f"{path.name!r} cannot be read: it is no regular file. Check its name.")
        if size > max_bytes:
            raise error(f"{path.name!r} is larger than {max_bytes // 1_000_000} MB, too much for it. Check the file.")
        raw = path.read_bytes()
    except OSError as problem:
        raise error(f"{path.name!r} cannot be read: {problem.strerror}. Check the file.") from None
    utf16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return raw.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        raise error(f"{path.name!r} is no text in UTF-8 or UTF-16. Save it as 'CSV UTF-8' and try again.") from None


def _without_empty_end(cells: list[str]) -> list[str]:
    while cells and not cells[-1]:
        cells.pop()
    return cells
