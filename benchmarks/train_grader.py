"""Train what reads points in the shipped grader, and join it to the trunk that sees photos.

python benchmarks/train_grader.py TRUNK --work FOLDER    # about an hour and a half on 2 cores
TRUNK is a grader of preset `small` with or without points, as `facialpalsy train grader` makes it; what it sees of a
photo is kept. Trained here, on synthetic people of setting a who are rendered if they are not there yet: the
landmarker, then what reads the points that it finds. Other people choose the epochs. FOLDER/grader.safetensors is for
`ship.py`. A landmarker that was stopped goes on.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from facialpalsy.clinical.expressions import Expression
from facialpalsy.evaluation import ExamGrade
from facialpalsy.face import DENSE
from facialpalsy.models.checkpoint import load_checkpoint, save_checkpoint
from facialpalsy.models.exam_grader import PICTURE_SHARE, ExamGrader, PointReader
from facialpalsy.models.landmarker import Landmarker, LandmarkerSpec, places
from facialpalsy.models.registry import PRESETS, GraderSpec
from facialpalsy.training.augment import MIRROR_SHARE, augmented, plain
from facialpalsy.training.config import GraderTraining, LandmarkTraining
from facialpalsy.training.exams import EXPRESSIONS, Batch, Exams, join
from facialpalsy.training.grader_task import graded_exam
from facialpalsy.training.landmarks import ORDER, fit_landmarker
from facialpalsy.training.losses import WEIGHTS, point_losses
from facialpalsy.training.point_targets import point_scale
from facialpalsy.training.synthetic import SyntheticExams
from facialpalsy.training.targets import EXAM_TARGETS
from facialpalsy.training.validation import validation_figures

SEED, SETTING = 1001, "a"
VALIDATION = range(8000, 8240)
VIEWS = 2
"""How often the landmarker looks at a training exam: as it is, then as other cameras and lights would show it."""

SURVEYED = 400
BATCH, RATE, DECAY, AVERAGE = 64, 3e-3, 0.05, 0.99
# Standard deviations: of a point as a share of the picture, and of the logarithm of how far a person's movement goes,
# which no grade depends on: people of another setting, as of another clinic, show more or less.
JITTER, EFFORT = 0.002, 0.2
MOVED = {EXPRESSIONS.index(one): f"movement_{one}" for one in EXPRESSIONS if f"movement_{one}" in EXAM_TARGETS}


@torch.inference_mode()
def seen(landmarker: Landmarker, exams: Exams, size: int, views: int) -> tuple[list[list[Batch]], Tensor]:
    """Each exam in each view, without its pictures and with the points that the landmarker finds.

    The second result, (exams, photos, points, 2), is how far off those of the first view are. Training has one look at
    a photo, which is a little noisier than the mean of two that the grader takes.
    """
    found, errors = [], []
    for number, label in enumerate(exams.labels):
        batch, of_exam = join([(number, label, exams[number])]), []
        for view in range(views):
            torch.manual_seed(number * views + view)
            one = augmented(batch, size) if view else plain(batch, size)
            if views > 1:
                points = landmarker.points_of(*(places(maps) for maps in landmarker.heat_maps(one.images)))
            else:
                points = landmarker(one.images)
            if view == 0:
                errors.append(points - one.points[:, list(ORDER)])
            nothing = torch.zeros(0)
            of_exam.append(one._replace(points=points, images=nothing, regions=nothing, centres=nothing))
        found.append(of_exam)
    return found, torch.stack(errors)


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


def with_other_errors(batch: Batch, errors: Tensor) -> Batch:
    """The exams with the points off as much again as those of another person in the same expression were.

    Errors of a face hang together; jitter of single points averages out and teaches nothing about them.
    """
    others = errors[torch.randint(len(errors), (len(batch.number),))[batch.exam], batch.expressions]
    pairs = len(DENSE.right)
    swapped = torch.cat([others[:, pairs : 2 * pairs], others[:, :pairs], others[:, 2 * pairs :]], 1)
    mirrored = swapped * torch.tensor([-1.0, 1.0])
    turned = torch.rand(len(batch.number))[batch.exam, None, None] < MIRROR_SHARE
    much = 2 * torch.rand(len(batch.number))[batch.exam, None, None]
    return batch._replace(points=batch.points + much * torch.where(turned, mirrored, others))


def fit_reader(
    reader: PointReader, train: Sequence[Sequence[Batch]], errors: Tensor, val: Sequence[Batch], epochs: int
) -> PointReader:
    """The running mean of the reader's weights after the epoch that grades the validation exams best."""
    weights = [one for part in (reader.exam, reader.grade, reader.side) for one in part.parameters()]
    optimizer = torch.optim.AdamW(weights, RATE, weight_decay=DECAY)
    steps = len(train) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=epochs * steps + 1)
    mean, best, least, config = copy.deepcopy(reader), reader, float("inf"), GraderTraining()
    for epoch in range(epochs):
        order = torch.randperm(len(train)).tolist()
        for step in range(steps):
            chosen = [train[one] for one in order[step * BATCH : (step + 1) * BATCH]]
            views = torch.randint(VIEWS, (BATCH,)).tolist()
            batch = with_other_efforts(together([one[view] for one, view in zip(chosen, views, strict=True)]))
            batch = with_other_errors(batch, errors)
            read = reader.read(batch.points, batch.expressions, batch.exam, BATCH)
            losses = point_losses(read, batch, config)
            optimizer.zero_grad()
            torch.stack([WEIGHTS[name] * loss for name, loss in losses.items()]).sum().backward()
            torch.nn.utils.clip_grad_norm_(weights, config.clip)
            optimizer.step()
            schedule.step()
            with torch.no_grad():
                for slow, now in zip(mean.parameters(), reader.parameters(), strict=True):
                    slow.lerp_(now, 1 - AVERAGE)
        loss, exact = judged(mean, val)
        print(f"epoch {epoch + 1}: validation loss {loss:.4f}, exact {exact:.3f}", flush=True)
        if loss < least:
            least, best = loss, copy.deepcopy(mean)
    return best


