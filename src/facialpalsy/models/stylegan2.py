"""StyleGAN2: the generator whose inner maps the region network reads.

Karras et al. 2020, Analyzing and Improving the Image Quality of StyleGAN (CVPR). Names and shapes of the weights are
those of the public PyTorch checkpoints; the arithmetic is written anew, without compiled operators. A modulated
convolution scales its input and its output instead of its weights, which is the same sum and takes one convolution for
a whole batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  the name that every reader of PyTorch knows
from torch import Tensor, nn

from facialpalsy.errors import CheckpointError, UsageError
from facialpalsy.models.foreign import load_exactly
from facialpalsy.models.resample import binomial_kernel, upfirdn2d

FIRST_SIDE = 4
"""Pixels per side of the constant that the generator begins with."""

_LARGEST = 1024  # of public weights
_MAPPING_RATE = 0.01
_GAIN = 2**0.5


def leaky(x: Tensor) -> Tensor:
    """Leaky ReLU that keeps the variance."""
    return F.leaky_relu(x, 0.2) * _GAIN


class EqualLinear(nn.Module):
    """Linear layer whose weights are scaled when it runs, so that all layers learn at one rate.

    Args:
        inputs: Numbers that come in.
        outputs: Numbers that go out.
        bias: What each bias begins with.
        rate: Learning rate over that of the other layers.
    """

    def __init__(self, inputs: int, outputs: int, *, bias: float = 0.0, rate: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias))
        self.scale, self.rate = rate / inputs**0.5, rate

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs)."""
        return F.linear(x, self.weight * self.scale, self.bias * self.rate)


class MappingLayer(EqualLinear):
    """One layer of the mapping network."""

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs)."""
        return leaky(super().forward(x))


class PixelNorm(nn.Module):
    """Each vector divided by its root mean square."""

    def forward(self, x: Tensor) -> Tensor:
        """(..., dim) -> the same."""
        return x * torch.rsqrt(x.square().mean(dim=-1, keepdim=True) + 1e-8)


class Smooth(nn.Module):
    """The filter 1 3 3 1, with the gain that zeros between the pixels ask for.

    Args:
        up: Each pixel becomes `up` x `up`.
        pad: Zeros before and after.
    """

    kernel: Tensor

    def __init__(self, up: int, pad: tuple[int, int]) -> None:
        super().__init__()
        self.up, self.pad = up, pad
        self.register_buffer("kernel", binomial_kernel(gain=4))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) -> smoothed, `up` times as high and wide."""
        return upfirdn2d(x, self.kernel, up=self.up, pad=self.pad)


class ModulatedConv2d(nn.Module):
    """Convolution whose input channels are weighted by a style.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        size: Of the kernel.
        dim: Of the style.
        demodulate: Whether the output has the variance of the unweighted convolution.
        up: Whether height and width double.
    """

    def __init__(
        self, inputs: int, outputs: int, size: int, dim: int, *, demodulate: bool = True, up: bool = False
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, outputs, inputs, size, size))
        self.modulation = EqualLinear(dim, inputs, bias=1.0)
        self.blur = Smooth(up=1, pad=(1, 1)) if up else None
        self.scale, self.demodulate = (inputs * size**2) ** -0.5, demodulate

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """(batch, inputs, h, w) and (batch, dim) -> (batch, outputs, h, w), doubled where asked for."""
        style, weight = self.modulation(style), self.weight[0] * self.scale
        x = x * style[:, :, None, None]
        if self.blur is None:
            x = F.conv2d(x, weight, padding=weight.shape[-1] // 2)
        else:
            x = self.blur(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2))
        if self.demodulate:
            power = F.linear(style.square(), weight.square().sum(dim=(2, 3)))
            x = x * torch.rsqrt(power + 1e-8)[:, :, None, None]
        return x


class Noise(nn.Module):
    """Adds a map, the same for all channels and pictures, by a learnt weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        """(batch, channels, side, side) and (1, 1, side, side) -> the first with the second added."""
        return x + self.weight * noise


class Activation(nn.Module):
    """Leaky ReLU after a bias per channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) -> the same."""
        return leaky(x + self.bias[:, None, None])


class StyledConv(nn.Module):
    """Modulated convolution, noise, activation."""

    def __init__(self, inputs: int, outputs: int, dim: int, *, up: bool = False) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(inputs, outputs, 3, dim, up=up)
        self.noise = Noise()
        self.activate = Activation(outputs)

    def forward(self, x: Tensor, style: Tensor, noise: Tensor) -> Tensor:
        """(batch, inputs, h, w), (batch, dim), noise of the new size -> (batch, outputs, ...)."""
        activated: Tensor = self.activate(self.noise(self.conv(x, style), noise))
        return activated


class ToRGB(nn.Module):
    """What a resolution adds to the picture."""

    def __init__(self, channels: int, dim: int, *, first: bool = False) -> None:
        super().__init__()
        self.upsample = None if first else Smooth(up=2, pad=(2, 1))
        self.conv = ModulatedConv2d(channels, 3, 1, dim, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))

    def forward(self, x: Tensor, style: Tensor, picture: Tensor | None) -> Tensor:
        """(batch, channels, h, w), (batch, dim) and the picture so far at half the size -> (batch, 3, h, w)."""
        added: Tensor = self.conv(x, style) + self.bias
        return added if picture is None or self.upsample is None else added + self.upsample(picture)


class Constant(nn.Module):
    """The learnt map that every picture begins with."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.input = nn.Parameter(torch.randn(1, channels, FIRST_SIDE, FIRST_SIDE))


