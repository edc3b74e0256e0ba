"""Decisions: how well validation exams are told apart, and what calibrates their probability.

How many of those who are asked have a palsy, no training knows: a clinic's people are others than a screening's. So the
probability is that of a person of whom nothing else is known, as often palsied as not; from one half on both errors
weigh alike, and that is the decision.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, log_loss, roc_auc_score

from facialpalsy.evaluation.threshold import EVEN

Values = NDArray[np.float64]
Truth = NDArray[np.bool_]

# A validation set that is told apart without an error would ask for certainty; this keeps the slope finite.
_STRENGTH = 1.0
# Single precision makes certainties of what is nearly certain.
_LEAST = 1e-7


def calibration(logits: Values, truth: Truth) -> tuple[float, float]:
    """Slope and intercept of log-odds (Platt 1999), fitted with a weak penalty; 1 and 0 where one class lacks.

    Both classes count alike, however many there are of each.
    """
    if truth.all() or not truth.any():
        return 1.0, 0.0
    fitted = LogisticRegression(C=_STRENGTH, class_weight="balanced").fit(logits[:, None], truth)
    slope, intercept = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    # A slope below 0 says that nothing was learnt, not that the answer is the other one.
    return (slope, intercept) if slope > 0 else (0.0, 0.0)


def even_threshold(probability: Values, truth: Truth) -> float:
    """The probability from which both errors weigh alike, by the calibration of its log-odds; 0.5 if none is learnt."""
    slope, intercept = calibration(logit(probability.clip(_LEAST, 1 - _LEAST)), truth)
    return float(expit(-intercept / slope)) if slope > 0 else EVEN


def binary_figures(probability: Values, truth: Truth) -> dict[str, float | None]:
    """Log loss, and accuracies of the decision at 0.5; what needs both classes is None where one lacks."""
    both = bool(truth.any() and not truth.all())
    named = probability >= 0.5
    return {
        "loss": float(log_loss(truth, probability, labels=[False, True])),
        "acc": float((named == truth).mean()),
        "mean_class_acc": float(balanced_accuracy_score(truth, named)) if both else None,
        "auc": float(roc_auc_score(truth, probability)) if both else None,
    }
