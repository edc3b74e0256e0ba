"""Bootstrap: 95 % percentile intervals over people, because the pictures of one person are no independent evidence.

Whole people are drawn with replacement, with all their rows, and the figure is worked out anew for each draw.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facialpalsy.errors import UsageError
from facialpalsy.evaluation.confusion import Stack

DRAWS = 1000
_PERCENTILES = (2.5, 97.5)
_MOST_UNDEFINED = 0.05
_ONE_SIDED = 0.05


@dataclass(frozen=True)
class Estimate:
    """One figure with its interval.

    Attributes:
        value: The figure; None where it is not defined.
        lower: Lower end of the 95 % interval; None where there is none.
        upper: Upper end.
        rows: Number of rows (exams, photos) that it rests on.
        people: Number of people who they are of.
        reason: Why the value, or its interval alone, is None.
    """

    value: float | None
    lower: float | None = None
    upper: float | None = None
    rows: int = 0
    people: int = 0
    reason: str | None = None


def bootstrap_sums(
    tallies: Stack,
    subjects: Sequence[str],
    figure: Callable[[Stack], Stack],
    *,
    perfect: float | None = None,
    undefined: str = "no row counts for it",
    draws: int = DRAWS,
    seed: int = 0,
) -> Estimate:
    """A figure of summed rows, such as a share, a mean or anything that follows from a confusion table.

    Args:
        tallies: (n, ...) what each row adds; a row of zeros does not count.
        subjects: n names: who each row is of.
        figure: From sums (..., as of one row) to values (...), NaN where not defined.
        perfect: Value of a method without any error. When all draws reach it there is no interval but a reason, since
            drawing again cannot show errors that so few people happened not to make.
        undefined: Why the figure is not defined, where it is not.
        draws: Number of draws.
        seed: Seed of the draws: the same rows give the same interval.

    Raises:
        UsageError: Not one subject for each row.
    """
    rows = np.asarray(tallies, float)
    if len(rows) != len(subjects):
        raise UsageError(f"Every row needs its subject, got {len(rows)} rows and {len(subjects)} subjects.")
    counted = rows.any(axis=tuple(range(1, rows.ndim)))
    names, person = np.unique(np.asarray(subjects, dtype=str)[counted], return_inverse=True)
    people = np.zeros((len(names), *rows.shape[1:]))
    np.add.at(people, person, rows[counted])
    value = float(figure(people.sum(0)))
    if not np.isfinite(value):
        return Estimate(None, rows=int(counted.sum()), people=len(names), reason=undefined)
    weights = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), draws)
    drawn = figure(np.tensordot(weights.astype(float), people, axes=1))
    return _estimate(value, drawn, int(counted.sum()), len(names), perfect)


def bootstrap_rows(
    figure: Callable[[NDArray[np.intp]], float | None], subjects: Sequence[str], *, draws: int = DRAWS, seed: int = 0
) -> Estimate:
    """Any other figure, such as a correlation of ranks, worked out draw by draw.

    Args:
        figure: From the numbers of the rows that were drawn, a person drawn twice being there twice, to its value.
        subjects: n names: who each row is of.
        draws: Number of draws.
        seed: Seed of the draws.
    """
    names, person = np.unique(np.asarray(subjects, dtype=str), return_inverse=True)
    value = figure(np.arange(len(subjects)))
    if value is None:
        return Estimate(None, rows=len(subjects), people=len(names), reason="it is not defined for these rows")
    members = [np.flatnonzero(person == number) for number in range(len(names))]
    people = np.random.default_rng(seed).integers(len(names), size=(draws, len(names)))
    found = (figure(np.concatenate([members[one] for one in drawn])) for drawn in people)
    values = np.array([np.nan if one is None else one for one in found])
    return _estimate(value, values, len(subjects), len(names), None)


def _estimate(value: float, drawn: Stack, rows: int, people: int, perfect: float | None) -> Estimate:
    known = drawn[np.isfinite(drawn)]
    lower, upper = np.percentile(known, _PERCENTILES) if len(known) else (np.nan, np.nan)
    reason = None
    if people < 2:
        reason = "there is one person, and an interval needs two"
    elif len(known) < (1 - _MOST_UNDEFINED) * len(drawn):
        reason = f"it is not defined in {1 - len(known) / len(drawn):.0%} of the draws; take more people"
    elif perfect is not None and np.isclose([value, *known], perfect).all():
        unseen = 1 - _ONE_SIDED ** (1 / people)
        reason = f"none of {people} people shows an error; of all people up to {unseen:.1%} still may (one-sided 95 %)"
    elif not (lower <= value <= upper or np.isclose(value, [lower, upper]).any()):
        reason = "drawing people anew shifts it so far that the interval misses it, as it does a calibration error"
    if reason is not None:
        return Estimate(value, rows=rows, people=people, reason=reason)
    return Estimate(value, float(lower), float(upper), rows, people)
