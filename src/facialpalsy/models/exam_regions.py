"""Exam regions: which action units are palsied on which side, from the heat maps of all photos of one exam.

At rest a face says little about a unit; the photo of the expression that needs it says most. Each photo's heat maps are
brought to one number each, their mean; photos of one expression are averaged; and every expression has weights of its
own for what each unit of the same side and of the other side tells about a unit. These weights know no left and right,
so a mirrored exam has the same units on the other side as far as the heat maps do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from facialpalsy.errors import UsageError
from facialpalsy.models.slots import by_expression

# The mean of a heat map that is sure of its palsy: of a Gaussian of 1, with the spread of the reference's.
_SURE = 0.15


class RegionsOutput(NamedTuple):
    """What is said of n photos of e exams.

    Attributes:
        maps: (n, points, side, side) heat maps, about -1 to 1.
        exam_logits: (e, points) that each unit and side is palsied.
    """

    maps: Tensor
    exam_logits: Tensor


class ExamRegions(nn.Module):
    """A region network over photos, pooled over the expressions of an exam.

    Args:
        trunk: Pictures in 0..1 -> heat maps (n, points, side, side).
        points: Heat maps: units times sides, the sides of a unit one after the other.
        sides: 2, or 1 for heat maps that know no side.
        expressions: How many expressions there are; the last one stands for "not known".

    Raises:
        UsageError: `points` is no multiple of `sides`.
    """

    def __init__(self, trunk: nn.Module, points: int, sides: int = 2, expressions: int = 10) -> None:
        super().__init__()
        if points % sides:
            raise UsageError(f"{points} heat maps cannot be of {sides} sides each; give a multiple.")
        self.trunk, self.sides, self.expressions = trunk, sides, expressions
        units = points // sides
        # A first guess: the sum over the expressions.
        own = torch.eye(units).expand(expressions, units, units)
        self.same = nn.Parameter(own.clone())
        self.other = nn.Parameter(torch.zeros(expressions, units, units)) if sides > 1 else None
        self.bias = nn.Parameter(torch.zeros(expressions, units))

    def forward(self, images: Tensor, expressions: Tensor, exam: Tensor, exams: int) -> RegionsOutput:
        """Find the regions of exams.

        Args:
            images: (n, 3, size, size) photos of all exams, in 0..1.
            expressions: (n,) which expression each shows.
            exam: (n,) which exam each belongs to, from 0.
            exams: How many there are.
        """
        maps: Tensor = self.trunk(images)
        return RegionsOutput(maps, self.pooled(map_scores(maps), expressions, exam, exams))

    def pooled(self, scores: Tensor, expressions: Tensor, exam: Tensor, exams: int) -> Tensor:
        """(e, points) logits of the exams from (n, points) scores of their photos."""
        average, present = by_expression(exam, expressions, exams, self.expressions, scores.dtype)
        means = (average @ scores).view(exams, self.expressions, -1, self.sides) / _SURE
        logits = torch.einsum("euv,nevs->nus", self.same, means)
        if self.other is not None:
            logits = logits + torch.einsum("euv,nevs->nus", self.other, means.flip(-1))
        bias = present.view(exams, self.expressions) @ self.bias
        return (logits + bias[..., None]).flatten(1)


def map_scores(maps: Tensor) -> Tensor:
    """(n, points) one number for each heat map: its mean, as the public code decides by."""
    return maps.clamp(-1, 1).mean(dim=(-2, -1))


class RegionEstimate(NamedTuple):
    """What is said of one exam of n photos. The names are the outputs of the ONNX file.

    Attributes:
        palsy: (points,) probability that each unit and side is palsied.
        maps: (n, points, side, side) heat maps, about -1 to 1; positive is palsied.
    """

    palsy: Tensor
    maps: Tensor


class FlipAveragedRegions(nn.Module):
    """Regions asked of one exam and of its mirror image: the mean of both answers.

    The answers to a mirrored exam are then the mirrored ones with left and right exchanged, by construction.

    Args:
        regions: Network of exams.
        mirrored: Which heat map of the mirrored face shows each one; itself where there are no sides.

    Raises:
        UsageError: `mirrored` does not exchange heat maps in pairs.
    """

    def __init__(self, regions: ExamRegions, mirrored: Sequence[int]) -> None:
        super().__init__()
        if [mirrored[other] for other in mirrored if 0 <= other < len(mirrored)] != list(range(len(mirrored))):
            raise UsageError(
                f"The mirrored order of heat maps is {tuple(mirrored)}; give each number once, so that the mirror of "
                "the mirror is the map itself."
            )
        self.regions, self.mirrored = regions, list(mirrored)

    def forward(self, images: Tensor, expressions: Tensor) -> RegionEstimate:
        """Find the regions of one exam.

        Args:
            images: (n, 3, size, size) photos in 0..1.
            expressions: (n,) which expression each shows.
        """
        first = torch.zeros_like(expressions)
        found = self.regions(
            torch.cat([images, images.flip(-1)]), expressions.repeat(2), torch.cat([first, first + 1]), exams=2
        )
        seen, flipped = found.maps.chunk(2)
        palsy = found.exam_logits.sigmoid()
        return RegionEstimate((palsy[0] + palsy[1, self.mirrored]) / 2, (seen + flipped[:, self.mirrored].flip(-1)) / 2)
