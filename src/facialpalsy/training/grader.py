"""Grader: what of the data its training needs to know before the first step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from facialpalsy.errors import UsageError
from facialpalsy.models.exam_grader import ExamGrader
from facialpalsy.models.roi import MIRRORED_REGIONS, REGIONS
from facialpalsy.training.augment import region_shares
from facialpalsy.training.config import GraderTraining
from facialpalsy.training.exams import Batch, Exams
from facialpalsy.training.fit import Fitted, fit, surveyed
from facialpalsy.training.grader_task import GRADES, GraderTask
from facialpalsy.training.point_targets import begin_reader
from facialpalsy.training.targets import Scale


def fit_grader(
    config: GraderTraining,
    train: Exams,
    val: Exams,
    save_dir: Path,
    log_dir: Path,
    *,
    start: ExamGrader | None = None,
    about: Mapping[str, Any] = MappingProxyType({}),
    accelerator: str = "auto",
    devices: int | str = "auto",
) -> Fitted:
    """Train a grader; arguments and errors are those of `fit`.

    Raises:
        UsageError: besides, the specification is not for six grades.
    """
    if config.spec.num_classes != GRADES:
        raise UsageError(f"The grader has {config.spec.num_classes} classes; House-Brackmann grades are {GRADES}.")

    def task(network: nn.Module, said: Mapping[str, Any]) -> GraderTask:
        assert isinstance(network, ExamGrader)  # noqa: S101  its specification makes one
        batches = list(surveyed(config, train))
        scale, regions = _survey(config, batches)
        if start is None and regions is not None and network.trunk.roi is not None:
            network.trunk.roi.set_prior(regions)
        if network.points is not None:
            begin_reader(network.points, batches)
        return GraderTask(config, network, scale, train.labels, val.labels, save_dir, said)

    return fit(
        config, task, train, val, save_dir, log_dir, start=start, about=about, accelerator=accelerator, devices=devices
    )


def _survey(config: GraderTraining, batches: Sequence[Batch]) -> tuple[Scale, Tensor | None]:
    """The scale of the targets and the prior of each region.

    The prior is None where no region is known or the network's maps have no names.
    """
    photos, exams, regions = [], [], []
    grid = config.spec.image_size // config.spec.patch_size
    for batch in batches:
        photos.append(batch.photo_truth)
        exams.append(batch.exam_truth)
        shares, known = region_shares(batch.regions, grid)
        regions.append(shares[known, :-1])
    scale, seen = Scale.of(torch.cat(photos), torch.cat(exams)), torch.cat(regions)
    if not len(seen) or config.spec.num_roi_regions != len(REGIONS):
        return scale, None
    mean = seen.mean(0)
    return scale, (mean + mean[list(MIRRORED_REGIONS)].flip(-1)) / 2
