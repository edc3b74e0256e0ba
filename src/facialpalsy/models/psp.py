"""pSp: the encoder that writes a face as one code for each layer of a generator (W+).

Richardson et al. 2021, Encoding in Style (CVPR): a residual network with squeeze-and-excitation (IR-SE-50, without
downsampling in its stem), a feature pyramid of its last three resolutions, and one small network per code, which reads
coarse codes from the coarse map. What comes out is added to the average code. Names and shapes of the weights are those
of the public checkpoint.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn

from facialpalsy.errors import UsageError
from facialpalsy.models.foreign import load_exactly
from facialpalsy.models.resample import resize
from facialpalsy.models.stylegan2 import EqualLinear

COARSE, MIDDLE = 3, 7
"""The codes before these numbers come from the coarse and the middle map; the others from the fine one."""

SHRINKS = 16
"""The picture's side over that of the coarse map."""

HEADS = ("single", "shared")

_SHARED_SIDE = 4
_REDUCTION, _SQUEEZED = 16, 4


class SqueezeExcite(nn.Module):
    """Channels weighted by what all places together say."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = max(channels // _REDUCTION, _SQUEEZED)
        self.fc1 = nn.Conv2d(channels, squeezed, 1, bias=False)
        self.fc2 = nn.Conv2d(squeezed, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) -> the same."""
        squeezed: Tensor = self.fc1(x.mean(dim=(2, 3), keepdim=True)).relu()
        excited: Tensor = self.fc2(squeezed).sigmoid()
        return x * excited


class Unit(nn.Module):
    """Residual unit: norm, convolution, PReLU, convolution with the stride, norm, squeeze-and-excitation."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.shortcut_layer: nn.Module = nn.MaxPool2d(1, stride)
        if inputs != outputs:
            self.shortcut_layer = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.PReLU(outputs),
            nn.Conv2d(outputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            SqueezeExcite(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, h, w) -> (batch, outputs, h / stride, w / stride)."""
        joined: Tensor = self.res_layer(x) + self.shortcut_layer(x)
        return joined


def input_layer(channels: int, colours: int = 3) -> nn.Sequential:
    """(batch, colours, h, w) -> (batch, channels, h, w), which the body takes."""
    return nn.Sequential(
        nn.Conv2d(colours, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.PReLU(channels)
    )


def residual_body(channels: Sequence[int], units: Sequence[int]) -> nn.Sequential:
    """Stages of so many channels and units; the first unit of each halves the picture."""
    body, before = nn.Sequential(), channels[0]
    for width, count in zip(channels, units, strict=True):
        body.extend(Unit(before if not number else width, width, 1 if number else 2) for number in range(count))
        before = width
    return body


class SingleHead(nn.Module):
    """One code of a map of `side`: strided convolutions to a single place, then a linear layer."""

    def __init__(self, channels: int, side: int, dim: int) -> None:
        super().__init__()
        self.convs = nn.Sequential()
        for _ in range(int(math.log2(side))):
            self.convs.extend([nn.Conv2d(channels, channels, 3, 2, 1), nn.LeakyReLU()])
        self.linear = EqualLinear(channels, dim)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, side, side) -> (batch, 1, dim)."""
        code: Tensor = self.linear(self.convs(x).flatten(1))
        return code[:, None]


class SharedHead(nn.Module):
    """All codes of a map of `side`: strided convolutions to 4 x 4 places, narrowed, then one linear layer."""

    def __init__(self, channels: int, side: int, dim: int, codes: int) -> None:
        super().__init__()
        self.dim, narrow = dim, max(channels // 4, 1)
        self.convs = nn.Sequential()
        while side > _SHARED_SIDE:
            self.convs.extend([nn.Conv2d(channels, channels, 3, 2, 1), nn.LeakyReLU()])
            side //= 2
        self.convs.extend([nn.Conv2d(channels, narrow, 1), nn.LeakyReLU()])
        self.linear = EqualLinear(narrow * side**2, codes * dim)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, side, side) -> (batch, codes, dim)."""
        codes: Tensor = self.linear(self.convs(x).flatten(1))
        return codes.view(len(x), -1, self.dim)


