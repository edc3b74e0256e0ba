"""Grader task: what a step of the grader is pulled by, and how validation grades are judged."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812  the name that every reader of PyTorch knows
from torch import Tensor, nn

from facialpalsy.evaluation import ExamGrade
from facialpalsy.face import Side
from facialpalsy.models.exam_grader import ExamGrader, GraderOutput
from facialpalsy.training.config import GraderTraining
from facialpalsy.training.exams import Batch, ExamLabel
from facialpalsy.training.losses import Heads, grader_losses
from facialpalsy.training.targets import Scale
from facialpalsy.training.task import ExamTask, Found, class_weights
from facialpalsy.training.validation import CHOSEN_BY, validation_figures

GRADES = 6


class GradedExam(NamedTuple):
    """What validation saw of one exam."""

    row: ExamGrade
    loss: float
    asymmetry: float | None


class GraderTask(ExamTask[GraderTraining, GradedExam]):
    """The grader in training.

    Args:
        config: Settings.
        network: The grader, its prior set.
        scale: Of the targets.
        train: Labels of the training exams.
        val: Labels of the validation exams.
        save_dir: Where the best model goes.
        about: What else its checkpoint says.
    """

    chosen_by: ClassVar[str] = CHOSEN_BY
    shown: ClassVar[tuple[str, ...]] = ("acc", "within_one")
    rises: ClassVar[str] = "acc"

    network: ExamGrader
    class_weights: Tensor | None

    def __init__(
        self,
        config: GraderTraining,
        network: ExamGrader,
        scale: Scale,
        train: Sequence[ExamLabel],
        val: Sequence[ExamLabel],
        save_dir: Path,
        about: Mapping[str, Any],
    ) -> None:
        super().__init__(config, network, train, val, save_dir, {**about, "scale": scale.to_dict()})
        self.scale, self.heads = scale, Heads(network)
        weights = class_weights([one.grade - 1 for one in train], GRADES) if config.class_weights else None
        self.register_buffer("class_weights", weights, persistent=False)

    def trained_parts(self) -> Sequence[nn.Module]:
        """The grader, and what its auxiliary targets are read by."""
        return [self.network, self.heads]

    def losses(self, batch: Batch) -> tuple[dict[str, Tensor], Mapping[str, float]]:
        """Every loss in full precision, and how many exams are graded right."""
        output = self.network(batch.images, batch.expressions, batch.exam, len(batch.grade))
        output = output._make(one.float() if isinstance(one, Tensor) else one for one in output)
        roi = self.network.trunk.roi
        with torch.autocast(self.device.type, enabled=False):
            found = grader_losses(
                output,
                batch,
                self.heads,
                self.scale,
                None if roi is None else roi.facial_prior,
                self.config,
                self.class_weights,
            )
        return found, {"acc": int((output.grade_logits.argmax(1) == batch.grade).sum())}

    def look(self, batch: Batch) -> tuple[dict[int, GradedExam], Tensor]:
        """The grade and the mean asymmetry of each exam."""
        output = self.average(batch.images, batch.expressions, batch.exam, len(batch.grade))
        loss = F.cross_entropy(output.grade_logits, batch.grade, reduction="none")
        seen = {}
        for place, number in enumerate(batch.number.tolist()):
            mine = batch.exam == place
            asymmetry = None if output.asymmetry is None else float(output.asymmetry[mine].mean())
            row = graded_exam(self.val_labels[number], batch, output, place, mine)
            seen[number] = GradedExam(row, float(loss[place]), asymmetry)
        return seen, loss.sum()

    def judged(self, seen: Mapping[int, GradedExam], counted: Mapping[str, float]) -> Found:
        """Figures by exam and by person, and the mean asymmetry of each grade."""
        rows = [one.row for one in seen.values()]
        exam, person = validation_figures(rows), validation_figures(rows, by_person=True)
        figures: dict[str, float | None] = {
            "loss": sum(one.loss for one in seen.values()) / len(seen),
            "acc": exam["exact"],
            "f1_macro": exam["macro_f1"],
            "mean_class_acc": exam["balanced_accuracy"],
            **{name: exam[name] for name in ("within_one", "kappa_quadratic", "side_3_to_6", CHOSEN_BY)},
        }
        scalars = {f"val_exam/{name}": value for name, value in exam.items()}
        scalars |= {f"val_person/{name}": value for name, value in person.items()}
        scalars |= {f"asymmetry/grade_{grade}": value for grade, value in _by_grade(seen).items()}
        return Found(figures, scalars, {"by_exam": exam, "by_person": person})


def graded_exam(label: ExamLabel, batch: Batch, output: GraderOutput, place: int, mine: Tensor) -> ExamGrade:
    """What a grader says of an exam, beside what is true.

    Args:
        label: Of the exam.
        batch: The exams that it was asked of.
        output: What it said.
        place: Of the exam in the batch.
        mine: (n,) which photos are of it.
    """
    # In double precision they sum to 1 as closely as the evaluation wants it.
    shares = output.grade_logits[place].double().softmax(0).tolist()
    truth = float(batch.side[place])
    return ExamGrade(
        subject=label.subject,
        exam=label.key,
        photos=tuple(f"{label.key}#{number}" for number in range(int(mine.sum()))),
        grade=label.grade,
        side=None if math.isnan(truth) else Side.LEFT if truth else Side.RIGHT,
        probabilities=tuple(shares),
        left=None if output.side is None else float(output.side[place].sigmoid()),
    )


def _by_grade(seen: Mapping[int, GradedExam]) -> dict[int, float]:
    """Mean asymmetry of the exams of each grade."""
    found: dict[int, list[float]] = defaultdict(list)
    for one in seen.values():
        if one.asymmetry is not None:
            found[one.row.grade].append(one.asymmetry)
    return {grade: sum(values) / len(values) for grade, values in sorted(found.items())}
