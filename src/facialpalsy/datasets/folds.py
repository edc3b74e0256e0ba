"""Folds: what a split is: whole people in train, validation and test, frozen to a file with a hash."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from facialpalsy.datasets.sample import Sample
from facialpalsy.errors import FacialPalsyError, SplitError
from facialpalsy.face import ReferenceSide
from facialpalsy.media import file_sha256
from facialpalsy.writing import write_text

SCHEMA = "facialpalsy.splits/1"
PARTS = ("train", "val", "test")

_NAMED = 10


class Labelled(Protocol):
    """What a split asks of a sample, and of a prepared picture, which also knows the `sha256` of its file."""

    @property
    def key(self) -> str:
        """Unique name within the corpus."""

    @property
    def corpus(self) -> str:
        """Name of the layout."""

    @property
    def subject(self) -> str:
        """Who is seen."""

    @property
    def affected(self) -> ReferenceSide:
        """Affected side."""

    @property
    def grade(self) -> int | None:
        """Grade, where there is one."""

    @property
    def split(self) -> str | None:
        """Part that the corpus or its user fixes."""

    @property
    def targets(self) -> Mapping[str, str | float]:
        """Native labels."""


Row = TypeVar("Row", bound=Labelled)


@dataclass(frozen=True)
class Fold:
    """People of the three parts of one fold, each sorted by name."""

    name: str
    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        parts = {part: set(getattr(self, part)) for part in PARTS}
        for part, people in parts.items():
            if not people:
                raise SplitError(
                    f"Nobody is in {part} of fold {self.name!r}: train, val and test each need a person, because what "
                    "is chosen is chosen on val and never on test. Take more people, fewer folds or other fractions."
                )
        for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
            if parts[one] == parts[other]:
                raise SplitError(f"{one} and {other} of fold {self.name!r} are the same people; make the split anew.")
            if both := parts[one] & parts[other]:
                raise SplitError(f"In both {one} and {other} of fold {self.name!r}: {listed(both)}. A person has one.")

    @property
    def people(self) -> set[str]:
        """Everybody."""
        return {*self.train, *self.val, *self.test}

    def part(self, person: str) -> str:
        """The part that `person` is in."""
        return next(part for part in PARTS if person in getattr(self, part))


@dataclass(frozen=True)
class Parts(Generic[Row]):
    """The rows of one fold."""

    name: str
    train: tuple[Row, ...]
    val: tuple[Row, ...]
    test: tuple[Row, ...]


@dataclass(frozen=True)
class Split:
    """Folds of the same people.

    Attributes:
        kind: `leave-one-person-out`, `k-fold`, `hold-out` or `column`.
        seed: What the draw was seeded with; None where nothing was drawn.
        stratum: Name of what was spread evenly; None for nothing.
        folds: At least one.
    """

    kind: str
    seed: int | None
    stratum: str | None
    folds: tuple[Fold, ...]

    def __post_init__(self) -> None:
        if len({frozenset(fold.people) for fold in self.folds}) != 1:
            raise SplitError(f"The folds of a {self.kind} split hold different people, or there are none.")

    @property
    def people(self) -> set[str]:
        """Everybody."""
        return self.folds[0].people

    @property
    def sha256(self) -> str:
        """Hash of the content, equal for equal splits."""
        return _sha256(_content(self))

    def apply(self, rows: Iterable[Row]) -> list[Parts[Row]]:
        """The rows of every fold; give all rows of a corpus, and leave out what cannot be used afterwards.

        Raises:
            SplitError: people are missing or unknown, or one picture shows people of two parts.
        """
        rows = list(rows)
        found = {row.subject for row in rows}
        if found != self.people:
            missing, unknown = self.people - found, found - self.people
            words = f" Not in this corpus: {listed(missing)}." if missing else ""
            words += f" Not in the split: {listed(unknown)}." if unknown else ""
            raise SplitError(
                f"The split was made for other people.{words} Give the corpus that it was made for, or make a split "
                "of this one."
            )
        refuse_shared_pictures(self, rows)
        return [Parts(fold.name, *(_rows_of(getattr(fold, part), rows) for part in PARTS)) for fold in self.folds]


def write_split(path: Path, split: Split) -> None:
    """Freeze `split` to a JSON file that carries its own hash."""
    content = _content(split)
    write_text(path, json.dumps({**content, "sha256": _sha256(content)}, indent=1) + "\n")


def read_split(path: Path) -> Split:
    """Read a frozen split.

    Raises:
        SplitError: unreadable, no split, or changed after it was frozen.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SplitError(f"The split {path.name!r} cannot be read: {error.strerror}. Check its name.") from None
    except (ValueError, RecursionError):
        raise SplitError(f"{path.name!r} is no JSON in UTF-8, so no split; give a file of write_split.") from None
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise SplitError(f"{path.name!r} is no split of the schema {SCHEMA}; give a file of write_split.")
    if content.pop("sha256", None) != _sha256(content):
        raise SplitError(
            f"{path.name!r} was changed after it was frozen: its hash does not fit its content. Results on it cannot "
            "be compared with earlier ones; take the first file again, or make a split anew under another name."
        )
    try:
        folds = tuple(Fold(fold["name"], *(tuple(fold[part]) for part in PARTS)) for fold in content["folds"])
        return Split(content["kind"], content["seed"], content["stratum"], folds)
    except (KeyError, TypeError) as error:
        raise SplitError(f"{path.name!r} is no split: {error} is missing or wrong; make it anew.") from None


