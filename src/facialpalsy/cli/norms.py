"""Norms: `facialpalsy norms fit DIR`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from facialpalsy.analysis import Settings, find_jobs
from facialpalsy.analysis.capture import Measured
from facialpalsy.analysis.controls import checked_controls, fit_norms
from facialpalsy.analysis.pipeline import measure_captures
from facialpalsy.analysis.request import landmark_source
from facialpalsy.clinical.norms import write_norms
from facialpalsy.detect import DEFAULT_ENGINE, ENGINES
from facialpalsy.errors import EmptyFolderError
from facialpalsy.face import Mirrored

app = typer.Typer(help="Healthy limits.", no_args_is_help=True)


@app.callback()
def _norms() -> None:
    """Healthy limits from one's own controls."""


@app.command("fit")
def fit(
    folder: Annotated[
        str, typer.Argument(metavar="DIR", help="One folder per healthy person, photos named by expression.")
    ],
    out: Annotated[Path, typer.Option(help="Table to write, for `analyze --norms`.")] = Path("norms.json"),
    name: Annotated[str | None, typer.Option(help="Name shown beside every z; the folder's by default.")] = None,
    source: Annotated[str, typer.Option(help="Who was measured: ages, camera, consent.")] = "own controls",
    mirrored: Annotated[Mirrored, typer.Option(help="Whether the pictures are mirrored.")] = Mirrored.NO,
    landmarks: Annotated[
        str,
        typer.Option(
            help=f"Landmark engine ({', '.join(ENGINES)}), for which alone the limits then hold, "
            "or a folder of landmark files named like the pictures."
        ),
    ] = DEFAULT_ENGINE,
) -> int:
    """Measure healthy people and write the limits of 95 % of them."""
    engine, files = landmark_source(landmarks)
    settings = Settings(mirrored=mirrored, landmarks=files, engine=engine)
    jobs, errors = find_jobs([folder], settings)
    people: dict[str, list[Measured]] = {}
    failures = [f"{where!r}: {type(error).__name__}: {error}" for where, error in errors]
    for job in jobs:
        captures, failed = measure_captures(job, settings)
        failures += [f"{one.source!r}: {one.error}: {one.message}" for one in failed]
        if captures:
            people.setdefault(job.header.subject or job.name, [replace(one, picture=None) for one in captures])
    controls = checked_controls(people, settings)
    for line in (*failures, *controls.left_out):
        typer.echo(line, err=True)
    if not people:
        raise EmptyFolderError(f"No face could be measured in {Path(folder).name!r}; give one folder per person.")
    count = len(controls.people)
    norms = fit_norms(controls.people, name=name or Path(folder).resolve().name, source=f"{count} people: {source}")
    write_norms(out, norms)
    counts = ", ".join(f"{expression} ({table.people})" for expression, table in norms.expressions.items())
    typer.echo(f"{out.name}: {counts}.", err=True)
    return 1 if failures else 0
