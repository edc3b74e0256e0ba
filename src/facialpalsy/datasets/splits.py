"""Splits: who is in train, validation and test; always whole people, drawn by a seed and spread over strata.

The same seed and the same people give the same split on any machine, whatever the order of the samples. People of one
name are one person, also across corpora: that can only keep together what might have been apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from math import floor
from typing import Any

import numpy as np

from facialpalsy.datasets.folds import (
    PARTS,
    SCHEMA,
    Fold,
    Labelled,
    Parts,
    Split,
    listed,
    read_split,
    refuse_shared_pictures,
    write_split,
)
from facialpalsy.errors import SplitError, UsageError, did_you_mean

__all__ = [
    "PARTS",
    "SCHEMA",
    "Fold",
    "Labelled",
    "Parts",
    "Split",
    "from_column",
    "hold_out",
    "k_fold",
    "leave_one_person_out",
    "read_split",
    "write_split",
]

FRACTIONS = (0.7, 0.15, 0.15)
UNKNOWN = "unknown"

_ATTRIBUTES = ("grade", "affected", "corpus")

Stratum = str | Callable[[Any], str | int | None] | None
"""What is spread evenly: `grade`, `affected`, `corpus`, a name in `targets`, a function of a sample, or None."""


def leave_one_person_out(
    rows: Iterable[Labelled], *, seed: int = 0, by: Stratum = "grade", validation: float = 0.2
) -> Split:
    """One fold per person, who alone is its test; `validation` is the share of the others to choose by.

    Raises:
        SplitError: fewer than 3 people, or one picture shows two people.
    """
    rows = list(rows)
    strata = _strata(rows, by)
    _require_people(strata, 3, "leave-one-person-out")
    return _rotated("leave-one-person-out", rows, strata, [(person,) for person in strata], seed, by, validation)


def k_fold(
    rows: Iterable[Labelled], folds: int = 5, *, seed: int = 0, by: Stratum = "grade", validation: float = 0.2
) -> Split:
    """Everybody is in test of one of the `folds`; `validation` is the share of the others to choose by.

    Raises:
        UsageError: fewer than 2 folds, or a share that is none.
        SplitError: fewer people than folds or than 3, or one picture shows people of two parts.
    """
    if folds < 2:
        raise UsageError(f"{folds} folds were asked for; at least 2 are needed. One division is a hold-out.")
    rows = list(rows)
    strata = _strata(rows, by)
    _require_people(strata, max(folds, 3), f"{folds} folds")
    return _rotated("k-fold", rows, strata, _dealt(strata, [1 / folds] * folds, seed), seed, by, validation)


def hold_out(
    rows: Iterable[Labelled],
    fractions: tuple[float, float, float] = FRACTIONS,
    *,
    seed: int = 0,
    by: Stratum = "grade",
) -> Split:
    """One fold with these fractions of the people in train, val and test.

    Raises:
        UsageError: a fraction is not above 0, or they do not add up to 1.
        SplitError: fewer than 3 people, or one picture shows people of two parts.
    """
    if len(fractions) != len(PARTS) or not min(fractions) > 0 or abs(sum(fractions) - 1) > 1e-6:
        raise UsageError(
            f"The fractions are {fractions}; give three above 0, for train, val and test, that add up to 1."
        )
    rows = list(rows)
    strata = _strata(rows, by)
    _require_people(strata, 3, "train, val and test")
    return _checked(Split("hold-out", seed, _name(by), (Fold("0", *_dealt(strata, fractions, seed)),)), rows)


def from_column(rows: Iterable[Labelled]) -> Split:
    """The split that the corpus or the user's own table names for each sample.

    Raises:
        SplitError: a sample without a part or with an unknown one, a person in two parts, or a part without people.
    """
    rows = list(rows)
    wrong = [row.key for row in rows if row.split not in PARTS]
    if wrong:
        raise SplitError(
            f"{len(wrong)} of {len(rows)} samples have no split of train, val or test: {listed(wrong)}. "
            "Fill in the column `split`, or draw a split by k_fold or hold_out."
        )
    named = {(row.subject, row.split) for row in rows}
    if twice := [person for person, count in Counter(person for person, _ in named).items() if count > 1]:
        raise SplitError(
            f"In two splits: {listed(twice)}. All samples of a person belong to one; correct the column `split`."
        )
    if empty := [part for part in PARTS if part not in {part for _, part in named}]:
        raise SplitError(
            f"The column `split` puts nobody in {' and '.join(empty)}: what is chosen is chosen on val and never on "
            "test, so each of train, val and test needs people. Correct the column, or draw a split by hold_out."
        )
    parts = (tuple(sorted(person for person, found in named if found == part)) for part in PARTS)
    return _checked(Split("column", None, None, (Fold("0", *parts),)), rows)


def _rotated(
    kind: str,
    rows: Sequence[Labelled],
    strata: Mapping[str, str],
    tests: Sequence[tuple[str, ...]],
    seed: int,
    by: Stratum,
    validation: float,
) -> Split:
    """One fold per group of `tests`, with people to choose by drawn from all others."""
    if not 0 < validation < 1:
        raise UsageError(f"The validation share is {validation:g}; give one between 0 and 1.")
    folds = []
    for number, test in enumerate(tests):
        others = {person: stratum for person, stratum in strata.items() if person not in set(test)}
        train, val = _dealt(others, (1 - validation, validation), seed, number + 1)
        folds.append(Fold(test[0] if kind == "leave-one-person-out" else str(number), train, val, test))
    return _checked(Split(kind, seed, _name(by), tuple(folds)), rows)


def _dealt(strata: Mapping[str, str], shares: Sequence[float], *seeds: int) -> list[tuple[str, ...]]:
    """Whole people dealt to parts, so that each part has its share of every stratum to within one person.

    Each stratum gives every part the whole number below its share; whom that leaves over go to different parts, first
    to one that has nobody yet, then to the one that all strata together have left farthest below its share.
    """
    people = _shuffled(sorted(strata), seeds)
    strata_people = [[one for one in people if strata[one] == stratum] for stratum in sorted(set(strata.values()))]
    # 0.15 * 20 may come out a little below 3.
    sizes = [[floor(share * len(members) + 1e-9) for share in shares] for members in strata_people]
    totals = [sum(column) for column in zip(*sizes, strict=True)]
    for members, size in zip(strata_people, sizes, strict=True):
        free = set(range(len(shares)))
        for _ in range(len(members) - sum(size)):
            part = min(free, key=lambda one: (totals[one] > 0, totals[one] - shares[one] * len(people), one))
            free.discard(part)
            size[part] += 1
            totals[part] += 1
    dealt: list[list[str]] = [[] for _ in shares]
    for members, size in zip(strata_people, sizes, strict=True):
        left = iter(members)
        for part, count in enumerate(size):
            dealt[part] += islice(left, count)
    return [tuple(sorted(part)) for part in dealt]


def _shuffled(people: Sequence[str], seeds: Sequence[int]) -> list[str]:
    """The people in random order."""
    try:
        # NumPy keeps the raw stream of a bit generator over its versions, but not what `permutation` makes of it.
        raw = np.random.PCG64(list(seeds)).random_raw(len(people))
    except (ValueError, TypeError):
        raise UsageError(f"The seed is {seeds[0]!r}; give a whole number from 0.") from None
    return [people[index] for index in np.argsort(raw, kind="stable")]


def _strata(rows: Sequence[Labelled], by: Stratum) -> dict[str, str]:
    """Person -> stratum, sorted by person; the values of all samples together where they differ."""
    if isinstance(by, str) and by not in _ATTRIBUTES:
        targets = {name for row in rows for name in row.targets}
        if by not in targets:
            raise UsageError(
                f"No sample has {by!r} to spread evenly. {did_you_mean(by, [*_ATTRIBUTES, *sorted(targets)])}"
            )
    values: dict[str, set[str]] = {row.subject: set() for row in rows}
    for row in rows:
        if (value := _value(row, by)) not in (None, UNKNOWN):
            values[row.subject].add(str(value))
    return {person: "+".join(sorted(found)) or UNKNOWN for person, found in sorted(values.items())}


def _value(row: Labelled, by: Stratum) -> object:
    if callable(by):
        return by(row)
    if by is None:
        return None
    return getattr(row, by) if by in _ATTRIBUTES else row.targets.get(by)


def _name(by: Stratum) -> str | None:
    return by.__name__ if callable(by) else by


def _require_people(strata: Mapping[str, str], least: int, what: str) -> None:
    if len(strata) < least:
        count = "1 person" if len(strata) == 1 else f"{len(strata)} people"
        raise SplitError(f"{count} cannot make {what}: at least {least} are needed. Take fewer folds or more people.")


def _checked(split: Split, rows: Sequence[Labelled]) -> Split:
    refuse_shared_pictures(split, rows)
    return split