def refuse_shared_pictures(split: Split, rows: Sequence[Labelled]) -> None:
    """Refuse a split that puts people of one picture into different parts.

    Raises:
        SplitError: it does.
    """
    owners: dict[str, dict[str, str]] = {}
    for row, sha256 in _known_files(rows):
        owners.setdefault(sha256, {}).setdefault(row.subject, row.key)
    found = []
    for keys in owners.values():
        apart = len(keys) > 1 and any(len({fold.part(person) for person in keys}) > 1 for fold in split.folds)
        if apart:
            found.append(" = ".join(f"{key!r} ({person})" for person, key in sorted(keys.items())))
    if found:
        raise SplitError(
            f"Identical pictures of people in different parts: {listed(found)}. If they are one person, give both one "
            "name with --people; else remove the copy that is wrong."
        )


def _rows_of(people: Iterable[str], rows: Sequence[Row]) -> tuple[Row, ...]:
    wanted = set(people)
    return tuple(row for row in rows if row.subject in wanted)


def _known_files(rows: Sequence[Labelled]) -> list[tuple[Labelled, str]]:
    """Rows with the SHA-256 of their files; each file is read once, and only where another has its size."""
    known: list[tuple[Labelled, str]] = []
    first: dict[Path, Sample] = {}
    others: list[Sample] = []
    for row in rows:
        if not isinstance(row, Sample):
            sha256 = getattr(row, "sha256", None)
            known += [] if sha256 is None else [(row, sha256)]
        elif row.path not in first:
            first[row.path] = row
        elif row.subject != first[row.path].subject:
            others.append(row)
    sizes = {path: _size(path) for path in first}
    counts = Counter(sizes.values())
    hashes: dict[Path, str] = {}
    for path, size in sizes.items():
        if size is None:
            continue
        try:
            # A size that no other file has is as good as a hash that no other file has.
            hashes[path] = file_sha256(path) if counts[size] > 1 else f"{size} bytes"
        except FacialPalsyError:
            continue  # what cannot be read is in nobody's part; preparation names it
    return known + [(row, hashes[row.path]) for row in (*first.values(), *others) if row.path in hashes]


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return None


def _content(split: Split) -> dict[str, Any]:
    folds = [{"name": fold.name, **{part: list(getattr(fold, part)) for part in PARTS}} for fold in split.folds]
    return {"schema": SCHEMA, "kind": split.kind, "seed": split.seed, "stratum": split.stratum, "folds": folds}


def _sha256(content: Mapping[str, Any]) -> str:
    """Hash of the content, whatever the order of its fields and the spaces between them."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def listed(names: Iterable[str]) -> str:
    """The first ten names in order, and how many there are besides."""
    ordered = sorted(names)
    more = len(ordered) - _NAMED
    return ", ".join(ordered[:_NAMED]) + (f" and {more} more" if more > 0 else "")
