"""Training options: what `facialpalsy train` asks of every network, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from facialpalsy.cli.exam_data import Source
from facialpalsy.cli.training_run import Synthetic
from facialpalsy.errors import UsageError

Data = Annotated[
    Path | None, typer.Option(metavar="ROOT", help="Prepared folder, corpus, or folders grade_1 to grade_6.")
]
SyntheticPeople = Annotated[
    int | None, typer.Option("--synthetic", metavar="NUMBER", help="Train on so many synthetic patients instead.")
]
Setting = Annotated[str, typer.Option(help="Look and motion of synthetic patients, a, b or c.")]
SaveDir = Annotated[Path, typer.Option(help="Folder of the model; a stopped training in it goes on.")]
LogDir = Annotated[Path, typer.Option(help="Folder of history and TensorBoard scalars.")]
ImageSize = Annotated[int | None, typer.Option(help="Side of the aligned photo in pixels.")]
PatchSize = Annotated[int | None, typer.Option(help="Side of a patch.")]
Dropout = Annotated[float | None, typer.Option(help="Share of values dropped in training.")]
Epochs = Annotated[int | None, typer.Option(help="How often every exam is seen at most.")]
BatchSize = Annotated[int | None, typer.Option(help="Exams per step.")]
LearningRate = Annotated[float | None, typer.Option(help="Highest learning rate.")]
WeightDecay = Annotated[float | None, typer.Option(help="Weight decay.")]
Schedule = Annotated[str | None, typer.Option(help="cosine, constant or plateau.")]
LabelSmoothing = Annotated[float | None, typer.Option(help="Share of certainty taken from the label.")]
ClassWeights = Annotated[bool | None, typer.Option("--class-weights", help="Rare classes weigh more.")]
Clip = Annotated[float | None, typer.Option(help="Largest norm of the gradient.")]
Ema = Annotated[float | None, typer.Option(help="Decay of the running mean of the weights; 0 for none.")]
Patience = Annotated[int | None, typer.Option(help="Epochs without a better validation before it ends.")]
Precision = Annotated[str | None, typer.Option(help="32-true or bf16-mixed.")]
Seed = Annotated[int, typer.Option(help="Of the split, the synthetic people and the training.")]
NumWorkers = Annotated[int | None, typer.Option(help="Processes that read exams.")]
SaveInterval = Annotated[int | None, typer.Option(help="Epochs between states to resume from.")]
Recipe = Annotated[str, typer.Option(help="Settings of the training by name: default or paper.")]


def people_of(data: Path | None, synthetic: int | None, setting: str, seed: int, **named: Any) -> Source | Synthetic:
    """What is to be trained on; exactly one of `data` and `synthetic` is needed."""
    if (data is None) == (synthetic is None):
        raise UsageError("Give either --data with a folder or --synthetic with a number of people to train on.")
    return Synthetic(synthetic or 0, setting, seed) if data is None else Source(data, **named)


SETTINGS = (
    "epochs",
    "batch_size",
    "learning_rate",
    "weight_decay",
    "schedule",
    "loss",
    "label_smoothing",
    "class_weights",
    "clip",
    "ema",
    "patience",
    "precision",
    "seed",
    "num_workers",
    "save_interval",
)
"""Options that are settings of the training, by the same names."""


def chosen(options: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Those of a command's options that have these names."""
    return {name: options[name] for name in names if name in options}
