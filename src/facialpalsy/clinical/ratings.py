"""Ratings: the clinician's own items, read from `ratings.csv` (`item,value,rater`)."""

from __future__ import annotations

from pathlib import Path

from facialpalsy.clinical.evidence import Rating
from facialpalsy.clinical.scales.items import ITEMS, WHOLE_SCALES
from facialpalsy.errors import InputNotFoundError, RatingsError, did_you_mean
from facialpalsy.spreadsheet import read_cells

ALLOWED = {**WHOLE_SCALES, **ITEMS}
"""Every item that a ratings file may hold, with its allowed values."""

_HEADER = ["item", "value", "rater"]
_LONGEST_RATER = 60
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6}
# A spreadsheet takes a cell that starts so for a formula, and results are written to CSV again.
_FORMULA_STARTS = ("=", "+", "-", "@")


def read_ratings(path: Path) -> tuple[Rating, ...]:
    """The ratings in `path`, in their order; empty lines are skipped.

    Args:
        path: A table as spreadsheets save it (`facialpalsy.spreadsheet`) with the header `item,value,rater`. Items are
            those of `ALLOWED`; `house_brackmann` may be given in Roman numerals.

    Raises:
        InputNotFoundError: There is no such file.
        RatingsError: The file is unreadable, or a line holds an unknown item, a value outside the item's range, no
            rater, or an item that the same rater already gave.
    """
    ratings: dict[tuple[str, str], Rating] = {}
    for line, cells in _rows(path):
        where = f"{path.name!r}, line {line}"
        rating = _rating(cells, where)
        key = (rating.item, rating.rater)
        if key in ratings:
            raise RatingsError(
                f"{where}: {rating.rater!r} gives {rating.item} a second time. Keep one of the two lines."
            )
        ratings[key] = rating
    return tuple(ratings.values())


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Line number and cells of every filled line after the header."""
    if not path.exists():
        raise InputNotFoundError(f"There is no ratings file {path.name!r}. Check its name.")
    filled = read_cells(path, RatingsError)
    if not filled or [cell.lower() for cell in filled[0][1]] != _HEADER:
        found = _short(",".join(filled[0][1])) if filled else "nothing"
        raise RatingsError(f"{path.name!r} begins with {found}; its first line must be item,value,rater.")
    return filled[1:]


def _rating(cells: list[str], where: str) -> Rating:
    if len(cells) != len(_HEADER):
        number = f"{len(cells)} cell{'s' * (len(cells) != 1)}"
        raise RatingsError(f"{where} has {number}; it must have three: item,value,rater.")
    item, text, rater = cells
    if item not in ALLOWED:
        raise RatingsError(f"{where}: unknown item {_short(item)}. {did_you_mean(item, ALLOWED)}")
    if not rater or len(rater) > _LONGEST_RATER or not rater.isprintable() or rater.startswith(_FORMULA_STARTS):
        raise RatingsError(
            f"{where}: the rater is {_short(rater)}; name the rater by a pseudonym of 1 to {_LONGEST_RATER} printable "
            f"characters that does not start with {' '.join(_FORMULA_STARTS)}."
        )
    return Rating(item, _value(item, text, where), rater)


def _value(item: str, text: str, where: str) -> float:
    roman = _ROMAN.get(text.lower()) if item == "house_brackmann" else None
    if roman is not None:
        return float(roman)
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = float("nan")
    if not ALLOWED[item].holds(value):
        raise RatingsError(f"{where}: {item} is {_short(text)}; allowed are {ALLOWED[item]}.")
    return value


def _short(text: str) -> str:
    """`text` quoted, cut to what an error message can hold."""
    return repr(text if len(text) <= 40 else f"{text[:40]}...")