@torch.inference_mode()
def judged(reader: PointReader, val: Sequence[Batch]) -> tuple[float, float]:
    """Cross-entropy of the grade, and the share of exams graded exactly."""
    batch = together(val)
    logits = reader.read(batch.points, batch.expressions, batch.exam, len(val)).grade_logits
    loss = torch.nn.functional.cross_entropy(logits, batch.grade)
    return float(loss), float((logits.argmax(1) == batch.grade).float().mean())


@torch.inference_mode()
def validated(grader: ExamGrader, val: Exams, size: int) -> dict[str, dict[str, float | None]]:
    """Figures of the validation exams: by both readers together, and by each alone."""
    points = 1 - PICTURE_SHARE
    rows: dict[str, list[ExamGrade]] = {"both": [], "points": [], "picture": []}
    for number, label in enumerate(val.labels):
        batch = plain(join([(number, label, val[number])]), size)
        both = grader(batch.images, batch.expressions, batch.exam, 1)
        assert both.read is not None  # noqa: S101  preset `small` has a reader
        said = {
            "both": both,
            "points": both._replace(grade_logits=both.read.grade_logits, side=both.read.side),
            "picture": both._replace(
                grade_logits=(both.grade_logits - points * both.read.grade_logits.log_softmax(1)) / PICTURE_SHARE,
                side=(both.side - points * both.read.side) / PICTURE_SHARE,
            ),
        }
        for name, output in said.items():
            rows[name].append(graded_exam(label, batch, output, 0, batch.exam == 0))
    return {name: validation_figures(found) for name, found in rows.items()}


def main() -> None:
    """Train the landmarker and the reader, and write the grader."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trunk", type=Path)
    parser.add_argument("--work", type=Path, default=Path("build/train_grader"))
    parser.add_argument("--people", type=int, default=2400, help="training people")
    parser.add_argument("--epochs", type=int, default=6, help="of the landmarker")
    parser.add_argument("--reader-epochs", type=int, default=80)
    given = parser.parse_args()
    spec = PRESETS["small"]
    config = LandmarkTraining(epochs=given.epochs, batch_size=4, precision="bf16-mixed", num_workers=1)
    folder, size = given.work / f"{SETTING}{SEED}", spec.image_size
    train, val = (
        SyntheticExams(SEED, SETTING, people, config.photo_size, folder) for people in (range(given.people), VALIDATION)
    )
    landmarker = fit_landmarker(config, train, val, given.work / "landmarker", given.work / "landmarker").model
    grader: ExamGrader = spec.network().eval()
    grader.load_state_dict(load_checkpoint(given.trunk, GraderSpec).network.state_dict(), strict=False)
    reader = grader.points
    assert reader is not None  # noqa: S101  preset `small` has one
    reader.landmarker.load_state_dict(load_checkpoint(landmarker, LandmarkerSpec).network.state_dict())
    scale = point_scale(
        [join([(one, train.labels[one], train[one])]) for one in range(min(SURVEYED, len(train)))], grader.expressions
    )
    assert scale is not None  # noqa: S101  every point of a rendered face is known
    reader.exam.begin_with(scale)
    torch.manual_seed(0)
    looked, errors = seen(reader.landmarker, train, size, VIEWS)
    others, _ = seen(reader.landmarker, val, size, 1)
    grader.points = fit_reader(reader, looked, errors, [one for (one,) in others], given.reader_epochs)
    found = validated(grader, val, size)
    for name, figures in found.items():
        print(name, {figure: value for figure, value in figures.items() if value is not None})
    people = {"train": len(train), "validation": len(val)}
    about = {"training": config.to_dict(), "people": people, "validation": found}
    save_checkpoint(given.work / "grader.safetensors", grader, spec, about)


if __name__ == "__main__":
    main()
