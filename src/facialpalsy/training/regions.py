"""Regions: the region network trained to draw where which unit is palsied; before that, to draw the face again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  the name that every reader of PyTorch knows
from numpy.typing import NDArray
from torch import Tensor, nn

from facialpalsy.clinical.actions import PALSY_UNITS
from facialpalsy.errors import LabelsError
from facialpalsy.models.exam_regions import ExamRegions
from facialpalsy.models.point_reader import both_views
from facialpalsy.models.vitau import RegionNetwork
from facialpalsy.training.au_targets import document_maps, heat_maps
from facialpalsy.training.auxiliary import PhotoTargets
from facialpalsy.training.config import RegionTraining
from facialpalsy.training.decisions import binary_figures, even_threshold
from facialpalsy.training.exams import Batch, ExamLabel, Exams
from facialpalsy.training.fit import Fitted, fit, surveyed
from facialpalsy.training.losses import binary, reading_losses
from facialpalsy.training.map_losses import map_loss
from facialpalsy.training.point_targets import begin_reader
from facialpalsy.training.task import ExamTask, Found

_MAPS, _EXAM = 3.0, 0.5
_TIE = 1e-3
Seen = TypeVar("Seen")
_FIGURES = ("loss", "acc", "mean_class_acc", "auc")


class RegionExam(NamedTuple):
    """What validation saw of one exam: (points,) probabilities and truth, NaN where not known."""

    palsy: NDArray[np.float64]
    truth: NDArray[np.float64]


class CodeTask(ExamTask[RegionTraining, Seen]):
    """A network of codes in training, from which the auxiliary targets are read; arguments as of `ExamTask`."""

    network: ExamRegions

    def __init__(
        self,
        config: RegionTraining,
        network: ExamRegions,
        train: Sequence[ExamLabel],
        val: Sequence[ExamLabel],
        save_dir: Path,
        about: Mapping[str, Any],
    ) -> None:
        super().__init__(config, network, train, val, save_dir, about)
        self.photo_targets = PhotoTargets(self.trunk.generator.latents * config.spec.dim)

    @property
    def trunk(self) -> RegionNetwork:
        """The network of one photo."""
        trunk = self.network.trunk
        assert isinstance(trunk, RegionNetwork)  # noqa: S101  its specification makes one
        return trunk

    def trained_parts(self) -> Sequence[nn.Module]:
        """The network, and what its auxiliary targets are read by."""
        return [self.network, self.photo_targets]

    def auxiliary(self, codes: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The auxiliary losses of (n, latents, dim) codes."""
        with torch.autocast(self.device.type, enabled=False):
            return self.photo_targets.losses(codes.float().flatten(1), batch)


