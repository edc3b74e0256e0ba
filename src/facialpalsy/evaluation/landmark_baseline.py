"""Landmark baseline: grades from landmark measures by ordinal logistic regression, which a network has to beat.

The grade is read from features without sides, the affected side from signed ones by a logistic regression that has no
intercept: mirroring an exam leaves the grade's probabilities as they are and turns P(left) into 1 - P(left).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facialpalsy.errors import UsageError
from facialpalsy.evaluation.calibration import ranked_probability_scores
from facialpalsy.evaluation.confusion import Stack
from facialpalsy.evaluation.exam_grade import GRADES
from facialpalsy.evaluation.landmark_features import Exam, exam_sides, signed_features, unsigned_features
from facialpalsy.evaluation.ordinal import OrdinalModel, fit_ordinal
from facialpalsy.face import Side
from facialpalsy.measure import Sides

PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
"""Among which cross-validation chooses."""

_FOLDS = 5
Rows = Sequence[Mapping[str, float]]


@dataclass(frozen=True, eq=False)
class Columns:
    """Features as columns of comparable spread.

    Attributes:
        names: Features that training rows have.
        centre: (d,) median of each, which stands for a missing one; 0 where signed.
        spread: (d,) root mean square distance from the centre; 1 where there is none.
        signed: Whether features tell sides. Then none is flagged as missing: 0 favours no side.
    """

    names: tuple[str, ...]
    centre: Stack
    spread: Stack
    signed: bool

    @classmethod
    def of(cls, rows: Rows, *, signed: bool) -> Columns:
        """The columns of training rows."""
        names = tuple(sorted({name for row in rows for name in row}))
        if not names:
            raise UsageError("No training exam has a rest photo, without which nothing is measured; give one of each.")
        table = _table(rows, names)
        centre = np.zeros(len(names)) if signed else np.nanmedian(table, axis=0)
        spread = np.sqrt(np.nanmean((table - centre) ** 2, axis=0))
        return cls(names, centre, np.where(spread > 0, spread, 1.0), signed)

    def table(self, rows: Rows) -> Stack:
        """(n, d); where unsigned (n, 2 d), the second half saying what is missing."""
        table = _table(rows, self.names)
        scaled = np.nan_to_num((table - self.centre) / self.spread)
        return scaled if self.signed else np.hstack([scaled, np.isnan(table)])


@dataclass(frozen=True, eq=False)
class Regression:
    """A regression on features.

    Attributes:
        columns: How features become columns.
        model: The model on them.
        present: Its classes among all of them.
        penalty: Its penalty.
    """

    columns: Columns
    model: OrdinalModel
    present: NDArray[np.int64]
    penalty: float

    @classmethod
    def fit(cls, rows: Rows, classes: NDArray[np.int64], penalty: float, *, signed: bool) -> Regression:
        """Fit on training rows; signed features with the classes 0 (right) and 1 (left), and without an intercept."""
        columns = Columns.of(rows, signed=signed)
        table = columns.table(rows)
        if signed:
            # With every exam's mirror image beside it the best cut is 0.
            table, classes = np.vstack([table, -table]), np.concatenate([classes, 1 - classes])
        present, positions = np.unique(classes, return_inverse=True)
        if len(present) < 2:
            raise UsageError("The people of a fold all have one grade; take more people, of more grades.")
        model = fit_ordinal(table, positions, len(present), penalty)
        return cls(columns, OrdinalModel(model.slope, np.zeros(1)) if signed else model, present, penalty)

    def probabilities(self, rows: Rows, count: int) -> Stack:
        """(n, count) of all classes."""
        found = np.zeros((len(rows), count))
        found[:, self.present] = self.model.probabilities(self.columns.table(rows))
        return found


@dataclass(frozen=True, eq=False)
class LandmarkBaseline:
    """The fitted baseline.

    Attributes:
        scheme: Name of the landmark scheme that it was fitted on.
        grade: Regression of the grade.
        side: Regression of the affected side; None where fewer than two training people have one.
    """

    scheme: str
    grade: Regression
    side: Regression | None

    @classmethod
    def fit(
        cls,
        exams: Sequence[Exam],
        grades: Sequence[int],
        sides: Sequence[Side | None],
        subjects: Sequence[str],
        *,
        seed: int = 0,
    ) -> LandmarkBaseline:
        """Fit on training exams; the penalties are chosen by cross-validation over their people.

        Args:
            exams: Landmarks of each of n exams.
            grades: n true grades, 1 to 6.
            sides: n affected sides, the subject's own; None for healthy people and where it is not known.
            subjects: n names of people.
            seed: Of the draw of the folds.

        Raises:
            UsageError: lists of unequal lengths, a grade that is none, too few people or grades, landmarks of several
                schemes, or no exam with a rest photo.
        """
        if not len(exams) == len(grades) == len(sides) == len(subjects):
            raise UsageError(
                "Every training exam needs a grade, a side or None, and a subject: give lists of one length."
            )
        if not set(grades) <= set(GRADES):
            raise UsageError(f"Training grades must be 1 to 6, got {sorted(set(grades))}.")
        schemes = _schemes(exams)
        if len(schemes) != 1:
            raise UsageError(f"Landmarks of one scheme are needed to fit, got {', '.join(sorted(schemes)) or 'none'}.")
        found = [exam_sides(exam) for exam in exams]
        people = np.asarray(subjects, dtype=str)
        grade = _chosen([unsigned_features(one) for one in found], np.array(grades) - 1, people, seed, signed=False)
        known = [number for number, side in enumerate(sides) if side is not None]
        side = None
        if len(set(people[known])) > 1:
            left = np.array([sides[number] is Side.LEFT for number in known], dtype=np.int64)
            side = _chosen([signed_features(found[number]) for number in known], left, people[known], seed, signed=True)
        return cls(schemes.pop(), grade, side)

    def probabilities(self, exams: Sequence[Exam]) -> Stack:
        """(n, 6) of the grades I to VI; grades that no training exam had get 0.

        Raises:
            UsageError: landmarks of another scheme than it was fitted on.
        """
        return self.grade.probabilities([unsigned_features(one) for one in self._sides(exams)], len(GRADES))

    def left(self, exams: Sequence[Exam]) -> Stack | None:
        """(n,) probability that the affected side is the left one, given a palsy; None where it was not fitted.

        Raises:
            UsageError: landmarks of another scheme than it was fitted on.
        """
        if self.side is None:
            return None
        return self.side.probabilities([signed_features(one) for one in self._sides(exams)], 2)[:, 1]

    def _sides(self, exams: Sequence[Exam]) -> list[dict[str, Sides]]:
        if strange := _schemes(exams) - {self.scheme}:
            raise UsageError(
                f"The baseline was fitted on landmarks of the scheme {self.scheme}, not {', '.join(sorted(strange))}; "
                "give one kind of landmarks to all."
            )
        return [exam_sides(exam) for exam in exams]


def _chosen(rows: Rows, classes: NDArray[np.int64], people: NDArray[np.str_], seed: int, *, signed: bool) -> Regression:
    """The regression with the penalty that scores best on people who were left out."""
    names = np.random.default_rng(seed).permutation(np.unique(people))
    if len(names) < 2:
        raise UsageError("Training needs at least two people, because its penalty is chosen on people left out.")
    count = 2 if signed else len(GRADES)

    def score(penalty: float) -> float:
        total = 0.0
        for fold in np.array_split(names, min(_FOLDS, len(names))):
            out = np.isin(people, fold)
            model = Regression.fit(_only(rows, ~out), classes[~out], penalty, signed=signed)
            total += float(ranked_probability_scores(model.probabilities(_only(rows, out), count), classes[out]).sum())
        return total

    return Regression.fit(rows, classes, min(PENALTIES, key=score), signed=signed)


def _only(rows: Rows, wanted: NDArray[np.bool_]) -> Rows:
    return [row for row, keep in zip(rows, wanted, strict=True) if keep]


def _table(rows: Rows, names: Iterable[str]) -> Stack:
    return np.array([[row.get(name, np.nan) for name in names] for row in rows], float).reshape(len(rows), -1)


def _schemes(exams: Sequence[Exam]) -> set[str]:
    return {landmarks.scheme.name for exam in exams for landmarks in exam.values()}
