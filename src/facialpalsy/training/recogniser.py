"""Recogniser: trained to tell exams with a palsy from those without; validation people calibrate what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  the name that every reader of PyTorch knows
from torch import Tensor, nn

from facialpalsy.errors import SplitError
from facialpalsy.evaluation.threshold import best_threshold
from facialpalsy.models.vit import PALSY, ExamRecogniser
from facialpalsy.training.auxiliary import ExamTargets, PhotoTargets, UnitTargets
from facialpalsy.training.config import RecogniserTraining
from facialpalsy.training.decisions import binary_figures, calibration
from facialpalsy.training.exams import Batch, ExamLabel, Exams
from facialpalsy.training.fit import Fitted, fit
from facialpalsy.training.task import ExamTask, Found, class_weights

_PHOTO = 0.5
_SLIGHT = 2  # House-Brackmann


class RecognisedExam(NamedTuple):
    """What validation saw of one exam: the log-odds of a palsy, whether there is one, and whether it is slight."""

    logit: float
    palsy: bool
    slight: bool


class RecogniserTask(ExamTask[RecogniserTraining, RecognisedExam]):
    """The recogniser in training; arguments as of `ExamTask`."""

    chosen_by: ClassVar[str] = "loss"
    shown: ClassVar[tuple[str, ...]] = ("acc", "mean_class_acc")
    rises: ClassVar[str] = "mean_class_acc"

    network: ExamRecogniser
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
        exam = F.cross_entropy(output.exam_logits.float(), truth, weights, label_smoothing=self.config.label_smoothing)
        photo = F.cross_entropy(output.photo_logits.float(), truth[batch.exam], weights)
        found = {"exam": exam, "photo": _PHOTO * photo}
        with torch.autocast(self.device.type, enabled=False):
            found |= self.photo_targets.losses(output.features.float(), batch)
            found |= self.exam_targets.losses(output.known.float(), batch)
            found["photo_units"] = self.photo_units.loss(output.features.float(), batch.units[batch.exam])
            found["exam_units"] = self.exam_units.loss(output.known.float(), batch.units)
        return found, {"acc": int((output.exam_logits.argmax(1) == truth).sum())}

    def look(self, batch: Batch) -> tuple[dict[int, RecognisedExam], Tensor]:
        """The log-odds of each exam."""
        logits = self.average(batch.images, batch.expressions, batch.exam, len(batch.number)).exam_logits
        odds = logits[:, PALSY] - logits[:, 1 - PALSY]
        seen = {
            number: RecognisedExam(float(odd), bool(palsy), self.val_labels[number].grade == _SLIGHT)
            for number, odd, palsy in zip(batch.number.tolist(), odds, batch.palsy, strict=True)
        }
        return seen, odds.sum()

    def judged(self, seen: Mapping[int, RecognisedExam], counted: Mapping[str, float]) -> Found:
        """Figures of the exams, and what turns log-odds into a calibrated probability and a decision.

        The threshold is chosen without grade II, the border, on which clinicians do not agree either.
        """
        logits = np.array([one.logit for one in seen.values()])
        truth = np.array([one.palsy for one in seen.values()])
        clear = np.array([not one.slight for one in seen.values()])
        slope, intercept = calibration(logits, truth)
        probability = 1 / (1 + np.exp(-(slope * logits + intercept)))
        found = binary_figures(1 / (1 + np.exp(-logits)), truth)
        found["auc_without_slight"] = binary_figures(probability[clear], truth[clear])["auc"]
        chosen = {"slope": slope, "intercept": intercept, "threshold": best_threshold(probability[clear], truth[clear])}
        scalars = {f"val_exam/{name}": value for name, value in found.items()}
        return Found(found, scalars, {"by_exam": found, "decision": chosen})


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
        return RecogniserTask(config, network, train.labels, val.labels, save_dir, said)

    return fit(
        config, task, train, val, save_dir, log_dir, start=start, about=about, accelerator=accelerator, devices=devices
    )
