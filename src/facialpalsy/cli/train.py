"""Train: `facialpalsy train grader | recogniser | regions --data ROOT`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facialpalsy.cli.corpus import DataRoot, GradesFromZero, Labels, LayoutName, People, SubjectFrom
from facialpalsy.cli.exam_data import Jobs, SplitFile
from facialpalsy.cli.training_options import (
    SETTINGS,
    BatchSize,
    ClassWeights,
    Clip,
    Data,
    Dropout,
    Ema,
    Epochs,
    ImageSize,
    LabelSmoothing,
    LearningRate,
    LogDir,
    NumWorkers,
    PatchSize,
    Patience,
    Precision,
    Recipe,
    SaveDir,
    SaveInterval,
    Schedule,
    Seed,
    Setting,
    SyntheticPeople,
    WeightDecay,
    chosen,
    people_of,
)
from facialpalsy.cli.training_run import run_training, training_of
from facialpalsy.clinical.actions import PALSY_UNITS
from facialpalsy.errors import UsageError
from facialpalsy.face import Side

app = typer.Typer(help="Train a network on your own data.", no_args_is_help=True)

_CHECKPOINTS, _LOGS = Path("checkpoints"), Path("logs")


@app.callback()
def _train() -> None:
    """Train a network on your own data."""


@app.command("grader")
def grader(
    data: Data = None,
    synthetic: SyntheticPeople = None,
    setting: Setting = "a",
    save_dir: SaveDir = _CHECKPOINTS,
    log_dir: LogDir = _LOGS,
    split: SplitFile = None,
    preset: Annotated[str, typer.Option(help="tiny, small or paper.")] = "small",
    image_size: ImageSize = None,
    patch_size: PatchSize = None,
    num_classes: Annotated[int | None, typer.Option(help="Grades; six.")] = None,
    dim: Annotated[int | None, typer.Option(help="Channels of the first level.")] = None,
    heads: Annotated[int | None, typer.Option(help="Attention heads of the first level.")] = None,
    num_hierarchies: Annotated[int | None, typer.Option(help="Levels.")] = None,
    block_repeats: Annotated[str | None, typer.Option(metavar="LIST", help="Layers of each level, as 2,2,10.")] = None,
    use_micro_attention: Annotated[
        bool | None, typer.Option("--use-micro-attention/--no-micro-attention", help="Compare the two sides.")
    ] = None,
    use_roi_module: Annotated[
        bool | None, typer.Option("--use-roi-module/--no-roi-module", help="Find the regions.")
    ] = None,
    num_roi_regions: Annotated[int | None, typer.Option(help="Regions; five have names.")] = None,
    asymmetry_weight: Annotated[float | None, typer.Option(help="How much asymmetry strengthens attention.")] = None,
    dropout: Dropout = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    learning_rate: LearningRate = None,
    weight_decay: WeightDecay = None,
    schedule: Schedule = None,
    loss: Annotated[str | None, typer.Option(help="emd or cross_entropy.")] = None,
    label_smoothing: LabelSmoothing = None,
    class_weights: ClassWeights = None,
    clip: Clip = None,
    ema: Ema = None,
    patience: Patience = None,
    precision: Precision = None,
    seed: Seed = 0,
    num_workers: NumWorkers = None,
    save_interval: SaveInterval = None,
    pretrained_path: Annotated[Path | None, typer.Option(help="Weights to begin with.")] = None,
    layout: LayoutName = None,
    jobs: Jobs = 1,
    labels: Labels = None,
    people: People = None,
    subject_from: SubjectFrom = None,
    data_root: DataRoot = None,
    grades_from_zero: GradesFromZero = False,
) -> None:
    """Train a grader of exams, chosen on validation people; run it again to go on where it was stopped."""
    given = {**locals(), "block_repeats": _repeats(block_repeats)}
    source = people_of(
        data,
        synthetic,
        setting,
        seed,
        layout=layout,
        labels=labels,
        people=people,
        subject_from=subject_from,
        data_root=data_root,
        zero_based=grades_from_zero,
        jobs=jobs,
    )
    config = training_of("grader", preset, chosen(given, _GRADER), chosen(given, SETTINGS))
    run_training(config, source, save_dir, log_dir, split=split, pretrained=pretrained_path)


_GRADER = (
    "image_size",
    "patch_size",
    "num_classes",
    "dim",
    "heads",
    "num_hierarchies",
    "block_repeats",
    "use_micro_attention",
    "use_roi_module",
    "num_roi_regions",
    "asymmetry_weight",
    "dropout",
)


@app.command("recogniser")
def recogniser(
    data: Data = None,
    synthetic: SyntheticPeople = None,
    setting: Setting = "a",
    save_dir: SaveDir = _CHECKPOINTS,
    log_dir: LogDir = _LOGS,
    split: SplitFile = None,
    preset: Annotated[str, typer.Option(help="tiny, small or paper (ViT-B/16 at 256 pixels).")] = "small",
    recipe: Recipe = "default",
    image_size: ImageSize = None,
    patch_size: PatchSize = None,
    dim: Annotated[int | None, typer.Option(help="Width of a token.")] = None,
    depth: Annotated[int | None, typer.Option(help="Layers.")] = None,
    heads: Annotated[int | None, typer.Option(help="Attention heads.")] = None,
    activation: Annotated[str | None, typer.Option(help="gelu, or relu as the document's formula.")] = None,
    dropout: Dropout = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    learning_rate: LearningRate = None,
    weight_decay: WeightDecay = None,
    schedule: Schedule = None,
    label_smoothing: LabelSmoothing = None,
    class_weights: ClassWeights = None,
    clip: Clip = None,
    ema: Ema = None,
    patience: Patience = None,
    precision: Precision = None,
    seed: Seed = 0,
    num_workers: NumWorkers = None,
    save_interval: SaveInterval = None,
    pretrained: Annotated[
        str | None,
        typer.Option(metavar="FILE|NAME", help="Weights to begin with: a file, or timm's name of a ViT to download."),
    ] = None,
    layout: LayoutName = None,
    jobs: Jobs = 1,
    labels: Labels = None,
    people: People = None,
    subject_from: SubjectFrom = None,
    data_root: DataRoot = None,
    grades_from_zero: GradesFromZero = False,
) -> None:
    """Train a recogniser of palsy, its probability and threshold chosen on validation people."""
    given = locals()
    source = people_of(
        data,
        synthetic,
        setting,
        seed,
        layout=layout,
        labels=labels,
        people=people,
        subject_from=subject_from,
        data_root=data_root,
        zero_based=grades_from_zero,
        jobs=jobs,
    )
    config = training_of("recogniser", preset, chosen(given, _RECOGNISER), chosen(given, SETTINGS), recipe)
    run_training(config, source, save_dir, log_dir, split=split, pretrained=pretrained)


_RECOGNISER = ("image_size", "patch_size", "dim", "depth", "heads", "activation", "dropout")


@app.command("regions")
def regions(
    data: Data = None,
    synthetic: SyntheticPeople = None,
    setting: Setting = "a",
    save_dir: SaveDir = _CHECKPOINTS,
    log_dir: LogDir = _LOGS,
    split: SplitFile = None,
    preset: Annotated[str, typer.Option(help="tiny, small, 256 or paper.")] = "small",
    recipe: Recipe = "default",
    units: Annotated[
        str | None, typer.Option(metavar="LIST", help="Action units, as AU2,AU12; all by default.")
    ] = None,
    sides: Annotated[int | None, typer.Option(help="2, or 1 for the document's heat maps, which know no side.")] = None,
    stages: Annotated[str | None, typer.Option(help="Maps of the generator: early, middle, late or all.")] = None,
    loss: Annotated[str | None, typer.Option(help="mse, bce, cross_entropy or kl.")] = None,
    sigma: Annotated[float | None, typer.Option(help="Spread of a target in pixels of a map of 128.")] = None,
    autoencoder_epochs: Annotated[
        int, typer.Option(min=0, help="Epochs in which encoder and generator learn to draw faces first.")
    ] = 0,
    dropout: Dropout = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    learning_rate: LearningRate = None,
    weight_decay: WeightDecay = None,
    schedule: Schedule = None,
    clip: Clip = None,
    ema: Ema = None,
    patience: Patience = None,
    precision: Precision = None,
    seed: Seed = 0,
    num_workers: NumWorkers = None,
    save_interval: SaveInterval = None,
    pretrained_path: Annotated[
        Path | None, typer.Option(help="Weights to begin with: ours, or psp_ffhq_encode.pt of pSp.")
    ] = None,
    layout: LayoutName = None,
    jobs: Jobs = 1,
    labels: Labels = None,
    people: People = None,
    subject_from: SubjectFrom = None,
    data_root: DataRoot = None,
    grades_from_zero: GradesFromZero = False,
) -> None:
    """Train the network that draws which action unit is palsied on which side."""
    given = locals()
    source = people_of(
        data,
        synthetic,
        setting,
        seed,
        layout=layout,
        labels=labels,
        people=people,
        subject_from=subject_from,
        data_root=data_root,
        zero_based=grades_from_zero,
        jobs=jobs,
    )
    named = PALSY_UNITS if units is None else tuple(units.split(","))
    network = {**chosen(given, ("sides", "stages", "dropout")), "points": len(named) * (sides or len(Side))}
    settings = {**chosen(given, (*SETTINGS, "sigma")), "units": named}
    config = training_of("regions", preset, network, settings, recipe)
    run_training(
        config,
        source,
        save_dir,
        log_dir,
        split=split,
        pretrained=pretrained_path,
        autoencoder_epochs=autoencoder_epochs,
    )


def _repeats(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError:
        raise UsageError(
            f"--block-repeats is {text!r}; give a whole number for each level with commas between, as 2,2,10."
        ) from None
