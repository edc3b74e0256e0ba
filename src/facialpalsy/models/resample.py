"""Resample: maps spread, smoothed and thinned by one small filter, in native PyTorch.

Karras et al. 2020, Analyzing and Improving the Image Quality of StyleGAN (CVPR), call the whole step upfirdn.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  the name that every reader of PyTorch knows
from torch import Tensor


def upfirdn2d(x: Tensor, kernel: Tensor, up: int = 1, down: int = 1, pad: tuple[int, int] = (0, 0)) -> Tensor:
    """Put zeros between pixels, pad, convolve, and keep every `down`-th pixel.

    Args:
        x: (batch, channels, height, width).
        kernel: (rows, columns) of the filter, the same for every channel.
        up: Each pixel becomes `up` x `up` pixels, itself and zeros after it.
        down: Step of what is kept.
        pad: Zeros before and after, for rows and columns alike; less than 0 crops.

    Returns:
        (batch, channels, (height * up + sum(pad) - rows) // down + 1, the same of the width).
    """
    batch, channels, height, width = x.shape
    if up > 1:
        x = F.pad(x[:, :, :, None, :, None], (0, up - 1, 0, 0, 0, up - 1))
        x = x.reshape(batch, channels, height * up, width * up)
    weight = kernel.flip(0, 1).expand(channels, 1, *kernel.shape)
    return F.conv2d(F.pad(x, (*pad, *pad)), weight, stride=down, groups=channels)


def binomial_kernel(gain: float = 1.0) -> Tensor:
    """(4, 4) weights 1 3 3 1 in both directions, which sum to `gain`."""
    line = torch.tensor([1.0, 3.0, 3.0, 1.0])
    return torch.outer(line, line) * (gain / 64)


def resize(x: Tensor, side: int) -> Tensor:
    """(batch, channels, height, width) -> (batch, channels, side, side): bilinear, corner to corner."""
    return F.interpolate(x, size=(side, side), mode="bilinear", align_corners=True)


def shrunk(x: Tensor, side: int) -> Tensor:
    """(batch, channels, height, width) -> (batch, channels, side, side), smoothed so that nothing aliases."""
    if x.shape[-2:] == (side, side):
        return x
    return F.interpolate(x, size=(side, side), mode="bilinear", antialias=True)
