"""Exam grade: what one method says about one exam, or about one photo of it, beside what is true."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from facialpalsy.errors import UsageError
from facialpalsy.evaluation.calibration import SUM_TOLERANCE
from facialpalsy.face import Side

GRADES = (1, 2, 3, 4, 5, 6)


@dataclass(frozen=True)
class ExamGrade:
    """The grade of one exam by one method.

    Attributes:
        subject: Who was examined; the unit of every interval.
        exam: Which of the person's exams.
        photos: Keys of the photos that the grade was given from: all of an exam, or one where photos are graded alone.
        grade: True House-Brackmann grade, 1 to 6.
        side: Truly affected side, the subject's own; None for healthy people and where it is not known.
        probabilities: (6,) of the grades I to VI; None where withheld.
        left: Probability that the affected side is the left one; None where the method names no side.
        withheld: Why there is no grade; None where there is one.
    """

    subject: str
    exam: str
    photos: tuple[str, ...]
    grade: int
    side: Side | None
    probabilities: tuple[float, ...] | None
    left: float | None = None
    withheld: str | None = None

    def __post_init__(self) -> None:
        where = f"Exam {self.exam!r} of {self.subject!r}"
        if self.grade not in GRADES:
            raise UsageError(f"{where} has the true grade {self.grade!r}; allowed are 1 to 6.")
        if (self.probabilities is None) != (self.withheld is not None):
            raise UsageError(f"{where} needs either probabilities or the reason why they are withheld.")
        if self.probabilities is not None:
            given = np.asarray(self.probabilities, float)
            if given.shape != (len(GRADES),) or not (given >= 0).all() or abs(given.sum() - 1) > SUM_TOLERANCE:
                raise UsageError(f"{where} has the probabilities {self.probabilities}; six that sum to 1 are needed.")
        if self.left is not None and not 0 <= self.left <= 1:
            raise UsageError(f"{where} has the probability {self.left} of the left side; allowed are 0 to 1.")

    @property
    def predicted(self) -> int | None:
        """The most probable grade, of equal ones the lowest; None where withheld."""
        return None if self.probabilities is None else GRADES[int(np.argmax(self.probabilities))]


def majority_baseline(predictions: Sequence[ExamGrade], training: Sequence[tuple[int, Side | None]]) -> list[ExamGrade]:
    """The same exams, each graded with the shares of the training exams, whose most common grade and side it names.

    What is withheld stays withheld.

    Args:
        predictions: Any method's grades of the exams.
        training: True grade and affected side of each training exam.

    Raises:
        UsageError: there is no training exam, or one of a grade that is none.
    """
    grades = [grade for grade, _ in training]
    if not grades or not set(grades) <= set(GRADES):
        raise UsageError(f"Training grades must be 1 to 6, of one exam at least; got {sorted(set(grades))}.")
    left = _left([side for _, side in training])
    shares = _shares(grades)
    return [one if one.withheld else replace(one, probabilities=shares, left=left) for one in predictions]


def identity_baseline(predictions: Sequence[ExamGrade]) -> list[ExamGrade]:
    """The same exams, each graded with the shares of the true grades of the same person's other exams.

    It shows what recognising the person is worth. Withheld for people with one exam, and what is withheld stays so.
    """
    exams: dict[str, dict[str, ExamGrade]] = defaultdict(dict)
    for one in predictions:
        exams[one.subject][one.exam] = one
    return [
        one
        if one.withheld
        else _from_others(one, [other for key, other in exams[one.subject].items() if key != one.exam])
        for one in predictions
    ]


def _from_others(one: ExamGrade, others: Sequence[ExamGrade]) -> ExamGrade:
    if not others:
        return replace(one, probabilities=None, left=None, withheld="the person has no other exam")
    shares, left = _shares([other.grade for other in others]), _left([other.side for other in others])
    return replace(one, probabilities=shares, left=left)


def _shares(grades: Sequence[int]) -> tuple[float, ...]:
    return tuple(grades.count(grade) / len(grades) for grade in GRADES)


def _left(sides: Sequence[Side | None]) -> float | None:
    known = [side for side in sides if side is not None]
    return known.count(Side.LEFT) / len(known) if known else None
