"""Training run: the one function behind every `facialpalsy train` and `train_facial_palsy.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from facialpalsy.cli.exam_data import PREPARED, SPLIT, Source, marks, prepared, split_of, table_samples
from facialpalsy.datasets.corpus import number_of
from facialpalsy.datasets.sample import Sample
from facialpalsy.datasets.splits import Split, read_split, write_split
from facialpalsy.errors import SplitError, UsageError
from facialpalsy.writing import make_folder

if TYPE_CHECKING:
    from facialpalsy.models.spec import NetworkSpec
    from facialpalsy.training.config import Training
    from facialpalsy.training.exams import ExamLabel, ExamPhotos, Exams, Needed
    from facialpalsy.training.fit import Fitted
    from facialpalsy.training.synthetic import SyntheticExams

_SYNTHETIC = "synthetic"
_AUTOENCODER = "autoencoder"


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
    config: Training,
    data: Source | Tables | Synthetic,
    save_dir: Path,
    log_dir: Path,
    *,
    split: Path | None = None,
    pretrained: str | Path | None = None,
    autoencoder_epochs: int = 0,
) -> Fitted:
    """Train a network and say in its file whose photos it has seen.

    Args:
        config: Settings.
        data: What to train on.
        save_dir: Gets the model, `split.json`, and what was prepared or rendered for the training.
        log_dir: Gets the history and the TensorBoard scalars.
        split: A frozen split; drawn by person with the seed of `config` if None.
        pretrained: Weights to begin with; of a recogniser also timm's name of a ViT.
        autoencoder_epochs: So long encoder and generator of the region network learn to draw faces first.

    Raises:
        FacialPalsyError: as the rooms that do the work say.
    """
    from facialpalsy.training.begin import network_to_begin_with, require_possible
    from facialpalsy.training.config import RegionTraining
    from facialpalsy.training.fit import HISTORY
    from facialpalsy.training.kinds import kind_of
    from facialpalsy.training.regions import fit_autoencoder

    kind = kind_of(config)
    require_possible(config)
    start = None if pretrained is None else network_to_begin_with(pretrained, config)
    make_folder(save_dir)
    chosen = _chosen(data, config, kind.needed, save_dir, split)
    _tell(chosen)
    if chosen.split is not None:
        _freeze(save_dir / SPLIT, chosen.split)
    seen = {"seen": marks(chosen.train, chosen.val), "split_sha256": chosen.split and chosen.split.sha256}
    if autoencoder_epochs and isinstance(config, RegionTraining):
        drawn = fit_autoencoder(
            replace(config, epochs=autoencoder_epochs),
            chosen.train,
            chosen.val,
            save_dir / _AUTOENCODER,
            log_dir / _AUTOENCODER,
            start=start,
            about=seen,
        )
        start = network_to_begin_with(drawn.model, config)
    fitted = kind.fit(config, chosen.train, chosen.val, save_dir, log_dir, start=start, about=seen)
    typer.echo(
        f"Best of {number_of(len(fitted.history), 'epoch')}: epoch {fitted.epoch}. {fitted.model.name} is in "
        f"{save_dir.name}/, {HISTORY} in {log_dir.name}/.",
        err=True,
    )
    return fitted


def training_of(
    name: str, preset: str, network: Mapping[str, Any], settings: Mapping[str, Any], recipe: str = "default"
) -> Training:
    """Settings of a kind of network from a preset and a recipe and what was given besides.

    Args:
        name: Kind of network: grader, recogniser or regions.
        preset: Of the network.
        network: Setting -> value; None leaves the preset's.
        settings: The same of the training; None leaves the recipe's or the default.
        recipe: One of `training.config.RECIPES`.
    """
    try:
        from facialpalsy.models.spec import preset_named
        from facialpalsy.training.config import RECIPES
        from facialpalsy.training.kinds import KINDS
    except ImportError as missing:
        raise UsageError(
            f"Training needs {missing.name}; install it with `pip install 'facialpalsy[train]'`."
        ) from missing
    kind = KINDS[name]
    spec: NetworkSpec = preset_named(kind.presets, preset)
    spec = type(spec).from_dict({**spec.to_dict(), **_given(network)})
    return kind.training(spec=spec, **{**preset_named(RECIPES, recipe, "recipe"), **_given(settings)})


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


class _Some:
    """Some of the synthetic exams."""

    def __init__(self, exams: SyntheticExams, numbers: Sequence[int]) -> None:
        self.exams, self.numbers = exams, numbers
        self.labels: Sequence[ExamLabel] = [exams.labels[number] for number in numbers]

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, number: int) -> ExamPhotos:
        return self.exams[self.numbers[number]]


def _chosen(
    data: Source | Tables | Synthetic, config: Training, needed: Needed, save_dir: Path, split: Path | None
) -> Chosen:
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
        rows = data.rows(save_dir / PREPARED, size, graded=needed == "grade")
    frozen = split_of(rows, split, config.seed)
    fold = frozen.apply(rows)[0]
    return Chosen(exams_of(fold.train, size, needed), exams_of(fold.val, size, needed), frozen)


def _synthetic(data: Synthetic, config: Training, save_dir: Path, split: Path | None) -> Chosen:
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
