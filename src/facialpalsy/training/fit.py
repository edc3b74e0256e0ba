"""Fit: a network trained on exams of some people and chosen on those of others.

`save_dir` gets `best_model.safetensors`, and `resume/last.ckpt` to go on from when the run was stopped: the same call
goes on there and ends with the same model. Lightning's state file is a pickle; it is only ever read back with
`weights_only=True`, from the folder that this training wrote it to, and never needed to use the model.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import logging
import os
import signal
import threading
import traceback
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from torch import nn
from torch.utils.data import DataLoader, DistributedSampler, Sampler, SequentialSampler, Subset

from facialpalsy.errors import CheckpointError, SplitError, TrainingError, UsageError
from facialpalsy.models.weight_names import differences, shapes_of
from facialpalsy.training.augment import augmented
from facialpalsy.training.config import Training
from facialpalsy.training.exams import Batch, Exams, Numbered, join
from facialpalsy.training.task import BEST_MODEL, ExamTask
from facialpalsy.workers import begin_worker
from facialpalsy.writing import make_folder, write_text

HISTORY = "training_history.json"
_RESUME = "resume"
_LAST = "last"
_CLAIM = "training.json"
# More exams do not change the constants of the data in the second digit.
_SURVEYED = 400


@dataclass(frozen=True)
class Fitted:
    """A finished training.

    Attributes:
        model: The best model.
        epoch: Which epoch it is of, from 1.
        history: One row per epoch, as in `training_history.json`.
    """

    model: Path
    epoch: int
    history: tuple[Mapping[str, float | None], ...]


def fit(
    config: Training,
    make_task: Callable[[nn.Module, Mapping[str, Any]], ExamTask[Any, Any]],
    train: Exams,
    val: Exams,
    save_dir: Path,
    log_dir: Path,
    *,
    start: nn.Module | None = None,
    about: Mapping[str, Any] = MappingProxyType({}),
    accelerator: str = "auto",
    devices: int | str = "auto",
) -> Fitted:
    """Train until the last epoch, or until validation has not become better for `config.patience` epochs.

    Args:
        config: Settings.
        make_task: The task of a network, from the network and what its file is to say.
        train: Exams to learn from.
        val: Exams of other people, by which the best epoch is chosen.
        save_dir: Folder of the model; a stopped training in it goes on, another one is refused.
        log_dir: Folder of `training_history.json` and the TensorBoard scalars.
        start: Network of the same specification to begin with; random weights if None.
        about: What the model's file is to say besides, as whom it has seen.
        accelerator, devices: As Lightning's; several devices train by its data-parallel strategy.

    Raises:
        SplitError: a part is empty, or a person is in both.
        UsageError: `save_dir` holds another training.
        CheckpointError: `start` is of another specification, or the state to resume from is damaged.
        TrainingError: a loss or gradient is no number, or memory does not suffice.
        KeyboardInterrupt: stopped by the user; the same call goes on.
    """
    _check(train, val)
    resume = _claimed(make_folder(save_dir), config, train, val)
    make_folder(log_dir)
    torch.manual_seed(config.seed)
    network = config.spec.network()
    if start is not None:
        _begin_with(network, start)
    people = {
        "train": len({one.subject for one in train.labels}),
        "validation": len({one.subject for one in val.labels}),
    }
    task = make_task(network, {**about, "training": config.to_dict(), "people": people})
    trainer = _trainer(config, save_dir, log_dir, accelerator, devices)
    with _as_ours(trainer, task, train):
        trainer.fit(task, _Loaders(config, train, val), ckpt_path=resume, weights_only=True)
    return Fitted(save_dir / BEST_MODEL, int(task.best()["epoch"] or 0), tuple(task.history))


def surveyed(config: Training, train: Exams) -> Iterator[Batch]:
    """Evenly chosen training exams, from which constants of the data are read."""
    chosen = np.unique(np.linspace(0, len(train) - 1, min(len(train), _SURVEYED)).astype(int)).tolist()
    some = Subset(Numbered(train), chosen)
    yield from _loader(config, some, SequentialSampler(some))


class _Loaders(pl.LightningDataModule):
    """Loaders of both parts; the order of an epoch follows from the seed and the epoch alone."""

    def __init__(self, config: Training, train: Exams, val: Exams) -> None:
        super().__init__()
        self.config, self.exams, self.val_exams = config, train, val

    def train_dataloader(self) -> DataLoader[Any]:
        """Shuffled, without the rest that fills no step, where there is a whole step."""
        exams, trainer = Numbered(self.exams), self.trainer
        world, rank = (1, 0) if trainer is None else (trainer.world_size, trainer.global_rank)
        sampler: Sampler[int] = DistributedSampler(exams, world, rank, shuffle=True, seed=self.config.seed)
        return _loader(self.config, exams, sampler, drop_last=len(exams) >= self.config.batch_size * world)

    def val_dataloader(self) -> DataLoader[Any]:
        """In order; in several processes each takes a part, and what is graded twice to fill up counts once."""
        exams, trainer = Numbered(self.val_exams), self.trainer
        if trainer is None or trainer.world_size == 1:
            return _loader(self.config, exams, SequentialSampler(exams))
        sampler: Sampler[int] = DistributedSampler(exams, trainer.world_size, trainer.global_rank, shuffle=False)
        return _loader(self.config, exams, sampler)


def _loader(config: Training, exams: Any, sampler: Sampler[int], *, drop_last: bool = False) -> DataLoader[Any]:
    return DataLoader(
        exams,
        config.batch_size,
        sampler=sampler,
        collate_fn=join,
        drop_last=drop_last,
        num_workers=config.num_workers,
        persistent_workers=config.num_workers > 0,
        pin_memory=torch.cuda.is_available(),
        worker_init_fn=partial(_begin, os.getpid()),
    )


def _begin(parent: int, _: int) -> None:
    begin_worker(parent)


class _History(Callback):
    """Writes the history after every epoch."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @rank_zero_only
    def on_train_epoch_end(self, _: pl.Trainer, task: pl.LightningModule) -> None:
        """Write."""
        if isinstance(task, ExamTask):
            write_text(self.path, json.dumps(task.history, indent=1) + "\n")


