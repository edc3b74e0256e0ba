"""Grading: a method's grades against the truth, beside majority and identity baseline, with intervals by person.

The unit is the exam, or the photo where photos are graded alone; what is drawn for the intervals are people either way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facialpalsy.errors import UsageError
from facialpalsy.evaluation.bootstrap import Estimate, bootstrap_sums
from facialpalsy.evaluation.confusion import Stack
from facialpalsy.evaluation.exam_grade import GRADES, ExamGrade, identity_baseline, majority_baseline
from facialpalsy.evaluation.figures import FIGURES, Figure, confusion_tally, figure_named
from facialpalsy.face import Side

Key = tuple[str, str, tuple[str, ...]]
Estimates = Mapping[str, Estimate]


@dataclass(frozen=True, eq=False)
class GradeTable:
    """How well one method grades.

    Attributes:
        people: Number of people.
        exams: Number of exams.
        photos: Number of photos.
        graded: Number of rows with a grade: exams, or photos where photos were graded alone.
        withheld: Reason -> number of rows without a grade; they count for no figure.
        absent: Grades of which no exam was graded: balanced accuracy leaves them out and, where the method never
            names them either, so does macro F1.
        confusion: (6, 6) rows of true against predicted grade, I to VI.
        figures: Name of each of `FIGURES` -> estimate.
        majority: The same of always naming the training exams' most common grade; None without training labels.
        identity: The same of naming the grade of the person's other exams.
    """

    people: int
    exams: int
    photos: int
    graded: int
    withheld: Mapping[str, int]
    absent: tuple[int, ...]
    confusion: NDArray[np.int64]
    figures: Estimates
    majority: Estimates | None
    identity: Estimates


def grade_table(
    predictions: Sequence[ExamGrade], reference: Sequence[tuple[int, Side | None]] | None = None
) -> GradeTable:
    """The table of one method.

    Args:
        predictions: One row per exam (or per photo), each exam of each person once.
        reference: True grade and affected side of every training exam, from which the majority baseline follows. The
            baselines grade what the method grades, so that all are about the same exams.

    Raises:
        UsageError: no row, two rows of the same exam and photos, or a training grade that is none.
    """
    _by_key(predictions)
    graded, identities = _graded(predictions), identity_baseline(predictions)
    return GradeTable(
        people=len({one.subject for one in predictions}),
        exams=len({(one.subject, one.exam) for one in predictions}),
        photos=len({(one.subject, photo) for one in predictions for photo in one.photos}),
        graded=len(graded),
        withheld=Counter(one.withheld for one in predictions if one.withheld is not None),
        absent=tuple(grade for grade in GRADES if all(one.grade != grade for one in graded)),
        confusion=confusion_tally(graded).sum(0).astype(np.int64),
        figures=_estimates(predictions),
        majority=None if reference is None else _estimates(majority_baseline(predictions, reference)),
        identity=_estimates([one for one, of in zip(identities, predictions, strict=True) if of.withheld is None]),
    )


def paired_difference(first: Sequence[ExamGrade], second: Sequence[ExamGrade], metric: str) -> Estimate:
    """A figure of the first method less that of the second on the same exams, with its interval by person.

    Of exams that either withholds neither counts. The first one is better beyond chance where the interval lies above 0
    (below it, for a figure of `FIGURES` whose perfect value is 0).

    Args:
        first: Grades by one method.
        second: Grades by the other, of the same exams.
        metric: Name of one of `FIGURES`.

    Raises:
        UsageError: no such figure, or the two are not about the same exams with the same truth.
    """
    figure = figure_named(metric)
    one, other = _by_key(first), _by_key(second)
    if one.keys() != other.keys():
        few = ", ".join(f"{exam!r} of {subject!r}" for subject, exam, _ in sorted(one.keys() ^ other.keys())[:3])
        raise UsageError(f"Both methods must grade the same exams and photos; only one has {few}.")
    if wrong := [key for key in one if (one[key].grade, one[key].side) != (other[key].grade, other[key].side)]:
        raise UsageError(f"The methods disagree about the truth of exam {wrong[0][1]!r} of {wrong[0][0]!r}.")
    both = [key for key in one if one[key].withheld is None and other[key].withheld is None]
    tallies = np.stack([figure.tally([rows[key] for key in both]) for rows in (one, other)], axis=1)
    # What only one of the two names, such as a side, cannot be compared.
    counts = tallies.any(axis=tuple(range(2, tallies.ndim))).all(axis=1)

    def difference(sums: Stack) -> Stack:
        values = figure.formula(sums)
        return np.asarray(values[..., 0] - values[..., 1])

    subjects = [key[0] for key in both]
    return bootstrap_sums(tallies[counts], np.array(subjects)[counts].tolist(), difference, undefined=figure.undefined)


def _estimates(rows: Sequence[ExamGrade]) -> Estimates:
    graded = _graded(rows)
    if not graded:
        reasons = sorted({one.withheld for one in rows if one.withheld is not None}) or ["nothing was graded"]
        return {name: Estimate(None, reason="; ".join(reasons)) for name in FIGURES}
    subjects = [one.subject for one in graded]
    return {name: _estimate(figure, graded, subjects) for name, figure in FIGURES.items()}


def _estimate(figure: Figure, rows: Sequence[ExamGrade], subjects: Sequence[str]) -> Estimate:
    return bootstrap_sums(
        figure.tally(rows), subjects, figure.formula, perfect=figure.perfect, undefined=figure.undefined
    )


def _graded(rows: Sequence[ExamGrade]) -> list[ExamGrade]:
    return [one for one in rows if one.withheld is None]


def _by_key(rows: Sequence[ExamGrade]) -> dict[Key, ExamGrade]:
    if not rows:
        raise UsageError("There is no exam to evaluate; give at least one.")
    # Methods that graded an exam from other photos of it are compared; where photos are graded alone, each by itself.
    times = Counter((one.subject, one.exam) for one in rows)
    found: dict[Key, ExamGrade] = {}
    for one in rows:
        key = (one.subject, one.exam, one.photos if times[one.subject, one.exam] > 1 else ())
        if key in found:
            raise UsageError(f"Exam {one.exam!r} of {one.subject!r} is there twice with the same photos; give it once.")
        found[key] = one
    return found
