"""Ordinal: proportional-odds logistic regression (McCullagh 1980) with a ridge penalty on the slope.

P(class > k | x) = sigmoid(x w - c_k) with one slope w for all cuts c_1 < c_2 < ... between the ordered classes. With
two classes it is logistic regression. Fitted by maximum likelihood, which has one optimum (Pratt 1981).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facialpalsy.errors import TrainingError
from facialpalsy.evaluation.confusion import Stack


@dataclass(frozen=True, eq=False)
class OrdinalModel:
    """A fitted model.

    Attributes:
        slope: (d,) weights.
        cuts: (k - 1,) increasing.
    """

    slope: Stack
    cuts: Stack

    def probabilities(self, features: Stack) -> Stack:
        """(n, k) of the classes, for features (n, d)."""
        above = _sigmoid((features @ self.slope)[:, None] - self.cuts)
        ends = np.ones((len(features), 1)), np.zeros((len(features), 1))
        return np.asarray(-np.diff(np.hstack([ends[0], above, ends[1]]), axis=1))


def fit_ordinal(features: Stack, classes: NDArray[np.int64], count: int, penalty: float) -> OrdinalModel:
    """The model of the largest penalised likelihood.

    Args:
        features: (n, d) of comparable spread.
        classes: (n,) positions 0 to count - 1, of which each occurs.
        count: Number of classes, at least 2.
        penalty: Weight of |slope|^2 / 2 beside the summed log-likelihood.

    Raises:
        TrainingError: the optimum was not found, which needs features that are not finite.
    """
    # Imported here: it takes a quarter of a second, and measuring needs none of it.
    from scipy.optimize import minimize

    shares = np.bincount(classes, minlength=count).cumsum()[:-1] / len(classes)
    cuts = np.log(shares / (1 - shares))
    start = np.concatenate([np.zeros(features.shape[1]), cuts[:1], np.log(np.diff(cuts))])
    options = {"maxiter": 5000, "maxfun": 10000, "gtol": 1e-6 * len(classes), "ftol": 1e-12}
    found = minimize(_loss, start, (features, classes, count, penalty), jac=True, method="L-BFGS-B", options=options)
    if not found.success or not np.isfinite(found.fun):
        raise TrainingError(f"The ordinal regression found no optimum ({found.message}); check the features.")
    slope, packed = np.split(found.x, [features.shape[1]])
    return OrdinalModel(slope, _unpacked(packed))


def _unpacked(packed: Stack) -> Stack:
    """The cuts from the first one and the logarithms of the steps between them, which keep them in order."""
    return np.concatenate([packed[:1], packed[0] + np.exp(packed[1:]).cumsum()])


def _loss(
    parameters: Stack, features: Stack, classes: NDArray[np.int64], count: int, penalty: float
) -> tuple[float, Stack]:
    """Penalised negative log-likelihood and its gradient.

    With z = x w less the cut below the class, and y = x w less the cut above it (infinite at the ends), P = sigmoid(z)
    - sigmoid(y) = sigmoid(z) sigmoid(-y) (1 - exp(-step)), where step = z - y does not depend on x.
    """
    slope, packed = np.split(parameters, [features.shape[1]])
    cuts, steps = _unpacked(packed), np.exp(packed[1:])
    score = features @ slope
    over, under = classes > 0, classes < count - 1
    z = np.where(over, score - cuts[classes - 1], np.inf)
    y = np.where(under, score - cuts[np.minimum(classes, count - 2)], -np.inf)
    inside = over & under
    loss = np.logaddexp(0, -z).sum() + np.logaddexp(0, y).sum() + penalty * float(slope @ slope) / 2
    counts = np.bincount(classes[inside] - 1, minlength=count - 2)
    apart = -np.expm1(-steps)
    loss -= float((counts * np.log(apart)).sum())
    pull, push = _sigmoid(-z), _sigmoid(y)
    by_score = push - pull
    by_cut = np.bincount(classes[over] - 1, pull[over], count - 1) - np.bincount(classes[under], push[under], count - 1)
    # A cut moves all cuts above it along, as the sum of their steps does.
    above = by_cut[::-1].cumsum()[::-1]
    by_step = steps * (above[1:] - counts * np.exp(-steps) / apart)
    return float(loss), np.concatenate([features.T @ by_score + penalty * slope, above[:1], by_step])


def _sigmoid(values: Stack) -> Stack:
    return np.asarray((1 + np.tanh(values / 2)) / 2)
