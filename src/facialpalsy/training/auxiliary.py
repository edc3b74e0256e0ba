"""Auxiliary targets: what made a synthetic patient, learnt beside what is asked for.

Whether an exam shows a palsy is one bit, and a network that sees only it learns slowly what a face is. So a linear map
from what the network knows of a photo is to give the photo's points and the strength of every action on both sides, and
one from what it knows of an exam how far each movement goes; those of a recogniser also say which units are palsied.
The maps are thrown away after training. Where nobody knows these numbers, as of real people, nothing is learnt of them.
"""

from __future__ import annotations

from torch import Tensor, nn

from facialpalsy.clinical.actions import PALSY_UNITS
from facialpalsy.face import DENSE
from facialpalsy.training.exams import Batch
from facialpalsy.training.landmarks import place_losses
from facialpalsy.training.losses import binary, squared
from facialpalsy.training.targets import EXAM_TARGETS, PHOTO_TARGETS, focused

# What moves between the photos of an exam, and differs between the sides, tells a palsy; where the face is does not.
_POINTS = {"place": 2.0, "sides": 3.0, "movement": 6.0}
_STRENGTHS, _EXAM, _UNITS = 0.3, 0.3, 1.0


class PhotoTargets(nn.Module):
    """Points and strengths from what is known of a photo.

    Args:
        features: Numbers that are known.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.points = nn.Linear(features, 2 * DENSE.size)
        nn.init.constant_(self.points.bias, 0.5)
        self.strengths = nn.Linear(features, 2 * len(PHOTO_TARGETS))

    def losses(self, features: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Each loss times its weight.

        Args:
            features: (n, features) of the photos of `batch`.
            batch: What they are of.
        """
        found = place_losses(self.points(features).view(-1, DENSE.size, 2), batch)
        strengths = squared(self.strengths(features), focused(batch.photo_truth).flatten(1))
        return {**{name: _POINTS[name] * one for name, one in found.items()}, "strengths": _STRENGTHS * strengths}


class UnitTargets(nn.Module):
    """Which units are palsied on which side, from what is known of a photo or of an exam.

    Args:
        features: Numbers that are known.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.units = nn.Linear(features, 2 * len(PALSY_UNITS))

    def loss(self, features: Tensor, units: Tensor) -> Tensor:
        """The loss times its weight, of (n, features) and their labels (n, PALSY_UNITS, 2)."""
        return _UNITS * binary(self.units(features), units.flatten(1))


class ExamTargets(nn.Module):
    """Movements of an exam from what is known of it.

    Args:
        features: Numbers that are known.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.movements = nn.Linear(features, 2 * len(EXAM_TARGETS))

    def losses(self, features: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The loss times its weight, of (e, features) of the exams of `batch`."""
        return {"movements": _EXAM * squared(self.movements(features), batch.exam_truth.flatten(1))}
