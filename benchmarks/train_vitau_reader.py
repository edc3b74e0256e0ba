"""Train what reads points in the shipped recogniser and region network, and join it to what sees photos.

python benchmarks/train_vitau_reader.py NETWORK --work FOLDER --grader GRADER
NETWORK is recogniser or regions, of which train_vitau.py made FOLDER/NETWORK; GRADER is the grader that train_grader.py
made, whose landmarker finds the points. Trained here is what follows from these, on the true points of the same people,
off by what the landmarker is off. Other people choose the epoch, the calibration and the thresholds.
FOLDER/NETWORK.safetensors is for `ship.py`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  the name that every reader of PyTorch knows
from torch import Tensor

from facialpalsy.models import exam_regions, vit
from facialpalsy.models.checkpoint import load_checkpoint, save_checkpoint
from facialpalsy.models.exam_regions import UnitReader
from facialpalsy.models.point_reader import both_views
from facialpalsy.models.registry import GraderSpec
from facialpalsy.models.vit import PalsyReader
from facialpalsy.training.augment import plain
from facialpalsy.training.config import RecogniserTraining, RegionTraining, Training
from facialpalsy.training.exams import Batch, Exams, join
from facialpalsy.training.losses import reading_losses
from facialpalsy.training.point_targets import begin_reader
from facialpalsy.training.recogniser import RecogniserTask, read_palsy
from facialpalsy.training.regions import RegionTask, read_units
from facialpalsy.training.task import BEST_MODEL
from point_reading import fit_reader, seen, together, without_pictures
from train_grader import SURVEYED, VALIDATION
from train_vitau import people_in

SECOND = 1
"""Class of grade II, of which a palsy is not learnt: clinicians do not agree on it, and I is to be told from III."""

MOST = 8.0
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


# Network -> settings, task, loss of a reader, how validation judges one, and share of the picture.
NETWORKS: Mapping[str, tuple[type[Training], Any, Any, Any, float]] = {
    "recogniser": (RecogniserTraining, RecogniserTask, palsy_loss, palsy_judged, vit.PICTURE_SHARE),
    "regions": (RegionTraining, RegionTask, unit_loss, units_judged, exam_regions.PICTURE_SHARE),
}


@torch.inference_mode()
def looked(network: Any, val: Exams, size: int) -> tuple[Batch, Tensor]:
    """All exams with the points found, and what the picture says of them and then of their mirror images."""
    exams, logits = [], []
    for number, label in enumerate(val.labels):
        batch = plain(join([(number, label, val[number])]), size)
        found = both_views(network, batch.images, batch.expressions, batch.exam, 1)
        exams.append(without_pictures(batch)._replace(points=found.read.points))
        logits.append(found.seen_logits)
    return together(exams), torch.cat([*(one[:1] for one in logits), *(one[1:] for one in logits)])


@torch.inference_mode()
def both(network: Any, val: Batch, seen_logits: Tensor, share: float) -> Tensor:
    """Logits of the exams and of their mirror images with that share of the picture."""
    reader = network.points
    exam = reader.read(val.points, val.expressions, val.exam, len(val.number)).with_mirrored().exam
    if isinstance(reader, PalsyReader):
        return share * seen_logits.log_softmax(1) + (1 - share) * reader.decided(exam).log_softmax(1)
    return share * seen_logits + (1 - share) * reader.unit_logits(exam)


def main() -> None:
    """Train the reader, print what each share of the picture would give, and write the network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--work", type=Path, default=Path("build/train_vitau"))
    parser.add_argument("--grader", type=Path, required=True)
    parser.add_argument("--people", type=int, default=2400, help="training people of each setting")
    parser.add_argument("--epochs", type=int, default=20)
    given = parser.parse_args()
    training, task_of, loss_of, judged, share_of_picture = NETWORKS[given.network]
    config = training()
    size = config.spec.image_size
    torch.manual_seed(config.seed)
    network: Any = config.spec.network().eval()
    trained = load_checkpoint(given.work / given.network / BEST_MODEL, type(config.spec))
    network.load_state_dict(trained.network.state_dict(), strict=False)
    reader, found = network.points, load_checkpoint(given.grader, GraderSpec).network.points
    assert found is not None  # noqa: S101  train_grader.py made it
    reader.landmarker.load_state_dict(found.landmarker.state_dict())
    train = people_in(given.work, range(given.people), config.photo_size)
    val = people_in(given.work, VALIDATION, config.photo_size)
    shown, seen_logits = looked(network, val, size)
    _, errors = seen(reader.landmarker, people_in(given.work, range(SURVEYED // 2), config.photo_size), size)
    exams = [without_pictures(join([(number, label, train[number])])) for number, label in enumerate(train.labels)]
    begin_reader(reader, exams[:: len(exams) // SURVEYED])
    judge = partial(judged, val=shown)
    network.points = fit_reader(reader, exams, errors, loss_of, judge, given.epochs, most=MOST, partial=True)
    task = task_of(config, network, train.labels, val.labels, given.work, {})
    for share in (*SHARES, share_of_picture):
        about = task.judged(task.said(shown, both(network, shown, seen_logits, share)), {})
        print(share, about.figures, flush=True)
    said = {"training": config.to_dict(), "trunk": trained.about, "people": len(train), "validation": about.about}
    save_checkpoint(given.work / f"{given.network}.safetensors", network, config.spec, said)


if __name__ == "__main__":
    main()
