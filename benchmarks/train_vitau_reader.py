"""Train what reads points in the shipped recogniser and region network, and join it to what sees photos.

python benchmarks/train_vitau_reader.py --work FOLDER --grader GRADER
Of each NETWORK, recogniser and regions, train_vitau.py made FOLDER/NETWORK; GRADER is the grader that train_grader.py
made, whose landmarker finds the points. Trained here is what follows from these, on the true points of the same people
and of more who need not be rendered, off by what the landmarker is off. Other people choose the epoch, the calibration
and the thresholds. FOLDER/NETWORK.safetensors is for `ship.py`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  the name that every reader of PyTorch knows
from sklearn.metrics import roc_auc_score
from torch import Tensor

from facialpalsy.models import exam_regions
from facialpalsy.models.checkpoint import load_checkpoint, save_checkpoint
from facialpalsy.models.exam_regions import UnitReader, map_scores
from facialpalsy.models.registry import GraderSpec
from facialpalsy.models.vit import PALSY, ExamRecogniser, PalsyReader
from facialpalsy.training.augment import plain
from facialpalsy.training.config import RecogniserTraining, RegionTraining, Training
from facialpalsy.training.exams import Batch, Exams, join
from facialpalsy.training.losses import reading_losses
from facialpalsy.training.point_targets import begin_reader
from facialpalsy.training.recogniser import RecogniserTask, read_palsy
from facialpalsy.training.regions import RegionTask, read_units
from facialpalsy.training.task import BEST_MODEL
from point_reading import fit_reader, seen, together, without_pictures
from train_grader import SURVEYED, VALIDATION, ExamsOfAll, found_exam, posed_exam
from train_vitau import people_in

SECOND = 1
"""Class of grade II, of which a palsy is not learnt: clinicians do not agree on it, and I is to be told from III."""

FURTHER, BORDER = range(9000, 15600), (1, 3)
"""People of each setting who are posed besides, and their grades: a slight III is hard to tell from I, and rare."""

MOST = 4.0
"""How many times the landmarker's error on synthetic faces the points may be off: of other faces it errs more."""

SHARES = (0.0, 0.1, 0.2, 0.3, 0.5, 1.0)
"""Of the picture, whose validation figures are printed; the network takes that of its module."""


def palsy_loss(reader: PalsyReader, batch: Batch) -> Tensor:
    """Of a recogniser's reader, from all grades but II."""
    read = reader.read(batch.points, batch.expressions, batch.exam, len(batch.number))
    clear = batch.grade != SECOND
    loss = read_palsy(reader.decided(read.exam), read.exam.known & clear, batch.palsy.long())
    return loss + _numbers(read, batch)


def unit_loss(reader: UnitReader, batch: Batch) -> Tensor:
    """Of the reader of a region network."""
    read = reader.read(batch.points, batch.expressions, batch.exam, len(batch.number))
    return read_units(reader.unit_logits(read.exam), read.exam.known, batch.units.flatten(1)) + _numbers(read, batch)


def _numbers(read: Any, batch: Batch) -> Tensor:
    return torch.stack(list(reading_losses(read, batch).values())).sum()


@torch.inference_mode()
def palsy_judged(reader: PalsyReader, val: Batch) -> tuple[float, float]:
    """Cross-entropy and accuracy, of all grades but II."""
    clear = val.grade != SECOND
    logits = reader.decided(reader.read(val.points, val.expressions, val.exam, len(val.number)).exam)[clear]
    truth = val.palsy.long()[clear]
    return float(F.cross_entropy(logits, truth)), float((logits.argmax(1) == truth).float().mean())


@torch.inference_mode()
def units_judged(reader: UnitReader, val: Batch) -> tuple[float, float]:
    """Cross-entropy and accuracy over units and sides."""
    logits = reader.unit_logits(reader.read(val.points, val.expressions, val.exam, len(val.number)).exam)
    truth = val.units.flatten(1)
    loss = F.binary_cross_entropy_with_logits(logits, truth)
    return float(loss), float(((logits > 0) == (truth > 0)).float().mean())


# Network -> settings, task, loss of a reader, and how validation judges one.
NETWORKS: Mapping[str, tuple[type[Training], Any, Any, Any]] = {
    "recogniser": (RecogniserTraining, RecogniserTask, palsy_loss, palsy_judged),
    "regions": (RegionTraining, RegionTask, unit_loss, units_judged),
}


@torch.inference_mode()
def pictured(network: Any, val: Exams, size: int) -> Tensor:
    """What is known of all exams by the picture.

    Of a recogniser that is (2n, dim) of the photos and of their mirror images, of a region network (2e, points) logits
    of the exams and of their mirror images.
    """
    known = []
    for number, label in enumerate(val.labels):
        batch = plain(join([(number, label, val[number])]), size)
        images = torch.cat([batch.images, batch.images.flip(-1)])
        if isinstance(network, ExamRecogniser):
            found = network.trunk.forward_features(images)
        else:
            exam = torch.cat([batch.exam, batch.exam + 1])
            found = network.pooled(map_scores(network.trunk(images)), batch.expressions.repeat(2), exam, 2)
        known.append(found.chunk(2))
    return torch.cat([*(one for one, _ in known), *(one for _, one in known)])


