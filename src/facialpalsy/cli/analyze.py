"""Analyze: `facialpalsy analyze PATH... --out DIR`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from facialpalsy.analysis import Settings, find_jobs
from facialpalsy.analysis.request import landmark_source
from facialpalsy.assessment import Failure
from facialpalsy.cli.batch import Batch, Outcome
from facialpalsy.clinical.expressions import ORDERS, Expression
from facialpalsy.clinical.norms import default_norms, read_norms
from facialpalsy.detect import DEFAULT_ENGINE, ENGINES
from facialpalsy.errors import InputNotFoundError, OutputError, UsageError
from facialpalsy.face import Mirrored, ReferenceSide
from facialpalsy.measure import IRIS_MM
from facialpalsy.report import REPORT


def analyze(
    paths: Annotated[
        list[str], typer.Argument(help="Photos, clips, exams (folders), or folders of these.", metavar="PATH...")
    ],
    out: Annotated[str | None, typer.Option(help="Folder for the results; made if it does not exist.")] = None,
    expression: Annotated[
        str | None,
        typer.Option(help=f"What the subject does, where file names and exam.csv do not say: {', '.join(Expression)}."),
    ] = None,
    order: Annotated[
        str | None, typer.Option(help=f"Published order that names a folder's photos by position: {', '.join(ORDERS)}.")
    ] = None,
    mirrored: Annotated[
        Mirrored,
        typer.Option(
            help="Whether the pictures are mirrored (selfies often are); unknown: left and right mean the image's."
        ),
    ] = Mirrored.UNKNOWN,
    reference_side: Annotated[
        ReferenceSide, typer.Option(help="The subject's side to compare with (often called healthy).")
    ] = ReferenceSide.UNKNOWN,
    landmarks: Annotated[
        str,
        typer.Option(
            help=f"Landmark engine ({', '.join(ENGINES)}), "
            "or a landmark file (.json .pts .csv .npy, 68 or 478 points), "
            "or a folder of such files named like the pictures."
        ),
    ] = DEFAULT_ENGINE,
    ratings: Annotated[Path | None, typer.Option(help="A clinician's ratings.csv (item,value,rater).")] = None,
    norms: Annotated[Path | None, typer.Option(help="Healthy limits made by `facialpalsy norms fit`.")] = None,
    iris_mm: Annotated[float, typer.Option(help="Visible iris diameter in millimetres.")] = IRIS_MM,
    every: Annotated[
        float | None, typer.Option(help="Seconds between the measured frames of a clip; all frames by default.")
    ] = None,
    regions: Annotated[
        bool, typer.Option("--regions", help="Say which action units are palsied even where no palsy is recognised.")
    ] = False,
    max_megapixels: Annotated[float, typer.Option(help="Largest picture that is decoded.")] = 100.0,
    photos: Annotated[bool, typer.Option(help="Show the photos in report and overlays, or landmarks alone.")] = True,
    jobs: Annotated[int, typer.Option(min=1, help="Inputs analysed side by side.")] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep results that are already there for the same inputs and settings.")
    ] = False,
    json: Annotated[
        str | None,
        typer.Option(help="Also write the assessments as JSON to this file, one per line; - is standard output."),
    ] = None,
) -> int:
    """Measure photos, clips and exams, and write reports, tables and JSON."""
    if not out and json is None:
        raise UsageError("Say where results go: --out FOLDER, or --json - for a pipe.")
    if ratings is not None and not ratings.is_file():
        raise InputNotFoundError(f"The ratings file {ratings.name!r} does not exist; check --ratings.")
    engine, files = landmark_source(landmarks)
    settings = Settings(
        expression=None if expression is None else Expression.parse(expression),
        order=order,
        mirrored=mirrored,
        reference_side=reference_side,
        landmarks=files,
        engine=engine,
        ratings=ratings,
        norms=default_norms(engine) if norms is None else read_norms(norms),
        iris_mm=iris_mm,
        max_megapixels=max_megapixels,
        every=every,
        regions_of_all=regions,
    )
    found, errors = find_jobs(paths, settings)
    refused = [Failure(source=source, error=type(error).__name__, message=str(error)) for source, error in errors]
    folder = Path(out) if out else None
    batch = Batch(found, settings, folder, photos=photos, resume=resume, workers=jobs)
    outcomes = _with_progress(batch)
    failures = [*refused, *(failure for outcome in outcomes for failure in outcome.failures)]
    batch.write_tables(outcomes, refused)
    for failure in failures:
        typer.echo(f"{failure.source!r}: {failure.error}: {failure.message}", err=True)
    if json is not None:
        _write_json(json, outcomes)
    if folder is not None:
        typer.echo(_summary(outcomes, failures, folder), err=True)
    return 1 if failures else 0


def _with_progress(batch: Batch) -> list[Outcome]:
    """Run the batch; with more than one input a bar on standard error says how far it is. Outcomes in order of jobs."""
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    outcomes = []
    with Progress(*columns, console=Console(stderr=True), disable=len(batch.jobs) < 2) as progress:
        task = progress.add_task("Analysing", total=len(batch.jobs))
        for outcome in batch.run():
            outcomes.append(outcome)
            progress.advance(task)
    return batch.ordered(outcomes)


def _write_json(target: str, outcomes: list[Outcome]) -> None:
    from facialpalsy.writing import write_text

    lines = "".join(
        f"{outcome.assessment.model_dump_json(by_alias=True)}\n" for outcome in outcomes if outcome.assessment
    )
    if target == "-":
        try:
            sys.stdout.write(lines)
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except (OSError, ValueError, AttributeError) as error:  # the last two where it is closed
            raise OutputError(f"Cannot write to standard output: {error}; check where it is sent to.") from error
    elif Path(target).exists() and not Path(target).is_file():
        # A pipe or device keeps its place, which a file that appears whole would take.
        with Path(target).open("w", encoding="utf-8", newline="") as stream:
            stream.write(lines)
    else:
        write_text(Path(target), lines)


def _summary(outcomes: list[Outcome], failures: list[Failure], out: Path) -> str:
    measured = [outcome for outcome in outcomes if outcome.assessment is not None and outcome.assessment.captures]
    results, kept = len(measured), sum(outcome.kept for outcome in measured)
    words = f"{results} result{'s' * (results != 1)}"
    words += f" ({kept} kept from before)" if kept else ""
    words += f", {len(failures)} failure{'s' * (len(failures) != 1)}" if failures else ""
    page = "index.html" if len(outcomes) > 1 else REPORT if results else ""
    return f"{words} in {out.name or out}/." + (f" Open {page} there." if page else "")
