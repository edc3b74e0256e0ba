"""Task: one step of training and of validation, as Lightning drives them, whatever the network.

All chance in a step (augmentation, dropout) follows from the seed and the number of the step, so a training that was
killed and resumed ends with the weights of one that was not.
"""

from __future__ import annotations

import copy
import math
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import lightning.pytorch as pl
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import Adam, AdamW
from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau

from facialpalsy.errors import TrainingError
from facialpalsy.models.checkpoint import save_checkpoint
from facialpalsy.training.augment import augmented, plain
from facialpalsy.training.config import Training
from facialpalsy.training.exams import Batch, ExamLabel

BEST_MODEL = "best_model.safetensors"
_WARM_UP = 0.06
_PLATEAU_FACTOR, _PLATEAU_PATIENCE = 0.5, 10

Config = TypeVar("Config", bound=Training)
Seen = TypeVar("Seen")
History = Sequence[Mapping[str, float | None]]


class Found(NamedTuple):
    """What a task makes of all validation exams.

    Attributes:
        figures: Name -> value; they become a row of the history, after `val_`.
        scalars: What is drawn besides.
        about: What the model's file says of it.
    """

    figures: Mapping[str, float | None]
    scalars: Mapping[str, float | None]
    about: Mapping[str, Any]


class ExamTask(pl.LightningModule, Generic[Config, Seen]):
    """A network of exams in training.

    Args:
        config: Settings.
        network: What is trained and kept.
        train: Labels of the training exams.
        val: Labels of the validation exams.
        save_dir: Where the best model goes.
        about: What else its checkpoint says.

    Attributes:
        average: Running mean of the network's weights; what is validated and kept.
        history: One row per finished epoch.
    """

    chosen_by: ClassVar[str]
    """Figure that the best epoch has least of."""

    shown: ClassVar[tuple[str, ...]]
    """Figures beside the progress bar."""

    rises: ClassVar[str]
    """Figure that the plateau waits for."""

    def __init__(
        self,
        config: Config,
        network: nn.Module,
        train: Sequence[ExamLabel],
        val: Sequence[ExamLabel],
        save_dir: Path,
        about: Mapping[str, Any],
    ) -> None:
        super().__init__()
        self.config, self.labels, self.val_labels = config, train, val
        self.save_dir, self.about = save_dir, dict(about)
        self.network = network
        # Not torch's AveragedModel: the masks of attention are buffers that grow on first use, which it cannot follow.
        self.average = copy.deepcopy(network).requires_grad_(False)
        self.history: list[dict[str, float | None]] = []
        self.plateau: ReduceLROnPlateau | None = None
        self._plateau_state: dict[str, Any] | None = None
        self._seen: dict[int, Seen] = {}
        self._totals: dict[str, float] = {}

    # What each network has of its own

    @abstractmethod
    def losses(self, batch: Batch) -> tuple[dict[str, Tensor], Mapping[str, float]]:
        """Every loss of a batch that is augmented already, and what is counted besides, over the exams of an epoch."""

    @abstractmethod
    def look(self, batch: Batch) -> tuple[dict[int, Seen], Tensor]:
        """What `average` says of each exam, by its number, and a number that has to be finite."""

    @abstractmethod
    def judged(self, seen: Mapping[int, Seen], counted: Mapping[str, float]) -> Found:
        """Figures of all validation exams, and of what was counted in training, each per exam."""

    def trained_parts(self) -> Sequence[nn.Module]:
        """What the optimizer moves; the gradient of each is clipped by itself."""
        return [self.network]

    # Training

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Loss of one step."""
        torch.manual_seed((self.config.seed * 1_000_003 + self.global_step) * 1009 + self.global_rank)
        config = self.config
        batch = augmented(batch, config.spec.image_size, partial=config.PARTIAL, uneven=config.UNEVEN)
        found, counted = self.losses(batch)
        loss = torch.stack(list(found.values())).sum()
        exams = len(batch.number)
        self._require_finite(loss, "loss", self.labels, batch)
        self.log_dict({f"train/{name}": one.detach() for name, one in found.items()}, batch_size=exams)
        for name, count in {"exams": exams, "loss": float(loss.detach()) * exams, **counted}.items():
            self._totals[name] = self._totals.get(name, 0) + count
        self._last = batch
        return loss

    def configure_gradient_clipping(self, *_: Any, **__: Any) -> None:
        """Clip, and stop before a gradient that is no number spoils the weights."""
        for part in self.trained_parts():
            norm = torch.nn.utils.clip_grad_norm_(part.parameters(), self.config.clip)
            self._require_finite(norm, "gradient", self.labels, self._last)

    def optimizer_step(self, *arguments: Any, **named: Any) -> None:
        """Step, and let the mean follow; slower the more steps there were, so that it forgets where it began."""
        super().optimizer_step(*arguments, **named)
        decay = min(self.config.ema, (1 + self.global_step) / (10 + self.global_step))
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(now, 1 - decay)
            # What batch normalisation keeps is a running mean already.
            kept = dict(self.average.named_buffers())
            for name, buffer in self.network.named_buffers():
                if name in kept and kept[name].shape == buffer.shape:
                    kept[name].copy_(buffer)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """AdamW with one cycle, or Adam and a plateau."""
        weights = [one for part in self.trained_parts() for one in part.parameters()]
        config = self.config
        if config.schedule == "plateau":
            adam = Adam(weights, config.learning_rate, weight_decay=config.weight_decay)
            # Lightning would step it after the state is saved, and a resumed training would miss that step.
            self.plateau = ReduceLROnPlateau(adam, "max", _PLATEAU_FACTOR, _PLATEAU_PATIENCE)
            return adam
        adamw = AdamW(weights, config.learning_rate, weight_decay=config.weight_decay)
        if config.schedule == "constant":
            return adamw
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = OneCycleLR(adamw, config.learning_rate, total_steps=steps, pct_start=_WARM_UP)
        return {"optimizer": adamw, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_train_start(self) -> None:
        """Give the plateau its state back; a finished training that is resumed is finished."""
        if self.plateau is not None and self._plateau_state is not None:
            self.plateau.load_state_dict(self._plateau_state)
        self._stop_if_stale()

    def on_train_epoch_start(self) -> None:
        """Begin to count."""
        self._totals = {}

    # Validation

    def on_validation_epoch_start(self) -> None:
        """Forget what the last one saw."""
        self._seen = {}

    def validation_step(self, batch: Batch, _: int) -> None:
        """Look at the exams as they are, with the mean weights and in full precision."""
        batch = plain(batch, self.config.spec.image_size)
        with torch.autocast(self.device.type, enabled=False):
            seen, loss = self.look(batch)
        self._require_finite(loss, "validation loss", self.val_labels, batch)
        self._seen |= seen

    def on_validation_epoch_end(self) -> None:
        """Figures, history, the best model, and whether to go on; the same in every process."""
        seen: dict[int, Seen] = {}
        totals: dict[str, float] = defaultdict(float)
        for part, counts in self._gathered((self._seen, self._totals)):
            seen |= part
            for name, count in counts.items():
                totals[name] += count
        exams = max(totals.pop("exams", 0), 1)
        counted = {name: total / exams for name, total in totals.items()}
        found = self.judged({number: seen[number] for number in sorted(seen)}, counted)
        row: dict[str, float | None] = {
            "epoch": self.current_epoch + 1,
            **{f"train_{name}": value for name, value in counted.items()},
            **{f"val_{name}": value for name, value in found.figures.items()},
        }
        self.history.append(row)
        scalars = {**found.scalars, "val/loss": row["val_loss"]}
        scalars |= {f"train/mean_{name}": value for name, value in counted.items()}
        self.log_dict({name: value for name, value in scalars.items() if value is not None})
        shown = {f"val_{name}": row[f"val_{name}"] or 0.0 for name in self.shown}
        self.log_dict(shown, prog_bar=True, logger=False)
        if self.best() is row and self.trainer.is_global_zero:
            about = {**self.about, "epoch": row["epoch"], "validation": found.about}
            save_checkpoint(self.save_dir / BEST_MODEL, self.average, self.config.spec, about)
        if self.plateau is not None:
            self.plateau.step(row[f"val_{self.rises}"] or 0.0)
        self._stop_if_stale()

    def best(self) -> dict[str, float | None]:
        """The first of the best epochs."""
        return min(self.history, key=lambda row: row[f"val_{self.chosen_by}"] or 0.0)

    def _stop_if_stale(self) -> None:
        if self.history and len(self.history) - (self.best()["epoch"] or 0) >= self.config.patience:
            self.trainer.should_stop = True

    # What a resumed training has to know besides what Lightning keeps

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add history and plateau."""
        checkpoint["history"] = self.history
        checkpoint["plateau"] = None if self.plateau is None else self.plateau.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take them back; there is no plateau before the optimizer."""
        self.history = checkpoint["history"]
        self._plateau_state = checkpoint["plateau"]

    def _gathered(self, mine: Any) -> list[Any]:
        if self.trainer.world_size == 1:
            return [mine]
        found = [None] * self.trainer.world_size
        torch.distributed.all_gather_object(found, mine)
        return found

    def _require_finite(self, value: Tensor, what: str, labels: Sequence[ExamLabel], batch: Batch) -> None:
        if math.isfinite(float(value.detach())):
            return
        names = ", ".join(labels[number].key for number in batch.number.tolist())
        raise TrainingError(
            f"The {what} is {float(value.detach())} in epoch {self.current_epoch + 1}, step {self.global_step}, with "
            f"the exams {names}. Training has stopped; {BEST_MODEL} of the epochs before is kept. Look at those "
            "photos, or use a lower --learning_rate."
        )


def class_weights(labels: Sequence[int], classes: int) -> Tensor:
    """(classes,) mean 1 over the exams, inversely to how often each class occurs; 1 for one that nobody has.

    Args:
        labels: Class of each exam, from 0.
        classes: How many there are.
    """
    counts = torch.bincount(torch.tensor(labels), minlength=classes)
    present = int((counts > 0).sum())
    return torch.where(counts > 0, len(labels) / (present * counts.clamp(min=1)), 1.0)
