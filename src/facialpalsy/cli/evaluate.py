"""Evaluate: `facialpalsy evaluate MODEL --data ROOT --out DIR`, on people whom the model has never seen."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facialpalsy.analysis.grading import NEEDED
from facialpalsy.cli.corpus import DataRoot, GradesFromZero, Labels, LayoutName, People, SubjectFrom
from facialpalsy.cli.exam_data import PREPARED, SPLIT, Data, Jobs, Source, SplitFile, mark, model_reader, read_one_fold
from facialpalsy.clinical.expressions import Expression
from facialpalsy.datasets.corpus import number_of
from facialpalsy.datasets.folds import listed
from facialpalsy.errors import CheckpointError, SplitError, UsageError
from facialpalsy.face import Landmarks, Side
from facialpalsy.preparation import Prepared
from facialpalsy.writing import make_folder, write_text

if TYPE_CHECKING:
    from facialpalsy.analysis.explain import TrainedGrader
    from facialpalsy.evaluation import ExamGrade, GradeTable
    from facialpalsy.training.exams import PreparedExams

TABLE, FIGURES, PREDICTIONS = "evaluation.md", "evaluation.csv", "predictions.csv"

_NETWORK, _LANDMARKS = "network", "landmark baseline"
_NO_EXAM = f"No grade: the photos are no whole exam, which needs {', '.join(NEEDED)}."
_SHARES = ("p_I", "p_II", "p_III", "p_IV", "p_V", "p_VI")


@dataclass(frozen=True, eq=False)
class _Parts:
    """Exams of the test people, and of those whom the baselines learn from, if a split names them, and which it is."""

    test: PreparedExams
    train: PreparedExams | None
    split: str


def evaluate(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="best_model.safetensors of a training.")],
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder for tables; made if it does not exist.")],
    split: SplitFile = None,
    layout: LayoutName = None,
    jobs: Jobs = 1,
    labels: Labels = None,
    people: People = None,
    subject_from: SubjectFrom = None,
    data_root: DataRoot = None,
    grades_from_zero: GradesFromZero = False,
) -> None:
    """Grade the test people, whole exams and single photos, beside what must be beaten, with intervals by person."""
    grader = model_reader()(model)
    source = Source(data, layout, labels, people, subject_from, data_root, grades_from_zero, jobs)
    rows = source.rows(make_folder(out) / PREPARED, grader.spec.image_size)
    _write(grader, _parts(rows, grader, split), out)


def _write(grader: TrainedGrader, parts: _Parts, out: Path) -> None:
    """The tables of a grader on the test part."""
    from facialpalsy.evaluation import csv_rows, grade_table

    whole, single = _by_network(grader, parts.test)
    landmarks, why_not = _by_landmarks(parts)
    reference = None
    if parts.train is not None:
        reference = [
            (label.grade, _side(rows)) for label, rows in zip(parts.train.labels, parts.train.rows, strict=True)
        ]
    methods = {_NETWORK: whole} | ({} if landmarks is None else {_LANDMARKS: landmarks})
    exams = {name: grade_table(found, reference) for name, found in methods.items()}
    photos = {f"{_NETWORK}, one photo": grade_table(single, reference)}
    write_text(out / TABLE, _page(grader, parts, exams, photos, why_not))
    figures = [
        {"unit": unit, **row} for unit, tables in (("exam", exams), ("photo", photos)) for row in csv_rows(tables)
    ]
    write_text(out / FIGURES, _csv(tuple(figures[0]), figures))
    graded = [(name, "exam", row) for name, found in methods.items() for row in found]
    graded += [(_NETWORK, "photo", row) for row in single]
    predictions = [_prediction(*one) for one in graded]
    write_text(out / PREDICTIONS, _csv(tuple(predictions[0]), predictions))
    typer.echo((out / TABLE).read_text("utf-8"))


def _parts(rows: Sequence[Prepared], grader: TrainedGrader, file: Path | None) -> _Parts:
    """The test part of `file`, or of the split beside the model if it is of these people, or else everybody."""
    from facialpalsy.training.exams import exams_of

    beside = grader.path.parent / SPLIT
    if file is None and beside.is_file() and read_one_fold(beside).people == {row.subject for row in rows}:
        file = beside
    test, train, name = list(rows), None, "everybody; no split names people to fit baselines on"
    size = grader.spec.image_size
    if file is not None:
        frozen = read_one_fold(file)
        fold = frozen.apply(rows)[0]
        test, train, name = list(fold.test), exams_of(fold.train, size), f"{file.name}, sha256 {frozen.sha256}"
    seen = grader.about.get("seen")
    if not isinstance(seen, list):
        raise CheckpointError(
            f"{grader.path.name!r} does not say whom it was trained on, as models of `facialpalsy train grader` do: "
            "train it by that command."
        )
    if known := sorted({row.subject for row in test if mark(row.subject) in seen}):
        raise SplitError(
            f"The model was trained or chosen on {number_of(len(known), 'person', 'people')} of these, so their grades "
            f"would be known by heart: {listed(known)}. Give --split with the split of the training, or other people."
        )
    exams = exams_of(test, size)
    if not len(exams):
        raise SplitError("No photo of the test people has both a grade and a face; check the split and the labels.")
    return _Parts(exams, train, name)


def _by_network(grader: TrainedGrader, exams: PreparedExams) -> tuple[list[ExamGrade], list[ExamGrade]]:
    """Whole exams, withheld where they are not whole, and single photos."""
    from facialpalsy.evaluation import ExamGrade

    whole, single = [], []
    for number, (label, rows) in enumerate(zip(exams.labels, exams.rows, strict=True)):
        photos, side = exams[number], _side(rows)
        found = grader.explain(photos.images, photos.expressions)
        keys = tuple(row.key for row in rows)
        if set(NEEDED) <= {row.expression for row in rows}:
            shares = tuple(found.grade.tolist())
            whole.append(ExamGrade(label.subject, label.key, keys, label.grade, side, shares, found.left))
        else:
            whole.append(ExamGrade(label.subject, label.key, keys, label.grade, side, None, withheld=_NO_EXAM))
        single += [
            ExamGrade(label.subject, label.key, (key,), label.grade, side, tuple(given.tolist()))
            for key, given in zip(keys, found.photo_grades, strict=True)
        ]
    return whole, single


def _by_landmarks(parts: _Parts) -> tuple[list[ExamGrade] | None, str]:
    """The landmark baseline fitted on the training part, or why there is none."""
    from facialpalsy.evaluation import ExamGrade, LandmarkBaseline

    if parts.train is None:
        return None, "no split names people to fit it on."
    train, test = parts.train, parts.test
    learnt = [_landmarks(rows) for rows in train.rows]
    if not any(Expression.REST in one for one in learnt):
        return None, "no training photo is known to show the face at rest, from which every movement is measured."
    try:
        fitted = LandmarkBaseline.fit(
            learnt,
            [label.grade for label in train.labels],
            [_side(rows) for rows in train.rows],
            [label.subject for label in train.labels],
        )
        wanted = [_landmarks(rows) for rows in test.rows]
        given, left = fitted.probabilities(wanted), fitted.left(wanted)
    except UsageError as reason:
        return None, str(reason)
    graded = []
    for place, (label, rows) in enumerate(zip(test.labels, test.rows, strict=True)):
        keys, side = tuple(row.key for row in rows), _side(rows)
        if set(NEEDED) <= {row.expression for row in rows}:
            shares = tuple((given[place] / given[place].sum()).tolist())
            affected = None if left is None else float(left[place])
            graded.append(ExamGrade(label.subject, label.key, keys, label.grade, side, shares, affected))
        else:
            graded.append(ExamGrade(label.subject, label.key, keys, label.grade, side, None, withheld=_NO_EXAM))
    return graded, ""


def _landmarks(rows: Iterable[Prepared]) -> dict[Expression, Landmarks]:
    """One capture of each expression; of several the last."""
    return {
        row.expression: found
        for row in rows
        if row.expression is not None and (found := row.landmarks(max(row.crops))) is not None
    }


def _side(rows: Sequence[Prepared]) -> Side | None:
    sides = {str(row.affected) for row in rows}
    return Side(sides.pop()) if sides in ({"left"}, {"right"}) else None


def _page(
    grader: TrainedGrader,
    parts: _Parts,
    exams: Mapping[str, GradeTable],
    photos: Mapping[str, GradeTable],
    why_not: str,
) -> str:
    from facialpalsy.evaluation import markdown

    left_out = "".join(f" {number_of(count, 'photo')} left out, {why}." for why, count in parts.test.left_out.items())
    lines = [
        f"# Evaluation of {grader.path.name}",
        "",
        f"Test people: {parts.split}.{left_out} The model has seen none of them.",
        "Software estimate for research and education, not a medical device; what holds for these people may not for "
        "others.",
        "",
        "## Whole exams",
        "",
        markdown(exams) if exams[_NETWORK].graded else _NO_EXAM,
        *([f"No landmark baseline: {why_not}"] if why_not else []),
        "",
        "## Single photos",
        "",
        "House-Brackmann II to IV look alike at rest, so no photo alone can be graded; this shows how far that goes.",
        "",
        markdown(photos),
    ]
    return "\n".join(lines)


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


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
