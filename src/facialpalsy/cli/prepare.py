"""Prepare: `facialpalsy prepare ROOT --layout NAME --out DIR`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from facialpalsy.datasets import LAYOUTS, Corpus, read_corpus
from facialpalsy.preparation import TABLE, Finished
from facialpalsy.preparation import prepare as prepare_samples

_SHOWN = 20


def prepare(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="Folder of the corpus, or its table.")],
    layout: Annotated[str, typer.Option(help=f"How the corpus is laid out: {', '.join(LAYOUTS)}.")],
    out: Annotated[Path, typer.Option(help="Folder for crops and table; made if it does not exist.")],
    size: Annotated[
        list[int] | None, typer.Option(help="Side of a crop in pixels, 256 by default; repeatable.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Photos and clips worked on side by side.")] = 1,
    subject_from: Annotated[
        str | None, typer.Option(help="Regular expression that finds the subject in a path below ROOT (csv, aflfp).")
    ] = None,
    data_root: Annotated[
        Path | None, typer.Option(help="Folder that the paths of a table are below; the table's by default (csv).")
    ] = None,
    grades_from_zero: Annotated[
        bool, typer.Option("--grades-from-zero", help="The grades of the table run from 0 to 5 (csv).")
    ] = False,
) -> int:
    """Find, align and crop every face of a corpus once; run it again to continue where it was stopped."""
    corpus = read_corpus(root, layout, subject_from=subject_from, data_root=data_root, zero_based=grades_from_zero)
    finished = _with_progress(corpus, out, tuple(size or (256,)), jobs)
    for row in finished.failures[:_SHOWN]:
        typer.echo(f"{row.key!r}: {row.failure}: {row.message}", err=True)
    for line in _summary(corpus, finished, out):
        typer.echo(line, err=True)
    return 1 if finished.failures else 0


def _with_progress(corpus: Corpus, out: Path, sizes: tuple[int, ...], jobs: int) -> Finished:
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=len(corpus.samples) < 2) as progress:
        task = progress.add_task("Preparing", total=len(corpus.samples))
        return prepare_samples(
            corpus.samples, out, sizes=sizes, jobs=jobs, on_done=lambda count: progress.advance(task, count)
        )


def _summary(corpus: Corpus, finished: Finished, out: Path) -> list[str]:
    failed = len(finished.failures)
    lines = []
    if failed > _SHOWN:
        lines.append(f"... and {failed - _SHOWN} more, each with its reason in {TABLE}.")
    if corpus.problems:
        lines.append(f"{len(corpus.problems)} remarks on the corpus itself: see `facialpalsy data check`.")
    if corpus.clips:
        lines.append(f"{len(corpus.clips)} clips without a labelled frame were left aside.")
    lines.append(f"{finished.rows - failed} of {finished.rows} samples have a crop; {TABLE} is in {out.name or out}/.")
    return lines
