"""Confusion: figures of confusion tables, for whole stacks of them, so that a thousand resamples take one step.

`counts` are (..., k, k), truth in rows and prediction in columns, with k classes in order. What is not defined is NaN
here, because a stack cannot hold None; `metrics` and `bootstrap` hand on None with a reason.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facialpalsy.errors import UsageError

KappaWeights = Literal["none", "linear", "quadratic"]
Stack = NDArray[np.float64]


def confusion_counts(truth: ArrayLike, predicted: ArrayLike, classes: ArrayLike) -> Stack:
    """(k, k) how often each of `classes` was taken for each.

    Raises:
        UsageError: Unequal lengths, or a value that is none of the classes.
    """
    a, b, allowed = np.asarray(truth, float), np.asarray(predicted, float), np.asarray(classes, float)
    if a.ndim != 1 or a.shape != b.shape:
        raise UsageError(f"Truth and prediction must be lists of equal length, got shapes {a.shape} and {b.shape}.")
    if strange := sorted({*a.tolist(), *b.tolist()} - {*allowed.tolist()}):
        names = ", ".join(f"{value:g}" for value in strange[:5])
        raise UsageError(f"Found {names}; allowed are {', '.join(f'{value:g}' for value in allowed)}.")
    return np.asarray((a[:, None] == allowed).astype(float).T @ (b[:, None] == allowed).astype(float))


def share(part: Stack, whole: Stack) -> Stack:
    """How much of `whole` is `part`; NaN where the whole is 0."""
    part, whole = np.broadcast_arrays(part, whole)
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)


def within(counts: Stack, reach: int) -> Stack:
    """Share of pairs at most `reach` classes apart; 0 is exact agreement."""
    return share((counts * (_distance(counts) <= reach)).sum((-2, -1)), counts.sum((-2, -1)))


def mean_distance(counts: Stack) -> Stack:
    """Mean number of classes between truth and prediction."""
    return share((counts * _distance(counts)).sum((-2, -1)), counts.sum((-2, -1)))


def balanced_accuracy(counts: Stack) -> Stack:
    """Mean share recognised of each class; a class that nobody has is left out of the mean."""
    return _mean_defined(share(_hits(counts), counts.sum(-1)))


def macro_f1(counts: Stack) -> Stack:
    """Mean over classes of 2 TP / (2 TP + FP + FN); a class neither true nor predicted anywhere is left out."""
    return _mean_defined(share(2 * _hits(counts), counts.sum(-1) + counts.sum(-2)))


def kappa(counts: Stack, weights: KappaWeights, values: ArrayLike | None = None) -> Stack:
    """Cohen's kappa, 1 - observed / expected disagreement; NaN where none is expected.

    Args:
        counts: (..., k, k) tables.
        weights: A pair disagrees by 1 where a != b (none), by |a - b| (linear) or by (a - b)^2 (quadratic).
        values: (k,) grade of each class, if not 0, 1, 2 ...

    Raises:
        UsageError: Unknown weights.
    """
    if weights not in get_args(KappaWeights):
        raise UsageError(f"Unknown weights {weights!r}. Allowed are none, linear, quadratic.")
    apart = _distance(counts, values)
    disagreement = (apart > 0).astype(float) if weights == "none" else apart ** (1 if weights == "linear" else 2)
    chance = counts.sum(-1)[..., :, None] * counts.sum(-2)[..., None, :]
    observed = (counts * disagreement).sum((-2, -1)) * counts.sum((-2, -1))
    return np.asarray(1 - share(observed, (chance * disagreement).sum((-2, -1))))


def _distance(counts: Stack, values: ArrayLike | None = None) -> Stack:
    grades = np.arange(counts.shape[-1]) if values is None else np.asarray(values)
    return np.asarray(np.abs(np.subtract.outer(grades, grades)), np.float64)


def _hits(counts: Stack) -> Stack:
    return np.asarray(np.diagonal(counts, axis1=-2, axis2=-1))


def _mean_defined(values: Stack) -> Stack:
    known = np.isfinite(values)
    return share(np.where(known, values, 0.0).sum(-1), known.sum(-1))
