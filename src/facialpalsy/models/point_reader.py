"""Point reader: an exam read from the points that a landmarker finds in its photos.

What a network sees of a small photo does not hold a place to a fraction of a pixel, and a trace of a movement is no
larger. So a network of exams may have a second reader, of points; its answer is then a weighed mean of both readers'
log-odds. What the points say of an exam without a photo at rest is not known, and the picture alone counts; so it does
in a network that was trained on photos of which nobody knew the points.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from facialpalsy.models.exam_points import ExamPoints, PointsOutput
from facialpalsy.models.landmarker import Landmarker, LandmarkerSpec, places


class PointReading(NamedTuple):
    """What the points of n photos of e exams are, and what of them is passed on.

    Attributes:
        maps: Heat maps of both halves in a step of training, else empty.
        points: (n, points, 2) in the order of `Landmarker`.
        exam: Of `ExamPoints`.
    """

    maps: tuple[Tensor, ...]
    points: Tensor
    exam: PointsOutput

    def with_mirrored(self) -> PointReading:
        """Of the exams and then of their mirror images, without finding a point again."""
        even, odd, known, numbers = self.exam
        exam = PointsOutput(
            torch.cat([even, even]), torch.cat([odd, -odd]), known.repeat(2), torch.cat([numbers, numbers.flip(-1)])
        )
        return self._replace(exam=exam)


class PointReader(nn.Module):
    """An exam from the points of its photos; what that means for the answer, heads of each network say.

    Args:
        landmarker: Finds the points of one photo.
        expressions: How many expressions there are.
        hidden: Width of what is known of an exam.
    """

    def __init__(self, landmarker: Landmarker, expressions: int, hidden: int) -> None:
        super().__init__()
        self.landmarker = landmarker
        self.exam = ExamPoints(landmarker.pairs, landmarker.middle, expressions, hidden)

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
            return PointReading((), points, self.exam(points.to(self.exam.template.dtype), expressions, exam, exams))


def both_views(
    network: Any, images: Tensor, expressions: Tensor, exam: Tensor, exams: int, read: PointReading | None = None
) -> Any:
    """What a network of exams says of them and then of their mirror images, whose points are not found again.

    Args:
        network: One whose `points` reads points, or is None; the other arguments are those of its `forward`.
    """
    if read is None and network.points is not None:
        read = network.points(images, expressions, exam, exams)
    return network(
        torch.cat([images, images.flip(-1)]),
        expressions.repeat(2),
        torch.cat([exam, exam + exams]),
        2 * exams,
        read=None if read is None else read.with_mirrored(),
    )


def landmarker_of(spec: LandmarkerSpec | None, image_size: int) -> Landmarker | None:
    """The landmarker of a network whose pictures have that side, with random weights; None without one.

    Raises:
        UsageError: the side is none that a landmarker takes.
    """
    return None if spec is None else replace(spec, image_size=image_size).network()


def mean_where(known: Tensor, share: float, picture: Tensor, points: Tensor) -> Tensor:
    """The mean of both readers, `share` of it the picture's, where the points are known; else what the picture says.

    Args:
        known: (e,) of `PointsOutput`.
        share: Weight of the picture.
        picture: (e, ...) of the picture.
        points: (e, ...) of the points.
    """
    shown = known.view(-1, *[1] * (picture.ndim - 1))
    return torch.where(shown, share * picture + (1 - share) * points, picture)
