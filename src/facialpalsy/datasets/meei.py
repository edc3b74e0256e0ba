"""MEEI: the facial palsy photo and video standard set (Greene 2020, doi 10.1002/lary.27986).

Ten healthy people, and five patients for each severity of flaccid and of synkinetic palsy; eight poses each, named by
their number, and one clip. The severity is the publishers' category, no House-Brackmann grade. The affected side
stands in `pat_info.xlsx`, which lacks some of the people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facialpalsy.clinical.expressions import ORDERS
from facialpalsy.datasets.corpus import Kind, Reading
from facialpalsy.datasets.files import number_in
from facialpalsy.datasets.tree import child, files_in, undoubled
from facialpalsy.datasets.workbook import read_sheets
from facialpalsy.errors import CorpusError
from facialpalsy.face import ReferenceSide
from facialpalsy.media import PHOTO_SUFFIXES, VIDEO_SUFFIXES

EXPECTED = "folders Normals, Flaccid and Synkinetic"

_HEALTHY = ("Normals", "Normal")
_PALSY = ("Flaccid", "Synkinetic")
_SEVERITIES = ("nearnormal", "mild", "moderate", "severe", "complete")
_NAMES = dict(zip(_SEVERITIES, ("NearNormal", "Mild", "Moderate", "Severe", "Complete"), strict=True))
_COLUMNS = ("subcategory", "category", "#", "side", "gender", "age")
_POSE = re.compile(r"[\s_-](\d{1,2})\s*$")
_SIDES = {
    **dict.fromkeys(("l", "left"), ReferenceSide.LEFT),
    **dict.fromkeys(("r", "right"), ReferenceSide.RIGHT),
    **dict.fromkeys(("b", "both", "bilateral"), ReferenceSide.BOTH),
}


@dataclass(frozen=True)
class _Person:
    """Who a folder or a row of the table means: Flaccid, Synkinetic or Normal, how severe, and the number."""

    category: str
    severity: str
    number: int

    @property
    def name(self) -> str:
        """All three in words."""
        return f"{self.severity} {self.category} {self.number}".strip()


def looks_like(root: Path) -> bool:
    """Whether `root` holds a folder of patients."""
    return any(child(root, name) is not None for name in _PALSY)


def read(reading: Reading) -> None:
    """Every photo with its pose and every clip, with what the table says of the person."""
    table = _table(reading)
    people: set[_Person] = set()
    folders: dict[str, _Person] = {}
    for names in (_HEALTHY, *((name,) for name in _PALSY)):
        top = child(reading.root, *names)
        if top is None:
            reading.problem(names[0], Kind.ABSENT, "There is no such folder.")
            continue
        for path in reading.files(undoubled(top), PHOTO_SUFFIXES | VIDEO_SUFFIXES):
            person = _person(path.relative_to(reading.root).parent.as_posix())
            if person is None:
                reading.problem(path, Kind.NO_SUBJECT, "Its folders name no category with a person's number.")
                continue
            if table and person not in people and person not in table and person.category != "Normal":
                reading.problem(
                    path.parent, Kind.ABSENT, "The table of patients lacks this person, so no side is known."
                )
            people.add(person)
            # Copies whose folders bear numbers alone have several people of one number.
            folder = path.parent.name
            subject = folder if folders.setdefault(folder, person) == person else person.name
            _add(reading, path, subject, person, table.get(person, {}))
    for person in (one for one in table if one not in people):
        reading.problem("pat_info.xlsx", Kind.LABEL_WITHOUT_IMAGE, f"It lists {person.name}, who has no folder.")


def _add(reading: Reading, path: Path, subject: str, person: _Person, row: dict[str, str]) -> None:
    targets: dict[str, str | float] = {"meei.category": person.category}
    if person.severity:
        targets["meei.severity"] = person.severity
    if row.get("gender"):
        targets["meei.gender"] = row["gender"]
    if (age := number_in(row.get("age", ""))) is not None:
        targets["meei.age"] = age
    affected = ReferenceSide.NONE if person.category == "Normal" else _SIDES.get(row.get("side", "").lower())
    about: dict[str, Any] = {"capture": "exam", "affected": affected or ReferenceSide.UNKNOWN, "targets": targets}
    if path.suffix.lower() in VIDEO_SUFFIXES:
        reading.add_clip(path, subject, **about)
        return
    said = _POSE.search(path.stem)
    pose = int(said[1]) if said else 0
    order = ORDERS["meei"]
    if not 1 <= pose <= len(order):
        reading.problem(
            path, Kind.ABSENT, f"Its name ends in no pose from 1 to {len(order)}, so no expression is known."
        )
    reading.add(path, subject, expression=order[pose - 1] if 1 <= pose <= len(order) else None, **about)


def _person(text: str) -> _Person | None:
    """The person whom folder names or cells mean, in any spelling; None without category or number."""
    number = re.search(r"(\d+)\s*$", text)
    letters = re.sub(r"[^a-z]", "", text.casefold())
    severity = next((one for one in _SEVERITIES if one in letters), "")
    rest = letters.replace("nearnormal", "")
    found = [name for name, word in (("Flaccid", "flaccid"), ("Synkinetic", "synkinetic")) if word in rest]
    category = found[0] if len(found) == 1 else "Normal" if not found and "normal" in rest else ""
    if number is None or not category or (category != "Normal" and not severity):
        return None
    return _Person(category, _NAMES.get(severity, ""), int(number[1]))


def _table(reading: Reading) -> dict[_Person, dict[str, str]]:
    """What `pat_info.xlsx` says of each person; rows that contradict each other say nothing."""
    path = next(
        (one for one in files_in(reading.root) if re.fullmatch(r"pat[\s_-]*info\.xlsx", one.name, re.IGNORECASE)), None
    )
    if path is None:
        reading.problem("pat_info.xlsx", Kind.ABSENT, "There is no such table, so no side is known.")
        return {}
    try:
        rows = _records(path)
    except CorpusError as error:
        reading.problem(path, Kind.UNREADABLE_LABEL, str(error))
        return {}
    table: dict[_Person, dict[str, str]] = {}
    twice: set[_Person] = set()
    for line, row in rows:
        person = _person(f"{row['subcategory']} {row['category']} {row['#']}")
        if person is None:
            reading.problem(path, Kind.UNREADABLE_LABEL, f"Row {line} names no category with a person's number.")
            continue
        if person in table and table[person] != row:
            twice.add(person)
            reading.problem(path, Kind.CONTRADICTION, f"Row {line} repeats a person with other values; none was taken.")
        if row["side"].lower() not in _SIDES and person.category != "Normal":
            kind = Kind.IMPOSSIBLE_VALUE if row["side"] else Kind.ABSENT
            reading.problem(path, kind, f"Row {line} has the side {row['side'][:20]!r}, so none is known.")
        table[person] = row
    return {person: {} if person in twice else row for person, row in table.items()}


def _records(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Row number and cells by column of the first sheet with the columns of the set."""
    for sheet in read_sheets(path):
        for number, header in enumerate(sheet, start=1):
            names = [re.sub(r"[^a-z#]", "", cell.casefold()) for cell in header]
            if all(name in names for name in _COLUMNS):
                places = {name: names.index(name) for name in _COLUMNS}
                rows = [
                    {name: row[place] if place < len(row) else "" for name, place in places.items()}
                    for row in sheet[number:]
                ]
                return [(line, row) for line, row in enumerate(rows, start=number + 1) if any(row.values())]
    raise CorpusError(f"{path.name!r} has no sheet with the columns Sub-category, Category, #, Side, Gender, Age.")