class StyleGAN2Generator(nn.Module):
    """Codes -> maps of each resolution, and a picture. The noise is fixed, so the same codes give the same maps.

    Args:
        size: Side of the picture in pixels, a power of 2 from 8.
        dim: Of a code.
        mapping: Layers of the mapping network; 0 leaves it out.
        widest: Most channels of a resolution.
        area: Channels times side of the resolutions that have fewer.

    Attributes:
        channels: Of each resolution, from 4 x 4 on.
        latents: Codes that one picture takes.

    Raises:
        UsageError: `size` is no power of 2 from 8.
    """

    def __init__(
        self, size: int = 1024, *, dim: int = 512, mapping: int = 8, widest: int = 512, area: int = 32768
    ) -> None:
        super().__init__()
        levels = _levels(size)
        self.channels = tuple(min(widest, area // (FIRST_SIDE << level)) for level in range(levels))
        self.latents = 2 * levels
        self.style = nn.Sequential(PixelNorm(), *(MappingLayer(dim, dim, rate=_MAPPING_RATE) for _ in range(mapping)))
        first = self.channels[0]
        self.input = Constant(first)
        self.conv1, self.to_rgb1 = StyledConv(first, first, dim), ToRGB(first, dim, first=True)
        self.convs, self.to_rgbs = nn.ModuleList(), nn.ModuleList()
        for before, here in zip(self.channels, self.channels[1:], strict=False):
            self.convs.extend([StyledConv(before, here, dim, up=True), StyledConv(here, here, dim)])
            self.to_rgbs.append(ToRGB(here, dim))
        self.noises = nn.Module()
        for number in range(2 * levels - 1):
            side = FIRST_SIDE << (number + 1) // 2
            self.noises.register_buffer(f"noise_{number}", torch.randn(1, 1, side, side))

    @classmethod
    def from_reference(cls, state: Mapping[str, Tensor], size: int = 1024, **configuration: Any) -> StyleGAN2Generator:
        """The generator with weights of a public checkpoint: `g_ema`, or what stands under `decoder.`, without that.

        Args:
            state: The weights. Of a generator of larger pictures, the first resolutions are taken: they are the same.
            size: Side of the picture.
            configuration: Further arguments.

        Raises:
            CheckpointError: the state is of smaller pictures or another architecture.
            UsageError: `size` is no power of 2 from 8.
        """
        _levels(size)
        numbers = {name.split(".")[1] for name in state if name.startswith("to_rgbs.")}
        held = min(FIRST_SIDE << min(len(numbers), 16), _LARGEST)
        if FIRST_SIDE < held < size:
            raise CheckpointError(
                f"The generator's weights make pictures of {held} pixels; {size} were asked for. Ask for {held} or "
                "less, or give larger weights."
            )
        with torch.device("meta"):
            network, whole = cls(size, **configuration), cls(max(held, size), **configuration)
        beyond = whole.state_dict().keys() - network.state_dict().keys()
        taken = {name: tensor for name, tensor in state.items() if name not in beyond}
        load_exactly(network, taken, f"a StyleGAN2 generator of {size} pixels")
        return network

    def remap(self, codes: Tensor) -> Tensor:
        """(..., dim) passed through the mapping network, each vector alone."""
        mapped: Tensor = self.style(codes)
        return mapped

    def features(self, codes: Tensor, levels: int | None = None) -> list[Tensor]:
        """The map behind the last convolution of each resolution.

        Args:
            codes: (batch, latents, dim), one for each layer; the last one colours the picture only.
            levels: How many resolutions, all by default.

        Returns:
            (batch, channels, side, side) of sides 4, 8, 16, ...
        """
        noises = list(self.noises.buffers())
        x = self.conv1(self.input.input.expand(len(codes), -1, -1, -1), codes[:, 0], noises[0])
        found = [x]
        for number in range(1, 2 * (levels or len(self.channels)) - 1):
            x = self.convs[number - 1](x, codes[:, number], noises[number])
            if number % 2 == 0:
                found.append(x)
        return found

    def picture(self, features: Sequence[Tensor], codes: Tensor) -> Tensor:
        """(batch, 3, size, size), about -1 to 1, of all `features` and the codes that they come from."""
        picture: Tensor = self.to_rgb1(features[0], codes[:, 1], None)
        for level, (layer, x) in enumerate(zip(self.to_rgbs, features[1:], strict=True), start=1):
            picture = layer(x, codes[:, 2 * level + 1], picture)
        return picture

    def forward(self, codes: Tensor) -> Tensor:
        """(batch, latents, dim) -> (batch, 3, size, size), about -1 to 1."""
        return self.picture(self.features(codes), codes)


def _levels(size: int) -> int:
    """How many resolutions lead to `size`."""
    levels = size.bit_length() - 2
    if levels < 2 or size != FIRST_SIDE << (levels - 1):
        raise UsageError(f"A generator of {size} pixels was asked for; give a power of 2 from 8, such as 256 or 1024.")
    return levels
