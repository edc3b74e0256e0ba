"""Recogniser: trained to tell exams with a palsy from those without; validation people calibrate what it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  the name that every reader of PyTorch knows
from scipy.special import expit
from torch import Tensor, nn

from facialpalsy.errors import SplitError
from facialpalsy.evaluation.threshold import EVEN
from facialpalsy.models.point_reader import both_views
from facialpalsy.models.vit import PALSY, ExamRecogniser, RecogniserOutput
from facialpalsy.training.augment import kept
from facialpalsy.training.auxiliary import ExamTargets, PhotoTargets, UnitTargets
from facialpalsy.training.config import RecogniserTraining
from facialpalsy.training.decisions import binary_figures, calibration
from facialpalsy.training.exams import Batch, ExamLabel, Exams
from facialpalsy.training.fit import Fitted, fit, surveyed
from facialpalsy.training.losses import IGNORED, reading_losses
from facialpalsy.training.point_targets import begin_reader
from facialpalsy.training.task import ExamTask, Found, class_weights

_PHOTO = 0.5
_SLIGHT = 2  # House-Brackmann
_PARTS = 3  # of each validation exam


class RecognisedExam(NamedTuple):
    """What validation saw of one exam.

    Attributes:
        logits: Log-odds of a palsy, of the exam and of its mirror image; after that the same of parts of it.
        read: Whether the points count in each of these answers.
        palsy: Whether there is a palsy.
        slight: Whether it is.
    """

    logits: list[list[float]]
    read: list[bool]
    palsy: bool
    slight: bool


class RecogniserTask(ExamTask[RecogniserTraining, RecognisedExam]):
    """The recogniser in training; arguments as of `ExamTask`."""

    chosen_by: ClassVar[str] = "loss"
    shown: ClassVar[tuple[str, ...]] = ("acc", "mean_class_acc")
    rises: ClassVar[str] = "mean_class_acc"

    network: ExamRecogniser
    average: ExamRecogniser
    class_weights: Tensor | None

    def __init__(
        self,
        config: RecogniserTraining,
        network: ExamRecogniser,
        train: Sequence[ExamLabel],
        val: Sequence[ExamLabel],
        save_dir: Path,
        about: Mapping[str, Any],
    ) -> None:
        super().__init__(config, network, train, val, save_dir, about)
        weights = class_weights([int(bool(one.palsy)) for one in train], 2) if config.class_weights else None
        self.register_buffer("class_weights", weights, persistent=False)
        self.photo_targets = PhotoTargets(network.trunk.features)
        self.exam_targets = ExamTargets(network.hidden)
        self.photo_units, self.exam_units = UnitTargets(network.trunk.features), UnitTargets(network.hidden)

    def trained_parts(self) -> Sequence[nn.Module]:
        """The recogniser, and what its auxiliary targets are read by."""
        return [self.network, self.photo_targets, self.exam_targets, self.photo_units, self.exam_units]

    def losses(self, batch: Batch) -> tuple[dict[str, Tensor], Mapping[str, float]]:
        """Cross-entropy of exams and of single photos, and the auxiliary losses."""
        output = self.network(batch.images, batch.expressions, batch.exam, len(batch.number))
        truth, weights = batch.palsy.long(), self.class_weights
        exam = F.cross_entropy(output.seen_logits.float(), truth, weights, label_smoothing=self.config.label_smoothing)
        photo = F.cross_entropy(output.photo_logits.float(), truth[batch.exam], weights)
        found = {"exam": exam, "photo": _PHOTO * photo}
        with torch.autocast(self.device.type, enabled=False):
            found |= self.photo_targets.losses(output.features.float(), batch)
            found |= self.exam_targets.losses(output.known.float(), batch)
            found["photo_units"] = self.photo_units.loss(output.features.float(), batch.units[batch.exam])
            found["exam_units"] = self.exam_units.loss(output.known.float(), batch.units)
            if output.read is not None and output.read_logits is not None:
                found |= reading_losses(output.read, batch)
                found["read"] = read_palsy(output.read_logits, output.read.exam.known, truth, weights)
        return found, {"acc": int((output.exam_logits.argmax(1) == truth).sum())}

    def look(self, batch: Batch) -> tuple[dict[int, RecognisedExam], Tensor]:
        """The log-odds of each exam, of parts of it, and of the mirror images."""
        found = both_views(self.average, batch.images, batch.expressions, batch.exam, len(batch.number))
        points = None if found.read is None else found.read.points
        return self.said(batch, found.features, points), found.exam_logits.sum()

    def said(self, batch: Batch, features: Tensor, points: Tensor | None) -> dict[int, RecognisedExam]:
        """What `average` says of exams and of random parts of them.

        Args:
            batch: The n photos of e exams.
            features: (2n, dim) that it knows of each photo and then of each mirrored one.
            points: (n, points, 2) of the photos; None for a network without them.
        """
        logits, read = [], []
        for photos in (torch.ones_like(batch.exam, dtype=torch.bool), *_parts(batch)):
            output = _of_part(self.average, batch, features, points, photos)
            odds = output.exam_logits[:, PALSY] - output.exam_logits[:, 1 - PALSY]
            logits.append(odds.view(2, -1).T)
            known = torch.zeros_like(odds, dtype=torch.bool) if output.read is None else output.read.exam.known
            read.append(known[: len(batch.number)])
        return {
            number: RecognisedExam(odds, counts, bool(palsy), self.val_labels[number].grade == _SLIGHT)
            for number, odds, counts, palsy in zip(
                batch.number.tolist(),
                torch.stack(logits, 1).tolist(),
                torch.stack(read, 1).tolist(),
                batch.palsy.tolist(),
                strict=True,
            )
        }

    def judged(self, seen: Mapping[int, RecognisedExam], counted: Mapping[str, float]) -> Found:
        """Figures of the exams, and what turns log-odds into a calibrated probability and a decision.

        What the picture alone says and what both say are calibrated each by itself, on exams and parts of exams, since
        few photos tell less than many. Grade II, the border on which clinicians do not agree either, is left out.
        """
        logits = np.array([one.logits for one in seen.values()])
        read = np.array([one.read for one in seen.values()])
        truth = np.array([one.palsy for one in seen.values()])
        clear = np.array([not one.slight for one in seen.values()])
        lines, probability = {}, np.empty(logits.shape)
        for name, of in (("picture", ~read), ("points", read)):
            exam, _ = chosen = np.nonzero(of & clear[:, None])
            slope, intercept = lines[name] = calibration(logits[chosen].ravel(), truth[exam].repeat(2))
            probability[of] = expit(slope * logits[of] + intercept)
        whole = probability[:, 0].mean(1)
        found = binary_figures(expit(logits[:, 0]).mean(1), truth)
        found["auc_without_slight"] = binary_figures(whole[clear], truth[clear])["auc"]
        scalars = {f"val_exam/{name}": value for name, value in found.items()}
        return Found(found, scalars, {"by_exam": found, "decision": {**lines, "threshold": EVEN}})


def _parts(batch: Batch) -> Iterator[Tensor]:
    """(n,) which photos are kept of every exam, the same whenever these exams are looked at."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(batch.number[0]))
        for _ in range(_PARTS):
            yield kept(batch.exam.cpu(), torch.rand(len(batch.number))).to(batch.exam.device)


