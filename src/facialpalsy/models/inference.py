"""Inference: one exam, graded together with its mirror image, so that the answer does not depend on which it was.

A network of positions does not treat a face and its mirror image alike. Here it sees both, and what it says of them is
averaged: probabilities, not logits. Mirrored pictures then have the same grade and the other side, by construction.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from facialpalsy.models.exam_grader import ExamGrader, GraderOutput
from facialpalsy.models.point_reader import both_views
from facialpalsy.models.roi import MIRRORED_REGIONS, REGIONS


class ExamEstimate(NamedTuple):
    """What is said of one exam of n photos; grids have the side g. The names are the outputs of the ONNX file.

    Attributes:
        grade: (classes,) probabilities of the exam.
        photo_grades: (n, classes) probabilities of each photo alone.
        side: (1,) probability that the palsy is on the image's right half, the subject's left; None without
            micro-attention.
        regions: (n, regions, g, g) in 0..1, in the order of `models.roi.REGIONS`; None without the region module.
        mask: (n, 1, g, g) in 0..1; None without the region module.
        asymmetry: (n, 1, g, g) in 0..1, symmetric; None without micro-attention.
    """

    grade: Tensor
    photo_grades: Tensor
    side: Tensor | None
    regions: Tensor | None
    mask: Tensor | None
    asymmetry: Tensor | None


class FlipAveraged(nn.Module):
    """A grader asked of one exam and of its mirror image: the mean of both answers.

    Args:
        grader: Network of exams.
    """

    def __init__(self, grader: ExamGrader) -> None:
        super().__init__()
        self.grader = grader

    def forward(self, images: Tensor, expressions: Tensor) -> ExamEstimate:
        """Grade one exam.

        Args:
            images: (n, 3, size, size) photos in 0..1.
            expressions: (n,) which expression each shows.
        """
        found: GraderOutput = both_views(self.grader, images, expressions, torch.zeros_like(expressions), 1)
        photo, mirrored_photo = found.photo_logits.softmax(dim=1).chunk(2)
        side = found.side
        if side is not None:
            affected = side.sigmoid()
            side = (affected[:1] + 1 - affected[1:]) / 2
        return ExamEstimate(
            found.grade_logits.softmax(dim=1).mean(dim=0),
            (photo + mirrored_photo) / 2,
            side,
            _unflipped(found.regions, swap=True),
            _unflipped(found.mask),
            _unflipped(found.asymmetry),
        )


def _unflipped(maps: Tensor | None, *, swap: bool = False) -> Tensor | None:
    """The mean of the first half's maps and the second half's flipped back, where `swap` exchanges the eyes."""
    if maps is None:
        return None
    seen, mirrored = maps.chunk(2)
    if swap and maps.shape[1] == len(REGIONS):
        mirrored = mirrored[:, list(MIRRORED_REGIONS)]
    return (seen + mirrored.flip(-1)) / 2