class RegionTask(CodeTask[RegionExam]):
    """The region network in training; arguments as of `ExamTask`."""

    chosen_by: ClassVar[str] = "misranked"
    shown: ClassVar[tuple[str, ...]] = ("acc", "mean_class_acc")
    rises: ClassVar[str] = "mean_class_acc"

    def losses(self, batch: Batch) -> tuple[dict[str, Tensor], Mapping[str, float]]:
        """Of the heat maps of each photo, of what is said of the exam, and the auxiliary ones."""
        codes = self.trunk.codes(batch.images)
        maps = self.trunk.maps(codes).float()
        output = self.network.joined(maps, batch.images, batch.expressions, batch.exam, len(batch.number))
        logits, truth = output.exam_logits, self.truth(batch)
        target = self.targets(batch, maps.shape[-1])
        known = truth.isfinite()
        right = torch.where(known, (logits > 0) == (truth > 0), 0).sum(1) / known.sum(1).clamp(min=1)
        found = {
            "maps": _MAPS * map_loss(maps, target, self.config.loss),
            "exam": _EXAM * binary(output.seen_logits, truth),
        }
        if output.read is not None and output.read_logits is not None:
            with torch.autocast(self.device.type, enabled=False):
                found |= reading_losses(output.read, batch)
                found["read"] = read_units(output.read_logits, output.read.exam.known, truth)
        return found | self.auxiliary(codes, batch), {"acc": float(right.sum())}

    def truth(self, batch: Batch) -> Tensor:
        """(e, points) whether each unit (and side) is palsied."""
        return _of_points(self._chosen(batch.units), self.config.spec.sides)

    def targets(self, batch: Batch, size: int) -> Tensor:
        """(n, points, size, size) heat maps that are wanted of each photo."""
        units, centres = self._chosen(batch.units)[batch.exam], batch.centres[:, self._places]
        if self.config.spec.sides == 1:
            return document_maps(centres, _of_points(units, 1), size, self.config.sigma)
        return heat_maps(centres, units, size, self.config.sigma).flatten(1, 2)

    @property
    def _places(self) -> list[int]:
        return [PALSY_UNITS.index(unit) for unit in self.config.units]

    def _chosen(self, units: Tensor) -> Tensor:
        return units[:, self._places]

    def look(self, batch: Batch) -> tuple[dict[int, RegionExam], Tensor]:
        """Probabilities and truth of each exam."""
        logits = both_views(self.average, batch.images, batch.expressions, batch.exam, len(batch.number)).exam_logits
        return self.said(batch, logits), logits.sum()

    def said(self, batch: Batch, logits: Tensor) -> dict[int, RegionExam]:
        """What (2e, points) logits of the exams and then of their mirror images say."""
        own, mirrored = logits.sigmoid().view(2, len(batch.number), -1, self.config.spec.sides)
        palsy = ((own + mirrored.flip(-1)) / 2).flatten(1).double().cpu().numpy()
        truth = self.truth(batch).double().cpu().numpy()
        return {number: RegionExam(*one) for number, *one in zip(batch.number.tolist(), palsy, truth, strict=True)}

    def judged(self, seen: Mapping[int, RegionExam], counted: Mapping[str, float]) -> Found:
        """Figures, each the mean over the units, and the threshold of each unit, one for both sides.

        `misranked`, one less the AUC, chooses the epoch, since a network that is too sure of itself is no worse for it
        once it has its thresholds; among equals the loss decides, and where no unit has both classes it alone.
        """
        config = self.config
        shape = len(seen), len(config.units), config.spec.sides
        palsy = np.stack([one.palsy for one in seen.values()]).reshape(shape)
        truth = np.stack([one.truth for one in seen.values()]).reshape(shape)
        by_unit, thresholds = {}, {}
        for place, unit in enumerate(config.units):
            known = np.isfinite(truth[:, place])
            given, wanted = palsy[:, place][known], truth[:, place][known] == 1
            if len(wanted):
                by_unit[unit] = binary_figures(given, wanted)
                thresholds[unit] = even_threshold(given, wanted)
        figures = {name: _mean([one[name] for one in by_unit.values()]) for name in _FIGURES}
        auc = figures["auc"]
        loss = figures["loss"] or 0.0
        figures["misranked"] = _TIE * loss if auc is None else 1 - auc + _TIE * loss
        scalars = {f"val_unit/{unit}": one["mean_class_acc"] for unit, one in by_unit.items()}
        return Found(figures, scalars, {"by_exam": figures, "by_unit": by_unit, "thresholds": thresholds})