def _of_part(
    network: ExamRecogniser, batch: Batch, features: Tensor, points: Tensor | None, photos: Tensor
) -> RecogniserOutput:
    """What is said of these photos of each exam, and then of their mirror images; arguments as of `said`."""
    exams, expressions, exam = len(batch.number), batch.expressions[photos], batch.exam[photos]
    read = None
    if network.points is not None and points is not None:
        read = network.points.read(points[photos], expressions, exam, exams).with_mirrored()
    return network.joined(
        features[photos.repeat(2)], expressions.repeat(2), torch.cat([exam, exam + exams]), 2 * exams, read
    )


def read_palsy(logits: Tensor, known: Tensor, truth: Tensor, weights: Tensor | None = None) -> Tensor:
    """Cross-entropy of the (e, 2) logits that the points say, over the exams of which they say something."""
    summed = F.cross_entropy(logits, torch.where(known, truth, IGNORED), weights, ignore_index=IGNORED, reduction="sum")
    return summed / known.sum().clamp(min=1)


def fit_recogniser(
    config: RecogniserTraining,
    train: Exams,
    val: Exams,
    save_dir: Path,
    log_dir: Path,
    *,
    start: ExamRecogniser | None = None,
    about: Mapping[str, Any] = MappingProxyType({}),
    accelerator: str = "auto",
    devices: int | str = "auto",
) -> Fitted:
    """Train a recogniser; arguments and errors are those of `fit`.

    Raises:
        SplitError: besides, a part has exams of one class only, or whose class is not known.
    """
    for name, exams in (("training", train), ("validation", val)):
        found = {one.palsy for one in exams.labels}
        if exams.labels and found != {True, False}:
            what = " and ".join({True: "palsied", False: "healthy", None: "unknown"}[one] for one in found)
            raise SplitError(
                f"The {name} exams are {what} only; a recogniser learns from palsied and from healthy people. Add "
                "people, or split them by class."
            )

    def task(network: nn.Module, said: Mapping[str, Any]) -> RecogniserTask:
        assert isinstance(network, ExamRecogniser)  # noqa: S101  its specification makes one
        if network.points is not None:
            begin_reader(network.points, surveyed(config, train))
        return RecogniserTask(config, network, train.labels, val.labels, save_dir, said)

    return fit(
        config, task, train, val, save_dir, log_dir, start=start, about=about, accelerator=accelerator, devices=devices
    )
