"""Landmarks: the landmarker trained on photos whose points are known.

A mean error does not see a palsy: a network that draws both sides together can have a small one. So beside the places
themselves counts how wrong the difference of the sides is, and how wrong what moves between the photos of an exam is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from facialpalsy.face import DENSE
from facialpalsy.face.alignment import CROP_CANTHUS_DISTANCE
from facialpalsy.models.landmarker import SEEN, Landmarker, places
from facialpalsy.training.augment import mirrored_points, with_photos
from facialpalsy.training.config import LandmarkTraining
from facialpalsy.training.exams import Batch, Exams
from facialpalsy.training.fit import Fitted, fit
from facialpalsy.training.task import ExamTask, Found

_MIDDLE = tuple(one for one in range(DENSE.size) if DENSE.mirror[one] == one)
SEEN_BY_HALF = (*DENSE.right, *_MIDDLE)
"""Points of `DENSE` that the landmarker finds in the picture's left half, in the order of its maps."""

ORDER = (*DENSE.right, *(DENSE.mirror[one] for one in DENSE.right), *_MIDDLE)
"""Points of `DENSE` in the order that the landmarker gives them."""

WEIGHTS = {"place": 1.0, "spread": 0.3, "sides": 0.5, "movement": 0.5}


class FoundPoints(NamedTuple):
    """Errors of one exam's points in iod: mean distance, and of differences of the sides and of movements."""

    place: float
    sides: float
    movement: float


class LandmarkTask(ExamTask[LandmarkTraining, FoundPoints]):
    """The landmarker in training; arguments as of `ExamTask`."""

    chosen_by: ClassVar[str] = "loss"
    shown: ClassVar[tuple[str, ...]] = ("place", "sides", "movement")
    rises: ClassVar[str] = "score"

    network: Landmarker
    average: Landmarker

    def losses(self, batch: Batch) -> tuple[dict[str, Tensor], Mapping[str, float]]:
        """Errors of places, of the spread of the maps about them, of the sides' difference and of movements."""
        return landmark_losses(self.network.heat_maps(batch.images), batch), {}

    def look(self, batch: Batch) -> tuple[dict[int, FoundPoints], Tensor]:
        """The errors of each exam."""
        errors = _errors([places(one) for one in self.average.heat_maps(batch.images)], batch)
        seen = {}
        for place, number in enumerate(batch.number.tolist()):
            mine = batch.exam == place
            seen[number] = FoundPoints(**{name: float(one[mine].mean()) for name, one in errors.items()})
        return seen, torch.stack([one.mean() for one in errors.values()]).sum()

    def judged(self, seen: Mapping[int, FoundPoints], counted: Mapping[str, float]) -> Found:
        """Mean errors over the exams."""
        mean = {name: sum(getattr(one, name) for one in seen.values()) / len(seen) for name in FoundPoints._fields}
        loss = sum(WEIGHTS[name] * value for name, value in mean.items())
        figures = {"loss": loss, "score": -loss, **mean}
        return Found(figures, {f"val_exam/{name}": value for name, value in mean.items()}, {"by_exam": mean})


def landmark_losses(maps: Sequence[Tensor], batch: Batch) -> dict[str, Tensor]:
    """Each loss times its weight, over the photos whose points are known.

    Args:
        maps: Heat maps of the left half and of the flipped right one.
        batch: What they are of.
    """
    known = batch.points.isfinite().flatten(1).all(1)
    batch, maps = with_photos(batch, known), [one[known] for one in maps]
    found = _errors([places(one) for one in maps], batch)
    found["spread"] = torch.cat([_spread(half, true) for half, true in zip(maps, _halves(batch.points), strict=True)])
    return _weighed(found)


def place_losses(points: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Each loss of (n, DENSE, 2) points times its weight, over the photos whose points are known."""
    known = batch.points.isfinite().flatten(1).all(1)
    return _weighed(_errors(_halves(points[known]), with_photos(batch, known)))


def _weighed(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    # Also without any known point it depends on the weights, as training on several devices asks of every loss.
    return {name: WEIGHTS[name] * one.sum() / max(one.numel(), 1) for name, one in found.items()}


def _halves(points: Tensor) -> tuple[Tensor, Tensor]:
    """(n, points, 2) what the left half holds, and the flipped right one, of (n, DENSE, 2)."""
    seen = list(SEEN_BY_HALF)
    return points[:, seen], mirrored_points(points)[:, seen]


def _errors(found: Sequence[Tensor], batch: Batch) -> dict[str, Tensor]:
    """Distances in iod, (n, points) of each kind."""
    left, right = ((one - true) / CROP_CANTHUS_DISTANCE for one, true in zip(found, _halves(batch.points), strict=True))
    both = torch.cat([left, right], 1)
    photos = torch.bincount(batch.exam, minlength=len(batch.number))
    mean = torch.zeros(len(batch.number), *both.shape[1:], device=both.device).index_add(0, batch.exam, both)
    moved = both - (mean / photos[:, None, None].clamp(min=1))[batch.exam]
    return {"place": _length(both), "sides": _length(left - right), "movement": _length(moved)}


def _spread(maps: Tensor, truth: Tensor) -> Tensor:
    """(n, points) root of the mean squared distance of a half's heat map to the true place, in iod."""
    rows, columns = maps.shape[-2:]
    across = (torch.arange(columns, device=maps.device) + 0.5) / columns * SEEN - truth[..., :1]
    down = (torch.arange(rows, device=maps.device) + 0.5) / rows - truth[..., 1:]
    squared = (maps.sum(2) * across.square()).sum(2) + (maps.sum(3) * down.square()).sum(2)
    return squared.clamp(min=1e-12).sqrt() / CROP_CANTHUS_DISTANCE


def _length(vectors: Tensor) -> Tensor:
    # Not torch.norm: its gradient at zero is no number.
    return vectors.square().sum(-1).clamp(min=1e-12).sqrt()


def fit_landmarker(
    config: LandmarkTraining,
    train: Exams,
    val: Exams,
    save_dir: Path,
    log_dir: Path,
    *,
    start: Landmarker | None = None,
    about: Mapping[str, Any] = MappingProxyType({}),
    accelerator: str = "auto",
    devices: int | str = "auto",
) -> Fitted:
    """Train a landmarker on exams whose points are all known; arguments and errors are those of `fit`."""

    def task(network: nn.Module, said: Mapping[str, Any]) -> LandmarkTask:
        assert isinstance(network, Landmarker)  # noqa: S101  its specification makes one
        return LandmarkTask(config, network, train.labels, val.labels, save_dir, said)

    return fit(
        config, task, train, val, save_dir, log_dir, start=start, about=about, accelerator=accelerator, devices=devices
    )
