"""Labels: a user's own grades and people, joined onto a corpus.

`labels.csv` (`subject,capture,scale,item,value,rater`) brings labels of any scale by person and capture; an empty
capture means all of the person's, and a row for the capture goes before it. Every rater's value is kept as the target
`labels.<scale>.<item>.<rater>`. Only `house_brackmann,grade` becomes a grade, with several raters their median; where
that falls between two grades there is none. `people.csv` (`folder,person`) says which folders are one person.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from facialpalsy.datasets.corpus import Corpus, Kind, Problem
from facialpalsy.datasets.csv_table import MAX_TABLE_BYTES, parse_grade
from facialpalsy.datasets.files import number_in
from facialpalsy.datasets.sample import Sample
from facialpalsy.errors import InputNotFoundError, LabelsError
from facialpalsy.spreadsheet import read_cells

_LABEL_COLUMNS = ("subject", "capture", "scale", "item", "value", "rater")
_PEOPLE_COLUMNS = ("folder", "person")
_GRADE = ("house_brackmann", "grade")
_LONGEST = 60

_Value = str | float


@dataclass(frozen=True)
class _Label:
    """Whose label it is and of what; `capture` is empty for all captures."""

    subject: str
    capture: str
    scale: str
    item: str
    rater: str

    @property
    def target(self) -> str:
        return f"labels.{self.scale}.{self.item}.{self.rater}"


def join_labels(corpus: Corpus, path: Path) -> Corpus:
    """`corpus` with the labels of the table `path`; rows that fit nothing become problems.

    Raises:
        InputNotFoundError: there is no such table.
        LabelsError: it is unreadable, or lacks a column.
    """
    problems: list[Problem] = []
    labels, lines = _labels(path, problems)
    samples = (*corpus.samples, *corpus.clips)
    known = {(one.subject, one.capture) for one in samples} | {(one.subject, "") for one in samples}
    by_place: dict[tuple[str, str], dict[_Label, _Value]] = defaultdict(dict)
    for label, value in labels.items():
        by_place[label.subject, label.capture][label] = value
        if (label.subject, label.capture) not in known:
            message = f"Line {lines[label]}: {_unknown(label, known)}"
            problems.append(Problem(path.name, Kind.LABEL_WITHOUT_IMAGE, message))
    joined = _Joined(path.name, by_place, problems)
    result = replace(corpus, samples=joined.all(corpus.samples), clips=joined.all(corpus.clips))
    if joined.unlabelled:
        message = f"{joined.unlabelled} of {len(samples)} samples have no label in this table."
        problems.append(Problem(path.name, Kind.IMAGE_WITHOUT_LABEL, message))
    return replace(result, problems=(*corpus.problems, *problems))


def merge_people(corpus: Corpus, path: Path) -> Corpus:
    """`corpus` with the persons that the table `path` names instead of its folders.

    Raises:
        InputNotFoundError: there is no such table.
        LabelsError: it is unreadable, names a folder twice, or names as a person a folder that is another person.
    """
    people: dict[str, str] = {}
    for line, row in _table(path, _PEOPLE_COLUMNS):
        where = f"{path.name!r}, line {line}"
        if not row["folder"] or not row["person"]:
            raise LabelsError(f"{where} has an empty cell; give a folder and a person.")
        if row["folder"] in people:
            raise LabelsError(f"{where}: the folder {row['folder'][:40]!r} is named twice. Keep one of the lines.")
        people[row["folder"]] = row["person"]
    for folder, person in people.items():
        if people.get(person, person) != person:
            raise LabelsError(
                f"{path.name!r} says that {folder[:40]!r} is {person[:40]!r}, and that {person[:40]!r} is "
                f"{people[person][:40]!r}. Give both the same person."
            )
    subjects = {one.subject for one in (*corpus.samples, *corpus.clips)}
    problems = [
        Problem(path.name, Kind.LABEL_WITHOUT_IMAGE, f"There is no folder {folder[:40]!r} in the corpus.")
        for folder in people
        if folder not in subjects
    ]
    return replace(
        corpus,
        samples=tuple(replace(one, subject=people.get(one.subject, one.subject)) for one in corpus.samples),
        clips=tuple(replace(one, subject=people.get(one.subject, one.subject)) for one in corpus.clips),
        problems=(*corpus.problems, *problems),
    )


class _Joined:
    """Samples with their labels; a disagreement is told once for each person and capture."""

    def __init__(self, name: str, labels: dict[tuple[str, str], dict[_Label, _Value]], problems: list[Problem]) -> None:
        self._name, self._labels, self._problems = name, labels, problems
        self._told: set[tuple[str, str]] = set()
        self.unlabelled = 0

    def all(self, samples: tuple[Sample, ...]) -> tuple[Sample, ...]:
        return tuple(self._one(sample) for sample in samples)

    def _one(self, sample: Sample) -> Sample:
        general = self._labels.get((sample.subject, ""), {})
        own = self._labels.get((sample.subject, sample.capture), {}) if sample.capture else {}
        targets = {label.target: value for label, value in (*general.items(), *own.items())}
        if not targets:
            self.unlabelled += 1
            return sample
        grades = {
            label.rater: v for label, v in (*general.items(), *own.items()) if (label.scale, label.item) == _GRADE
        }
        changed = replace(sample, targets={**sample.targets, **targets})
        return replace(changed, grade=self._grade(sample, grades)) if grades else changed

    def _grade(self, sample: Sample, grades: dict[str, _Value]) -> int | None:
        middle = median(value for value in grades.values() if isinstance(value, float))
        who = f"{sample.subject!r}" + (f", capture {sample.capture!r}" if sample.capture else "")
        if middle != int(middle):
            said = ", ".join(f"{rater} {value:g}" for rater, value in sorted(grades.items()))
            self._tell(sample, Kind.DISAGREEMENT, f"{who}: the median of {said} is no grade, so none was given.")
            return None
        if sample.grade not in (None, int(middle)):
            message = f"{who}: the corpus says grade {sample.grade}, this table {middle:g}, which was taken."
            self._tell(sample, Kind.CONTRADICTION, message)
        return int(middle)

    def _tell(self, sample: Sample, kind: Kind, message: str) -> None:
        if (sample.subject, sample.capture) not in self._told:
            self._told.add((sample.subject, sample.capture))
            self._problems.append(Problem(self._name, kind, message))


def _labels(path: Path, problems: list[Problem]) -> tuple[dict[_Label, _Value], dict[_Label, int]]:
    """Value and line of every sound label; of two that contradict each other neither is kept."""
    labels: dict[_Label, _Value] = {}
    lines: dict[_Label, int] = {}
    contradicted = set()
    for line, row in _table(path, _LABEL_COLUMNS):

        def tell(kind: Kind, message: str, line: int = line) -> None:
            problems.append(Problem(path.name, kind, f"Line {line}: {message}"))

        empty = [name for name in _LABEL_COLUMNS if not row[name] and name != "capture"]
        if empty:
            tell(Kind.UNREADABLE_LABEL, f"The cell {empty[0]} is empty.")
            continue
        if any(len(cell) > _LONGEST or not cell.isprintable() for cell in row.values()):
            tell(
                Kind.UNREADABLE_LABEL, f"A cell holds more than {_LONGEST} characters, or some that cannot be printed."
            )
            continue
        label = _Label(row["subject"], row["capture"], row["scale"].lower(), row["item"].lower(), row["rater"])
        value = _value(label, row["value"])
        if value is None:
            tell(Kind.IMPOSSIBLE_VALUE, f"The grade is {row['value'][:20]!r}; allowed are 1 to 6 or I to VI.")
        elif labels.setdefault(label, value) != value:
            contradicted.add(label)
            message = (
                f"{label.rater!r} says {_said(value)} here and {_said(labels[label])} in line {lines[label]}; "
                "neither was taken."
            )
            tell(Kind.CONTRADICTION, message)
        else:
            lines.setdefault(label, line)
    return {label: value for label, value in labels.items() if label not in contradicted}, lines


def _unknown(label: _Label, known: Collection[tuple[str, str]]) -> str:
    """Whom or which capture a label names in vain, and which name of the corpus is close to it."""
    captures = [capture for subject, capture in known if subject == label.subject and capture]
    if captures:
        found, allowed, what = label.capture, captures, f"{label.subject!r} has no capture {label.capture!r}"
    else:
        found, allowed, what = label.subject, [subject for subject, _ in known], f"there is no {label.subject!r}"
    names = sorted(set(allowed))
    # Spreadsheets cut the zeros off 007.
    alike = [name for name in names if _bare(name) == _bare(found)]
    close = alike or difflib.get_close_matches(found, names, n=1)
    return f"{what}; did you mean {close[0]!r}?" if close else f"{what} in the corpus."


def _bare(name: str) -> str:
    return name.casefold().lstrip("0")


def _said(value: _Value) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _value(label: _Label, text: str) -> _Value | None:
    if (label.scale, label.item) == _GRADE:
        grade = parse_grade(text)
        return None if grade is None else float(grade)
    number = number_in(text.replace(",", "."))
    return text if number is None else number


def _table(path: Path, columns: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    if not path.exists():
        raise InputNotFoundError(f"There is no table {path.name!r}. Check its name.")
    filled = read_cells(path, LabelsError, max_bytes=MAX_TABLE_BYTES)
    header = [cell.lower() for cell in filled[0][1]] if filled else []
    if sorted(header) != sorted(columns):
        found = ",".join(header)[:60] or "nothing"
        raise LabelsError(f"{path.name!r} begins with {found}; its first line must be {','.join(columns)}.")
    for line, cells in filled[1:]:
        if len(cells) > len(header):
            raise LabelsError(f"{path.name!r}, line {line} has {len(cells)} cells; it may have {len(header)}.")
    empty = dict.fromkeys(columns, "")
    return [(line, empty | dict(zip(header, cells, strict=False))) for line, cells in filled[1:]]
