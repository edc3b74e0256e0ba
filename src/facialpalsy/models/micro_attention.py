"""Diagonal micro-attention: each place of the face attends to its neighbours, weighted by how the two sides differ.

Attention(Q, K, V) = softmax(Q K^T / sqrt(d) + M) V, where M is 0 for the 3x3 neighbourhood of a place and minus
infinity elsewhere, and Output = Attention * (1 + alpha * map). The map compares the two halves of the whole face:

    map = 1 - exp(-w . relu(J relu(D |L - flip(R)|) * sigmoid(C (L + flip(R))))), w >= 0

over mirror-equivariant features (`MirroredStem`), D and J being convolutions without bias: how much they differ,
weighed by what is there. It is exactly 0 where the halves agree, the same for the mirrored face, and says nothing about
the side. The published form, sigmoid(Conv(Concat(L, flip(R)))), is `asymmetry="literal"`; it can be anything on a
symmetric face, see docs/concepts/grader.md.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  the name that every reader of PyTorch knows
from einops import rearrange
from torch import Tensor, nn

from facialpalsy.errors import UsageError, did_you_mean

ASYMMETRIES = ("difference", "literal")

_HIDDEN = 32


class Attention(nn.Module):
    """Multi-head self-attention within each block of a face.

    Shapes: (batch, rows, columns, height, width, channels), a face cut into rows x columns blocks of height x width
    places; the same comes back. Heads that do not divide the channels have `channels // heads` each, as in the
    published code, and the projection restores the rest.
    """

    def __init__(self, dim: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads = heads
        inner = dim // heads * heads
        self.qkv = nn.Linear(dim, 3 * inner, bias=False)
        self.project = nn.Sequential(nn.Linear(inner, dim), nn.Dropout(dropout))

    def forward(self, blocks: Tensor, compared: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Attend to every place of the own block; nothing is compared, so there is no map."""
        return self.project(self.attend(blocks, None)), None

    def attend(self, blocks: Tensor, mask: Tensor | None) -> Tensor:
        """softmax(Q K^T / sqrt(d) + mask) V with the heads side by side; `mask` is (places, places)."""
        batch, rows, columns, height, width, _ = blocks.shape
        tokens = "b r c h w (three heads d) -> three (b r c) heads (h w) d"
        q, k, v = rearrange(self.qkv(blocks), tokens, three=3, heads=self.heads)
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        back = "(b r c) heads (h w) d -> b r c h w (heads d)"
        return rearrange(out, back, b=batch, r=rows, c=columns, h=height, w=width)


class AsymmetryMap(nn.Module):
    """How much the two halves of a face differ: (batch, channels, height, width) -> (batch, 1, height, width).

    The map is in 0..1 and symmetric. The middle column of an odd width is compared with itself and shows what differs
    beside it.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.differ = nn.Conv2d(channels, _HIDDEN, 3, padding=1, bias=False)
        self.common = nn.Conv2d(channels, _HIDDEN, 3, padding=1)
        self.judge = nn.Conv2d(_HIDDEN, _HIDDEN, 3, padding=1, bias=False)
        # softplus(-2) is about an eighth: maps start low, where they can grow.
        self.weight = nn.Parameter(torch.full((_HIDDEN, 1, 1), -2.0))

    def forward(self, features: Tensor) -> Tensor:
        """The map of mirror-equivariant `features`."""
        left, right = halves(features)
        seen = F.relu(self.differ((left - right).abs())) * torch.sigmoid(self.common(left + right))
        difference = (F.relu(self.judge(seen)) * F.softplus(self.weight)).sum(dim=1, keepdim=True)
        return whole(-torch.expm1(-difference), features.shape[-1])


class LiteralAsymmetryMap(nn.Module):
    """The published map sigmoid(Conv(Concat(L, flip(R)))), mirrored to full width; not zero on a symmetric face."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(1, channels // 2)
        self.score = nn.Sequential(nn.Conv2d(2 * channels, hidden, 1), nn.GELU(), nn.Conv2d(hidden, 1, 1), nn.Sigmoid())

    def forward(self, features: Tensor) -> Tensor:
        """The map of `features`."""
        return whole(self.score(torch.cat(halves(features), dim=1)), features.shape[-1])


