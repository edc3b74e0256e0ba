"""Train: `facialpalsy train grader --data ROOT`, and the one function behind it and `train_facial_palsy.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facialpalsy.cli.corpus import DataRoot, GradesFromZero, Labels, LayoutName, People, SubjectFrom
from facialpalsy.cli.exam_data import PREPARED, SPLIT, Jobs, Source, SplitFile, marks, prepared, split_of, table_samples
from facialpalsy.datasets.corpus import number_of
from facialpalsy.datasets.sample import Sample
from facialpalsy.datasets.splits import Split, read_split, write_split
from facialpalsy.errors import SplitError, UsageError
from facialpalsy.writing import make_folder

if TYPE_CHECKING:
    from facialpalsy.training.config import GraderTraining
    from facialpalsy.training.exams import ExamLabel, ExamPhotos, Exams
    from facialpalsy.training.fit import Fitted
    from facialpalsy.training.synthetic import SyntheticExams

app = typer.Typer(help="Train a network on your own data.", no_args_is_help=True)

_SYNTHETIC = "synthetic"


@dataclass(frozen=True)
class Synthetic:
    """Synthetic patients instead of a corpus: how many, of which look, drawn by which seed."""

    people: int
    setting: str = "a"
    seed: int = 0


@dataclass(frozen=True)
class Tables:
    """Tables of pictures below `data_root`; without a table for validation, people of `train` are held out for it."""

    train: Path
    val: Path | None
    data_root: Path
    jobs: int = 1


@dataclass(frozen=True)
class Chosen:
    """Exams to learn from and to choose by; `split` also says who is kept for the test, where anybody is."""

    train: Exams
    val: Exams
    split: Split | None


def run_training(
    config: GraderTraining,
    data: Source | Tables | Synthetic,
    save_dir: Path,
    log_dir: Path,
    *,
    split: Path | None = None,
    pretrained: Path | None = None,
) -> Fitted:
    """Train a grader and say in its file whose photos it has seen.

    Args:
        config: Settings.
        data: What to train on.
        save_dir: Gets the model, `split.json`, and what was prepared or rendered for the training.
        log_dir: Gets the history and the TensorBoard scalars.
        split: A frozen split; drawn by person with the seed of `config` if None.
        pretrained: Weights to begin with.

    Raises:
        FacialPalsyError: as the rooms that do the work say.
    """
    from facialpalsy.training.begin import grader_to_begin_with, require_possible
    from facialpalsy.training.fit import HISTORY
    from facialpalsy.training.grader import fit_grader

    require_possible(config)
    start = None if pretrained is None else grader_to_begin_with(pretrained, config)
    make_folder(save_dir)
    chosen = _chosen(data, config, save_dir, split)
    _tell(chosen)
    if chosen.split is not None:
        _freeze(save_dir / SPLIT, chosen.split)
    seen = {"seen": marks(chosen.train, chosen.val), "split_sha256": chosen.split and chosen.split.sha256}
    fitted = fit_grader(config, chosen.train, chosen.val, save_dir, log_dir, start=start, about=seen)
    typer.echo(
        f"Best of {number_of(len(fitted.history), 'epoch')}: epoch {fitted.epoch}. {fitted.model.name} is in "
        f"{save_dir.name}/, {HISTORY} in {log_dir.name}/.",
        err=True,
    )
    return fitted


def grader_training(preset: str, network: Mapping[str, Any], settings: Mapping[str, Any]) -> GraderTraining:
    """Settings from a preset of the network and what was given besides; None leaves the preset's or the default."""
    try:
        from facialpalsy.models.registry import GraderSpec, find_preset
        from facialpalsy.training.config import GraderTraining
    except ImportError as missing:
        raise UsageError(
            f"Training needs {missing.name}; install it with `pip install 'facialpalsy[train]'`."
        ) from missing
    given = {name: value for name, value in network.items() if value is not None}
    spec = GraderSpec.from_dict({**find_preset(preset).to_dict(), **given})
    return GraderTraining(spec=spec, **{name: value for name, value in settings.items() if value is not None})


