"""Figures: what a table of grades shows, each as sums over exams and a formula of the sums, ready for the bootstrap.

Positions 0 to 5 stand for the grades I to VI.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np

from facialpalsy.errors import UsageError, did_you_mean
from facialpalsy.evaluation import confusion
from facialpalsy.evaluation.calibration import (
    brier_scores,
    calibration_gap,
    calibration_tally,
    ranked_probability_scores,
)
from facialpalsy.evaluation.confusion import Stack, share
from facialpalsy.evaluation.exam_grade import GRADES, ExamGrade

_OBVIOUS = (3, 4, 5, 6)


@dataclass(frozen=True)
class Figure:
    """One row of a table of grades.

    Attributes:
        name: Name in files.
        title: Name for people.
        tally: (n, ...) what each of n graded exams adds; zeros where it does not count.
        formula: From sums (...) to values, NaN where not defined.
        perfect: Value of a method that is always right.
        undefined: Why it is not defined, where it is not.
        percent: Whether it is a share.
    """

    name: str
    title: str
    tally: Callable[[Sequence[ExamGrade]], Stack]
    formula: Callable[[Stack], Stack]
    perfect: float
    undefined: str
    percent: bool = False


def confusion_tally(rows: Sequence[ExamGrade], grades: Sequence[int] = GRADES) -> Stack:
    """(n, 6, 6) a one where true grade and predicted grade meet, of exams whose true grade is one of `grades`."""
    tally = np.zeros((len(rows), len(GRADES), len(GRADES)))
    for number, row in enumerate(rows):
        if row.grade in grades and row.predicted is not None:
            tally[number, row.grade - 1, row.predicted - 1] = 1
    return tally


def _side_tally(rows: Sequence[ExamGrade]) -> Stack:
    """(n, 2) a one, and a one where the side is right, of obvious palsies whose side is known and named."""
    tally = np.zeros((len(rows), 2))
    for number, row in enumerate(rows):
        if row.grade in _OBVIOUS and row.side is not None and row.left is not None:
            # Undecided is not right, whichever side it is.
            tally[number] = 1, row.side.sign * (row.left - 0.5) > 0
    return tally


def _score_tally(rows: Sequence[ExamGrade], scores: Callable[[Stack, Stack], Stack]) -> Stack:
    return np.column_stack([np.ones(len(rows)), scores(*_probabilities(rows))])


def _calibration(rows: Sequence[ExamGrade]) -> Stack:
    return calibration_tally(*_probabilities(rows))


def _probabilities(rows: Sequence[ExamGrade]) -> tuple[Stack, Stack]:
    given = np.array([row.probabilities for row in rows], float).reshape(len(rows), len(GRADES))
    return given, np.array([row.grade - 1 for row in rows], float)


def _mean(sums: Stack) -> Stack:
    return share(sums[..., 1], sums[..., 0])


def _specificity(counts: Stack) -> Stack:
    return share(counts[..., 0, 0], counts[..., 0, :].sum(-1))


def _sensitivity(counts: Stack) -> Stack:
    return share(counts[..., 1, 1:].sum(-1), counts[..., 1, :].sum(-1))


def _mild(counts: Stack) -> Stack:
    return np.asarray((_sensitivity(counts) + _specificity(counts)) / 2)


_of_mild = partial(confusion_tally, grades=(1, 2))
_of_first, _of_second = partial(confusion_tally, grades=(1,)), partial(confusion_tally, grades=(2,))
_of_obvious = partial(confusion_tally, grades=_OBVIOUS)
_NONE = "nothing was graded"
_NO_MILD = "there is no graded exam of grade I, or none of grade II"
_NO_FIRST, _NO_SECOND = "there is no graded exam of grade I", "there is no graded exam of grade II"
_NO_OBVIOUS = "there is no graded exam of grade III to VI"
_NO_SIDE = "no exam of grade III to VI has a known side and a named one"
_ONE_GRADE = "truth and prediction are one and the same grade throughout"

_TABLE = (
    Figure("exact", "Exact grade", confusion_tally, partial(confusion.within, reach=0), 1, _NONE, True),
    Figure("within_one", "Within one grade", confusion_tally, partial(confusion.within, reach=1), 1, _NONE, True),
    Figure(
        "exact_3_to_6", "Exact grade, III to VI", _of_obvious, partial(confusion.within, reach=0), 1, _NO_OBVIOUS, True
    ),
    Figure("grade_1_against_2", "I against II, balanced accuracy", _of_mild, _mild, 1, _NO_MILD, True),
    Figure("grade_2_recognised", "II graded II or more", _of_second, _sensitivity, 1, _NO_SECOND, True),
    Figure("grade_1_recognised", "I graded I", _of_first, _specificity, 1, _NO_FIRST, True),
    Figure("kappa", "Kappa, unweighted", confusion_tally, partial(confusion.kappa, weights="none"), 1, _ONE_GRADE),
    Figure(
        "kappa_quadratic",
        "Kappa, quadratic",
        confusion_tally,
        partial(confusion.kappa, weights="quadratic"),
        1,
        _ONE_GRADE,
    ),
    Figure("balanced_accuracy", "Balanced accuracy", confusion_tally, confusion.balanced_accuracy, 1, _NONE, True),
    Figure("macro_f1", "Macro F1", confusion_tally, confusion.macro_f1, 1, _NONE),
    Figure("mae", "Mean absolute error, grades", confusion_tally, confusion.mean_distance, 0, _NONE),
    Figure("side_3_to_6", "Affected side, III to VI", _side_tally, _mean, 1, _NO_SIDE, True),
    Figure("rps", "Ranked probability score", partial(_score_tally, scores=ranked_probability_scores), _mean, 0, _NONE),
    Figure("brier", "Brier score", partial(_score_tally, scores=brier_scores), _mean, 0, _NONE),
    Figure("ece", "Expected calibration error", _calibration, calibration_gap, 0, _NONE),
)
FIGURES: Mapping[str, Figure] = MappingProxyType({figure.name: figure for figure in _TABLE})
"""Name -> figure, in the order of the table. Of those whose perfect value is 0, less is better."""


def figure_named(name: str) -> Figure:
    """The figure of that name; else a UsageError suggests the closest."""
    if name not in FIGURES:
        raise UsageError(f"Unknown figure {name!r}. {did_you_mean(name, FIGURES)}")
    return FIGURES[name]
