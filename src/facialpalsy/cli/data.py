"""Data: `facialpalsy data check ROOT`."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from facialpalsy.cli.corpus import DataRoot, GradesFromZero, Labels, People, SubjectFrom, read_named
from facialpalsy.datasets.check import check_corpus

app = typer.Typer(help="Corpora of other people's pictures.", no_args_is_help=True)

_QUIET_BELOW = 500
_STEPS = 10


@app.callback()
def _data() -> None:
    """Corpora of other people's pictures."""


@app.command("check")
def check(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="The corpus's folder, or a table of pictures.")],
    layout: Annotated[
        str | None, typer.Option(metavar="NAME", help="The layout; recognised by its folders by default.")
    ] = None,
    labels: Labels = None,
    people: People = None,
    subject_from: SubjectFrom = None,
    data_root: DataRoot = None,
    grades_from_zero: GradesFromZero = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON, with every problem.")] = False,
) -> int:
    """What a corpus holds, what is broken in it, and how many people have which label."""
    corpus = read_named(
        root,
        layout,
        labels=labels,
        people=people,
        subject_from=subject_from,
        data_root=data_root,
        zero_based=grades_from_zero,
    )
    report = check_corpus(corpus, _say)
    typer.echo(json_module.dumps(report.as_json(), indent=1) if json else "\n".join(report.lines()))
    return 1 if report.faults else 0


def _say(done: int, total: int) -> None:
    """A line for each tenth of a large corpus."""
    if total >= _QUIET_BELOW and done * _STEPS // total > (done - 1) * _STEPS // total:
        typer.echo(f"{done} of {total} files", err=True)
