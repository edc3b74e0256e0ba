"""Palsy: a method's yes and no against the truth, beside majority and identity baseline, with intervals by person.

A method answers one question per exam (is there a palsy?) or several (is AU12 palsied on the left?). A figure of
several is the mean over the questions for which it is defined. The unit is the exam, or the photo where photos are
asked about alone; what is drawn for the intervals are people either way.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from facialpalsy.errors import UsageError, did_you_mean
from facialpalsy.evaluation import confusion
from facialpalsy.evaluation.bootstrap import Estimate, bootstrap_rows, bootstrap_sums
from facialpalsy.evaluation.confusion import Stack, share

Estimates = Mapping[str, Estimate]
Truth = tuple[bool | None, ...]

_EVEN = 0.5


@dataclass(frozen=True)
class PalsyExam:
    """What one method says about one exam, or about one photo of it, beside what is true.

    Attributes:
        subject: Who was examined; the unit of every interval.
        exam: Which of the person's exams.
        photos: Keys of the photos that the method saw.
        truth: Answer to each question; None where it is not known.
        probabilities: That each answer is yes; None where withheld.
        withheld: Why there is none; None where there is one.
    """

    subject: str
    exam: str
    photos: tuple[str, ...]
    truth: Truth
    probabilities: tuple[float, ...] | None
    withheld: str | None = None

    def __post_init__(self) -> None:
        where = f"Exam {self.exam!r} of {self.subject!r}"
        if (self.probabilities is None) != (self.withheld is not None):
            raise UsageError(f"{where} needs either probabilities or the reason why they are withheld.")
        if self.probabilities is not None and len(self.probabilities) != len(self.truth):
            raise UsageError(
                f"{where} has {len(self.probabilities)} probabilities for {len(self.truth)} questions; give one each."
            )
        if self.probabilities is not None and not all(0 <= one <= 1 for one in self.probabilities):
            raise UsageError(f"{where} has the probabilities {self.probabilities}; allowed are 0 to 1.")


@dataclass(frozen=True)
class PalsyFigure:
    """One row of a table.

    Attributes:
        title: Name for people.
        formula: From counts (..., 2, 2), true against said, no before yes, to values; NaN where not defined.
        undefined: Why it is not defined, where it is not.
    """

    title: str
    formula: Callable[[Stack], Stack]
    undefined: str


def _of_class(counts: Stack, place: int) -> Stack:
    return share(counts[..., place, place], counts[..., place, :].sum(-1))


def _f1(counts: Stack) -> Stack:
    hits = 2 * counts[..., 1, 1]
    # Without a palsy there is nothing to find.
    return np.where(
        counts[..., 1, :].sum(-1) > 0, share(hits, counts[..., 1, :].sum(-1) + counts[..., :, 1].sum(-1)), np.nan
    )


def _balanced(counts: Stack) -> Stack:
    return (_of_class(counts, 0) + _of_class(counts, 1)) / 2


_BOTH = "no question has exams with and without a palsy"
FIGURES: Mapping[str, PalsyFigure] = MappingProxyType(
    {
        "balanced_accuracy": PalsyFigure("Balanced accuracy", _balanced, _BOTH),
        "sensitivity": PalsyFigure("Palsied, called so", lambda counts: _of_class(counts, 1), "nobody is palsied"),
        "specificity": PalsyFigure("Not palsied, called so", lambda counts: _of_class(counts, 0), "all are palsied"),
        "accuracy": PalsyFigure("Accuracy", lambda counts: confusion.within(counts, 0), "nothing was answered"),
        "f1": PalsyFigure("F1 of the palsied", _f1, "nobody is palsied"),
    }
)
"""Name -> figure, in the order of the table; all are shares, 1 at best."""

AUC = "auc"
"""Name of the area under the receiver operating characteristic, which is no formula of counts."""


@dataclass(frozen=True, eq=False)
class PalsyTable:
    """How well one method answers.

    Attributes:
        people: Number of people.
        exams: Number of exams.
        answered: Number of rows with an answer.
        withheld: Reason -> number of rows without; they count for no figure.
        questions: Their names.
        figures: Name of each of `FIGURES`, and `AUC` -> estimate, the mean over the questions.
        by_question: Question -> the same for it alone.
        majority: The figures of the training exams' more common answer; None without training truth.
        identity: Those of the answers of the person's other exams.
    """

    people: int
    exams: int
    answered: int
    withheld: Mapping[str, int]
    questions: tuple[str, ...]
    figures: Estimates
    by_question: Mapping[str, Estimates]
    majority: Estimates | None
    identity: Estimates


def palsy_table(
    rows: Sequence[PalsyExam],
    questions: Sequence[str],
    thresholds: Sequence[float],
    reference: Sequence[Truth] | None = None,
) -> PalsyTable:
    """The table of one method.

    Args:
        rows: One per exam (or photo).
        questions: Their names.
        thresholds: Probability from which the answer to each is yes.
        reference: Truth of every training exam, from which the majority baseline follows.

    Raises:
        UsageError: there is no row, or truths, thresholds and questions are not equally many.
    """
    _check(rows, questions, thresholds)
    answered = [row for row in rows if row.withheld is None]
    even = [_EVEN] * len(questions)
    return PalsyTable(
        people=len({row.subject for row in rows}),
        exams=len({(row.subject, row.exam) for row in rows}),
        answered=len(answered),
        withheld=Counter(row.withheld for row in rows if row.withheld is not None),
        questions=tuple(questions),
        figures=_estimates(answered, thresholds),
        by_question={
            name: _estimates([_only(row, place) for row in answered], [thresholds[place]])
            for place, name in enumerate(questions)
        },
        majority=None if reference is None else _estimates(_majority(answered, reference), even),
        identity=_estimates(_identity(answered), even),
    )


def paired_palsy_difference(
    first: Sequence[PalsyExam],
    second: Sequence[PalsyExam],
    thresholds: tuple[Sequence[float], Sequence[float]],
    metric: str,
) -> Estimate:
    """A figure of the first method less that of the second on the exams that both answer, with its interval by person.

    Raises:
        UsageError: no such figure, or the two are not about the same exams with the same truth.
    """
    if metric not in FIGURES:
        raise UsageError(f"Unknown figure {metric!r}. {did_you_mean(metric, FIGURES)}")
    one, other = ({(row.subject, row.exam, row.photos): row for row in rows} for rows in (first, second))
    if one.keys() != other.keys() or any(one[key].truth != other[key].truth for key in one):
        raise UsageError("Both methods must answer the same questions about the same exams and photos.")
    both = [key for key in one if one[key].withheld is None and other[key].withheld is None]
    tallies = np.stack(
        [_tally([rows[key] for key in both], chosen) for rows, chosen in zip((one, other), thresholds, strict=True)],
        axis=1,
    )
    formula, undefined = FIGURES[metric].formula, FIGURES[metric].undefined

    def difference(sums: Stack) -> Stack:
        values = _mean_of(formula, sums)
        return np.asarray(values[..., 0] - values[..., 1])

    return bootstrap_sums(tallies, [key[0] for key in both], difference, undefined=undefined)


def _check(rows: Sequence[PalsyExam], questions: Sequence[str], thresholds: Sequence[float]) -> None:
    if not rows:
        raise UsageError("There is no exam to evaluate; give at least one.")
    counts = {len(row.truth) for row in rows} | {len(thresholds)}
    if counts != {len(questions)}:
        raise UsageError(f"Exams and thresholds have {sorted(counts)} answers for {len(questions)} questions.")


def _estimates(rows: Sequence[PalsyExam], thresholds: Sequence[float]) -> Estimates:
    if not rows:
        return {name: Estimate(None, reason="nothing was answered") for name in (*FIGURES, AUC)}
    tally, subjects = _tally(rows, thresholds), [row.subject for row in rows]
    found = {
        name: bootstrap_sums(tally, subjects, partial(_mean_of, figure.formula), perfect=1, undefined=figure.undefined)
        for name, figure in FIGURES.items()
    }
    return found | {AUC: _auc(rows)}


def _tally(rows: Sequence[PalsyExam], thresholds: Sequence[float]) -> Stack:
    """(n, questions, 2, 2) a one where truth and answer meet."""
    tally = np.zeros((len(rows), len(thresholds), 2, 2))
    for number, row in enumerate(rows):
        for place, (true, given, least) in enumerate(zip(row.truth, row.probabilities or (), thresholds, strict=True)):
            if true is not None:
                tally[number, place, int(true), int(given >= least)] = 1
    return tally


def _auc(rows: Sequence[PalsyExam]) -> Estimate:
    truth = np.array([[np.nan if one is None else float(one) for one in row.truth] for row in rows])
    given = np.array([row.probabilities for row in rows], float)

    def figure(drawn: NDArray[np.intp]) -> float | None:
        found = [_area(given[drawn, place], truth[drawn, place]) for place in range(truth.shape[1])]
        known = [one for one in found if one is not None]
        return float(np.mean(known)) if known else None

    return bootstrap_rows(figure, [row.subject for row in rows])


def _area(given: Stack, truth: Stack) -> float | None:
    """Share of pairs of a palsied and another exam in which the palsied one has the higher probability, ties half."""
    palsied, others = np.sort(given[truth == 1]), np.sort(given[truth == 0])
    if not len(palsied) or not len(others):
        return None
    below, upto = np.searchsorted(others, palsied, "left"), np.searchsorted(others, palsied, "right")
    return float((below + upto).sum() / 2 / (len(palsied) * len(others)))


def _only(row: PalsyExam, place: int) -> PalsyExam:
    given = row.probabilities
    return replace(row, truth=(row.truth[place],), probabilities=None if given is None else (given[place],))


def _majority(rows: Sequence[PalsyExam], reference: Sequence[Truth]) -> list[PalsyExam]:
    shares = _shares(reference, len(rows[0].truth)) if rows else ()
    return [replace(row, probabilities=shares) for row in rows]


def _identity(rows: Sequence[PalsyExam]) -> list[PalsyExam]:
    """Rows with the answers of the person's other exams; those of people with one exam are left out."""
    exams: dict[str, dict[str, Truth]] = defaultdict(dict)
    for row in rows:
        exams[row.subject][row.exam] = row.truth
    found = []
    for row in rows:
        if others := [truth for exam, truth in exams[row.subject].items() if exam != row.exam]:
            found.append(replace(row, probabilities=_shares(others, len(row.truth))))
    return found


def _shares(truths: Sequence[Truth], questions: int) -> tuple[float, ...]:
    known = [[float(one) for truth in truths if (one := truth[place]) is not None] for place in range(questions)]
    return tuple(float(np.mean(answers)) if answers else 0.0 for answers in known)


def _mean_of(formula: Callable[[Stack], Stack], sums: Stack) -> Stack:
    """The mean over the questions, the last axis of what the formula gives, for which it is defined."""
    values = formula(sums)
    known = np.isfinite(values)
    return share(np.where(known, values, 0.0).sum(-1), known.sum(-1))
