"""Shortcuts: classes that a network could tell by the file instead of the face.

A class that equals a source (one clinic's camera, one archive's compression) is learned from the source. Here a source
is what any file shows without a face: its top folder, colour or grey, size in pixels, file format.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from facialpalsy.datasets.corpus import Kind, Problem
from facialpalsy.datasets.pictures import Facts
from facialpalsy.datasets.sample import Sample
from facialpalsy.face import ReferenceSide

MOST_CLASSES = 20
"""A native target with more different words is no class."""

_PALSY = {
    ReferenceSide.NONE: "healthy",
    **dict.fromkeys((ReferenceSide.LEFT, ReferenceSide.RIGHT, ReferenceSide.BOTH), "palsy"),
}


def find_shortcuts(samples: Sequence[Sample], facts: Mapping[Path, Facts], *, folders: bool) -> list[Problem]:
    """One warning for each class and kind of source that go together perfectly.

    Args:
        samples: All samples.
        facts: By path.
        folders: Whether top folders count as sources; not where they are the corpus's own classes.
    """
    problems = []
    for label, values in _classes(samples).items():
        for source, told in _sources(samples, facts, folders).items():
            rows = [(told[key], value, subject) for key, (value, subject) in values.items() if key in told]
            message = _warning(label, source, rows)
            if message:
                problems.append(Problem(".", Kind.CLASS_EQUALS_SOURCE, message))
    return problems


def class_targets(samples: Sequence[Sample]) -> list[str]:
    """Names of the native targets that are classes: words, few of them different."""
    words: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        for name, value in sample.targets.items():
            if isinstance(value, str) and len(words[name]) <= MOST_CLASSES:
                words[name].add(value)
    return [name for name, values in words.items() if len(values) <= MOST_CLASSES]


def _classes(samples: Sequence[Sample]) -> dict[str, dict[str, tuple[str, str]]]:
    """Label -> key of a sample -> its class and subject."""
    names = class_targets(samples)
    classes: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    for sample in samples:
        if sample.grade is not None:
            classes["grade"][sample.key] = (str(sample.grade), sample.subject)
        if sample.affected in _PALSY:
            classes["palsy or healthy"][sample.key] = (_PALSY[sample.affected], sample.subject)
        for name in names:
            if name in sample.targets:
                classes[name][sample.key] = (str(sample.targets[name]), sample.subject)
    return classes


def _sources(samples: Sequence[Sample], facts: Mapping[Path, Facts], folders: bool) -> dict[str, dict[str, str]]:
    """Kind of source -> key of a sample -> the source."""
    sources: dict[str, dict[str, str]] = defaultdict(dict)
    for sample in samples:
        one = facts.get(sample.path)
        if one is None or one.error:
            continue
        sources["colour"][sample.key] = "grey" if one.grey else "colour"
        sources["size in pixels"][sample.key] = f"{one.size[0]} x {one.size[1]}"
        sources["file format"][sample.key] = one.format
        if folders:
            sources["top folder"][sample.key] = sample.key.partition("/")[0] if "/" in sample.key else ""
    return sources


def _warning(label: str, source: str, rows: Sequence[tuple[str, str, str]]) -> str:
    """What is wrong with rows of source, class and subject; empty where the source does not give the class away."""
    classes_of: dict[str, set[str]] = defaultdict(set)
    sources_of: dict[str, set[str]] = defaultdict(set)
    people_of: dict[str, set[str]] = defaultdict(set)
    for where, value, subject in rows:
        classes_of[where].add(value)
        sources_of[value].add(where)
        people_of[where].add(subject)
    if len(classes_of) < 2 or len(sources_of) < 2:
        return ""
    people = len(set().union(*people_of.values()))
    # Where nearly everybody is a source of their own, as with pictures cut to the face, it tells the person anyway.
    if len(classes_of) <= max(2, people // 2) and all(len(values) == 1 for values in classes_of.values()):
        pairs = ", ".join(
            f"{next(iter(values))} in {where or 'no folder'}" for where, values in list(classes_of.items())[:4]
        )
        return f"The {source} alone tells {label} ({pairs}): a network may learn the source instead of the face."
    for value, found in sources_of.items():
        where = next(iter(found))
        if len(found) == 1 and classes_of[where] == {value} and len(people_of[where]) > 1:
            return (
                f"{label} {value} is all of the {source} {where or 'none'}, and no other is: the source gives it away."
            )
    return ""
