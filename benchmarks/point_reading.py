"""Point reading: what the scripts that train readers share, a reader trained on true points of synthetic people.

The points are off by what a landmarker is off, so that nothing has to be rendered for it but the few whose errors are
measured.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from facialpalsy.clinical.expressions import Expression
from facialpalsy.face import DENSE
from facialpalsy.models.landmarker import Landmarker, places
from facialpalsy.models.point_reader import PointReader
from facialpalsy.training.augment import MIRROR_SHARE, plain
from facialpalsy.training.exams import EXPRESSIONS, Batch, Exams, join
from facialpalsy.training.landmarks import ORDER
from facialpalsy.training.targets import EXAM_TARGETS

Reader = TypeVar("Reader", bound=PointReader)

ORDERED = list(ORDER)
BATCH, RATE, DECAY, AVERAGE, CLIP = 64, 3e-3, 0.05, 0.99, 1.0
# Standard deviations: of a point as a share of the picture, and of the logarithm of how far a person's movement goes,
# which no grade depends on: people of another setting, as of another clinic, show more or less.
JITTER, EFFORT = 0.001, 0.2
MOVED = {EXPRESSIONS.index(one): f"movement_{one}" for one in EXPRESSIONS if f"movement_{one}" in EXAM_TARGETS}


@torch.inference_mode()
def seen(landmarker: Landmarker, exams: Exams, size: int) -> tuple[list[Batch], Tensor]:
    """Each exam without its pictures and with its true points, and (exams, photos, points, 2) how far off others are.

    These are found by one look at each photo, which is a little noisier than the mean of two that the grader takes.
    """
    posed, errors = [], []
    for number, label in enumerate(exams.labels):
        batch = plain(join([(number, label, exams[number])]), size)
        found = landmarker.points_of(*(places(maps) for maps in landmarker.heat_maps(batch.images)))
        posed.append(without_pictures(batch))
        errors.append(found - batch.points[:, ORDERED])
    return posed, torch.stack(errors)


def without_pictures(exam: Batch) -> Batch:
    """The exam without what reading its points does not take."""
    nothing = torch.zeros(0)
    return exam._replace(images=nothing, regions=nothing, centres=nothing)


def together(exams: Sequence[Batch]) -> Batch:
    """Several exams as one batch."""
    fields = [torch.cat(parts) for parts in zip(*exams, strict=True)]
    photos = torch.tensor([len(one.expressions) for one in exams])
    return Batch(*fields)._replace(exam=torch.arange(len(exams)).repeat_interleave(photos))


def with_other_efforts(batch: Batch) -> Batch:
    """The exams with every movement going another way further or less far, alike on both sides, and points jittered."""
    exams, rest = len(batch.number), batch.expressions == EXPRESSIONS.index(Expression.REST)
    still = torch.zeros(exams, *batch.points.shape[1:]).index_copy(0, batch.exam[rest], batch.points[rest])
    rested = torch.zeros(exams).index_fill(0, batch.exam[rest], 1.0)
    more = torch.ones(exams, len(EXPRESSIONS))
    more[:, list(MOVED)] = (torch.randn(exams, len(MOVED)) * EFFORT * rested[:, None]).exp()
    moved = batch.points - still[batch.exam]
    points = still[batch.exam] + more[batch.exam, batch.expressions][:, None, None] * moved
    truth, places = batch.exam_truth.clone(), [EXAM_TARGETS.index(name) for name in MOVED.values()]
    truth[:, places] = torch.asinh(truth[:, places].sinh() * more[:, list(MOVED), None])
    return batch._replace(points=points + JITTER * torch.randn_like(points), exam_truth=truth)


def with_other_errors(batch: Batch, errors: Tensor, most: float) -> Batch:
    """The exams with the points off by up to `most` times what those of another person in the same expression are.

    Errors of a face hang together; jitter of single points averages out and teaches nothing about them.
    """
    others = errors[torch.randint(len(errors), (len(batch.number),))[batch.exam], batch.expressions]
    pairs = len(DENSE.right)
    swapped = torch.cat([others[:, pairs : 2 * pairs], others[:, :pairs], others[:, 2 * pairs :]], 1)
    mirrored = swapped * torch.tensor([-1.0, 1.0])
    turned = torch.rand(len(batch.number))[batch.exam, None, None] < MIRROR_SHARE
    much = most * torch.rand(len(batch.number))[batch.exam, None, None]
    return batch._replace(points=batch.points + much * torch.where(turned, mirrored, others))


def fit_reader(
    reader: Reader,
    train: Sequence[Batch],
    errors: Tensor,
    loss_of: Callable[[Reader, Batch], Tensor],
    judged: Callable[[Reader], tuple[float, float]],
    epochs: int,
    *,
    most: float = 2.0,
    partial: bool = False,
) -> Reader:
    """The running mean of the reader's weights after the epoch whose validation loss is least.

    Args:
        reader: Begun with the constants of the training people; its landmarker stays as it is.
        train: Exams with their true points.
        errors: Of `seen`.
        loss_of: Of the reader and a batch whose points are a landmarker's.
        judged: Validation loss of a reader, and its accuracy, which is printed.
        epochs: How often every exam is seen.
        most: How many times its error the points may be off.
        partial: Whether half of the exams lack photos, any but that at rest.
    """
    weights = [one for name, one in reader.named_parameters() if not name.startswith("landmarker.")]
    optimizer = torch.optim.AdamW(weights, RATE, weight_decay=DECAY)
    steps = len(train) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=epochs * steps + 1)
    mean, best, least = copy.deepcopy(reader), reader, float("inf")
    for epoch in range(epochs):
        order = torch.randperm(len(train)).tolist()
        for step in range(steps):
            chosen = [train[one] for one in order[step * BATCH : (step + 1) * BATCH]]
            batch = together(chosen)
            batch = with_other_efforts(batch._replace(points=batch.points[:, ORDERED]))
            batch = with_other_errors(batch, errors, most)
            loss = loss_of(reader, in_part(batch) if partial else batch)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, CLIP)
            optimizer.step()
            schedule.step()
            with torch.no_grad():
                for slow, now in zip(mean.parameters(), reader.parameters(), strict=True):
                    slow.lerp_(now, 1 - AVERAGE)
        loss, accuracy = judged(mean)
        print(f"epoch {epoch + 1}: validation loss {loss:.4f}, accuracy {accuracy:.3f}", flush=True)
        if loss < least:
            least, best = loss, copy.deepcopy(mean)
    return best


def in_part(batch: Batch) -> Batch:
    """The exams, half of them without a random part of their photos; that at rest stays, without which none is read."""
    exams = len(batch.number)
    dropped = torch.rand(exams) * (torch.rand(exams) < 0.5)
    kept = torch.rand(len(batch.exam)) >= dropped[batch.exam]
    kept |= batch.expressions == EXPRESSIONS.index(Expression.REST)
    fields = {name: getattr(batch, name)[kept] for name in ("expressions", "exam", "points", "photo_truth")}
    return batch._replace(**fields)
