"""Metrics: agreement between raters, methods and repeats, as pure functions.

What is not defined for the data at hand (a single class, no variance) is None, never 0, 1 or NaN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facialpalsy.errors import UsageError
from facialpalsy.evaluation import confusion
from facialpalsy.evaluation.confusion import KappaWeights

IccForm = Literal["ICC(2,1)", "ICC(3,1)", "ICC(2,k)"]


@dataclass(frozen=True)
class BlandAltman:
    """Agreement of a method with a reference, in the unit of both.

    Attributes:
        n: Number of pairs.
        bias: Mean of method - reference.
        sd: Standard deviation of the differences (n - 1).
        lower: Lower limit of agreement, bias - 1.96 sd.
        upper: Upper limit of agreement, bias + 1.96 sd.
        limit_error: Half the 95 % interval of either limit, 1.96 sqrt(3 / n) sd.
        slope: Regression slope of the differences on the means (proportional bias); None where the means are equal.
    """

    n: int
    bias: float
    sd: float
    lower: float
    upper: float
    limit_error: float
    slope: float | None


def icc(data: ArrayLike, form: IccForm) -> float | None:
    """Intraclass correlation of `data` (n subjects x k raters), Shrout & Fleiss 1979.

    With the mean squares of rows (MSR), columns (MSC) and rest (MSE) of the two-way analysis of variance:

    - ICC(2,1) = (MSR - MSE) / (MSR + (k-1) MSE + k (MSC - MSE) / n): absolute agreement of single raters
    - ICC(3,1) = (MSR - MSE) / (MSR + (k-1) MSE): consistency of these raters
    - ICC(2,k) = (MSR - MSE) / (MSR + (MSC - MSE) / n): absolute agreement of the mean of k raters

    Returns:
        The coefficient, or None where its denominator is not above zero (no variance).

    Raises:
        UsageError: Fewer than two subjects or raters, a value that is not finite, or an unknown form.
    """
    table = np.asarray(data, dtype=float)
    if table.ndim != 2 or min(table.shape) < 2 or not np.isfinite(table).all():
        raise UsageError(f"icc needs finite values of 2 or more subjects x 2 or more raters, got shape {table.shape}.")
    n, k = table.shape
    rows, columns = table.mean(axis=1), table.mean(axis=0)
    rest = table - rows[:, None] - columns[None, :] + table.mean()
    msr, msc = k * float(rows.var(ddof=1)), n * float(columns.var(ddof=1))
    mse = float((rest**2).sum()) / ((n - 1) * (k - 1))
    denominators = {
        "ICC(2,1)": msr + (k - 1) * mse + k * (msc - mse) / n,
        "ICC(3,1)": msr + (k - 1) * mse,
        "ICC(2,k)": msr + (msc - mse) / n,
    }
    if form not in denominators:
        raise UsageError(f"Unknown form {form!r}. Allowed are {', '.join(denominators)}.")
    # Rounding leaves a constant table with a mean square of about 1e-32.
    smallest = np.finfo(float).eps * max(1.0, float((table**2).max()))
    return (msr - mse) / denominators[form] if denominators[form] > smallest else None


def cohen_kappa(first: ArrayLike, second: ArrayLike, weights: KappaWeights = "none") -> float | None:
    """Cohen's kappa of two raters' grades: 1 - observed / expected disagreement.

    A pair (a, b) disagrees by 1 where a != b (none), by |a - b| (linear) or by (a - b)^2 (quadratic); expected is the
    mean over all pairs of the raters' own distributions. Never publish the quadratic form alone: it flatters.

    Returns:
        Kappa, or None where no disagreement is expected (both give one and the same grade throughout) or n is 0.

    Raises:
        UsageError: Unequal lengths, a grade that is not a whole number, or unknown weights.
    """
    counts, grades = _table(first, second)
    return _defined(confusion.kappa(counts, weights, grades))


def exact_agreement(first: ArrayLike, second: ArrayLike) -> float | None:
    """Share of pairs with equal grades; None without pairs. Raises UsageError as `cohen_kappa` does."""
    a, b = _grades(first, second)
    return float(np.mean(a == b)) if a.size else None


def within_one(first: ArrayLike, second: ArrayLike) -> float | None:
    """Share of pairs at most one grade apart; None without pairs. Raises UsageError as `cohen_kappa` does."""
    a, b = _grades(first, second)
    return float(np.mean(np.abs(a - b) <= 1)) if a.size else None


def mean_absolute_error(truth: ArrayLike, predicted: ArrayLike) -> float | None:
    """Mean distance in grades; None without pairs. Raises UsageError as `cohen_kappa` does."""
    a, b = _grades(truth, predicted)
    return float(np.mean(np.abs(a - b))) if a.size else None


def balanced_accuracy(truth: ArrayLike, predicted: ArrayLike) -> float | None:
    """Mean over the grades that occur in `truth` of the share recognised; None without pairs.

    A grade that nobody has does not count, so name those grades beside the figure. Raises UsageError as `cohen_kappa`.
    """
    return _defined(confusion.balanced_accuracy(_table(truth, predicted)[0]))


def macro_f1(truth: ArrayLike, predicted: ArrayLike) -> float | None:
    """Mean of 2 TP / (2 TP + FP + FN) over the grades that occur, true or predicted; None without pairs.

    A grade that nobody has and nobody was given does not count. Raises UsageError as `cohen_kappa` does.
    """
    return _defined(confusion.macro_f1(_table(truth, predicted)[0]))


def bland_altman(method: ArrayLike, reference: ArrayLike) -> BlandAltman | None:
    """Limits of agreement of `method` with `reference`, one pair per subject; None for fewer than two pairs.

    Raises:
        UsageError: Unequal lengths or a value that is not finite.
    """
    x, y = _pairs(method, reference)
    n = x.size
    if n < 2:
        return None
    difference, middle = x - y, (x + y) / 2
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    spread = middle - middle.mean()
    slope = float(spread @ difference / (spread @ spread)) if np.ptp(middle) > 0 else None
    reach = 1.96 * sd
    return BlandAltman(n, bias, sd, bias - reach, bias + reach, 1.96 * math.sqrt(3 / n) * sd, slope)


def sem(sd: float, reliability: float | None) -> float | None:
    """Standard error of measurement, SD sqrt(1 - ICC); None where the ICC is not defined.

    Raises:
        UsageError: A negative standard deviation or an ICC above 1.
    """
    if reliability is None:
        return None
    if not (sd >= 0 and reliability <= 1):
        raise UsageError(f"sem needs a standard deviation of 0 or more and an ICC up to 1, got {sd} and {reliability}.")
    return sd * math.sqrt(1 - reliability)


def mdc95(standard_error: float | None, df: int | None = None) -> float | None:
    """Minimal detectable change at 95 %, q sqrt(2) SEM; None where the SEM is not defined.

    Args:
        standard_error: SEM of one value, such as the standard deviation of repeats of it.
        df: Degrees of freedom that the SEM was estimated with; q is then Student's t(0.975, df), which is 12.7 for one
            and 2.2 for ten. Without it the SEM counts as known and q is 1.96.
    """
    if standard_error is None:
        return None
    quantile = 1.96
    if df is not None:
        # Imported here: it takes a quarter of a second, and most results hold no repeats.
        from scipy.special import stdtrit

        quantile = float(stdtrit(df, 0.975))
    return quantile * math.sqrt(2) * standard_error


def _defined(value: NDArray[np.float64]) -> float | None:
    return float(value) if np.isfinite(value) else None


def _table(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The confusion table of two raters, and the grades of its rows."""
    a, b = _grades(first, second)
    grades = np.union1d(a, b)
    return confusion.confusion_counts(a, b, grades), grades


def _grades(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    a, b = _pairs(first, second)
    if (a % 1).any() or (b % 1).any():
        raise UsageError("Grades must be whole numbers; give an interval's ends or leave the exam out.")
    return a, b


def _pairs(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if a.ndim != 1 or a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise UsageError(
            f"Two lists of equal length with finite values are needed, got shapes {a.shape} and {b.shape}."
        )
    return a, b