class PspEncoder(nn.Module):
    """Picture -> W+ codes.

    Args:
        latents: Codes, `StyleGAN2Generator.latents` of the generator that reads them.
        image_size: Side of the picture in pixels, a power of 2 from 32.
        dim: Of a code.
        channels: Of the four stages of the body.
        units: Residual units of each.
        heads: "single", a network for every code as published, or "shared", one for all codes of a map.

    Attributes:
        latent_avg: (latents, dim) the average code, zeros until it is known.

    Raises:
        UsageError: a value is not allowed.
    """

    latent_avg: Tensor

    def __init__(
        self,
        latents: int = 18,
        *,
        image_size: int = 256,
        dim: int = 512,
        channels: Sequence[int] = (64, 128, 256, 512),
        units: Sequence[int] = (3, 4, 14, 3),
        heads: str = "single",
    ) -> None:
        super().__init__()
        _check(latents, image_size, channels, units, heads)
        self.image_size = image_size
        wide = channels[-1]
        self.input_layer, self.body = input_layer(channels[0]), residual_body(channels, units)
        self._ends = list(accumulate(units))
        side = image_size // SHRINKS
        counts = [COARSE, MIDDLE - COARSE, latents - MIDDLE]
        self.styles = nn.ModuleList()
        self._sees: list[int] = []
        for level, count in enumerate(counts):
            if heads == "shared":
                self.styles.append(SharedHead(wide, side << level, dim, count))
            else:
                self.styles.extend(SingleHead(wide, side << level, dim) for _ in range(count))
            self._sees += [level] * (len(self.styles) - len(self._sees))
        self.latlayer1 = nn.Conv2d(channels[2], wide, 1)
        self.latlayer2 = nn.Conv2d(channels[1], wide, 1)
        self.register_buffer("latent_avg", torch.zeros(latents, dim))

    @classmethod
    def from_reference(
        cls, state: Mapping[str, Tensor], latent_avg: Tensor, latents: int = 18, **configuration: Any
    ) -> PspEncoder:
        """The encoder with weights of the public checkpoint.

        Args:
            state: What stands there under `encoder.`, without that. Of an encoder of more codes, the first are taken.
            latent_avg: (codes, dim) of the checkpoint, likewise.
            latents: Codes.
            configuration: Further arguments.

        Raises:
            CheckpointError: the state has fewer codes or is of another architecture.
            UsageError: a value is not allowed.
        """
        held = len({name.split(".")[1] for name in state if name.startswith("styles.")})
        with torch.device("meta"):
            network, whole = cls(latents, **configuration), cls(max(held, latents), **configuration)
        beyond = whole.state_dict().keys() - network.state_dict().keys()
        taken = {name: tensor for name, tensor in state.items() if name not in beyond}
        whose = f"a pSp encoder (IR-SE-50) of {latents} codes"
        load_exactly(network, {**taken, "latent_avg": latent_avg[:latents]}, whose)
        return network

    def forward(self, image: Tensor) -> Tensor:
        """(batch, 3, image_size, image_size), -1 to 1 -> (batch, latents, dim)."""
        x, stages = self.input_layer(image), []
        for number, unit in enumerate(self.body, start=1):
            x = unit(x)
            if number in self._ends:
                stages.append(x)
        _, fine, middle, coarse = stages
        middle = resize(coarse, middle.shape[-1]) + self.latlayer1(middle)
        fine = resize(middle, fine.shape[-1]) + self.latlayer2(fine)
        maps = (coarse, middle, fine)
        codes = [style(maps[level]) for style, level in zip(self.styles, self._sees, strict=True)]
        return torch.cat(codes, dim=1) + self.latent_avg


def _check(latents: int, image_size: int, channels: Sequence[int], units: Sequence[int], heads: str) -> None:
    if image_size < 2 * SHRINKS or image_size & (image_size - 1):
        raise UsageError(f"image_size is {image_size}; give a power of 2 from {2 * SHRINKS}, such as 128 or 256.")
    if latents <= MIDDLE:
        raise UsageError(
            f"{latents} codes were asked for; give {MIDDLE + 1} or more, which a generator of 32 pixels has."
        )
    if len(channels) != 4 or len(units) != 4 or min(*channels, *units) < 1:
        raise UsageError(
            f"The encoder's channels are {tuple(channels)} and its units {tuple(units)}; give four numbers from 1 each."
        )
    if heads not in HEADS:
        raise UsageError(f"heads is {heads!r}; allowed are {', '.join(HEADS)}.")
