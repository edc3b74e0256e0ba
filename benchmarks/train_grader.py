"""Train what reads points in the shipped grader, and join it to the trunk that sees photos.

python benchmarks/train_grader.py TRUNK --work FOLDER    # about two hours on 2 cores
TRUNK is a grader of preset `small` with or without points, as `facialpalsy train grader` makes it; what it sees of a
photo is kept. Trained here: the landmarker, on rendered people of settings a and c; then what reads the points that it
finds, on the true points of those of a and of more people of c who are posed but not rendered, off by what the
landmarker is off. Other people of both settings choose the epochs. FOLDER/grader.safetensors is for `ship.py`. A
landmarker that was stopped goes on.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import ConcatDataset

from facialpalsy.clinical.expressions import Expression
from facialpalsy.evaluation import ExamGrade
from facialpalsy.face import DENSE
from facialpalsy.models.checkpoint import load_checkpoint, save_checkpoint
from facialpalsy.models.exam_grader import PICTURE_SHARE, ExamGrader, PointReader
from facialpalsy.models.landmarker import Landmarker, LandmarkerSpec, places
from facialpalsy.models.registry import PRESETS, GraderSpec
from facialpalsy.training.augment import MIRROR_SHARE, plain
from facialpalsy.training.config import GraderTraining, LandmarkTraining
from facialpalsy.training.exams import EXPRESSIONS, Batch, ExamPhotos, Exams, join
from facialpalsy.training.grader_task import graded_exam
from facialpalsy.training.landmarks import ORDER, fit_landmarker
from facialpalsy.training.losses import WEIGHTS, point_losses
from facialpalsy.training.point_targets import point_scale
from facialpalsy.training.synthetic import SyntheticExams
from facialpalsy.training.targets import EXAM_TARGETS
from facialpalsy.training.validation import validation_figures

SEED, SETTING, OTHERS = 1001, "a", "c"
VALIDATION = range(8000, 8240)

ORDERED = list(ORDER)
SURVEYED = 600
BATCH, RATE, DECAY, AVERAGE = 64, 3e-3, 0.05, 0.99
# Standard deviations: of a point as a share of the picture, and of the logarithm of how far a person's movement goes,
# which no grade depends on: people of another setting, as of another clinic, show more or less.
JITTER, EFFORT = 0.001, 0.2
MOVED = {EXPRESSIONS.index(one): f"movement_{one}" for one in EXPRESSIONS if f"movement_{one}" in EXAM_TARGETS}


class ExamsOfAll(ConcatDataset[ExamPhotos]):
    """The exams of several settings, one setting after the other."""

    def __init__(self, settings: Sequence[SyntheticExams]) -> None:
        super().__init__(settings)
        self.labels = [label for exams in settings for label in exams.labels]


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


@torch.inference_mode()
def found_exam(landmarker: Landmarker, exams: Exams, number: int, size: int) -> Batch:
    """One exam with the points that the grader finds."""
    batch = plain(join([(number, exams.labels[number], exams[number])]), size)
    return without_pictures(batch)._replace(points=landmarker(batch.images))


def posed_exam(exams: SyntheticExams, number: int) -> Batch:
    """One exam that is not rendered."""
    torch.set_num_threads(1)
    return without_pictures(join([(number, exams.labels[number], exams.posed(number))]))


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
    """The exams with the points off by up to twice as much as those of another person in the same expression are.

    Errors of a face hang together; jitter of single points averages out and teaches nothing about them.
    """
    others = errors[torch.randint(len(errors), (len(batch.number),))[batch.exam], batch.expressions]
    pairs = len(DENSE.right)
    swapped = torch.cat([others[:, pairs : 2 * pairs], others[:, :pairs], others[:, 2 * pairs :]], 1)
    mirrored = swapped * torch.tensor([-1.0, 1.0])
    turned = torch.rand(len(batch.number))[batch.exam, None, None] < MIRROR_SHARE
    much = 2 * torch.rand(len(batch.number))[batch.exam, None, None]
    return batch._replace(points=batch.points + much * torch.where(turned, mirrored, others))


def fit_reader(reader: PointReader, train: Sequence[Batch], errors: Tensor, val: Batch, epochs: int) -> PointReader:
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
            batch = together(chosen)
            batch = with_other_efforts(batch._replace(points=batch.points[:, ORDERED]))
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
def judged(reader: PointReader, val: Batch) -> tuple[float, float]:
    """Cross-entropy of the grade, and the share of exams graded exactly."""
    logits = reader.read(val.points, val.expressions, val.exam, len(val.grade)).grade_logits
    loss = torch.nn.functional.cross_entropy(logits, val.grade)
    return float(loss), float((logits.argmax(1) == val.grade).float().mean())


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
    parser.add_argument("--people", type=int, default=2400, help="rendered training people of a; of c half as many")
    parser.add_argument("--posed", type=int, default=4800, help="training people of c who are not rendered")
    parser.add_argument("--epochs", type=int, default=6, help="of the landmarker")
    parser.add_argument("--reader-epochs", type=int, default=30)
    given = parser.parse_args()
    spec = PRESETS["small"]
    config = LandmarkTraining(epochs=given.epochs, batch_size=4, precision="bf16-mixed", num_workers=1)
    size = spec.image_size

    def people(setting: str, numbers: range) -> SyntheticExams:
        return SyntheticExams(SEED, setting, numbers, config.photo_size, given.work / f"{setting}{SEED}")

    train, val, others = (
        people(SETTING, range(given.people)), people(SETTING, VALIDATION), people(OTHERS, VALIDATION),
    )  # fmt: skip
    landmarker = fit_landmarker(
        config,
        ExamsOfAll([train, people(OTHERS, range(given.people // 2))]),
        ExamsOfAll([val, others]),
        given.work / "landmarker",
        given.work / "landmarker",
    ).model
    grader: ExamGrader = spec.network().eval()
    known = load_checkpoint(given.trunk, GraderSpec).network.state_dict()
    grader.load_state_dict({name: one for name, one in known.items() if not name.startswith("points.")}, strict=False)
    reader = grader.points
    assert reader is not None  # noqa: S101  preset `small` has one
    reader.landmarker.load_state_dict(load_checkpoint(landmarker, LandmarkerSpec).network.state_dict())
    exams, errors = seen(reader.landmarker, train, size)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        exams += pool.map(partial(posed_exam, people(OTHERS, range(given.posed))), range(given.posed), chunksize=8)
    scale = point_scale(exams[:SURVEYED], grader.expressions)
    assert scale is not None  # noqa: S101  every point of a synthetic face is known
    reader.exam.begin_with(scale)
    torch.manual_seed(0)
    asked = together(
        [found_exam(reader.landmarker, one, number, size) for one in (val, others) for number in range(len(one))]
    )
    grader.points = fit_reader(reader, exams, errors, asked, given.reader_epochs)
    found = validated(grader, val, size)
    for name, figures in found.items():
        print(name, {figure: value for figure, value in figures.items() if value is not None})
    counts = {"train": len(train), "posed": given.posed, "validation": len(val)}
    about = {"training": config.to_dict(), "people": counts, "validation": found}
    save_checkpoint(given.work / "grader.safetensors", grader, spec, about)


if __name__ == "__main__":
    main()
