"""Prepare: `facialpalsy prepare ROOT --out DIR`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from facialpalsy.cli.corpus import DataRoot, GradesFromZero, Labels, LayoutName, People, SubjectFrom, read_named
from facialpalsy.datasets import LAYOUTS, Corpus
from facialpalsy.datasets.corpus import number_of
from facialpalsy.detect import DEFAULT_ENGINE, Detector, detector_class
from facialpalsy.errors import UsageError
from facialpalsy.preparation import TABLE, Finished
from facialpalsy.preparation import prepare as prepare_samples

_SHOWN = 20


def prepare(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="Folder of the corpus, or its table.")],
    out: Annotated[Path, typer.Option(help="Folder for crops and table; made if it does not exist.")],
    layout: LayoutName = None,
    size: Annotated[
        list[int] | None, typer.Option(help="Side of a crop in pixels, 256 by default; repeatable.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Photos and clips worked on side by side.")] = 1,
    landmarks: Annotated[str, typer.Option(metavar="ENGINE", help="Engine that finds the faces.")] = DEFAULT_ENGINE,
    labels: Labels = None,
    people: People = None,
    subject_from: SubjectFrom = None,
    data_root: DataRoot = None,
    grades_from_zero: GradesFromZero = False,
) -> int:
    """Find, align and crop every face of a corpus once; run it again to continue where it was stopped."""
    make_detector = detector_class(landmarks)
    corpus = read_named(
        root,
        layout,
        labels=labels,
        people=people,
        subject_from=subject_from,
        data_root=data_root,
        zero_based=grades_from_zero,
    )
    _require_outside(out, corpus)
    finished = _with_progress(corpus, out, tuple(size or (256,)), jobs, make_detector)
    for row in finished.failures[:_SHOWN]:
        typer.echo(f"{row.key!r}: {row.failure}: {row.message}", err=True)
    for line in _summary(corpus, finished, out):
        typer.echo(line, err=True)
    return 1 if finished.failures or _faults(corpus) else 0


def _require_outside(out: Path, corpus: Corpus) -> None:
    """Crops in a corpus would be taken for pictures of it by the next run."""
    if LAYOUTS[corpus.name].owns_root and out.resolve().is_relative_to(corpus.root.resolve()):
        raise UsageError(f"--out {out.name!r} lies in the corpus, which is only read; name a folder outside of it.")


def _faults(corpus: Corpus) -> int:
    return sum(problem.kind.is_fault for problem in corpus.problems)


def _with_progress(
    corpus: Corpus, out: Path, sizes: tuple[int, ...], jobs: int, make_detector: Callable[[], Detector]
) -> Finished:
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=len(corpus.samples) < 2) as progress:
        task = progress.add_task("Preparing", total=len(corpus.samples))
        return prepare_samples(
            corpus.samples,
            out,
            sizes=sizes,
            jobs=jobs,
            make_detector=make_detector,
            on_done=lambda count: progress.advance(task, count),
        )


def _summary(corpus: Corpus, finished: Finished, out: Path) -> list[str]:
    failed = len(finished.failures)
    lines = []
    if failed > _SHOWN:
        lines.append(f"... and {failed - _SHOWN} more, each with its reason in {TABLE}.")
    if faults := _faults(corpus):
        lines.append(f"{number_of(faults, 'fault')} of the corpus itself: `facialpalsy data check` names them.")
    if corpus.clips:
        lines.append(f"{number_of(len(corpus.clips), 'clip')} without a labelled frame left aside.")
    lines.append(f"{finished.rows - failed} of {finished.rows} samples have a crop; {TABLE} is in {out.name or out}/.")
    return lines
