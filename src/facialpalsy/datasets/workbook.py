"""Workbook: the small .xlsx tables of corpora as rows of text."""

from __future__ import annotations

import zipfile
import zlib
from itertools import islice
from pathlib import Path

from facialpalsy.errors import CorpusError

_MAX_BYTES = 20_000_000
_MAX_UNPACKED_BYTES = 200_000_000
_MAX_ROWS = 20_000
_MAX_COLUMNS = 200

# What openpyxl raises on damaged files, beside its own error, a ValueError for some and a plain Exception for others.
_DAMAGED = (
    *(OSError, ValueError, LookupError, TypeError, AttributeError, SyntaxError, EOFError, RuntimeError, MemoryError),
    *(zipfile.BadZipFile, zlib.error),
)


def read_sheets(path: Path) -> list[list[list[str]]]:
    """Sheets, rows and stripped cells of a workbook; formulas give the values they had when it was saved.

    Raises:
        CorpusError: it is too large, or no workbook.
    """
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        if not path.is_file():  # a pipe would keep its reader waiting
            raise CorpusError(f"{path.name!r} is no regular file; copy it again from where it came.")
        if path.stat().st_size > _MAX_BYTES:
            raise CorpusError(f"{path.name!r} is larger than {_MAX_BYTES // 1_000_000} MB, too much for such a table.")
        with zipfile.ZipFile(path) as archive:
            if sum(one.file_size for one in archive.infolist()) > _MAX_UNPACKED_BYTES:
                raise CorpusError(f"{path.name!r} unpacks to more than {_MAX_UNPACKED_BYTES // 1_000_000} MB.")
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            return [_rows(sheet) for sheet in book.worksheets]
        finally:
            book.close()
    except (*_DAMAGED, InvalidFileException) as error:
        raise CorpusError(f"{path.name!r} is no .xlsx workbook that can be read; save it as one again.") from error


def _rows(sheet: object) -> list[list[str]]:
    # Some programs write a wrong size of the sheet, and openpyxl would stop there.
    sheet.reset_dimensions()  # type: ignore[attr-defined]
    rows = sheet.iter_rows(values_only=True, max_col=_MAX_COLUMNS)  # type: ignore[attr-defined]
    return [[_text(cell) for cell in row] for row in islice(rows, _MAX_ROWS)]


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
