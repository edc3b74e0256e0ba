"""Point targets: what the reader of points is to say of an exam, and the constants of faces that it begins with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from facialpalsy.clinical.expressions import Expression
from facialpalsy.face.alignment import CROP_CANTHUS_DISTANCE
from facialpalsy.models.exam_points import HELD, MOVED, PointScale, fitted
from facialpalsy.models.point_reader import PointReader
from facialpalsy.models.slots import by_expression
from facialpalsy.training.augment import mirrored_points
from facialpalsy.training.exams import EXPRESSIONS, Batch
from facialpalsy.training.landmarks import ORDER
from facialpalsy.training.targets import EXAM_TARGETS, TRACE, heights

_KINDS = ("movement", "synkinesis")
_PLACE = {
    (row, column): EXAM_TARGETS.index(f"{kind}_{expression}")
    for row, expression in enumerate(EXPRESSIONS)
    for column, kind in enumerate(_KINDS)
    if f"{kind}_{expression}" in EXAM_TARGETS
}
_REST = EXPRESSIONS.index(Expression.REST)
# What moves less than this over an exam is not held more firmly for it; and no number is read from less.
_LEAST = 0.01 * CROP_CANTHUS_DISTANCE
_LEAST_SPREAD = 0.002 * CROP_CANTHUS_DISTANCE


def exam_numbers(batch: Batch, expressions: int, known: Tensor) -> Tensor:
    """(e, expressions, MOVED + HELD, 2) of the image's left and right half, NaN where not known or not shown.

    How far each movement goes and what moves unasked are shares of the usual; brow, fissure and commissure are the
    heights of `targets`, a mean over the photos of an expression.

    Args:
        batch: The exams.
        expressions: How many there are, "not known" among them.
        known: (e,) which exams have a rest photo.
    """
    exams = len(batch.number)
    average, present = by_expression(batch.exam, batch.expressions, exams, expressions, batch.photo_truth.dtype)
    shown = (present.view(exams, expressions) > 0) & known[:, None]
    found = batch.exam_truth.new_full((exams, expressions, MOVED + HELD, 2), torch.nan)
    for (row, column), place in _PLACE.items():
        found[:, row, column] = TRACE * batch.exam_truth[:, place].sinh()
    found[:, :, MOVED:] = (average @ heights(batch.photo_truth).flatten(1)).view(exams, expressions, HELD, 2)
    # The subject's left is on the image's right.
    return torch.where(shown[..., None, None], found, torch.nan).flip(-1)


def begin_reader(reader: PointReader, batches: Iterable[Batch]) -> None:
    """Give a reader the constants of these exams, unless it has some; where no photo has points it says nothing yet."""
    if bool(reader.exam.begun):
        return
    scale = point_scale([one._replace(images=torch.empty(0)) for one in batches], reader.exam.expressions)
    if scale is not None:
        reader.exam.begin_with(scale)


def point_scale(batches: Sequence[Batch], expressions: int) -> PointScale | None:
    """The constants of these exams; None where no photo has points.

    Args:
        batches: Exams as they are.
        expressions: How many expressions there are.
    """
    points, slots, exams, first = [], [], [], 0
    for batch in batches:
        points.append(batch.points)
        slots.append(batch.expressions)
        exams.append(batch.exam + first)
        first += len(batch.number)
    every, slot, exam = torch.cat(points), torch.cat(slots), torch.cat(exams)
    known = every.isfinite().flatten(1).all(1)
    if not known.any():
        return None
    every, slot, exam = every[known], slot[known], exam[known]
    order = list(ORDER)
    # Faces and their mirror images: what comes of both knows no side.
    places = torch.cat([every[:, order], mirrored_points(every)[:, order]])
    slot, exam = slot.repeat(2), torch.cat([exam, exam + first])
    template, even = places.mean(0), torch.ones(len(order))
    about = fitted(places, template, even)
    within = (about - _mean_of(about, exam, 2 * first)[exam]).square().sum(2).mean(0)
    steadiness = _LEAST**2 / (within + _LEAST**2)
    at = fitted(places, template, steadiness) - template
    resting = slot == _REST
    rest = _mean_of(at[resting], exam[resting], 2 * first)
    rested = torch.zeros(2 * first, dtype=torch.bool).index_fill(0, exam[resting], True)[exam]
    held = _scale(at, slot, expressions)
    moved = _scale((at - rest[exam])[rested], slot[rested], expressions)
    every_exam = (torch.ones(len(batch.number), dtype=torch.bool) for batch in batches)
    numbers = torch.cat([exam_numbers(one, expressions, all_) for one, all_ in zip(batches, every_exam, strict=True)])
    usual = numbers.permute(1, 2, 0, 3).flatten(2).nanmean(2).nan_to_num(0)
    return PointScale(template, steadiness, moved, held, usual)


def _mean_of(values: Tensor, group: Tensor, groups: int) -> Tensor:
    """(groups, ...) mean of each; 0 of an empty one."""
    counts = torch.bincount(group, minlength=groups).clamp(min=1)
    summed = torch.zeros(groups, *values.shape[1:]).index_add(0, group, values)
    return summed / counts.view(-1, *[1] * (values.ndim - 1))


def _scale(values: Tensor, slot: Tensor, expressions: int) -> Tensor:
    """(2, expressions, 2 * points) mean and spread for each expression; 0 and 1 for one that nobody shows."""
    flat = values.flatten(1)
    mean = _mean_of(flat, slot, expressions)
    spread = _mean_of((flat - mean[slot]).square(), slot, expressions).sqrt() + _LEAST_SPREAD
    shown = torch.bincount(slot, minlength=expressions)[:, None] > 0
    return torch.stack([mean, torch.where(shown, spread, 1.0)])
