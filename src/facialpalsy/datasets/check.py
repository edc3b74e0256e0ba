"""Check: what a corpus holds and what is broken in it, counted by person and by picture."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from facialpalsy.datasets.corpus import Corpus, Kind, Problem, number_of
from facialpalsy.datasets.duplicates import find_duplicates
from facialpalsy.datasets.layouts import LAYOUTS
from facialpalsy.datasets.pictures import Facts, inspect_all
from facialpalsy.datasets.sample import Sample
from facialpalsy.datasets.shortcuts import class_targets, find_shortcuts
from facialpalsy.datasets.tree import shown

NOT_GIVEN = "not given"
_SHOWN_AT_MOST = 5
_NUMBERS_AT_MOST = 12
_WIDTH = 28


@dataclass(frozen=True)
class Count:
    """How many people and samples have one value."""

    people: int
    samples: int


@dataclass(frozen=True)
class Range:
    """How many people and samples have a number of one name, and from where to where it goes."""

    people: int
    samples: int
    lowest: float
    highest: float


@dataclass(frozen=True)
class Report:
    """What a check found.

    Attributes:
        layout: The corpus's layout.
        people: How many people.
        pictures: Files of pictures.
        clips: Files of clips.
        frames: Labelled frames of clips.
        counts: What is counted (grade, affected side, ...) -> value -> how many.
        numbers: Native target that is a number -> how many have it, and its range.
        problems: All rows, those of reading first.
    """

    layout: str
    people: int
    pictures: int
    clips: int
    frames: int
    counts: dict[str, dict[str, Count]]
    numbers: dict[str, Range]
    problems: tuple[Problem, ...]

    @property
    def faults(self) -> int:
        """How many rows tell of lost or wrong data."""
        return sum(problem.kind.is_fault for problem in self.problems)

    def as_json(self) -> dict[str, Any]:
        """Plain data of all of it."""
        return {
            "layout": self.layout,
            "people": self.people,
            "pictures": self.pictures,
            "clips": self.clips,
            "frames": self.frames,
            "counts": {name: {value: vars(one) for value, one in table.items()} for name, table in self.counts.items()},
            "numbers": {name: vars(one) for name, one in self.numbers.items()},
            "faults": self.faults,
            "problems": [
                {"path": one.path, "kind": one.kind.value, "fault": one.kind.is_fault, "message": one.message}
                for one in self.problems
            ],
        }

    def lines(self) -> list[str]:
        """The same as text; of each kind of problem the first few."""
        found = [
            f"Layout {self.layout}: {number_of(self.people, 'person', 'people')}, "
            f"{number_of(self.pictures, 'picture')}, {number_of(self.clips, 'clip')}, "
            f"{number_of(self.frames, 'labelled frame')}."
        ]
        for name, table in ((name, table) for name, table in self.counts.items() if table):
            found += ["", f"{name:<32}{'people':>8}{'samples':>10}"]
            found += [f"  {_cut(value):<30}{one.people:>8}{one.samples:>10}" for value, one in table.items()]
        if self.numbers:
            found += ["", f"{'numbers':<32}{'people':>8}{'samples':>10}   range"]
            found += [
                f"  {_cut(name):<30}{one.people:>8}{one.samples:>10}   {one.lowest:g} to {one.highest:g}"
                for name, one in list(self.numbers.items())[:_NUMBERS_AT_MOST]
            ]
            if len(self.numbers) > _NUMBERS_AT_MOST:
                found.append(f"  and {len(self.numbers) - _NUMBERS_AT_MOST} more; --json lists all")
        rows: dict[Kind, list[Problem]] = defaultdict(list)
        for problem in self.problems:
            rows[problem.kind].append(problem)
        for title, wanted in (("Faults", True), ("Notes", False)):
            kinds = {kind: rows[kind] for kind in Kind if rows.get(kind) and kind.is_fault == wanted}
            found += ["", f"{title}: {sum(map(len, kinds.values())) or 'none'}"]
            for kind, problems in kinds.items():
                found.append(f"  {kind} ({len(problems)})")
                found += [f"    {one.path}: {one.message}" for one in problems[:_SHOWN_AT_MOST]]
                if len(problems) > _SHOWN_AT_MOST:
                    found.append(f"    and {len(problems) - _SHOWN_AT_MOST} more; --json lists all")
        return [shown(line) for line in found]


def check_corpus(corpus: Corpus, on_progress: Callable[[int, int], None] | None = None) -> Report:
    """Open every picture and clip of `corpus`, and count what it holds.

    Args:
        corpus: As it was read, labels joined and people merged.
        on_progress: Told how many files are done, and of how many.
    """
    owners: dict[Path, Sample] = {}
    for sample in (*corpus.samples, *corpus.clips):
        owners.setdefault(sample.path, sample)
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if on_progress is not None:
            on_progress(done, len(owners))

    facts = {one.path: one for one in inspect_all(owners, os.cpu_count() or 1, step)}
    keys = {path: sample.key.partition("#")[0] for path, sample in owners.items()}
    subjects = [sample.subject for sample in owners.values()]
    problems = [
        *corpus.problems,
        *_broken(corpus, facts, keys),
        *find_duplicates(list(facts.values()), list(keys.values()), subjects),
        *_split_twice(corpus.samples),
        *_alike(subjects),
        *find_shortcuts(corpus.samples, facts, folders=not LAYOUTS[corpus.name].folders_are_labels),
    ]
    clips = {sample.path for sample in corpus.clips} | {one.path for one in corpus.samples if one.frame is not None}
    return Report(
        layout=corpus.name,
        people=len(set(subjects)),
        pictures=len(owners.keys() - clips),
        clips=len(clips),
        frames=sum(sample.frame is not None for sample in corpus.samples),
        counts=_counts(corpus.samples),
        numbers=_numbers(corpus.samples),
        problems=tuple(problems),
    )


def _cut(text: str) -> str:
    """`text` short enough for its column."""
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."


def _broken(corpus: Corpus, facts: dict[Path, Facts], keys: dict[Path, str]) -> list[Problem]:
    problems = []
    if not facts:
        message = "Nothing in it is a picture or clip of a person that is known; see the rows above, or its layout."
        problems.append(Problem(".", Kind.NO_SAMPLE, message))
    for path, one in facts.items():
        if one.error:
            problems.append(Problem(keys[path], Kind.UNREADABLE_IMAGE, one.error))
        elif one.blank:
            problems.append(Problem(keys[path], Kind.BLANK_IMAGE, "It shows one colour everywhere."))
    beyond: dict[Path, list[int]] = defaultdict(list)
    for sample in corpus.samples:
        if sample.frame is not None and not facts[sample.path].error and sample.frame >= facts[sample.path].frames:
            beyond[sample.path].append(sample.frame)
    for path, frames in beyond.items():
        named = number_of(len(frames), "frame")
        message = f"Labels name {named} from {min(frames)} on, but the clip has {facts[path].frames}, from 0."
        problems.append(Problem(keys[path], Kind.LABEL_WITHOUT_IMAGE, message))
    return problems


def _split_twice(samples: Sequence[Sample]) -> list[Problem]:
    splits: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        if sample.split is not None:
            splits[sample.subject].add(sample.split)
    return [
        Problem(".", Kind.TWO_SPLITS, f"{subject!r} is in {' and '.join(sorted(found))}; put each person into one.")
        for subject, found in splits.items()
        if len(found) > 1
    ]


def _alike(subjects: Sequence[str]) -> list[Problem]:
    """One note for each group of names that differ in case and blanks alone."""
    spellings: dict[str, set[str]] = defaultdict(set)
    for subject in subjects:
        spellings["".join(subject.split()).casefold()].add(subject)
    return [
        Problem(".", Kind.NAMES_ALIKE, f"{' and '.join(map(repr, sorted(found)))} are {len(found)} people here.")
        for found in spellings.values()
        if len(found) > 1
    ]


def _numbers(samples: Sequence[Sample]) -> dict[str, Range]:
    """Native targets that are numbers, by name, as they first come."""
    people: dict[str, set[str]] = defaultdict(set)
    values: dict[str, list[float]] = defaultdict(list)
    for sample in samples:
        for name, value in sample.targets.items():
            if not isinstance(value, str) and isfinite(value):
                people[name].add(sample.subject)
                values[name].append(value)
    return {name: Range(len(people[name]), len(found), min(found), max(found)) for name, found in values.items()}


def _counts(samples: Sequence[Sample]) -> dict[str, dict[str, Count]]:
    """Every grade, side, expression and native class, by person and by sample."""
    columns: dict[str, list[str]] = {
        "grade": [str(one.grade or NOT_GIVEN) for one in samples],
        "affected side": [one.affected.value for one in samples],
        "expression": [str(one.expression or NOT_GIVEN) for one in samples],
    }
    if any(one.split for one in samples):
        columns["split"] = [one.split or NOT_GIVEN for one in samples]
    for name in class_targets(samples):
        columns[name] = [str(one.targets.get(name, NOT_GIVEN)) for one in samples]
    counts = {}
    for name, values in columns.items():
        people: dict[str, set[str]] = defaultdict(set)
        number: dict[str, int] = defaultdict(int)
        for value, sample in zip(values, samples, strict=True):
            people[value].add(sample.subject)
            number[value] += 1
        counts[name] = {value: Count(len(people[value]), number[value]) for value in sorted(number)}
    return counts