class _Some:
    """Some of the synthetic exams."""

    def __init__(self, exams: SyntheticExams, numbers: Sequence[int]) -> None:
        self.exams, self.numbers = exams, numbers
        self.labels: Sequence[ExamLabel] = [exams.labels[number] for number in numbers]

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, number: int) -> ExamPhotos:
        return self.exams[self.numbers[number]]


def _chosen(data: Source | Tables | Synthetic, config: GraderTraining, save_dir: Path, split: Path | None) -> Chosen:
    from facialpalsy.training.exams import exams_of

    size = config.photo_size
    if isinstance(data, Synthetic):
        return _synthetic(data, config, save_dir, split)
    if isinstance(data, Tables):
        samples = table_samples(data.train, data.data_root)
        # One table named twice is whole where its column split says who is where.
        twice = data.val == data.train and all(one.split for one in samples)
        if data.val is not None and not twice:
            return _from_tables(data, samples, data.val, size, save_dir)
        rows = prepared(samples, save_dir / PREPARED, size, data.jobs)
    else:
        rows = data.rows(save_dir / PREPARED, size)
    frozen = split_of(rows, split, config.seed)
    fold = frozen.apply(rows)[0]
    return Chosen(exams_of(fold.train, size), exams_of(fold.val, size), frozen)


def _synthetic(data: Synthetic, config: GraderTraining, save_dir: Path, split: Path | None) -> Chosen:
    try:
        from facialpalsy.training.synthetic import SyntheticExams
    except ImportError as missing:
        raise UsageError(
            f"Synthetic patients need {missing.name}; install it with `pip install 'facialpalsy[synth]'`."
        ) from missing
    folder = save_dir / _SYNTHETIC / f"{data.setting}{data.seed}_{config.photo_size}"
    exams = SyntheticExams(data.seed, data.setting, data.people, config.photo_size, folder)
    rows = [Sample("synth", one.key, one.subject, Path(one.key), grade=one.grade) for one in exams.labels]
    frozen = split_of(rows, split, config.seed)
    fold = frozen.apply(rows)[0]
    place = {one.subject: number for number, one in enumerate(exams.labels)}
    train, val = ([place[row.subject] for row in part] for part in (fold.train, fold.val))
    return Chosen(_Some(exams, train), _Some(exams, val), frozen)


def _from_tables(data: Tables, samples: Sequence[Sample], val_table: Path, size: int, save_dir: Path) -> Chosen:
    """Two tables; a row whose column `split` names another part than its table's is left out."""
    from facialpalsy.training.exams import exams_of

    train = [one for one in samples if one.split in (None, "train")]
    val = [one for one in table_samples(val_table, data.data_root) if one.split in (None, "val")]
    for table, part in ((data.train, train), (val_table, val)):
        if not part:
            raise SplitError(f"No row of {table.name!r} is for its part by the column split; correct the table.")
    if both := {one.subject for one in train} & {one.subject for one in val}:
        raise SplitError(
            f"{number_of(len(both), 'person is', 'people are')} in both {data.train.name!r} and {val_table.name!r} "
            f"({', '.join(sorted(both)[:3])}), so validation would show what was learnt by heart. Split by person."
        )
    rows = prepared([*train, *val], save_dir / PREPARED, size, data.jobs)
    learnt = {one.subject for one in train}
    parts = [[row for row in rows if (row.subject in learnt) is wanted] for wanted in (True, False)]
    return Chosen(exams_of(parts[0], size), exams_of(parts[1], size), None)


def _freeze(path: Path, split: Split) -> None:
    """Write the split, or find it written; the one of another training stays."""
    if path.is_file() and read_split(path).sha256 != split.sha256:
        raise UsageError(
            f"{path.parent.name!r} holds the split of another training; name another folder for this one, or remove "
            "that one."
        )
    write_split(path, split)


def _tell(chosen: Chosen) -> None:
    for name, exams in (("training", chosen.train), ("validation", chosen.val)):
        people = len({label.subject for label in exams.labels})
        typer.echo(f"{name}: {number_of(people, 'person', 'people')}, {number_of(len(exams), 'exam')}.", err=True)
        for reason, count in getattr(exams, "left_out", {}).items():
            typer.echo(f"{name}: {number_of(count, 'photo')} left out, {reason}.", err=True)
    if chosen.split is None:
        typer.echo(f"Nobody was named for the test, so there is no {SPLIT}; test on people of another table.", err=True)