def read_units(logits: Tensor, known: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy of the (e, points) logits that the points of faces say, over exams of which they say something."""
    return binary(logits, torch.where(known[:, None], truth, torch.nan))


class AutoencoderTask(CodeTask[float]):
    """Encoder and generator in training: pictures are to be drawn again from their codes."""

    chosen_by: ClassVar[str] = "loss"
    shown: ClassVar[tuple[str, ...]] = ("loss",)
    rises: ClassVar[str] = "loss"

    def losses(self, batch: Batch) -> tuple[dict[str, Tensor], Mapping[str, float]]:
        """Absolute distance of pictures, and of pictures a quarter as large, which say more about shapes."""
        codes = self.trunk.codes(batch.images)
        return {"pixels": _distances(self.trunk.drawn(codes), batch).mean()} | self.auxiliary(codes, batch), {}

    def look(self, batch: Batch) -> tuple[dict[int, float], Tensor]:
        """The distance of each exam."""
        trunk: Any = self.average.trunk
        each = _distances(trunk.drawn(trunk.codes(batch.images)), batch)
        seen = {number: float(each[batch.exam == place].mean()) for place, number in enumerate(batch.number.tolist())}
        return seen, each.sum()

    def judged(self, seen: Mapping[int, float], counted: Mapping[str, float]) -> Found:
        """The mean distance."""
        loss: dict[str, float | None] = {"loss": float(np.mean(list(seen.values())))}
        return Found(loss, {}, loss)


def _distances(drawn: Tensor, batch: Batch) -> Tensor:
    """(n,) of each photo."""
    drawn, size = drawn.float(), drawn.shape[-1]
    wanted = F.interpolate(batch.images.clamp(0, 1), (size, size), mode="bilinear", antialias=True)
    far = F.avg_pool2d(drawn - wanted, 4).abs().mean((1, 2, 3))
    return (drawn - wanted).abs().mean((1, 2, 3)) + far


def fit_autoencoder(
    config: RegionTraining, train: Exams, val: Exams, save_dir: Path, log_dir: Path, **more: Any
) -> Fitted:
    """Train encoder and generator to draw faces again; the model begins `fit_regions`. As `fit`."""

    def task(network: nn.Module, said: Mapping[str, Any]) -> AutoencoderTask:
        assert isinstance(network, ExamRegions)  # noqa: S101  its specification makes one
        return AutoencoderTask(config, network, train.labels, val.labels, save_dir, said)

    return fit(config, task, train, val, save_dir, log_dir, **more)


def fit_regions(
    config: RegionTraining,
    train: Exams,
    val: Exams,
    save_dir: Path,
    log_dir: Path,
    *,
    start: ExamRegions | None = None,
    about: Mapping[str, Any] = MappingProxyType({}),
    accelerator: str = "auto",
    devices: int | str = "auto",
) -> Fitted:
    """Train a region network; arguments and errors are those of `fit`.

    Raises:
        LabelsError: besides, a unit is never palsied, or always, in the training exams that were looked at.
    """
    _check_units(config, train)

    def task(network: nn.Module, said: Mapping[str, Any]) -> RegionTask:
        assert isinstance(network, ExamRegions)  # noqa: S101  its specification makes one
        if network.points is not None:
            begin_reader(network.points, surveyed(config, train))
        return RegionTask(config, network, train.labels, val.labels, save_dir, said)

    return fit(
        config, task, train, val, save_dir, log_dir, start=start, about=about, accelerator=accelerator, devices=devices
    )


def _check_units(config: RegionTraining, train: Exams) -> None:
    units = torch.cat([batch.units for batch in surveyed(config, train)]) if len(train) else torch.empty(0)
    for unit in config.units if len(units) else ():
        found = units[:, PALSY_UNITS.index(unit)]
        known = found[found.isfinite()]
        if known.numel() and known.min() == known.max():
            raise LabelsError(
                f"{unit} is {'always' if known.max() else 'never'} palsied in the training exams, so nothing can be "
                "learnt of it. Leave it out of the units, or add people."
            )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [one for one in values if one is not None]
    return float(np.mean(known)) if known else None


def _of_points(units: Tensor, sides: int) -> Tensor:
    """(..., units * sides) labels; with one side whether either is palsied, NaN where that is not known."""
    if sides == 2:
        return units.flatten(-2)
    either = (units == 1).any(-1)
    unknown = units.isnan().any(-1) & ~either
    return torch.where(unknown, torch.nan, either.float())
