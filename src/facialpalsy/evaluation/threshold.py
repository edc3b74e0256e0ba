"""Threshold: the probability from which an answer is yes, chosen on other people than those it is judged on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from facialpalsy.errors import UsageError
from facialpalsy.evaluation.palsy import PalsyExam

EVEN = 0.5
"""Threshold where there is nothing to choose it by."""

FOLDS = 5


def best_threshold(probability: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """The threshold with the highest balanced accuracy, in the middle of the widest gap; 0.5 where one class lacks."""
    if truth.all() or not truth.any():
        return EVEN
    values = np.unique(probability)
    between = np.concatenate([[0.0], (values[1:] + values[:-1]) / 2, [1.0]])
    palsied, others = np.sort(probability[truth]), np.sort(probability[~truth])
    sensitivity = 1 - np.searchsorted(palsied, between) / len(palsied)
    specificity = np.searchsorted(others, between) / len(others)
    width = np.concatenate([[0.0], np.diff(values), [0.0]])
    both = np.round(sensitivity + specificity, 9)
    best = max(range(len(between)), key=lambda at: (float(both[at]), float(width[at])))
    return float(between[best])


def nested(rows: Sequence[PalsyExam], *, folds: int = FOLDS, seed: int = 0) -> list[PalsyExam]:
    """The rows with probabilities that are yes from 0.5, as thresholds say that the people of other folds chose.

    People are dealt into folds at random; each fold's thresholds are those that are best for all others. Between 0, the
    threshold and 1 probabilities are stretched evenly.

    Raises:
        UsageError: there are fewer people than folds.
    """
    people = sorted({row.subject for row in rows})
    if len(people) < folds:
        raise UsageError(
            f"Thresholds are chosen on other people, which needs {folds} people at least; there are {len(people)}. "
            "Leave --choose out."
        )
    order = np.random.default_rng(seed).permutation(len(people))
    fold_of = {people[place]: number % folds for number, place in enumerate(order)}
    chosen = [_chosen([row for row in rows if fold_of[row.subject] != fold]) for fold in range(folds)]
    return [
        row
        if row.probabilities is None
        else replace(
            row,
            probabilities=tuple(
                _stretched(one, least)
                for one, least in zip(row.probabilities, chosen[fold_of[row.subject]], strict=True)
            ),
        )
        for row in rows
    ]


def _chosen(rows: Sequence[PalsyExam]) -> list[float]:
    """The best threshold of each question."""
    found = []
    for place in range(len(rows[0].truth)):
        known = [
            (row.probabilities[place], row.truth[place])
            for row in rows
            if row.probabilities is not None and row.truth[place] is not None
        ]
        given, truth = np.array([one for one, _ in known], float), np.array([bool(one) for _, one in known], bool)
        found.append(best_threshold(given, truth) if known else EVEN)
    return found


def _stretched(probability: float, threshold: float) -> float:
    if probability >= threshold:
        return EVEN + EVEN * (probability - threshold) / (1 - threshold) if threshold < 1 else 1.0
    return EVEN * probability / threshold
