"""Exam grader: the photos of one exam graded together, and the side of the palsy.

House-Brackmann II to IV look alike at rest, so a grade needs rest and movements of one person. Each photo passes HTNet;
photos of one expression are averaged, every expression has weights of its own, and what an exam lacks adds nothing.
The side comes from numbers that change their sign with the mirror (`SidesHead`), the grade from what does not.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from facialpalsy.models.htnet import SIGNED_DIM, HTNet

# What takes pictures of 0..1 to about -2..2.
_MEAN, _SPREAD = 0.5, 0.25


class GraderOutput(NamedTuple):
    """What the grader says of n photos of e exams. Grids have the side g; the positive side is the image's right.

    Attributes:
        photo_logits: (n, classes) of each photo alone.
        grade_logits: (e, classes) of each exam.
        side: (e,) logit that the palsy is on the image's right; None without micro-attention.
        even: (e, hidden) what the grade is read from.
        odd: (e, hidden) what the side is read from; None without micro-attention.
        features: (n, features) of each photo.
        signed: (n, SIGNED_DIM) of each photo; None without micro-attention.
        regions: (n, regions, g, g), None without the region module; so is `mask`, (n, 1, g, g).
        asymmetry: (n, 1, g, g), the finest map; None without micro-attention.
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


class ExamGrader(nn.Module):
    """HTNet over photos, pooled over the expressions of an exam.

    Args:
        trunk: Network of one photo.
        num_classes: Grades.
        expressions: How many expressions there are; the last one stands for "not known".
        hidden: Width of what is known of an exam.
        dropout: Of that.
    """

    def __init__(
        self, trunk: HTNet, num_classes: int = 6, expressions: int = 10, hidden: int = 128, dropout: float = 0.1
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

    def forward(self, images: Tensor, expressions: Tensor, exam: Tensor, exams: int) -> GraderOutput:
        """Grade exams.

        Args:
            images: (n, 3, size, size) photos of all exams, in 0..1.
            expressions: (n,) which expression each shows.
            exam: (n,) which exam each belongs to, from 0.
            exams: How many there are.
        """
        features, maps = self.trunk.forward_features((images - _MEAN) / _SPREAD)
        average, present = by_expression(exam, expressions, exams, self.expressions, features.dtype)
        even, odd, signed, side = self.seen(average @ features, present), None, maps.signed, None
        if self.differs is not None and self.side is not None and signed is not None:
            odd = torch.tanh(self.differs(average @ signed, present))
            side = self.side(odd).squeeze(1)
            even = torch.cat([even, odd.abs()], dim=1)
        even = self.mix(even)
        return GraderOutput(
            self.trunk.head(features),
            self.grade(even),
            side,
            even,
            odd,
            features,
            signed,
            maps.roi_maps,
            maps.roi_mask,
            maps.asymmetry_maps[0] if maps.asymmetry_maps else None,
        )


def by_expression(
    exam: Tensor, expressions: Tensor, exams: int, count: int, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """What averages the photos of each expression of each exam.

    Args:
        exam: (n,) which exam each photo belongs to, from 0.
        expressions: (n,) which expression it shows.
        exams: How many exams there are.
        count: How many expressions there are.
        dtype: Of both results.

    Returns:
        (exams * count, n) matrix of the means, and (exams * count, 1) 1 where there is a photo, else 0.
    """
    slot = exam * count + expressions
    member = (slot == torch.arange(exams * count, device=slot.device)[:, None]).to(dtype)
    photos = member.sum(dim=1, keepdim=True)
    return member / photos.clamp(min=1), (photos > 0).to(dtype)


class Slots(nn.Module):
    """One linear map per expression, summed over those that an exam has."""

    def __init__(self, dim: int, expressions: int, out: int, *, bias: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(expressions, dim, out) * (0.1 if bias else 1) / dim**0.5)
        self.bias = nn.Parameter(torch.zeros(expressions, out)) if bias else None

    def forward(self, average: Tensor, present: Tensor) -> Tensor:
        """(exams * expressions, dim) means and (exams * expressions, 1) whether there is any -> (exams, out)."""
        count, dim, _ = self.weight.shape
        summed = average.reshape(-1, count * dim) @ self.weight.flatten(0, 1)
        return summed if self.bias is None else summed + present.view(-1, count) @ self.bias
