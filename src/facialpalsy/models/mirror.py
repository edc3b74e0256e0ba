"""Mirror: features that know the two sides of a face as images of each other.

A network of strides and positions does not treat a face and its mirror image alike. Here one small network sees the
left half of the image and the flipped right half, so the features of a mirrored image are the mirrored features,
exactly.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  the name that every reader of PyTorch knows
from torch import Tensor, nn

from facialpalsy.models.micro_attention import halves

_READ_GRID = 16


class MirroredStem(nn.Module):
    """Mirror-equivariant features of an aligned face on the grid of its patches.

    Each convolution halves the resolution, after one that takes the odd part of the patch size at once.

    Args:
        grid: Patches per side; the image is `grid * patch` pixels wide and high, the face's midline in its middle.
        patch: Pixels per patch.
        channels: Of the picture.
        dim: Of the features.
        depth: Residual layers on the grid.
    """

    def __init__(self, grid: int, patch: int, channels: int = 3, dim: int = 64, depth: int = 2) -> None:
        super().__init__()
        self.grid, self.half_width = grid, (grid + 1) // 2 * patch
        strides = _strides(patch)
        widths = [channels, *(max(dim >> (len(strides) - number), 16) for number in range(1, len(strides))), dim]
        self.embed = nn.Sequential()
        for number, stride in enumerate(strides):
            if number:
                self.embed.extend([nn.GroupNorm(widths[number], widths[number]), nn.GELU()])
            around = (stride + 1) // 2  # what a place sees beyond its borders
            size = stride + 2 * around if stride % 2 else stride + 1
            self.embed.append(nn.Conv2d(widths[number], widths[number + 1], size, stride, around))
        self.layers = nn.ModuleList(_Layer(dim) for _ in range(depth))
        self.norm = nn.GroupNorm(dim, dim)

    def forward(self, image: Tensor) -> Tensor:
        """(batch, channels, grid * patch, grid * patch) -> (batch, dim, grid, grid)."""
        # One after the other: in one batch, threads divide the sums of the two sides differently, to the last bit.
        left, right = self._side(image), self._side(image.flip(-1))
        if self.grid % 2:  # both see the middle column
            left = torch.cat([left[..., :-1], (left[..., -1:] + right[..., -1:]) / 2], dim=-1)
        return torch.cat([left, right[..., : self.grid // 2].flip(-1)], dim=-1)

    def _side(self, image: Tensor) -> Tensor:
        half = image[..., : self.half_width]
        # Not channels-last: the norm of single channels is far slower there.
        features = self.embed(half.contiguous())
        for layer in self.layers:
            features = layer(features)
        normed: Tensor = self.norm(features)
        return normed


def shrink(features: Tensor) -> Tensor:
    """(..., height, width), both even, -> (..., height / 2, width / 2): means that know no side, to the last bit."""
    # The sum of two columns does not depend on their order; that of four places does.
    return F.avg_pool2d(F.avg_pool2d(features, (1, 2)), (2, 1))


def _strides(patch: int) -> list[int]:
    odd, halvings = patch, 0
    while odd % 2 == 0:
        odd, halvings = odd // 2, halvings + 1
    return [odd] * (odd > 1 or not halvings) + [2] * halvings


class _Layer(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.steps = nn.Sequential(nn.GroupNorm(dim, dim), nn.GELU(), nn.Conv2d(dim, dim, 3, padding=1))

    def forward(self, features: Tensor) -> Tensor:
        added: Tensor = features + self.steps(features)
        return added


class SidesHead(nn.Module):
    """What the two sides share, and how they differ: (batch, dim, grid, grid) -> (batch, common), (batch, signed).

    The common numbers are the same for the mirrored face. The signed ones change their sign, because everything that
    makes them is odd (differences, linear maps without bias); the sign needs no training. Positive is the image's
    right.
    """

    def __init__(self, dim: int, grid: int, common: int, signed: int, width: int = 16) -> None:
        super().__init__()
        self.shrinks = grid % 4 == 0 and grid > _READ_GRID
        grid = grid // 2 if self.shrinks else grid
        places = width * grid * ((grid + 1) // 2)
        self.look, self.read = nn.Conv2d(dim, width, 1), nn.Linear(places, common)
        self.compare, self.differ = nn.Conv2d(dim, width, 1, bias=False), nn.Linear(places, signed, bias=False)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The numbers of mirror-equivariant `features`."""
        left, right = halves(shrink(features) if self.shrinks else features)
        common = F.gelu(self.look(left)) + F.gelu(self.look(right))
        signed = torch.tanh(self.compare(right - left))
        return self.read(common.flatten(1)), self.differ(signed.flatten(1))
