"""Exam data: prepared photos, and who of them is in training, validation and test, from what a user names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from facialpalsy.cli.corpus import read_named
from facialpalsy.datasets import LAYOUTS, Corpus, read_corpus
from facialpalsy.datasets.corpus import number_of
from facialpalsy.datasets.grade_folders import NAME as GRADES
from facialpalsy.datasets.grade_folders import PERSON, rule_of
from facialpalsy.datasets.sample import Sample
from facialpalsy.datasets.splits import PARTS, Split, from_column, hold_out, read_split
from facialpalsy.detect import Detector, OwnDetector
from facialpalsy.errors import CorpusError, InputNotFoundError, SplitError, UsageError
from facialpalsy.preparation import TABLE, Prepared, read_prepared
from facialpalsy.preparation import prepare as prepare_samples
from facialpalsy.spreadsheet import read_cells

if TYPE_CHECKING:
    from facialpalsy.analysis.explain import TrainedGrader
    from facialpalsy.training.exams import Exams

DATASET_TYPES = {"FNP": None, "CK+": "ckplus"}
"""The source document's name of a corpus -> its layout here."""

SPLIT = "split.json"
PREPARED = "prepared"

Data = Annotated[Path, typer.Option(metavar="ROOT", help="Prepared folder, corpus, or folders grade_1 to grade_6.")]
SplitFile = Annotated[Path | None, typer.Option("--split", metavar="FILE", help="A frozen split of these people.")]
Jobs = Annotated[int, typer.Option(min=1, help="Photos prepared side by side.")]

_SHOWN = 20
_MARK = 16


@dataclass(frozen=True)
class Source:
    """A corpus, or a prepared one, as the command line names it.

    Attributes:
        root: Its folder or table.
        layout: One of `LAYOUTS`; recognised if None.
        labels, people, subject_from, data_root, zero_based: As `cli.corpus.read_named`.
        jobs: Photos prepared side by side.
    """

    root: Path
    layout: str | None = None
    labels: Path | None = None
    people: Path | None = None
    subject_from: str | None = None
    data_root: Path | None = None
    zero_based: bool = False
    jobs: int = 1

    def corpus(self) -> Corpus:
        """What is at `root`."""
        corpus = read_named(
            self.root,
            self.layout,
            labels=self.labels,
            people=self.people,
            subject_from=self.subject_from,
            data_root=self.data_root,
            zero_based=self.zero_based,
        )
        if corpus.name == GRADES:
            if self.people is None:
                typer.echo(rule_of(corpus), err=True)
            typer.echo(
                "Folders of grades hold single photos, and a single photo is no exam: House-Brackmann II to IV look "
                "alike at rest. Every photo is taken alone, its expression not known.",
                err=True,
            )
        return corpus

    def rows(self, out: Path, size: int, *, graded: bool = True) -> list[Prepared]:
        """Its prepared rows; a corpus that is not prepared is prepared into `out` first, in crops of `size`.

        Raises:
            CorpusError: `graded`, and no picture has a grade.
        """
        if (self.root / TABLE).is_file():
            return read_prepared(self.root)
        corpus = self.corpus()
        if graded:
            require_grades(corpus)
        require_outside(out, corpus)
        return prepared(corpus.samples, out, size, self.jobs)


def require_outside(out: Path, corpus: Corpus) -> None:
    """Refuse a folder of crops in a corpus, whose pictures they would be taken for by the next run."""
    if LAYOUTS[corpus.name].owns_root and out.resolve().is_relative_to(corpus.root.resolve()):
        raise UsageError(f"{out.parent.name!r} lies in the corpus, which is only read; name a folder outside.")


def require_grades(corpus: Corpus) -> None:
    """Refuse a corpus without any grade before the long work begins."""
    if all(sample.grade is None for sample in corpus.samples):
        raise CorpusError(
            f"None of the {number_of(len(corpus.samples), 'picture')} of {corpus.root.name!r} has a House-Brackmann "
            f"grade, which the layout {corpus.name} may not give. Join your own with `facialpalsy train grader "
            "--labels`, or look with `facialpalsy data check`."
        )


def table_samples(table: Path, data_root: Path | None) -> list[Sample]:
    """The graded pictures of a table `image_path,grade,side,split`; without a column subject, names say who is seen."""
    if not table.is_file():
        raise InputNotFoundError(f"There is no table {table.name!r}; check --train_csv, --val_csv or --test_csv.")
    header = [name.lower() for name in read_cells(table, CorpusError)[0][1]]
    rule = None if "subject" in header else PERSON
    corpus = read_corpus(table, "csv", subject_from=rule, data_root=data_root)
    if rule is not None:
        typer.echo(f"{table.name}: {rule_of(corpus)}", err=True)
    if faults := [problem for problem in corpus.problems if problem.kind.is_fault]:
        _say((f"{one.path}: {one.message}" for one in faults), len(faults))
    require_grades(corpus)
    return list(corpus.samples)


def prepared(
    samples: Sequence[Sample],
    out: Path,
    size: int,
    jobs: int,
    make_detector: Callable[[], Detector] = OwnDetector,
) -> list[Prepared]:
    """Rows of the samples, their faces found and cut out into `out`; what has no face is said and kept as a row."""
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=len(samples) < 2) as progress:
        task = progress.add_task("Preparing", total=len(samples))
        done = prepare_samples(
            samples,
            out,
            sizes=(size,),
            jobs=jobs,
            make_detector=make_detector,
            on_done=lambda count: progress.advance(task, count),
        )
    if done.failures:
        _say((f"{row.key!r}: {row.failure}: {row.message}" for row in done.failures), len(done.failures))
    return read_prepared(out)


def split_of(rows: Sequence[Prepared] | Sequence[Sample], file: Path | None, seed: int) -> Split:
    """The split of a file, of the column `split` where every row has one, or one drawn by person."""
    if file is not None:
        return read_one_fold(file)
    if rows and all(row.split in PARTS for row in rows):
        return from_column(rows)
    return hold_out(rows, seed=seed)


def read_one_fold(file: Path) -> Split:
    """The split of a file that has one fold."""
    split = read_split(file)
    if len(split.folds) != 1:
        raise SplitError(f"{file.name!r} has {len(split.folds)} folds; give a file with one, as hold_out makes it.")
    return split


def model_reader() -> type[TrainedGrader]:
    """What reads a trained model, where the libraries for it are installed."""
    try:
        from facialpalsy.analysis.explain import TrainedGrader
    except ImportError as missing:
        raise UsageError(
            f"A trained model needs {missing.name}; install it with `pip install 'facialpalsy[train]'`."
        ) from missing
    return TrainedGrader


def mark(subject: str) -> str:
    """What a checkpoint keeps of a person: enough to know the name again, and not the name."""
    return hashlib.sha256(subject.encode("utf-8", "backslashreplace")).hexdigest()[:_MARK]


def marks(*parts: Exams) -> list[str]:
    """The marks of everybody in these parts."""
    return sorted({mark(label.subject) for part in parts for label in part.labels})


def _say(lines: Iterable[str], count: int) -> None:
    for line, _ in zip(lines, range(_SHOWN), strict=False):
        typer.echo(line, err=True)
    more = f", of which {_SHOWN} are shown" if count > _SHOWN else ""
    typer.echo(f"{number_of(count, 'picture or row', 'pictures and rows')} left out{more}.", err=True)
