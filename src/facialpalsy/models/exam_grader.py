"""Exam grader: the photos of one exam graded together, and the side of the palsy.

House-Brackmann II to IV look alike at rest, so a grade needs rest and movements of one person. Each photo passes HTNet;
photos of one expression are averaged, every expression has weights of its own, and what an exam lacks adds nothing.
The side comes from numbers that change their sign with the mirror (`SidesHead`), the grade from what does not.

What HTNet sees of a photo does not hold a place to a fraction of a pixel, which V and VI differ by. So a grader may
have a second reader, of points (`Landmarker`, `ExamPoints`); the answer is a weighed mean of both readers' log-odds.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from facialpalsy.models.exam_points import ExamPoints, PointsOutput
from facialpalsy.models.htnet import SIGNED_DIM, HTNet
from facialpalsy.models.landmarker import Landmarker, places
from facialpalsy.models.slots import Slots, by_expression

PICTURE_SHARE = 0.2
"""Weight of what HTNet sees against that of the points; of tenths up to 0.4 the best on validation people."""

# What takes pictures of 0..1 to about -2..2.
_MEAN, _SPREAD = 0.5, 0.25


class GraderOutput(NamedTuple):
    """What the grader says of n photos of e exams. Grids have the side g; the positive side is the image's right.

    Attributes:
        photo_logits: (n, classes) of each photo alone.
        grade_logits: (e, classes) of each exam.
        side: (e,) logit that the palsy is on the image's right; None without micro-attention and points.
        even: (e, hidden) what the grade is read from.
        odd: (e, hidden) what the side is read from; None without micro-attention.
        features: (n, features) of each photo.
        signed: (n, SIGNED_DIM) of each photo; None without micro-attention.
        regions: (n, regions, g, g), None without the region module; so is `mask`, (n, 1, g, g).
        asymmetry: (n, 1, g, g), the finest map; None without micro-attention.
        read: What the points say and the (e, classes) logits and (e,) side that follow from them alone; None without a
            landmarker.
    """

    photo_logits: Tensor
    grade_logits: Tensor
    side: Tensor | None
    even: Tensor
    odd: Tensor | None
    features: Tensor
    signed: Tensor | None
    regions: Tensor | None
    mask: Tensor | None
    asymmetry: Tensor | None
    read: PointReading | None = None


class PointReading(NamedTuple):
    """What the reader of points says of the photos and of the exams.

    Attributes:
        maps: Heat maps of both halves in a step of training, else empty.
        points: (n, points, 2) in the order of `Landmarker`.
        exam: Of `ExamPoints`.
        grade_logits: (e, classes).
        side: (e,) logit that the palsy is on the image's right.
    """

    maps: tuple[Tensor, ...]
    points: Tensor
    exam: PointsOutput
    grade_logits: Tensor
    side: Tensor

    def with_mirrored(self) -> PointReading:
        """What it says of the exams and then of their mirror images: the same grades, the other sides."""
        even, odd, known, numbers = self.exam
        exam = PointsOutput(
            torch.cat([even, even]), torch.cat([odd, -odd]), known.repeat(2), torch.cat([numbers, numbers.flip(-1)])
        )
        return self._replace(
            exam=exam, grade_logits=self.grade_logits.repeat(2, 1), side=torch.cat([self.side, -self.side])
        )


class ExamGrader(nn.Module):
    """HTNet over photos, pooled over the expressions of an exam.

    Args:
        trunk: Network of one photo.
        num_classes: Grades.
        expressions: How many expressions there are; the last one stands for "not known".
        hidden: Width of what is known of an exam.
        dropout: Of that.
        landmarker: Finds the points of one photo; None for a grader without them.
    """

    def __init__(
        self,
        trunk: HTNet,
        num_classes: int = 6,
        expressions: int = 10,
        hidden: int = 128,
        dropout: float = 0.1,
        landmarker: Landmarker | None = None,
    ) -> None:
        super().__init__()
        self.trunk, self.expressions, self.hidden = trunk, expressions, hidden
        self.seen = Slots(trunk.features, expressions, hidden, bias=True)
        self.differs = self.side = None
        if trunk.sides is not None:
            self.differs = Slots(SIGNED_DIM, expressions, hidden, bias=False)
            self.side = nn.Linear(hidden, 1, bias=False)
        width = hidden if self.differs is None else 2 * hidden
        self.mix = nn.Sequential(
            nn.Linear(width, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
        )
        self.grade = nn.Linear(hidden, num_classes)
        self.points = None
        if landmarker is not None:
            self.points = PointReader(landmarker, num_classes, expressions, hidden)

    def forward(
        self, images: Tensor, expressions: Tensor, exam: Tensor, exams: int, read: PointReading | None = None
    ) -> GraderOutput:
        """Grade exams.

        Args:
            images: (n, 3, size, size) photos of all exams, in 0..1.
            expressions: (n,) which expression each shows.
            exam: (n,) which exam each belongs to, from 0.
            exams: How many there are.
            read: What the points of these exams say where that is known already.
        """
        features, maps = self.trunk.forward_features((images - _MEAN) / _SPREAD)
        average, present = by_expression(exam, expressions, exams, self.expressions, features.dtype)
        even, odd, signed, side = self.seen(average @ features, present), None, maps.signed, None
        if self.differs is not None and self.side is not None and signed is not None:
            odd = torch.tanh(self.differs(average @ signed, present))
            side = self.side(odd).squeeze(1)
            even = torch.cat([even, odd.abs()], dim=1)
        even = self.mix(even)
        grade = self.grade(even)
        if self.points is not None:
            read = self.points(images, expressions, exam, exams) if read is None else read
            grade = _mean_where(read.exam.known[:, None], grade.log_softmax(1), read.grade_logits.log_softmax(1))
            side = read.side if side is None else _mean_where(read.exam.known, side, read.side)
        return GraderOutput(
            self.trunk.head(features),
            grade,
            side,
            even,
            odd,
            features,
            signed,
            maps.roi_maps,
            maps.roi_mask,
            maps.asymmetry_maps[0] if maps.asymmetry_maps else None,
            read,
        )


class PointReader(nn.Module):
    """Grade and side from the points of an exam's photos.

    Args:
        landmarker: Finds the points of one photo.
        num_classes: Grades.
        expressions: How many expressions there are.
        hidden: Width of what is known of an exam.
    """

    def __init__(self, landmarker: Landmarker, num_classes: int, expressions: int, hidden: int) -> None:
        super().__init__()
        self.landmarker = landmarker
        self.exam = ExamPoints(landmarker.pairs, landmarker.middle, expressions, hidden)
        self.grade = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, num_classes))
        self.side = nn.Linear(hidden, 1, bias=False)

    def forward(self, images: Tensor, expressions: Tensor, exam: Tensor, exams: int) -> PointReading:
        """Arguments are those of `ExamGrader.forward`; in training there is one look, whose maps are learnt from."""
        if not self.training:
            return self.read(self.landmarker(images), expressions, exam, exams)
        maps = self.landmarker.heat_maps(images)
        points = self.landmarker.points_of(*(places(one) for one in maps))
        return self.read(points, expressions, exam, exams)._replace(maps=maps)

    def read(self, points: Tensor, expressions: Tensor, exam: Tensor, exams: int) -> PointReading:
        """What (n, points, 2) points say, in full precision where half is mixed in: it counts parts of a pixel."""
        with torch.autocast(points.device.type, enabled=False):
            found = self.exam(points.to(self.side.weight.dtype), expressions, exam, exams)
            return PointReading((), points, found, self.grade(found.even), self.side(found.odd).squeeze(1))


def _mean_where(known: Tensor, picture: Tensor, points: Tensor) -> Tensor:
    """The weighed mean of both readers where the points are known, else what the picture says."""
    return torch.where(known, PICTURE_SHARE * picture + (1 - PICTURE_SHARE) * points, picture)
