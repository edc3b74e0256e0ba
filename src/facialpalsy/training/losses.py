"""Losses: what a step is pulled by. Whatever is not known (NaN) counts in none of them.

The grade alone teaches a network of this size little from some thousand people: it is learnt beside what made it, the
strength of every action and how wide, how far and how unlike the two sides move (`training.targets`), the regions, and
an asymmetry map that is to say in each zone how differently the two sides move.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  the name that every reader of PyTorch knows
from torch import Tensor, nn

from facialpalsy.models.exam_grader import ExamGrader, GraderOutput
from facialpalsy.models.htnet import SIGNED_DIM
from facialpalsy.models.point_reader import PointReading
from facialpalsy.training.augment import region_shares
from facialpalsy.training.config import GraderTraining
from facialpalsy.training.exams import Batch
from facialpalsy.training.landmarks import landmark_losses
from facialpalsy.training.point_targets import exam_numbers
from facialpalsy.training.targets import EXAM_TARGETS, PHOTO_TARGETS, Scale, zone_targets

WEIGHTS = {
    "grade": 1.0,
    "ordinal": 1.0,
    "photo_grade": 0.3,
    "side": 0.5,
    "photo_even": 1.0,
    "photo_odd": 1.0,
    "exam_even": 0.5,
    "exam_odd": 0.5,
    "regions": 1.0,
    "map": 2.0,
    "map_outside": 0.5,
    "numbers": 10.0,
    "point_grade": 1.0,
    "point_ordinal": 1.0,
    "point_side": 0.5,
}
_SURE = 1e-4
IGNORED = -100


class Heads(nn.Module):
    """Linear maps from what the grader knows to the targets; they are thrown away after training."""

    def __init__(self, grader: ExamGrader) -> None:
        super().__init__()
        self.photo_even = nn.Linear(grader.trunk.features, 2 * len(PHOTO_TARGETS))
        self.exam_even = nn.Linear(grader.hidden, 2 * len(EXAM_TARGETS))
        self.photo_odd = self.exam_odd = None
        if grader.differs is not None:
            self.photo_odd = nn.Linear(SIGNED_DIM, len(PHOTO_TARGETS), bias=False)
            self.exam_odd = nn.Linear(grader.hidden, len(EXAM_TARGETS), bias=False)


def grader_losses(
    output: GraderOutput,
    batch: Batch,
    heads: Heads,
    scale: Scale,
    facial_prior: Tensor | None,
    config: GraderTraining,
    class_weights: Tensor | None = None,
) -> dict[str, Tensor]:
    """Each loss times its weight; their sum is what is minimised.

    Args:
        output: Of the grader.
        batch: What it saw.
        heads: Of the grader.
        scale: Of the targets.
        facial_prior: (g, g) of the region module, None without one.
        config: Which losses there are.
        class_weights: (6,) of the grades.
    """
    found = {
        "grade": F.cross_entropy(
            output.grade_logits, batch.grade, class_weights, label_smoothing=config.label_smoothing
        ),
        "photo_grade": F.cross_entropy(output.photo_logits, batch.grade[batch.exam], class_weights),
        "photo_even": squared(heads.photo_even(output.features), scale.photo_even(batch.photo_truth)),
        "exam_even": squared(heads.exam_even(output.even), scale.exam_even(batch.exam_truth)),
    }
    if config.loss == "emd":
        found["ordinal"] = ordinal(output.grade_logits, batch.grade)
    if heads.photo_odd is not None and heads.exam_odd is not None and output.side is not None:
        found["photo_odd"] = squared(heads.photo_odd(output.signed), scale.photo_odd(batch.photo_truth))
        found["exam_odd"] = squared(heads.exam_odd(output.odd), scale.exam_odd(batch.exam_truth))
        found["side"] = binary(output.side, batch.side)
    if output.regions is not None and output.mask is not None and facial_prior is not None:
        shares, known = region_shares(batch.regions, output.regions.shape[-1])
        found["regions"] = regions(output.regions, output.mask / facial_prior, shares, known)
    if output.asymmetry is not None:
        shares, known = region_shares(batch.regions, output.asymmetry.shape[-1])
        zones = zone_targets(batch.photo_truth)
        found["map"], found["map_outside"] = asymmetry_map(output.asymmetry, shares, known, zones)
    read, read_grade, read_side = output.read, output.read_grade, output.read_side
    if read is not None and read_grade is not None and read_side is not None:
        found |= point_losses(read, read_grade, read_side, batch, config, class_weights)
    weighed = {name: WEIGHTS[name] * loss for name, loss in found.items()}
    return weighed if read is None else weighed | reading_losses(read, batch)


def reading_losses(read: PointReading, batch: Batch) -> dict[str, Tensor]:
    """Each loss times its weight of what every reader of points learns, whatever the answer is read from it.

    Args:
        read: With the heat maps of a step of training, or without where the landmarker is not trained.
        batch: What it is of.
    """
    numbers = exam_numbers(batch, read.exam.numbers.shape[1], read.exam.known)
    found = {"numbers": WEIGHTS["numbers"] * squared(read.exam.numbers, numbers)}
    return found | landmark_losses(read.maps, batch) if read.maps else found


def point_losses(
    read: PointReading,
    grade_logits: Tensor,
    side: Tensor,
    batch: Batch,
    config: GraderTraining,
    class_weights: Tensor | None = None,
) -> dict[str, Tensor]:
    """What the reader of points learns from by itself, over the exams with a rest photo."""
    known = read.exam.known
    truth = torch.where(known, batch.grade, IGNORED)
    grade = F.cross_entropy(
        grade_logits,
        truth,
        class_weights,
        label_smoothing=config.label_smoothing,
        ignore_index=IGNORED,
        reduction="sum",
    )
    found = {
        "point_grade": grade / known.sum().clamp(min=1),
        "point_side": binary(side, torch.where(known, batch.side, torch.nan)),
    }
    if config.loss == "emd":
        found["point_ordinal"] = _mean(ordinals(grade_logits, batch.grade), known)
    return found


def ordinal(logits: Tensor, grade: Tensor) -> Tensor:
    """Squared distance of the cumulative probabilities to those of the truth (EMD; Hou, Yu & Samaras 2016)."""
    return ordinals(logits, grade).mean()


def ordinals(logits: Tensor, grade: Tensor) -> Tensor:
    """(e,) that distance of each exam."""
    given = logits.softmax(1).cumsum(1)
    truth = F.one_hot(grade, logits.shape[1]).cumsum(1)
    return (given - truth).square().sum(1)


def squared(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean squared distance where the target is known, 0 where nothing is."""
    known = target.isfinite()
    return _mean((predicted - target.nan_to_num(0)).square(), known)


