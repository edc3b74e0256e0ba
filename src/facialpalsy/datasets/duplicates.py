"""Duplicates: the same picture twice, by its bytes and by its look.

Within one person a second copy of a file is a note. Under two persons the same picture is a fault, because it puts one
face on both sides of a split; then one of the names is wrong, or both are one person, which `people.csv` can say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from facialpalsy.datasets.corpus import Kind, Problem
from facialpalsy.datasets.pictures import Facts

NEAR_BITS = 10
"""Of the 256 bits of a perceptual hash, so many may differ between two copies of a picture."""

_BYTE_BITS = np.array([byte.bit_count() for byte in range(256)], dtype=np.uint8)


def find_duplicates(facts: Sequence[Facts], keys: Sequence[str], subjects: Sequence[str]) -> list[Problem]:
    """One row for each repeated file of a person, and one for each pair of people who share a picture.

    Args:
        facts: Of every file.
        keys: Its path below the root.
        subjects: Who is seen in it.
    """
    same: dict[str, list[int]] = defaultdict(list)
    for index, fact in enumerate(facts):
        if fact.sha256:
            same[fact.sha256].append(index)
    problems = []
    shared: dict[tuple[str, str], list[tuple[int, int, bool]]] = defaultdict(list)
    for group in same.values():
        first = group[0]
        own = [index for index in group[1:] if subjects[index] == subjects[first]]
        if own:
            names = ", ".join(keys[index] for index in own[:3])
            problems.append(Problem(keys[first], Kind.DUPLICATE, f"The same file is there again: {names}."))
        for index in group[1:]:
            if subjects[index] != subjects[first]:
                shared[_pair(subjects, first, index)].append((first, index, True))
    for left, right in _near_pairs(facts, subjects):
        if facts[left].sha256 != facts[right].sha256:
            shared[_pair(subjects, left, right)].append((left, right, False))
    for (one, other), pairs in sorted(shared.items()):
        left, right, exact = pairs[0]
        what = "the same file" if exact else "almost the same picture"
        more = f", and {len(pairs) - 1} more pairs" if len(pairs) > 1 else ""
        message = (
            f"It is {what} as {keys[right]}{more}, but one is of {one!r} and the other of {other!r}. "
            "Correct the name, or say with --people that they are one person."
        )
        problems.append(Problem(keys[left], Kind.DUPLICATE_ACROSS_PEOPLE, message))
    return problems


def _pair(subjects: Sequence[str], left: int, right: int) -> tuple[str, str]:
    one, other = sorted((subjects[left], subjects[right]))
    return one, other


def _near_pairs(facts: Sequence[Facts], subjects: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pairs of pictures of different people whose hashes differ in at most `NEAR_BITS` bits, each pair once.

    Of NEAR_BITS + 1 bands of the hash at least one is equal in such a pair, so only pictures that share a band are
    compared (Manku et al. 2007, doi 10.1145/1242572.1242592, section 3).
    """
    where = [index for index, one in enumerate(facts) if one.look]
    if not where:
        return
    looks = np.array([np.frombuffer(facts[index].look, np.uint8) for index in where])
    people = np.unique([subjects[index] for index in where], return_inverse=True)[1]
    found: set[tuple[int, int]] = set()
    for band in np.array_split(np.unpackbits(looks, axis=1), NEAR_BITS + 1, axis=1):
        for rows in _groups(np.packbits(band, axis=1)):
            if np.ptp(people[rows]) == 0:
                continue
            for place, row in enumerate(rows[:-1]):
                rest = rows[place + 1 :]
                rest = rest[people[rest] != people[row]]
                distances = _BYTE_BITS[looks[rest] ^ looks[row]].sum(axis=1, dtype=int)
                found |= {(where[row], where[other]) for other in rest[distances <= NEAR_BITS]}
    yield from sorted(found)


def _groups(codes: NDArray[np.uint8]) -> list[NDArray[np.intp]]:
    """Ascending row numbers of equal (n, bytes) codes, for each code that occurs more than once."""
    _, inverse, counts = np.unique(codes, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(inverse.ravel(), kind="stable")
    return [rows for rows in np.split(order, np.cumsum(counts)[:-1]) if len(rows) > 1]
