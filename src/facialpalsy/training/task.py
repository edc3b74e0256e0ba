"""Task: one step of training and of validation, as Lightning drives them.

All chance in a step (augmentation, dropout) follows from the seed and the number of the step, so a training that was
killed and resumed ends with the weights of one that was not.
"""

from __future__ import annotations

import copy
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import lightning.pytorch as pl
import torch
import torch.nn.functional as F  # noqa: N812  the name that every reader of PyTorch knows
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.optim import Adam, AdamW
from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau

from facialpalsy.errors import TrainingError
from facialpalsy.evaluation import ExamGrade
from facialpalsy.face import Side
from facialpalsy.models.checkpoint import save_checkpoint
from facialpalsy.models.exam_grader import ExamGrader, GraderOutput
from facialpalsy.training.augment import augmented, plain
from facialpalsy.training.config import GraderTraining
from facialpalsy.training.exams import Batch, ExamLabel
from facialpalsy.training.losses import Heads, grader_losses
from facialpalsy.training.targets import Scale
from facialpalsy.training.validation import CHOSEN_BY, validation_figures

BEST_MODEL = "best_model.safetensors"
_WARM_UP = 0.06
_PLATEAU_FACTOR, _PLATEAU_PATIENCE = 0.5, 10


class _Seen(NamedTuple):
    """What validation saw of one exam."""

    row: ExamGrade
    loss: float
    asymmetry: float | None


