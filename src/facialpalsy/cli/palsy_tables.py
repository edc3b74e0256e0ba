"""Palsy tables: recognisers, or region networks, against the truth, beside the baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from facialpalsy.cli.asked import Asked
from facialpalsy.cli.tested import Tables, Tested
from facialpalsy.clinical.actions import PALSY_UNITS
from facialpalsy.face import Side
from facialpalsy.weights import RECOGNISER

if TYPE_CHECKING:
    from facialpalsy.evaluation.palsy import PalsyExam, Truth
    from facialpalsy.training.exams import ExamLabel, PreparedExams

CHOSEN_HERE = ", thresholds chosen here"


def made(models: Sequence[Asked], tested: Tested, *, choose: bool) -> Tables:
    """The tables of recognisers or region networks on the test people."""
    from facialpalsy.evaluation import words
    from facialpalsy.evaluation.palsy import FIGURES, PalsyTable, paired_palsy_difference, palsy_table
    from facialpalsy.evaluation.printing import palsy_csv_rows, palsy_markdown
    from facialpalsy.evaluation.threshold import EVEN, nested

    questions = tuple(models[0].questions)
    reference = None if tested.train is None else _truths(tested.train, questions)
    whole: dict[str, list[PalsyExam]] = {}
    single: dict[str, list[PalsyExam]] = {}
    thresholds: dict[str, list[float]] = {}
    for model in models:
        whole[model.name], found = _answers(model, tested, questions)
        if found:
            single[model.name] = found
        thresholds[model.name] = [model.questions.get(one, EVEN) for one in questions]
        if choose:
            name = model.name + CHOSEN_HERE
            whole[name], thresholds[name] = nested(whole[model.name]), [EVEN] * len(questions)

    def tables(rows: Mapping[str, list[PalsyExam]]) -> dict[str, PalsyTable]:
        return {name: palsy_table(found, questions, thresholds[name], reference) for name, found in rows.items()}

    exams, photos = tables(whole), tables(single)
    page = ["## Whole exams", "", palsy_markdown(exams), ""]
    first, *others = whole
    for other in others:
        page += [f"{first} minus {other}, by person:", ""]
        for metric in FIGURES:
            both = thresholds[first], thresholds[other]
            page.append(f"- {metric}: {words(paired_palsy_difference(whole[first], whole[other], both, metric))}")
        page.append("")
    if photos:
        page += ["## Single photos", "", palsy_markdown(photos)]
    asked_alone = {"photo": photos} if photos else {}
    figures = [
        {"unit": unit, **row} for unit, found in {"exam": exams, **asked_alone}.items() for row in palsy_csv_rows(found)
    ]
    predictions = [
        row
        for unit, found in (("exam", whole), ("photo", single))
        for name, rows in found.items()
        for one in rows
        for row in _predictions(name, unit, one, questions, thresholds[name])
    ]
    return Tables(page, figures, predictions)


def _answers(model: Asked, tested: Tested, questions: Sequence[str]) -> tuple[list[PalsyExam], list[PalsyExam]]:
    """Whole exams and, of a recogniser, single photos."""
    from facialpalsy.evaluation.palsy import PalsyExam

    whole, single = [], []
    places = [list(model.questions).index(one) for one in questions]
    truths = _truths(tested.test, questions)
    for (label, rows, found), truth in zip(tested.answers(model), truths, strict=True):
        keys, given = tuple(row.key for row in rows), found["palsy"][places]
        whole.append(PalsyExam(label.subject, label.key, keys, truth, tuple(map(float, given))))
        if model.kind == RECOGNISER:
            single += [
                PalsyExam(label.subject, label.key, (key,), truth, (float(one),))
                for key, one in zip(keys, found["photo_palsy"], strict=True)
            ]
    return whole, single


def _truths(exams: PreparedExams, questions: Sequence[str]) -> list[Truth]:
    """The true answers of each exam."""
    return [_truth(label, exams, number, questions) for number, label in enumerate(exams.labels)]


def _truth(label: ExamLabel, exams: PreparedExams, number: int, questions: Sequence[str]) -> Truth:
    if len(questions) == 1 and questions[0] not in PALSY_UNITS:
        return (label.palsy,)
    units = exams.units(number)
    found = []
    for question in questions:
        unit, _, side = question.partition(" ")
        sides = units[PALSY_UNITS.index(unit)]
        # Without a side it is about either.
        known = sides[list(Side).index(Side(side))] if side else _either(sides)
        found.append(None if np.isnan(known) else bool(known))
    return tuple(found)


def _either(sides: NDArray[np.float32]) -> float:
    return 1.0 if (sides == 1).any() else float(sides.sum())


def _predictions(
    method: str, unit: str, row: PalsyExam, questions: Sequence[str], thresholds: Sequence[float]
) -> list[dict[str, object]]:
    given = row.probabilities or [None] * len(questions)
    return [
        {
            "method": method,
            "unit": unit,
            "subject": row.subject,
            "exam": row.exam,
            "photos": len(row.photos) if unit == "exam" else row.photos[0],
            "question": question,
            "truth": None if truth is None else int(truth),
            "probability": None if one is None else round(one, 6),
            "threshold": round(least, 6),
            "answer": None if one is None else int(one >= least),
            "withheld": row.withheld,
        }
        for question, truth, one, least in zip(questions, row.truth, given, thresholds, strict=True)
    ]
