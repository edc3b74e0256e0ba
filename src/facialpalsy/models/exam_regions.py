"""Exam regions: which action units are palsied on which side, from the heat maps of all photos of one exam.

At rest a face says little about a unit; the photo of the expression that needs it says most. Each photo's heat maps are
brought to one number each, their mean; photos of one expression are averaged; and every expression has weights of its
own for what each unit of the same side and of the other side tells about a unit. These weights know no left and right,
so a mirrored exam has the same units on the other side as far as the heat maps do.

Beside the heat maps the points of the photos may be read (`PointReader`). Where a palsy is, the heat maps alone say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from facialpalsy.errors import UsageError
from facialpalsy.models.exam_points import PointsOutput
from facialpalsy.models.landmarker import Landmarker
from facialpalsy.models.point_reader import PointReader, PointReading, both_views, mean_where
from facialpalsy.models.slots import by_expression

PICTURE_SHARE = 0.1
"""Weight of what the heat maps say of an exam against that of the points; more costs accuracy on validation people."""

# The mean of a heat map that is sure of its palsy: of a Gaussian of 1, with the spread of the reference's.
_SURE = 0.15


class RegionsOutput(NamedTuple):
    """What is said of n photos of e exams.

    Attributes:
        maps: (n, points, side, side) heat maps, about -1 to 1.
        exam_logits: (e, points) that each unit and side is palsied.
        read: What the points of the faces say; None without a landmarker.
        seen_logits: (e, points) that follow from the heat maps alone.
        read_logits: (e, points) that follow from the points of the faces alone; None without a landmarker.
    """

    maps: Tensor
    exam_logits: Tensor
    seen_logits: Tensor
    read: PointReading | None = None
    read_logits: Tensor | None = None


class ExamRegions(nn.Module):
    """A region network over photos, pooled over the expressions of an exam.

    Args:
        trunk: Pictures in 0..1 -> heat maps (n, points, side, side).
        points: Heat maps: units times sides, the sides of a unit one after the other.
        sides: 2, or 1 for heat maps that know no side.
        expressions: How many expressions there are; the last one stands for "not known".
        hidden: Width of what is known of an exam by its points.
        landmarker: Finds the points of one photo; None for a network without them.

    Raises:
        UsageError: `points` is no multiple of `sides`.
    """

    def __init__(
        self,
        trunk: nn.Module,
        points: int,
        sides: int = 2,
        expressions: int = 10,
        hidden: int = 128,
        landmarker: Landmarker | None = None,
    ) -> None:
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
        self.points = None if landmarker is None else UnitReader(landmarker, units, sides, expressions, hidden)

    def forward(
        self, images: Tensor, expressions: Tensor, exam: Tensor, exams: int, read: PointReading | None = None
    ) -> RegionsOutput:
        """Find the regions of exams.

        Args:
            images: (n, 3, size, size) photos of all exams, in 0..1.
            expressions: (n,) which expression each shows.
            exam: (n,) which exam each belongs to, from 0.
            exams: How many there are.
            read: What the points of these exams say where that is known already.
        """
        return self.joined(self.trunk(images), images, expressions, exam, exams, read)

    def joined(
        self,
        maps: Tensor,
        images: Tensor,
        expressions: Tensor,
        exam: Tensor,
        exams: int,
        read: PointReading | None = None,
    ) -> RegionsOutput:
        """The same where the heat maps are known already."""
        logits = seen = self.pooled(map_scores(maps), expressions, exam, exams)
        read_logits = None
        if self.points is not None:
            read = self.points(images, expressions, exam, exams) if read is None else read
            read_logits = self.points.unit_logits(read.exam)
            logits = mean_where(read.exam.known, PICTURE_SHARE, seen, read_logits)
        return RegionsOutput(maps, logits, seen, read, read_logits)

    def pooled(self, scores: Tensor, expressions: Tensor, exam: Tensor, exams: int) -> Tensor:
        """(e, points) logits of the exams from (n, points) scores of their photos."""
        average, present = by_expression(exam, expressions, exams, self.expressions, scores.dtype)
        means = (average @ scores).view(exams, self.expressions, -1, self.sides) / _SURE
        logits = torch.einsum("euv,nevs->nus", self.same, means)
        if self.other is not None:
            logits = logits + torch.einsum("euv,nevs->nus", self.other, means.flip(-1))
        bias = present.view(exams, self.expressions) @ self.bias
        return (logits + bias[..., None]).flatten(1)


class UnitReader(PointReader):
    """Which units are palsied, from the points of an exam's photos; arguments as of `PointReader`.

    Args:
        units: Action units.
        sides: 2, or 1 where no side is told apart.
    """

    def __init__(self, landmarker: Landmarker, units: int, sides: int, expressions: int, hidden: int) -> None:
        super().__init__(landmarker, expressions, hidden)
        self.sides = sides
        self.units = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, units))

    def unit_logits(self, exam: PointsOutput) -> Tensor:
        """(e, units * sides) in full precision as the points are, the subject's left before its right."""
        with torch.autocast(exam.even.device.type, enabled=False):
            if self.sides == 1:
                logits: Tensor = self.units(exam.even)
                return logits
            # The subject's left is on the image's right, the positive side of `odd`.
            sides = exam.even + exam.odd, exam.even - exam.odd
            return torch.stack([self.units(one) for one in sides], 2).flatten(1)


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

    def forward(self, images: Tensor, expressions: Tensor, points: Tensor | None = None) -> RegionEstimate:
        """Find the regions of one exam.

        Args:
            images: (n, 3, size, size) photos in 0..1.
            expressions: (n,) which expression each shows.
            points: (n, points, 2) of the faces where the recogniser has found them already, by the same landmarker.
        """
        first, reader = torch.zeros_like(expressions), self.regions.points
        read = None if reader is None or points is None else reader.read(points, expressions, first, 1)
        found: RegionsOutput = both_views(self.regions, images, expressions, first, 1, read)
        seen, flipped = found.maps.chunk(2)
        palsy = found.exam_logits.sigmoid()
        return RegionEstimate((palsy[0] + palsy[1, self.mirrored]) / 2, (seen + flipped[:, self.mirrored].flip(-1)) / 2)