@torch.inference_mode()
def answers(network: Any, val: Batch, known: Tensor) -> tuple[Tensor, Tensor]:
    """(2e, questions) log-odds of the exams and of their mirror images, by the picture and by the points."""
    exams = len(val.number)
    read = network.points.read(val.points, val.expressions, val.exam, exams).with_mirrored()
    if not isinstance(network, ExamRecogniser):
        return known, network.points.unit_logits(read.exam)
    exam = torch.cat([val.exam, val.exam + exams])
    found = network.joined(known, val.expressions.repeat(2), exam, 2 * exams, read)
    picture, points = (one[:, [PALSY]] - one[:, [1 - PALSY]] for one in (found.seen_logits, found.read_logits))
    return picture, points


def ranked(odds: Tensor, val: Batch, *, of_units: bool) -> float:
    """Mean area under the curve over the questions; of a palsy without grade II."""
    odds = odds[: len(val.number)]
    if of_units:
        return float(np.mean([roc_auc_score(*one) for one in zip(val.units.flatten(1).T, odds.T, strict=True)]))
    clear = val.grade != SECOND
    return float(roc_auc_score(val.palsy[clear], odds[clear]))


@torch.inference_mode()
def validated(network: Any, task: Any, shown: Batch, known: Tensor) -> Any:
    """What both readers say of the validation exams, after printing what each share of the picture would give."""
    of_units = not isinstance(network, ExamRecogniser)
    picture, points = answers(network, shown, known)
    for share in SHARES:
        mean = share * picture + (1 - share) * points
        print(f"share of the picture {share}: AUC {ranked(mean, shown, of_units=of_units):.4f}")
    if not of_units:
        return task.said(shown, known, shown.points)
    return task.said(shown, exam_regions.PICTURE_SHARE * picture + (1 - exam_regions.PICTURE_SHARE) * points)


def main() -> None:
    """Train the readers, print what each share of the picture would give, and write the networks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("build/train_vitau"))
    parser.add_argument("--grader", type=Path, required=True)
    parser.add_argument("--people", type=int, default=2400, help="rendered training people of each setting")
    parser.add_argument("--posed", type=int, default=3000, help="others of each setting, who are not rendered")
    parser.add_argument("--epochs", type=int, default=24)
    given = parser.parse_args()
    config: Any = RecogniserTraining()
    size = config.spec.image_size
    grader = load_checkpoint(given.grader, GraderSpec).network
    assert grader.points is not None  # noqa: S101  train_grader.py made it
    landmarker = grader.points.landmarker

    def people(numbers: range) -> ExamsOfAll:
        return people_in(given.work, numbers, config.photo_size)

    train, val = people(range(given.people)), people(VALIDATION)
    others = people(range(given.people, given.people + given.posed)).datasets
    posed = [(few, range(len(few))) for few in others]
    posed += [
        (few, [number for number, label in enumerate(few.labels) if label.grade in BORDER])
        for few in people(FURTHER).datasets
    ]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        exams = [one for few, some in posed for one in pool.map(partial(posed_exam, few), some, chunksize=8)]
    exams += [without_pictures(join([(number, label, train[number])])) for number, label in enumerate(train.labels)]
    _, errors = seen(landmarker, people(range(SURVEYED // 2)), size)
    shown = together([found_exam(landmarker, val, number, size) for number in range(len(val.labels))])
    for name, (training, task_of, loss_of, judged) in NETWORKS.items():
        config = training()
        torch.manual_seed(config.seed)
        network: Any = config.spec.network().eval()
        trained = load_checkpoint(given.work / name / BEST_MODEL, type(config.spec))
        network.load_state_dict(trained.network.state_dict(), strict=False)
        network.points.landmarker.load_state_dict(landmarker.state_dict())
        begin_reader(network.points, exams[:: len(exams) // SURVEYED])
        network.points = fit_reader(
            network.points, exams, errors, loss_of, partial(judged, val=shown), given.epochs,
            most=MOST, partial=True,
        )  # fmt: skip
        known = pictured(network, val, size)
        task = task_of(config, network, train.labels, val.labels, given.work, {})
        about = task.judged(validated(network, task, shown, known), {})
        print(about.figures, about.about, flush=True)
        said = {"training": config.to_dict(), "trunk": trained.about, "people": len(exams), "validation": about.about}
        save_checkpoint(given.work / f"{name}.safetensors", network, config.spec, said)


if __name__ == "__main__":
    main()