def _trainer(config: Training, save_dir: Path, log_dir: Path, accelerator: str, devices: int | str) -> pl.Trainer:
    last = ModelCheckpoint(
        save_dir / _RESUME,
        _LAST,
        every_n_epochs=config.save_interval,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    return pl.Trainer(
        max_epochs=config.epochs,
        accelerator=accelerator,
        devices=devices,
        precision=config.precision,
        gradient_clip_val=config.clip,
        logger=TensorBoardLogger(log_dir, name="", version=""),
        callbacks=[_History(log_dir / HISTORY), last],
        default_root_dir=save_dir,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
        enable_model_summary=False,
    )


def _check(train: Exams, val: Exams) -> None:
    for name, exams in (("training", train), ("validation", val)):
        if not len(exams):
            raise SplitError(
                f"There is no {name} exam: no photo of those people has both a label and a face. Check the split "
                "and the labels, and run `facialpalsy data check`."
            )
    both = sorted({one.subject for one in train.labels} & {one.subject for one in val.labels})
    if both:
        people = len({one.subject for one in val.labels})
        raise SplitError(
            f"{len(both)} of the {people} validation people are training people too ({', '.join(both[:3])}), so "
            "validation would show what was learnt by heart. Split by person."
        )


def _claimed(save_dir: Path, config: Training, train: Exams, val: Exams) -> Path | None:
    """The state to go on from, None for a training that begins.

    What decides nothing about the result may change in between.
    """
    settings = {name: value for name, value in config.to_dict().items() if name not in ("num_workers", "save_interval")}
    mine = json.dumps({"settings": settings, "train": _digest(train), "val": _digest(val)}, indent=1, sort_keys=True)
    folder = make_folder(save_dir / _RESUME)
    claim, state = folder / _CLAIM, folder / f"{_LAST}.ckpt"
    found = claim.read_text(encoding="utf-8") if claim.is_file() else None
    if (found is None and (save_dir / BEST_MODEL).exists()) or found not in (None, mine):
        raise UsageError(
            f"{save_dir.name!r} holds another training, of other settings or exams; name another --save_dir, or remove "
            "that one."
        )
    write_text(claim, mine)
    if not state.is_file():
        return None
    if not zipfile.is_zipfile(state):
        raise CheckpointError(
            f"The state to resume from, {state.name!r} in {_RESUME!r}, is damaged. Remove that folder and "
            f"{BEST_MODEL!r} to begin anew."
        )
    return state


def _digest(exams: Exams) -> str:
    names = "\n".join(f"{one.subject}\t{one.key}\t{one.grade}" for one in exams.labels)
    return hashlib.sha256(names.encode("utf-8", "backslashreplace")).hexdigest()


def _begin_with(network: nn.Module, start: nn.Module) -> None:
    given = start.state_dict()
    if differing := differences(shapes_of(network.state_dict()), shapes_of(given)):
        raise CheckpointError(
            f"The weights to begin with are of another network: they {differing}. Give the flags of their training."
        )
    network.load_state_dict(given)


@contextlib.contextmanager
def _as_ours(trainer: pl.Trainer, task: ExamTask[Any, Any], train: Exams) -> Iterator[None]:
    """Turn what stops Lightning into sentences, and leave the key that stops a run as it was."""
    main = threading.current_thread() is threading.main_thread()
    key = signal.getsignal(signal.SIGINT)
    try:
        with warnings.catch_warnings():
            for noise in (".*does not have many workers.*", ".*exists and is not empty.*", ".*isinstance.treespec.*"):
                warnings.filterwarnings("ignore", noise)
            yield
    except SystemExit:
        if not trainer.interrupted:
            raise
        raise KeyboardInterrupt from None
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        # What the step had computed lives on in its frames, and leaves no room to try fewer exams.
        traceback.clear_frames(error.__traceback__)
        raise _too_large(task, train, trainer.strategy.root_device) from error
    finally:
        if main:
            signal.signal(signal.SIGINT, key)


# What torch and oneDNN say where a processor's memory does not suffice.
_NO_MEMORY = ("can't allocate memory", "could not create a primitive")


def _is_out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(one in str(error) for one in _NO_MEMORY)


def _too_large(task: ExamTask[Any, Any], train: Exams, device: torch.device) -> TrainingError:
    """The error that says how many exams fit, found by halves."""
    asked = min(task.config.batch_size, len(train))
    size = asked // 2
    while size and not _fits(task, train, size, device):
        size //= 2
    advice = f"{size} do: use --batch_size {size}" if size else "neither does a single one: use a smaller preset"
    return TrainingError(
        f"A step of {asked} exams does not fit into the memory of {device}; {advice}. What was finished is kept in "
        f"{task.save_dir.name!r}; name another --save_dir for the new settings."
    )


def _fits(task: ExamTask[Any, Any], train: Exams, size: int, device: torch.device) -> bool:
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    numbered: Sequence[Any] = [Numbered(train)[number] for number in range(size)]
    try:
        task.to(device)
        batch: Batch = Batch(*(one.to(device) for one in join(numbered)))
        found, _ = task.losses(augmented(batch, task.config.spec.image_size))
        torch.autograd.backward(torch.stack(list(found.values())).sum())
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        return False
    finally:
        task.zero_grad(set_to_none=True)
    return True