def binary(logit: Tensor, truth: Tensor) -> Tensor:
    """Binary cross-entropy where the truth is known, 0 where none is."""
    return _mean(F.binary_cross_entropy_with_logits(logit, truth.nan_to_num(0), reduction="none"), truth.isfinite())


def regions(maps: Tensor, face: Tensor, shares: Tensor, known: Tensor) -> Tensor:
    """Binary cross-entropy of the maps and of the face to the true shares, over photos whose regions are known.

    Maps without names (another number of them) learn nothing here, the face does.
    """
    named = maps.shape[1] + 1 == shares.shape[1]
    given = torch.cat([maps, face], 1) if named else face
    given = given.clamp(_SURE, 1 - _SURE)
    truth = shares if named else shares[:, -1:]
    return _mean(F.binary_cross_entropy(given, truth, reduction="none"), known[:, None, None, None].expand_as(truth))


def asymmetry_map(maps: Tensor, shares: Tensor, known: Tensor, zones: Tensor) -> tuple[Tensor, Tensor]:
    """How far the mean map of each zone is from how differently its sides move; and the map outside of the face.

    Args:
        maps: (n, 1, g, g) symmetric maps.
        shares: (n, 6, g, g) of `region_shares`.
        known: (n,) whether they are known.
        zones: (n, 4) of `targets.zone_targets`.
    """
    pairs = torch.stack([shares[:, 0], shares[:, 1] + shares[:, 2], shares[:, 3], shares[:, 4]], 1)
    pairs = (pairs + pairs.flip(-1)) / 2
    mean = (maps * pairs).sum((2, 3)) / pairs.sum((2, 3)).clamp(min=1)
    target = torch.where(known[:, None], zones, torch.nan)
    outside = (maps * (1 - pairs.sum(1, keepdim=True)).clamp(min=0)).square()
    return squared(mean, target), _mean(outside, known[:, None, None, None].expand_as(outside))


def _mean(values: Tensor, known: Tensor) -> Tensor:
    # Also without any known value it depends on the weights, as training on several devices asks of every loss.
    return torch.where(known, values, 0).sum() / known.sum().clamp(min=1)
