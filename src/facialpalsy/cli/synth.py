"""Synth: `facialpalsy synth OUT --patients 100 --seed 1`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facialpalsy.errors import UsageError


def synth(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="New folder, or one that a stopped run left.")],
    patients: Annotated[int, typer.Option(help="How many people.")] = 100,
    seed: Annotated[int, typer.Option(help="The same seed gives the same labels.")] = 0,
    setting: Annotated[str, typer.Option(help="Look and motion, a, b or c: train on a or c, test on b.")] = "a",
    takes: Annotated[int, typer.Option(help="Pictures of each of the nine expressions.")] = 1,
    prevalence: Annotated[
        str | None, typer.Option(help="Six weights of House-Brackmann I to VI, as 50,20,10,10,5,5; else balanced.")
    ] = None,
    others: Annotated[
        float, typer.Option(help="Share of people without a grade: both sides, central, one branch, operated.")
    ] = 0.1,
    jobs: Annotated[int, typer.Option(min=1, help="People rendered side by side.")] = 1,
) -> None:
    """Write synthetic patients with exact labels: pictures, zones, labels.parquet and a datasheet."""
    # Imported here: rendering needs the extra `synth`.
    try:
        from facialpalsy.synth.corpus import CorpusSettings, write_corpus
    except ImportError as missing:
        raise UsageError(
            f"Synthetic patients need {missing.name}; install it with `pip install 'facialpalsy[synth]'`."
        ) from missing
    settings = CorpusSettings(patients, seed, setting, takes, _weights(prevalence), others)

    def progress(done: int) -> None:
        typer.echo(f"\r{done} of {patients} people", err=True, nl=done == patients)

    pictures = write_corpus(out, settings, jobs=jobs, progress=progress)
    typer.echo(f"{pictures} pictures and labels.parquet in {out.name or out}/.", err=True)


def _weights(text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        return tuple(float(word) for word in text.split(","))
    except ValueError:
        raise UsageError(
            f"--prevalence is {text!r}; give six numbers with commas between them, as 50,20,10,10,5,5."
        ) from None
