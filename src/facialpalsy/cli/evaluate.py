"""Evaluate: `facialpalsy evaluate MODEL... --data ROOT --out DIR`, on people whom no model has seen."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from facialpalsy.cli import grade_tables, landmark_tables, palsy_tables
from facialpalsy.cli.asked import NEEDED, Asked, asked
from facialpalsy.cli.corpus import DataRoot, GradesFromZero, Labels, LayoutName, People, SubjectFrom
from facialpalsy.cli.exam_data import PREPARED, SPLIT, Data, Jobs, Source, SplitFile, mark, read_one_fold
from facialpalsy.cli.tested import Tables, Tested
from facialpalsy.datasets.corpus import number_of
from facialpalsy.datasets.folds import listed
from facialpalsy.errors import SplitError, UsageError
from facialpalsy.preparation import TABLE as PREPARED_TABLE
from facialpalsy.preparation import Prepared
from facialpalsy.weights import GRADER, OF_EXAMS
from facialpalsy.writing import make_folder, write_text

TABLE, LATEX, FIGURES, PREDICTIONS = "evaluation.md", "evaluation.tex", "evaluation.csv", "predictions.csv"


def evaluate(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...",
            help=f"best_model.safetensors of trainings of one kind, or what comes along: {', '.join(OF_EXAMS)}. Or "
            f"{landmark_tables.NAME}: every landmark engine, against the points that a corpus brings.",
        ),
    ],
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder for tables; made if it does not exist.")],
    split: SplitFile = None,
    choose: Annotated[
        bool,
        typer.Option("--choose", help="Judge recogniser and regions by thresholds too that other people here choose."),
    ] = False,
    layout: LayoutName = None,
    jobs: Jobs = 1,
    labels: Labels = None,
    people: People = None,
    subject_from: SubjectFrom = None,
    data_root: DataRoot = None,
    grades_from_zero: GradesFromZero = False,
) -> None:
    """Ask models about the test people, whole exams and single photos, beside what must be beaten, by person."""
    source = Source(data, layout, labels, people, subject_from, data_root, grades_from_zero, jobs)
    if landmark_tables.NAME in models:
        _evaluate_landmarks(models, source, out, meaningless={"--split": split is not None, "--choose": choose})
        return
    asked_models = [asked(model) for model in models]
    kinds = {one.kind for one in asked_models}
    if len(kinds) > 1 or len({one.name for one in asked_models}) < len(models):
        raise UsageError(
            f"The models are of the kinds {', '.join(sorted(kinds))}; one table compares models of one kind, each once."
        )
    (kind,) = kinds
    rows = source.rows(make_folder(out) / PREPARED, max(one.size for one in asked_models), graded=kind == GRADER)
    tested = _tested(rows, asked_models, split)
    tables = (
        grade_tables.made(asked_models, tested)
        if kind == GRADER
        else palsy_tables.made(asked_models, tested, choose=choose)
    )
    left_out = "".join(f" {number_of(count, 'photo')} left out, {why}." for why, count in tested.left_out.items())
    about = f"Test people: {tested.split}.{left_out} No model has seen any of them."
    _write(tables, ", ".join(one.name for one in asked_models), about, out)


def _evaluate_landmarks(models: Sequence[str], source: Source, out: Path, meaningless: Mapping[str, bool]) -> None:
    if len(models) > 1:
        raise UsageError(
            f"{landmark_tables.NAME} stands for every landmark engine and cannot be compared with a model; ask for it "
            "alone."
        )
    if given := [option for option, is_given in meaningless.items() if is_given]:
        raise UsageError(f"{landmark_tables.NAME} takes no {' and no '.join(given)}; leave it out.")
    if (source.root / PREPARED_TABLE).is_file():
        raise UsageError(
            f"{source.root.name!r} is a prepared folder, which holds the points of its engine alone; give the corpus "
            "that it was made of."
        )
    tables = landmark_tables.made(source.corpus(), out / PREPARED, source.jobs)
    _write(tables, landmark_tables.NAME, "All people of whom the corpus has points.", out)


def _write(tables: Tables, names: str, about: str, out: Path) -> None:
    from facialpalsy.evaluation.printing import latex

    lines = [
        f"# Evaluation of {names}",
        "",
        about,
        "Software estimate for research and education, not a medical device; what holds for these people may not for "
        "others.",
        "",
        *tables.page,
    ]
    page = "\n".join(lines) + "\n"
    write_text(out / TABLE, page)
    write_text(out / LATEX, latex(page))
    write_text(out / FIGURES, _csv(tables.figures))
    write_text(out / PREDICTIONS, _csv(tables.predictions))
    typer.echo(page)


def _tested(rows: Sequence[Prepared], models: Sequence[Asked], file: Path | None) -> Tested:
    """The test part of `file`, or of the split beside the model if it is of these people, or else everybody."""
    from facialpalsy.training.exams import exams_of

    needed = NEEDED[models[0].kind]
    size = max(one.size for one in models)
    beside = models[0].folder and models[0].folder / SPLIT
    people = {row.subject for row in rows}
    if file is None and beside and beside.is_file() and read_one_fold(beside).people == people:
        file = beside
    test, train, name = list(rows), None, "everybody; no split names people to fit baselines on"
    if file is not None:
        frozen = read_one_fold(file)
        fold = frozen.apply(rows)[0]
        test, train = list(fold.test), exams_of(fold.train, size, needed)
        name = f"{file.name}, sha256 {frozen.sha256}"
    for model in models:
        if known := sorted({row.subject for row in test if mark(row.subject) in (model.seen or ())}):
            raise SplitError(
                f"{model.name} was trained or chosen on {number_of(len(known), 'person', 'people')} of these, so their "
                f"labels would be known by heart: {listed(known)}. Give --split with the split of the training, or "
                "other people."
            )
    exams = exams_of(test, size, needed)
    if not len(exams):
        raise SplitError("No photo of the test people has both a label and a face; check the split and the labels.")
    return Tested(exams, train, name)


def _csv(rows: Iterable[Mapping[str, object]]) -> str:
    found = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, tuple(found[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return text.getvalue()
