"""Grade tables: graders against the truth, beside the landmark baseline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from facialpalsy.analysis.grading import NEEDED
from facialpalsy.cli.asked import Asked
from facialpalsy.cli.tested import Answer, Tables, Tested
from facialpalsy.clinical.expressions import Expression
from facialpalsy.errors import UsageError
from facialpalsy.face import Landmarks, Side
from facialpalsy.preparation import Prepared

if TYPE_CHECKING:
    from facialpalsy.evaluation import ExamGrade

LANDMARKS = "landmark baseline"
COMPARED = ("exact", "within_one", "exact_3_to_6", "kappa_quadratic", "rps")
"""Figures that models are compared by, pair by pair."""

_NO_EXAM = f"No grade: the photos are no whole exam, which needs {', '.join(NEEDED)}."
_SHARES = ("p_I", "p_II", "p_III", "p_IV", "p_V", "p_VI")


def made(models: Sequence[Asked], tested: Tested) -> Tables:
    """The tables of graders on the test people."""
    from facialpalsy.evaluation import csv_rows, grade_table, markdown, paired_difference, words

    graded = {model.name: by_network(tested.answers(model)) for model in models}
    landmarks, why_not = by_landmarks(tested)
    reference = None
    if tested.train is not None:
        reference = [
            (label.grade, side_of(rows)) for label, rows in zip(tested.train.labels, tested.train.rows, strict=True)
        ]
    methods = {name: whole for name, (whole, _) in graded.items()}
    methods |= {} if landmarks is None else {LANDMARKS: landmarks}
    exams = {name: grade_table(found, reference) for name, found in methods.items()}
    photos = {f"{name}, one photo": grade_table(single, reference) for name, (_, single) in graded.items()}
    first, *others = methods
    page = [
        "## Whole exams",
        "",
        markdown(exams) if exams[first].graded else _NO_EXAM,
        *([f"No landmark baseline: {why_not}"] if why_not else []),
        "",
    ]
    if exams[first].graded:
        for other in others:
            page += [f"{first} minus {other}, by person:", ""]
            for metric in COMPARED:
                page.append(f"- {metric}: {words(paired_difference(methods[first], methods[other], metric))}")
            page.append("")
    page += [
        "## Single photos",
        "",
        "House-Brackmann II to IV look alike at rest, so no photo alone can be graded; this shows how far that goes.",
        "",
        markdown(photos),
    ]
    figures = [
        {"unit": unit, **row} for unit, tables in (("exam", exams), ("photo", photos)) for row in csv_rows(tables)
    ]
    rows = [(name, "exam", row) for name, found in methods.items() for row in found]
    rows += [(name, "photo", row) for name, (_, single) in graded.items() for row in single]
    return Tables(page, figures, [_prediction(*one) for one in rows])


def by_network(answers: Iterable[Answer]) -> tuple[list[ExamGrade], list[ExamGrade]]:
    """Whole exams, withheld where they are not whole, and single photos, from what a grader says of each exam."""
    from facialpalsy.evaluation import ExamGrade

    whole, single = [], []
    for label, rows, found in answers:
        keys, side = tuple(row.key for row in rows), side_of(rows)
        if set(NEEDED) <= {row.expression for row in rows}:
            # The network's positive side is the image's right half, an un-mirrored subject's left.
            left = float(found["side"][0]) if "side" in found else None
            whole.append(ExamGrade(label.subject, label.key, keys, label.grade, side, _shares(found["grade"]), left))
        else:
            whole.append(ExamGrade(label.subject, label.key, keys, label.grade, side, None, withheld=_NO_EXAM))
        single += [
            ExamGrade(label.subject, label.key, (key,), label.grade, side, _shares(given))
            for key, given in zip(keys, found["photo_grades"], strict=True)
        ]
    return whole, single


def by_landmarks(tested: Tested) -> tuple[list[ExamGrade] | None, str]:
    """The landmark baseline fitted on the training part, or why there is none."""
    from facialpalsy.evaluation import ExamGrade, LandmarkBaseline

    if tested.train is None:
        return None, "no split names people to fit it on."
    train, test = tested.train, tested.test
    learnt = [_landmarks(rows) for rows in train.rows]
    if not any(Expression.REST in one for one in learnt):
        return None, "no training photo is known to show the face at rest, from which every movement is measured."
    try:
        fitted = LandmarkBaseline.fit(
            learnt,
            [label.grade for label in train.labels],
            [side_of(rows) for rows in train.rows],
            [label.subject for label in train.labels],
        )
        wanted = [_landmarks(rows) for rows in test.rows]
        given, left = fitted.probabilities(wanted), fitted.left(wanted)
    except UsageError as reason:
        return None, str(reason)
    graded = []
    for place, (label, rows) in enumerate(zip(test.labels, test.rows, strict=True)):
        keys, side = tuple(row.key for row in rows), side_of(rows)
        if set(NEEDED) <= {row.expression for row in rows}:
            affected = None if left is None else float(left[place])
            graded.append(ExamGrade(label.subject, label.key, keys, label.grade, side, _shares(given[place]), affected))
        else:
            graded.append(ExamGrade(label.subject, label.key, keys, label.grade, side, None, withheld=_NO_EXAM))
    return graded, ""


def side_of(rows: Sequence[Prepared]) -> Side | None:
    """The affected side that all photos of an exam name."""
    sides = {str(row.affected) for row in rows}
    return Side(sides.pop()) if sides in ({"left"}, {"right"}) else None


def _shares(probabilities: NDArray[Any]) -> tuple[float, ...]:
    """Probabilities whose sum is 1 in double precision too."""
    found = np.asarray(probabilities, np.float64)
    return tuple((found / found.sum()).tolist())


def _landmarks(rows: Iterable[Prepared]) -> dict[Expression, Landmarks]:
    """One capture of each expression; of several the last."""
    return {
        row.expression: found
        for row in rows
        if row.expression is not None and (found := row.landmarks(max(row.crops))) is not None
    }


def _prediction(method: str, unit: str, row: ExamGrade) -> dict[str, object]:
    shares = [None] * len(_SHARES) if row.probabilities is None else [round(one, 6) for one in row.probabilities]
    return {
        "method": method,
        "unit": unit,
        "subject": row.subject,
        "exam": row.exam,
        "photos": len(row.photos) if unit == "exam" else row.photos[0],
        "grade": row.grade,
        "side": row.side,
        "predicted": row.predicted,
        **dict(zip(_SHARES, shares, strict=True)),
        "p_left": row.left,
        "withheld": row.withheld,
    }
