"""Slots: the photos of an exam by their expressions, each of which has weights of its own."""

from __future__ import annotations

import torch
from torch import Tensor, nn


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
