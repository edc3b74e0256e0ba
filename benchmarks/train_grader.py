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
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import ConcatDataset

from facialpalsy.evaluation import ExamGrade
from facialpalsy.models.checkpoint import load_checkpoint, save_checkpoint
from facialpalsy.models.exam_grader import PICTURE_SHARE, ExamGrader, GradeReader
from facialpalsy.models.landmarker import Landmarker, LandmarkerSpec
from facialpalsy.models.registry import PRESETS, GraderSpec
from facialpalsy.training.augment import plain
from facialpalsy.training.config import GraderTraining, LandmarkTraining
from facialpalsy.training.exams import Batch, ExamPhotos, Exams, join
from facialpalsy.training.grader_task import graded_exam
from facialpalsy.training.landmarks import fit_landmarker
from facialpalsy.training.losses import WEIGHTS, point_losses, reading_losses
from facialpalsy.training.point_targets import begin_reader
from facialpalsy.training.synthetic import SyntheticExams
from facialpalsy.training.validation import validation_figures
from point_reading import fit_reader, seen, together, without_pictures

SEED, SETTING, OTHERS = 1001, "a", "c"
VALIDATION = range(8000, 8240)

SURVEYED = 600


class ExamsOfAll(ConcatDataset[ExamPhotos]):
    """The exams of several settings, one setting after the other."""

    def __init__(self, settings: Sequence[SyntheticExams]) -> None:
        super().__init__(settings)
        self.labels = [label for exams in settings for label in exams.labels]


@torch.inference_mode()
def found_exam(landmarker: Landmarker, exams: Exams, number: int, size: int) -> Batch:
    """One exam with the points that the grader finds."""
    batch = plain(join([(number, exams.labels[number], exams[number])]), size)
    return without_pictures(batch)._replace(points=landmarker(batch.images))


def posed_exam(exams: SyntheticExams, number: int) -> Batch:
    """One exam that is not rendered."""
    torch.set_num_threads(1)
    return without_pictures(join([(number, exams.labels[number], exams.posed(number))]))


@torch.inference_mode()
def judged(reader: GradeReader, val: Batch) -> tuple[float, float]:
    """Cross-entropy of the grade, and the share of exams graded exactly."""
    logits, _ = reader.graded(reader.read(val.points, val.expressions, val.exam, len(val.grade)).exam)
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
        assert both.read_grade is not None and both.read_side is not None  # noqa: S101  preset `small` has a reader
        said = {
            "both": both,
            "points": both._replace(grade_logits=both.read_grade, side=both.read_side),
            "picture": both._replace(
                grade_logits=(both.grade_logits - points * both.read_grade.log_softmax(1)) / PICTURE_SHARE,
                side=(both.side - points * both.read_side) / PICTURE_SHARE,
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
    begin_reader(reader, exams[:SURVEYED])
    torch.manual_seed(0)
    asked = together(
        [found_exam(reader.landmarker, one, number, size) for one in (val, others) for number in range(len(one))]
    )
    graded = GraderTraining()

    def loss_of(one: GradeReader, batch: Batch) -> Tensor:
        read = one.read(batch.points, batch.expressions, batch.exam, len(batch.number))
        losses = point_losses(read, *one.graded(read.exam), batch, graded)
        weighed = {name: WEIGHTS[name] * loss for name, loss in losses.items()} | reading_losses(read, batch)
        return torch.stack(list(weighed.values())).sum()

    grader.points = fit_reader(reader, exams, errors, loss_of, partial(judged, val=asked), given.reader_epochs)
    found = validated(grader, val, size)
    for name, figures in found.items():
        print(name, {figure: value for figure, value in figures.items() if value is not None})
    counts = {"train": len(train), "posed": given.posed, "validation": len(val)}
    about = {"training": config.to_dict(), "people": counts, "validation": found}
    save_checkpoint(given.work / "grader.safetensors", grader, spec, about)


if __name__ == "__main__":
    main()
