"""Pyramid: reads heat maps from a generator's maps, the coarse ones first.

    c_0 = 0,  c_i = C_i(c_{i-1} + f_i),  heat maps = c_k

f_i is the generator's map of resolution i and C_i convolution, ReLU, dropout and norm, after an upsampling until the
side of the heat maps is reached; larger maps are shrunk to it. Gao et al. 2025, ViTAU (Chinese Journal of Engineering
47:351), section 2.2.3; sizes and names of the weights are those of FG-Net (Yin et al. 2024, WACV), whose formula it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from facialpalsy.errors import UsageError, did_you_mean
from facialpalsy.models.foreign import load_exactly
from facialpalsy.models.resample import resize
from facialpalsy.models.stylegan2 import FIRST_SIDE

STAGES = ("all", "early", "middle", "late")
"""Which of the generator's maps are read: all, or the first, second or last third of them."""

WIDTH = 32
"""Most channels of the last convolution before the heat maps."""

_INIT = 0.02


class PyramidInterpreter(nn.Module):
    """Maps of a generator -> heat maps.

    Args:
        points: Heat maps.
        channels: Of the generator's maps, from 4 x 4 on.
        dropout: In every block.
        kernel: Side of the convolutions; the first one has 3.
        side: Of the heat maps.
        stages: Of `STAGES`. Blocks before the first map that is read are left out; they would see zeros.

    Attributes:
        reads: The numbers of the maps that are read.

    Raises:
        UsageError: a value is not allowed.
    """

    def __init__(
        self,
        points: int,
        channels: Sequence[int] = (512, 512, 512, 512, 512, 256, 128, 64, 32),
        *,
        dropout: float = 0.1,
        kernel: int = 5,
        side: int = 128,
        stages: str = "all",
    ) -> None:
        super().__init__()
        _check(points, channels, dropout, kernel, stages)
        _check_side(side, FIRST_SIDE << (len(channels) - 1))
        self.side, self.reads = side, stage_levels(stages, len(channels))
        self.layers = nn.ModuleDict()
        for level in range(self.reads.start, len(channels)):
            last = level + 1 == len(channels)
            width = min(channels[level], WIDTH) if last else channels[level + 1]
            size = 3 if level == 0 else kernel
            grows = FIRST_SIDE << level < side
            block = nn.Sequential(*[nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)] * grows)
            block.extend([nn.Conv2d(channels[level], width, size, padding=size // 2), nn.ReLU(), nn.Dropout(dropout)])
            block.append(nn.BatchNorm2d(width))
            if last:
                block.append(nn.Conv2d(width, points, size, padding=size // 2))
            self.layers[str(level)] = block
        self.apply(_begin)

    @classmethod
    def from_reference(cls, state: Mapping[str, Tensor], points: int, **configuration: Any) -> PyramidInterpreter:
        """The interpreter with weights of the published implementation.

        Args:
            state: Its state dictionary.
            points: Heat maps; the published files have 32, more than they use.
            configuration: Further arguments.

        Raises:
            CheckpointError: the state is of another size or architecture.
            UsageError: a value is not allowed.
        """
        with torch.device("meta"):
            network = cls(points, **configuration)
        ours = {name.replace("layer", "layers.", 1): tensor for name, tensor in state.items()}
        load_exactly(network, ours, f"a pyramid interpreter of {points} heat maps")
        return network

    @property
    def last_convolution(self) -> nn.Module:
        """The last one before the heat maps, which Grad-CAM reads; on the output itself it would show the output."""
        *_, block = self.layers.values()
        assert isinstance(block, nn.Sequential)  # noqa: S101  all blocks are
        return block[-5]

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """(batch, channels, side, side) of each resolution from 4 x 4 on -> (batch, points, side, side)."""
        hidden: Tensor | None = None
        for level, layer in enumerate(self.layers.values(), start=self.reads.start):
            if level in self.reads:
                read = features[level]
                read = resize(read, self.side) if read.shape[-1] > self.side else read
                hidden = read if hidden is None else hidden + read
            hidden = layer(hidden)
        assert hidden is not None  # noqa: S101  there is a block at least
        return hidden


def stage_levels(stages: str, levels: int) -> range:
    """The numbers of the maps that belong to `stages`, of `levels` of them.

    >>> [list(stage_levels(stage, 9)) for stage in ("early", "middle", "late")]
    [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    """
    thirds = {"all": (0, 3), "early": (0, 1), "middle": (1, 2), "late": (2, 3)}
    first, end = (round(levels * third / 3) for third in thirds[stages])
    return range(first, end)


def _check(points: int, channels: Sequence[int], dropout: float, kernel: int, stages: str) -> None:
    if points < 1:
        raise UsageError(f"{points} heat maps were asked for; give a whole number from 1.")
    if len(channels) < 3:
        raise UsageError(f"The maps of {len(channels)} resolutions were given; there must be 3 or more.")
    if not 0 <= dropout < 1:
        raise UsageError(f"dropout is {dropout}; give a share from 0 to less than 1.")
    if kernel % 2 == 0:
        raise UsageError(f"kernel is {kernel}; give an odd number, such as 3 or 5.")
    if stages not in STAGES:
        raise UsageError(f"stages is {stages!r}. {did_you_mean(stages, STAGES)}")


def _check_side(side: int, largest: int) -> None:
    if side & (side - 1) or not FIRST_SIDE <= side <= largest:
        raise UsageError(
            f"Heat maps of {side} pixels were asked for; give a power of 2 from {FIRST_SIDE} to {largest}, the side of "
            "the generator's largest map."
        )


def _begin(module: nn.Module) -> None:
    """Weights that begin as the published ones do."""
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, 0, _INIT)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1, _INIT)