class GraderTask(pl.LightningModule):
    """The grader in training.

    Args:
        config: Settings.
        network: The grader, its prior set.
        scale: Of the targets.
        train: Labels of the training exams.
        val: Labels of the validation exams.
        save_dir: Where the best model goes.
        about: What else its checkpoint says.

    Attributes:
        average: Running mean of the network's weights; what is validated and kept.
        history: One row per finished epoch.
    """

    class_weights: Tensor | None

    def __init__(
        self,
        config: GraderTraining,
        network: ExamGrader,
        scale: Scale,
        train: Sequence[ExamLabel],
        val: Sequence[ExamLabel],
        save_dir: Path,
        about: Mapping[str, Any],
    ) -> None:
        super().__init__()
        self.config, self.scale, self.labels, self.val_labels = config, scale, train, val
        self.save_dir, self.about = save_dir, dict(about)
        self.network, self.heads = network, Heads(network)
        # Not torch's AveragedModel: the masks of attention are buffers that grow on first use, which it cannot follow.
        self.average = copy.deepcopy(network).requires_grad_(False)
        weights = class_weights(train) if config.class_weights else None
        self.register_buffer("class_weights", weights, persistent=False)
        self.history: list[dict[str, float | None]] = []
        self.plateau: ReduceLROnPlateau | None = None
        self._plateau_state: dict[str, Any] | None = None
        self._seen: dict[int, _Seen] = {}
        self._totals: dict[str, float] = {}

    # Training

    def losses(self, batch: Batch) -> tuple[dict[str, Tensor], GraderOutput]:
        """Every loss of a batch that is augmented already, in full precision."""
        output = self.network(batch.images, batch.expressions, batch.exam, len(batch.grade))
        output = output._make(None if one is None else one.float() for one in output)
        roi = self.network.trunk.roi
        with torch.autocast(self.device.type, enabled=False):
            found = grader_losses(
                output,
                batch,
                self.heads,
                self.scale,
                None if roi is None else roi.facial_prior,
                self.config,
                self.class_weights,
            )
        return found, output

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Loss of one step."""
        torch.manual_seed((self.config.seed * 1_000_003 + self.global_step) * 1009 + self.global_rank)
        batch = augmented(batch, self.config.spec.image_size)
        found, output = self.losses(batch)
        loss = torch.stack(list(found.values())).sum()
        self._require_finite(loss, "loss", self.labels, batch)
        self.log_dict({f"train/{name}": one.detach() for name, one in found.items()}, batch_size=len(batch.grade))
        self._count(
            exams=len(batch.grade),
            loss=float(loss.detach()) * len(batch.grade),
            right=int((output.grade_logits.argmax(1) == batch.grade).sum()),
        )
        self._last = batch
        return loss

    def configure_gradient_clipping(self, *_: Any, **__: Any) -> None:
        """Clip, and stop before a gradient that is no number spoils the weights."""
        for part in (self.network, self.heads):
            norm = torch.nn.utils.clip_grad_norm_(part.parameters(), self.config.clip)
            self._require_finite(norm, "gradient", self.labels, self._last)

    def optimizer_step(self, *arguments: Any, **named: Any) -> None:
        """Step, and let the mean follow; slower the more steps there were, so that it forgets where it began."""
        super().optimizer_step(*arguments, **named)
        decay = min(self.config.ema, (1 + self.global_step) / (10 + self.global_step))
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(now, 1 - decay)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """AdamW with one cycle, or Adam and a plateau."""
        weights, config = [*self.network.parameters(), *self.heads.parameters()], self.config
        if config.schedule == "plateau":
            adam = Adam(weights, config.learning_rate, weight_decay=config.weight_decay)
            # Lightning would step it after the state is saved, and a resumed training would miss that step.
            self.plateau = ReduceLROnPlateau(adam, "max", _PLATEAU_FACTOR, _PLATEAU_PATIENCE)
            return adam
        adamw = AdamW(weights, config.learning_rate, weight_decay=config.weight_decay)
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
        """Grade the exams as they are, with the mean weights and in full precision."""
        batch = plain(batch, self.config.spec.image_size)
        with torch.autocast(self.device.type, enabled=False):
            output = self.average(batch.images, batch.expressions, batch.exam, len(batch.grade))
            loss = F.cross_entropy(output.grade_logits, batch.grade, reduction="none")
        self._require_finite(loss.sum(), "validation loss", self.val_labels, batch)
        for place, number in enumerate(batch.number.tolist()):
            mine = batch.exam == place
            asymmetry = None if output.asymmetry is None else float(output.asymmetry[mine].mean())
            row = _row(self.val_labels[number], batch, output, place, mine)
            self._seen[number] = _Seen(row, float(loss[place]), asymmetry)

    def on_validation_epoch_end(self) -> None:
        """Figures, history, the best model, and whether to go on; the same in every process."""
        seen: dict[int, _Seen] = {}
        totals: dict[str, float] = defaultdict(float)
        for part, counts in self._gathered((self._seen, self._totals)):
            seen |= part
            for name, count in counts.items():
                totals[name] += count
        rows = [seen[number].row for number in sorted(seen)]
        exam, person = validation_figures(rows), validation_figures(rows, by_person=True)
        row: dict[str, float | None] = {
            "epoch": self.current_epoch + 1,
            "train_loss": totals["loss"] / max(totals["exams"], 1),
            "train_acc": totals["right"] / max(totals["exams"], 1),
            "val_loss": sum(one.loss for one in seen.values()) / len(seen),
            "val_acc": exam["exact"],
            "val_f1_macro": exam["macro_f1"],
            "val_mean_class_acc": exam["balanced_accuracy"],
            **{f"val_{name}": exam[name] for name in ("within_one", "kappa_quadratic", "side_3_to_6", CHOSEN_BY)},
        }
        self.history.append(row)
        scalars = {f"val_exam/{name}": value for name, value in exam.items()}
        scalars |= {f"val_person/{name}": value for name, value in person.items()}
        scalars |= {f"asymmetry/grade_{grade}": value for grade, value in _by_grade(seen).items()}
        scalars |= {"val/loss": row["val_loss"], "train/loss": row["train_loss"], "train/exact": row["train_acc"]}
        self.log_dict({name: value for name, value in scalars.items() if value is not None})
        shown = {name: row[name] or 0.0 for name in ("val_acc", "val_within_one")}
        self.log_dict(shown, prog_bar=True, logger=False)
        if best(self.history) is row and self.trainer.is_global_zero:
            about = {**self.about, "epoch": row["epoch"], "validation": {"by_exam": exam, "by_person": person}}
            save_checkpoint(self.save_dir / BEST_MODEL, self.average, self.config.spec, about)
        if self.plateau is not None:
            self.plateau.step(row["val_acc"] or 0.0)
        self._stop_if_stale()

    def _stop_if_stale(self) -> None:
        if self.history and len(self.history) - (best(self.history)["epoch"] or 0) >= self.config.patience:
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

    def _count(self, **found: float) -> None:
        for name, value in found.items():
            self._totals[name] = self._totals.get(name, 0) + value

    def _require_finite(self, value: Tensor, what: str, labels: Sequence[ExamLabel], batch: Batch) -> None:
        if math.isfinite(float(value.detach())):
            return
        names = ", ".join(labels[number].key for number in batch.number.tolist())
        raise TrainingError(
            f"The {what} is {float(value.detach())} in epoch {self.current_epoch + 1}, step {self.global_step}, with "
            f"the exams {names}. Training has stopped; {BEST_MODEL} of the epochs before is kept. Look at those "
            "photos, or use a lower --learning_rate."
        )


def best(history: Sequence[dict[str, float | None]]) -> dict[str, float | None]:
    """The first of the best epochs."""
    return min(history, key=lambda row: row[f"val_{CHOSEN_BY}"] or 0.0)


def class_weights(labels: Sequence[ExamLabel], classes: int = 6) -> Tensor:
    """(6,) mean 1 over the exams, inversely to how often each grade occurs; 1 for a grade that nobody has."""
    counts = torch.bincount(torch.tensor([label.grade - 1 for label in labels]), minlength=classes)
    present = int((counts > 0).sum())
    return torch.where(counts > 0, len(labels) / (present * counts.clamp(min=1)), 1.0)


def _row(label: ExamLabel, batch: Batch, output: GraderOutput, place: int, mine: Tensor) -> ExamGrade:
    # In double precision they sum to 1 as closely as the evaluation wants it.
    shares = output.grade_logits[place].double().softmax(0).tolist()
    truth = float(batch.side[place])
    return ExamGrade(
        subject=label.subject,
        exam=label.key,
        photos=tuple(f"{label.key}#{number}" for number in range(int(mine.sum()))),
        grade=label.grade,
        side=None if math.isnan(truth) else Side.LEFT if truth else Side.RIGHT,
        probabilities=tuple(shares),
        left=None if output.side is None else float(output.side[place].sigmoid()),
    )


def _by_grade(seen: Mapping[int, _Seen]) -> dict[int, float]:
    """Mean asymmetry of the exams of each grade."""
    found: dict[int, list[float]] = defaultdict(list)
    for one in seen.values():
        if one.asymmetry is not None:
            found[one.row.grade].append(one.asymmetry)
    return {grade: sum(values) / len(values) for grade, values in sorted(found.items())}
