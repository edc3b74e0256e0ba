"""Exam grader: the photos of one exam graded together, and the side of the palsy.

House-Brackmann II to IV look alike at rest, so a grade needs rest and movements of one person. Each photo passes HTNet;
photos of one expression are averaged, every expression has weights of its own, and what an exam lacks adds nothing.
The side comes from numbers that change their sign with the mirror (`SidesHead`), the grade from what does not.

V and VI differ by a fraction of a pixel, so a grader may have a second reader, of points (`PointReader`).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from facialpalsy.models.exam_points import PointsOutput
from facialpalsy.models.htnet import SIGNED_DIM, HTNet
from facialpalsy.models.landmarker import Landmarker
from facialpalsy.models.point_reader import PointReader, PointReading, mean_where
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
        read: What the points say; None without a landmarker.
        read_grade: (e, classes) logits that follow from the points alone; None likewise.
        read_side: (e,) likewise.
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
    read_grade: Tensor | None = None
    read_side: Tensor | None = None


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
            self.points = GradeReader(landmarker, num_classes, expressions, hidden)

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
        grade, read_grade, read_side = self.grade(even), None, None
        if self.points is not None:
            read = self.points(images, expressions, exam, exams) if read is None else read
            read_grade, read_side = self.points.graded(read.exam)
            known, share = read.exam.known, PICTURE_SHARE
            grade = mean_where(known, share, grade.log_softmax(1), read_grade.log_softmax(1))
            side = read_side if side is None else mean_where(known, share, side, read_side)
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
            read_grade,
            read_side,
        )


class GradeReader(PointReader):
    """Grade and side from the points of an exam's photos; arguments as of `PointReader`.

    Args:
        num_classes: Grades.
    """

    def __init__(self, landmarker: Landmarker, num_classes: int, expressions: int, hidden: int) -> None:
        super().__init__(landmarker, expressions, hidden)
        self.grade = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, num_classes))
        self.side = nn.Linear(hidden, 1, bias=False)

    def graded(self, exam: PointsOutput) -> tuple[Tensor, Tensor]:
        """(e, classes) logits of the grade and (e,) of the side, in full precision as the points are."""
        with torch.autocast(exam.even.device.type, enabled=False):
            return self.grade(exam.even), self.side(exam.odd).squeeze(1)