@app.callback()
def _train() -> None:
    """Train a network on your own data."""


@app.command("grader")
def grader(
    data: Annotated[
        Path | None, typer.Option(metavar="ROOT", help="Prepared folder, corpus, or folders grade_1 to grade_6.")
    ] = None,
    synthetic: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="Train on so many synthetic patients instead.")
    ] = None,
    setting: Annotated[str, typer.Option(help="Look and motion of synthetic patients, a or b.")] = "a",
    save_dir: Annotated[Path, typer.Option(help="Folder of the model; a stopped training in it goes on.")] = Path(
        "checkpoints"
    ),
    log_dir: Annotated[Path, typer.Option(help="Folder of history and TensorBoard scalars.")] = Path("logs"),
    split: SplitFile = None,
    preset: Annotated[str, typer.Option(help="tiny, small or paper.")] = "small",
    image_size: Annotated[int | None, typer.Option(help="Side of the aligned photo in pixels.")] = None,
    patch_size: Annotated[int | None, typer.Option(help="Side of a patch.")] = None,
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
    dropout: Annotated[float | None, typer.Option(help="Share of values dropped in training.")] = None,
    epochs: Annotated[int | None, typer.Option(help="How often every exam is seen at most.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Exams per step.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Highest learning rate.")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Weight decay.")] = None,
    schedule: Annotated[str | None, typer.Option(help="cosine or plateau.")] = None,
    loss: Annotated[str | None, typer.Option(help="emd or cross_entropy.")] = None,
    label_smoothing: Annotated[float | None, typer.Option(help="Share of certainty taken from the grade.")] = None,
    class_weights: Annotated[bool, typer.Option("--class-weights", help="Rare grades weigh more.")] = False,
    clip: Annotated[float | None, typer.Option(help="Largest norm of the gradient.")] = None,
    ema: Annotated[float | None, typer.Option(help="Decay of the running mean of the weights; 0 for none.")] = None,
    patience: Annotated[int | None, typer.Option(help="Epochs without a better validation before it ends.")] = None,
    precision: Annotated[str | None, typer.Option(help="32-true or bf16-mixed.")] = None,
    seed: Annotated[int, typer.Option(help="Of the split, the synthetic people and the training.")] = 0,
    num_workers: Annotated[int | None, typer.Option(help="Processes that read exams.")] = None,
    save_interval: Annotated[int | None, typer.Option(help="Epochs between states to resume from.")] = None,
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
    if (data is None) == (synthetic is None):
        raise UsageError("Give either --data with a folder or --synthetic with a number of people to train on.")
    network = {
        "image_size": image_size,
        "patch_size": patch_size,
        "num_classes": num_classes,
        "dim": dim,
        "heads": heads,
        "num_hierarchies": num_hierarchies,
        "block_repeats": _repeats(block_repeats),
        "use_micro_attention": use_micro_attention,
        "use_roi_module": use_roi_module,
        "num_roi_regions": num_roi_regions,
        "asymmetry_weight": asymmetry_weight,
        "dropout": dropout,
    }
    settings = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "schedule": schedule,
        "loss": loss,
        "label_smoothing": label_smoothing,
        "class_weights": class_weights,
        "clip": clip,
        "ema": ema,
        "patience": patience,
        "precision": precision,
        "seed": seed,
        "num_workers": num_workers,
        "save_interval": save_interval,
    }
    source: Source | Synthetic
    if data is not None:
        source = Source(data, layout, labels, people, subject_from, data_root, grades_from_zero, jobs)
    else:
        source = Synthetic(synthetic or 0, setting, seed)
    config = grader_training(preset, network, settings)
    run_training(config, source, save_dir, log_dir, split=split, pretrained=pretrained_path)


def _repeats(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError:
        raise UsageError(
            f"--block-repeats is {text!r}; give a whole number for each level with commas between, as 2,2,10."
        ) from None