def halves(features: Tensor) -> tuple[Tensor, Tensor]:
    """The left half of the image and the right one flipped onto it, the middle column of an odd width in both."""
    half = (features.shape[-1] + 1) // 2
    return features[..., :half], features.flip(-1)[..., :half]


def whole(half: Tensor, width: int) -> Tensor:
    """A half and its mirror image, `width` columns together."""
    return torch.cat([half, half[..., : width // 2].flip(-1)], dim=-1)


class DiagonalMicroAttention(Attention):
    """Attention to the 3x3 neighbourhood, strengthened where the two sides of the face differ.

    Args:
        dim: Channels of the blocks.
        heads: Attention heads.
        compared_dim: Channels of the features whose halves are compared; None for the blocks' own.
        asymmetry_weight: Alpha, how much a place of full asymmetry is strengthened by.
        asymmetry: "difference", or "literal" for the published map.
        dropout: Of the projection.
        block: Side of the blocks that the mask is made for at once; those of another size make it anew.
    """

    neighbours: Tensor

    def __init__(
        self,
        dim: int,
        heads: int,
        *,
        compared_dim: int | None = None,
        asymmetry_weight: float = 0.5,
        asymmetry: str = "difference",
        dropout: float = 0.0,
        block: int = 1,
    ) -> None:
        super().__init__(dim, heads, dropout)
        if asymmetry not in ASYMMETRIES:
            raise UsageError(f"asymmetry is {asymmetry!r}. {did_you_mean(asymmetry, ASYMMETRIES)}")
        self.asymmetry_weight = asymmetry_weight
        kind = AsymmetryMap if asymmetry == "difference" else LiteralAsymmetryMap
        self.map = kind(dim if compared_dim is None else compared_dim)
        self._block = (block, block)
        self.register_buffer("neighbours", neighbourhood_mask(block, block), persistent=False)

    def forward(self, blocks: Tensor, compared: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Attend, and weigh by the asymmetry of the whole face.

        Args:
            blocks: (batch, rows, columns, height, width, dim).
            compared: (batch, compared_dim, rows * height, columns * width) features of the whole face; the blocks put
                together again if None.

        Returns:
            The new blocks, and the map (batch, 1, rows * height, columns * width).
        """
        _, rows, columns, height, width, _ = blocks.shape
        if compared is None:
            compared = rearrange(blocks, "b r c h w d -> b d (r h) (c w)")
        asymmetry = self.map(compared)
        weight = rearrange(asymmetry, "b 1 (r h) (c w) -> b r c h w 1", r=rows, c=columns)
        attended = self.attend(blocks, self._mask(height, width, blocks))
        return self.project(attended * (1 + self.asymmetry_weight * weight)), asymmetry

    def _mask(self, height: int, width: int, like: Tensor) -> Tensor:
        if self._block != (height, width):
            self._block = (height, width)
            self.neighbours = neighbourhood_mask(height, width).to(like)
        # In half precision the queries may be of another kind than the blocks: autocast decides.
        kind = torch.get_autocast_dtype(like.device.type) if torch.is_autocast_enabled(like.device.type) else like.dtype
        return self.neighbours.to(kind)


def neighbourhood_mask(height: int, width: int) -> Tensor:
    """(height * width, height * width): 0 between places at most one row and one column apart, else minus infinity."""
    row, column = torch.arange(height * width) // width, torch.arange(height * width) % width
    near = ((row[:, None] - row).abs() <= 1) & ((column[:, None] - column).abs() <= 1)
    return torch.zeros(height * width, height * width).masked_fill(~near, float("-inf"))
