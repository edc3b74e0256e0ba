"""Calibration: whether probabilities of ordered classes mean what they say.

`probabilities` are (n, k) and each row sums to 1; `truth` is (n,), the position 0 to k - 1 of the true class.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facialpalsy.errors import UsageError
from facialpalsy.evaluation.confusion import Stack, share

BINS = 10
SUM_TOLERANCE = 1e-2
"""Six probabilities in half precision sum to 1 within about 0.002."""


def brier_scores(probabilities: ArrayLike, truth: ArrayLike) -> Stack:
    """(n,) sum over classes of (p - [is the true class])^2, 0 to 2 (Brier 1950)."""
    given, classes = _checked(probabilities, truth)
    return np.asarray(((given - np.eye(given.shape[1])[classes]) ** 2).sum(1))


def ranked_probability_scores(probabilities: ArrayLike, truth: ArrayLike) -> Stack:
    """(n,) the mean over the k - 1 cuts of (P(class up to the cut) - [true class up to it])^2, 0 to 1 (Epstein 1969).

    Unlike Brier's score it counts a guess two classes off as worse than one that is one off.
    """
    given, classes = _checked(probabilities, truth)
    reached = np.eye(given.shape[1])[classes].cumsum(1)
    return np.asarray(((given.cumsum(1) - reached)[:, :-1] ** 2).mean(1))


def expected_calibration_error(probabilities: ArrayLike, truth: ArrayLike) -> float | None:
    """Mean gap between how sure the most probable class is and how often it is right; None without rows.

    Sum over bins of n_b / n |share right - mean confidence|, in up to ten bins of equal numbers of rows. With few rows
    it is too high, by chance alone, and in draws from them higher still: compare methods on the same rows only.
    """
    tally = calibration_tally(probabilities, truth)
    return float(calibration_gap(tally.sum(0))) if len(tally) else None


def calibration_tally(probabilities: ArrayLike, truth: ArrayLike) -> Stack:
    """(n, bins, 3) each row's 1, confidence and [right] in its bin: sums of rows are what `calibration_gap` needs."""
    given, classes = _checked(probabilities, truth)
    tally = np.zeros((len(given), BINS, 3))
    if len(given):
        confidence = given.max(1)
        # Equal confidences share a bin, so the order of the rows does not matter.
        edges = np.quantile(confidence, np.arange(1, BINS) / BINS)
        rows = np.column_stack([np.ones(len(given)), confidence, given.argmax(1) == classes])
        tally[np.arange(len(given)), np.searchsorted(edges, confidence)] = rows
    return tally


def calibration_gap(tallies: Stack) -> Stack:
    """(...) expected calibration error of summed tallies (..., bins, 3); NaN where they are empty."""
    count, confidence, right = np.moveaxis(tallies, -1, 0)
    return share(np.abs(right - confidence).sum(-1), count.sum(-1))


def _checked(probabilities: ArrayLike, truth: ArrayLike) -> tuple[Stack, NDArray[np.int64]]:
    given, classes = np.asarray(probabilities, float), np.asarray(truth)
    if given.ndim != 2 or classes.shape != given.shape[:1]:
        raise UsageError(
            f"Probabilities (n, k) and n true classes are needed, got shapes {given.shape} and {classes.shape}."
        )
    if not (np.abs(given.sum(1) - 1) <= SUM_TOLERANCE).all() or (given < 0).any():
        raise UsageError("Some probabilities are negative or do not sum to 1; give one probability for each class.")
    whole = classes.astype(np.int64)
    if (whole != classes).any() or not ((whole >= 0) & (whole < given.shape[1])).all():
        raise UsageError(f"A true class is a position from 0 to {given.shape[1] - 1}; count grades from 0.")
    return given, whole
