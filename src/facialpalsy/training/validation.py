"""Validation: how well the exams of validation people are graded, by exam and by person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from facialpalsy.evaluation import FIGURES, ExamGrade

SHOWN = (
    "exact",
    "within_one",
    "exact_3_to_6",
    "kappa",
    "kappa_quadratic",
    "balanced_accuracy",
    "macro_f1",
    "side_3_to_6",
    "rps",
)
"""Names of the figures, as `evaluation.FIGURES` has them."""

CHOSEN_BY = "rps"
"""What the best epoch has least of: the ranked probability score knows the order of grades and is no coarse count."""


def validation_figures(rows: Sequence[ExamGrade], *, by_person: bool = False) -> dict[str, float | None]:
    """Name -> value of `SHOWN`; None where not defined.

    Args:
        rows: Graded exams.
        by_person: Whether every person counts the same, however many exams they have.
    """
    exams = Counter(row.subject for row in rows)
    weights = np.array([1 / exams[row.subject] if by_person else 1.0 for row in rows])
    found = {}
    for name in SHOWN:
        value = float(FIGURES[name].formula(np.tensordot(weights, FIGURES[name].tally(rows), 1)))
        found[name] = value if np.isfinite(value) else None
    return found
