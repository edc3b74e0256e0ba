"""Exam points: what the points of an exam's photos say of the grade and the side.

A grade follows from few numbers of each side: how far each movement went, and how high brow, lids and mouth corner
stand. So nothing of the points passes but such numbers: linear in the points, since a face moves nearly linearly with
its muscles, and learnt from what made the patient. What follows sees own and other side and both ways round, so a
mirrored exam has the same grade and the other side, exactly:

    even = f(left, right) + f(right, left)        odd = f(right, left) - f(left, right)

How far a movement goes, and which way, differs between people more than between a person's sides. So the sides are also
compared with each other: of the same few linear numbers of both, v and w, counts by how much one is longer and how far
they point the same way, which neither a weaker nor another smile changes:

    lead = (w.w - v.v) / (w.w + v.v)        likeness = 2 v.w / (w.w + v.v)

Where the crop is cut by eyes that another engine has found, its scale scatters by more than a trace of a movement is
large; the points are therefore fitted to a template first, by those of them that no expression moves.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from facialpalsy.models.slots import by_expression

MOVED = 2
"""Numbers from how the points differ from the rest photo: how far the movement went, and what moved unasked."""

HELD = 3
"""Numbers from where the points are: brow, palpebral fissure, commissure."""

COMPARED, DIRECTIONS = 4, 2
"""Comparisons of the two sides in each expression, and how many linear numbers of a side each is made of."""

# Squared length of what is no movement but noise, in spreads of the usual one.
_STILL = 0.02
# Brings what lies from -1 to 1 to the size of the other numbers.
_FELT = 4.0


class PointScale(NamedTuple):
    """What of faces in general the network begins with; points in its order, in crops.

    Attributes:
        template: (points, 2) mean place, symmetric.
        steadiness: (points,) how much each counts in the fit.
        moved, held: (2, expressions, 2 * points) mean and spread of what numbers are read from, alike on both sides.
        numbers: (expressions, MOVED + HELD) mean of the numbers.
    """

    template: Tensor
    steadiness: Tensor
    moved: Tensor
    held: Tensor
    numbers: Tensor


class PointsOutput(NamedTuple):
    """What the points of e exams say; the positive side is the image's right.

    Attributes:
        even: (e, hidden) the same for the mirrored exam.
        odd: (e, hidden) of the other sign for the mirrored exam.
        known: (e,) whether the network has begun and there is a rest photo, without which nothing is known.
        numbers: (e, expressions, MOVED + HELD, 2) of the image's left and right half, 0 where there is no photo.
    """

    even: Tensor
    odd: Tensor
    known: Tensor
    numbers: Tensor


class ExamPoints(nn.Module):
    """Numbers of both sides from the points of an exam, and what follows from them.

    Args:
        pairs: Points that each half has.
        middle: Points on the midline.
        expressions: How many expressions there are, "not known" among them.
        hidden: Width of what is known of an exam.
        rest: Which expression is the face at rest.
    """

    template: Tensor
    steadiness: Tensor
    moved_scale: Tensor
    held_scale: Tensor

    def __init__(self, pairs: int, middle: int, expressions: int, hidden: int, rest: int = 0) -> None:
        super().__init__()
        self.pairs, self.expressions, self.rest = pairs, expressions, rest
        points = 2 * pairs + middle
        ones = torch.stack([torch.zeros(expressions, 2 * points), torch.ones(expressions, 2 * points)])
        # Symmetric, as the mirror law asks, also where nobody knows the points of a training.
        left, down = torch.rand(pairs, 2) / torch.tensor([2.0, 1.0]), torch.rand(middle)
        right = torch.stack([1 - left[:, 0], left[:, 1]], dim=1)
        between = torch.stack([torch.full((middle,), 0.5), down], dim=1)
        self.register_buffer("template", torch.cat([left, right, between]))
        self.register_buffer("steadiness", torch.ones(points))
        self.register_buffer("moved_scale", ones)
        self.register_buffer("held_scale", ones.clone())
        self.moved = _PerExpression(expressions, 2 * points, MOVED)
        self.held = _PerExpression(expressions, 2 * points, HELD)
        self.compared = nn.Parameter(torch.randn(expressions, 2 * pairs, COMPARED, DIRECTIONS) / (2 * pairs) ** 0.5)
        width = expressions * (2 * (MOVED + HELD + COMPARED) + 1)
        self.follow = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU())

    def begin_with(self, scale: PointScale) -> None:
        """Take the constants of the training people."""
        self.template.copy_(scale.template)
        self.steadiness.copy_(scale.steadiness)
        self.moved_scale.copy_(scale.moved)
        self.held_scale.copy_(scale.held)
        with torch.no_grad():
            self.moved.bias.copy_(scale.numbers[:, :MOVED])
            self.held.bias.copy_(scale.numbers[:, MOVED:])

    @property
    def begun(self) -> Tensor:
        """Whether there are constants; a network that was trained without points has none, and says nothing."""
        return (self.moved_scale[1] != 1).any()

    def forward(self, points: Tensor, expressions: Tensor, exam: Tensor, exams: int) -> PointsOutput:
        """What (n, points, 2) say; the other arguments are those of `ExamGrader.forward`."""
        at = fitted(points, self.template, self.steadiness) - self.template
        average, present = by_expression(exam, expressions, exams, self.expressions, at.dtype)
        held = (average @ at.flatten(1)).view(exams, self.expressions, -1, 2)
        shown = present.view(exams, self.expressions, 1)
        known = shown[:, self.rest]
        moved = (held - held[:, self.rest : self.rest + 1]) * (shown * known[:, None])[..., None]
        turned = self._mirrored(moved)
        left, right = (
            torch.cat([self.moved(_scaled(one, self.moved_scale)), self.held(_scaled(other, self.held_scale))], 2)
            * (shown * known[:, None])
            for one, other in ((moved, held), (turned, self._mirrored(held)))
        )
        lead, alike = self.compare(moved, turned)
        alike = torch.cat([alike, shown], 2).flatten(1)
        own = self.follow(torch.cat([right.flatten(1), left.flatten(1), lead.flatten(1), alike], 1))
        other = self.follow(torch.cat([left.flatten(1), right.flatten(1), -lead.flatten(1), alike], 1))
        return PointsOutput(
            own + other, own - other, (known.squeeze(1) > 0) & self.begun, torch.stack([left, right], 3)
        )

    def compare(self, moved: Tensor, turned: Tensor) -> tuple[Tensor, Tensor]:
        """(e, expressions, COMPARED) how far the right side leads, and how alike both sides move; 0 of what is still.

        Args:
            moved: (e, expressions, points, 2) movements.
            turned: The same of the mirrored face.
        """
        spread = self.moved_scale[1, :, : 2 * self.pairs]
        left, right = (
            torch.einsum("exp,xpkd->exkd", one[:, :, : self.pairs].flatten(2) / spread, self.compared)
            for one in (moved, turned)
        )
        far_left, far_right = left.square().sum(3), right.square().sum(3)
        both = (far_left + far_right + _STILL) / _FELT
        return (far_right - far_left) / both, 2 * (left * right).sum(3) / both

    def _mirrored(self, places: Tensor) -> Tensor:
        """(..., points, 2) differences from the symmetric template, of the mirrored face."""
        left, right, middle = places.tensor_split([self.pairs, 2 * self.pairs], dim=-2)
        swapped = torch.cat([right, left, middle], dim=-2)
        return torch.stack([-swapped[..., 0], swapped[..., 1]], dim=-1)


class _PerExpression(nn.Module):
    """(exams, expressions, dim) -> (exams, expressions, out), every expression by a linear map of its own."""

    def __init__(self, expressions: int, dim: int, out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(expressions, dim, out) * 0.1 / dim**0.5)
        self.bias = nn.Parameter(torch.zeros(expressions, out))

    def forward(self, values: Tensor) -> Tensor:
        return (values.unsqueeze(2) @ self.weight).squeeze(2) + self.bias


def fitted(points: Tensor, template: Tensor, weight: Tensor) -> Tensor:
    """(n, points, 2) turned, scaled and shifted so that they lie nearest to the template, each counting by its weight.

    The similarity of least squares (Umeyama 1991) in closed form for two dimensions.
    """
    share = (weight / weight.sum())[:, None]
    middle, goal = (points * share).sum(1, keepdim=True), (template * share).sum(0)
    there, wanted = points - middle, template - goal
    size = (there.square() * share).sum((1, 2))
    along = (there * wanted * share).sum((1, 2)) / size
    across = ((there[..., 0] * wanted[:, 1] - there[..., 1] * wanted[:, 0]) * share[:, 0]).sum(1) / size
    x = along[:, None] * there[..., 0] - across[:, None] * there[..., 1]
    y = across[:, None] * there[..., 0] + along[:, None] * there[..., 1]
    return torch.stack([x, y], dim=2) + goal


def _scaled(places: Tensor, scale: Tensor) -> Tensor:
    """(exams, expressions, 2 * points) places about the mean of their expression, over its spread."""
    return (places.flatten(2) - scale[0]) / scale[1]
