"""Landmarker: points of an aligned face by heat maps, each half of the face seen by the same weights.

The left half of the picture and the flipped right half, each with a strip beyond the middle, pass one network, so the
points of a mirrored picture are the mirrored points, exactly, and neither half is drawn towards the other. A point is
the mean place of its heat map (soft-argmax; Nibali et al. 2018, arXiv:1801.07372): local evidence, where a regression
from the whole face learns that faces are symmetric.

How finely a map is cut shows in its mean place. So each half is looked at twice, the second time moved by half a place
of the map, and the mean of both looks counts.

A face has pairs of points and points on the midline; which they are is decided by whoever trains the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812  the name that every reader of PyTorch knows
from pydantic import ConfigDict
from torch import Tensor, nn

from facialpalsy.errors import UsageError
from facialpalsy.models.spec import Count, plain_values, read_spec

STRIDE = 4
"""Pixels of the picture per place of a heat map."""

COARSEST = 16
"""Sides of what `PointMaps` sees are multiples of it: they are halved four times."""

STEP = 48
"""Picture sides are multiples of it: two thirds of them can be halved four times."""

SEEN = 2 / 3
"""Share of the picture's width that each half with its strip has."""

WIDTHS, LAYERS = (16, 32, 64, 128), (1, 2, 2)
"""Of the shipped networks, as `PointMaps` takes them."""


class PointMaps(nn.Module):
    """Heat maps of points, by a residual network that goes down to stride 16 and up again to 4.

    Args:
        points: How many.
        widths: Channels at strides 2, 4, 8 and 16.
        layers: Residual layers at strides 4, 8 and 16.

    Raises:
        UsageError: there is no point, or sizes are not given for each stride.
    """

    def __init__(self, points: int, widths: Sequence[int] = WIDTHS, layers: Sequence[int] = LAYERS) -> None:
        super().__init__()
        if points < 1 or len(widths) != 4 or len(layers) != 3:
            raise UsageError(
                f"{points} points, widths {tuple(widths)} and layers {tuple(layers)} were asked for; give at least one "
                "point, four widths and three numbers of layers."
            )
        first, fine, *coarser = widths
        self.embed = nn.Sequential(_halved(3, first, 5), _halved(first, fine, 3), *_residuals(fine, layers[0]))
        self.down, self.up, self.join = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for wide, count in zip(coarser, layers[1:], strict=True):
            self.down.append(nn.Sequential(_halved(fine, wide, 3), *_residuals(wide, count)))
            self.up.append(nn.Conv2d(wide, fine, 1))
            self.join.append(Residual(fine))
            fine = wide
        self.maps = nn.Conv2d(widths[1], points, 1)

    def features(self, pictures: Tensor) -> Tensor:
        """(n, channels, rows / 4, columns / 4) of (n, 3, rows, columns), multiples of 16."""
        seen: Tensor = self.embed(pictures.contiguous(memory_format=torch.channels_last))
        kept = []
        for down in self.down:
            kept.append(seen)
            seen = down(seen)
        for up, join in zip(reversed(self.up), reversed(self.join), strict=True):
            seen = join(kept.pop() + F.interpolate(up(seen), scale_factor=2.0, mode="nearest"))
        return seen

    def maps_of(self, features: Tensor) -> Tensor:
        """(n, points, rows / 4, columns / 4), each with the sum 1, of what `features` gives."""
        maps: Tensor = self.maps(features).float()
        return maps.flatten(2).softmax(dim=2).view_as(maps)


class Landmarker(PointMaps):
    """Points of aligned faces.

    Args:
        pairs: Points that each half has.
        middle: Points on the midline; each half finds them, and the mean counts.
        widths: As of `PointMaps`.
        layers: As of `PointMaps`.

    Raises:
        UsageError: there is no pair, or sizes are not given for each stride.
    """

    def __init__(self, pairs: int, middle: int, widths: Sequence[int] = WIDTHS, layers: Sequence[int] = LAYERS) -> None:
        if pairs < 1:
            raise UsageError(f"{pairs} pairs of points were asked for; give at least one.")
        super().__init__(pairs + middle, widths, layers)
        self.pairs, self.middle = pairs, middle

    def forward(self, images: Tensor) -> Tensor:
        """(n, 2 * pairs + middle, 2) points of (n, 3, size, size), the face's midline in the middle of the picture.

        Points are shares of the picture, x right and y down: pairs on its left half, the same on its right, the middle.
        """
        looks = [[places(one) - by / images.shape[-1] for one in self.heat_maps(images, by)] for by in (0, STRIDE // 2)]
        return self.points_of(*(torch.stack(one).mean(0) for one in zip(*looks, strict=True)))

    def points_of(self, left: Tensor, right: Tensor) -> Tensor:
        """The same from (n, pairs + middle, 2) `places` of the left half and of the flipped right one."""
        right = torch.stack([1 - right[..., 0], right[..., 1]], dim=2)
        middle = (left[:, self.pairs :] + right[:, self.pairs :]) / 2
        return torch.cat([left[:, : self.pairs], right[:, : self.pairs], middle], dim=1)

    def heat_maps(self, images: Tensor, moved: int = 0) -> tuple[Tensor, Tensor]:
        """Of the left half and of the flipped right one: (n, pairs + middle, rows, columns), each with the sum 1.

        Args:
            images: As in `forward`.
            moved: Pixels by which each half is moved inwards and down first.

        Raises:
            UsageError: the side of the pictures is no multiple of `STEP`.
        """
        size = images.shape[-1]
        if size % STEP:
            raise UsageError(f"The pictures are {size} pixels wide; points are found at multiples of {STEP}.")
        seen = size * 2 // 3
        # One after the other: in one batch, threads divide the sums of the two halves differently, to the last bit.
        return self._half(images[..., :seen], moved), self._half(images.flip(-1)[..., :seen], moved)

    def _half(self, half: Tensor, moved: int) -> Tensor:
        if moved:
            half = F.pad(half, (moved, 0, moved, 0), mode="replicate")[..., :-moved, :-moved]
        return self.maps_of(self.features(half))


class LandmarkEstimate(NamedTuple):
    """What is found in n photos. The names are the outputs of the ONNX file.

    Attributes:
        points: (n, points, 2) x and y as shares of the photo, in the order of a scheme; of a patch in its pixels.
        sigma: (n, points) standard deviation of each coordinate, in the same unit.
    """

    points: Tensor
    sigma: Tensor


class OrderedLandmarker(nn.Module):
    """A landmarker whose points come in the order of a scheme, each with how sure it is; by one look at each photo.

    How wide a heat map is spread says how sure its place is, up to a factor that is measured on people of validation.

    Args:
        landmarker: Finds the points.
        order: Place of each of its points in the scheme.
        factors: (points,) in the order of the scheme, by which the spread of a map is multiplied.
    """

    factors: Tensor

    def __init__(self, landmarker: Landmarker, order: Sequence[int], factors: Tensor) -> None:
        super().__init__()
        self.landmarker = landmarker
        self.found = [order.index(one) for one in range(len(order))]
        self.register_buffer("factors", factors)

    def forward(self, images: Tensor) -> LandmarkEstimate:
        """Find the points of (n, 3, size, size) photos in 0..1."""
        halves = self.landmarker.heat_maps(images)
        points = self.landmarker.points_of(*(places(one) for one in halves))
        left, right = (spreads(one) for one in halves)
        pairs = self.landmarker.pairs
        middle = (left[:, pairs:] + right[:, pairs:]) / 2
        spread = torch.cat([left[:, :pairs], right[:, :pairs], middle], 1)
        return LandmarkEstimate(points[:, self.found], spread[:, self.found] * self.factors)


def places(maps: Tensor) -> Tensor:
    """(n, points, 2) mean place of each heat map (n, points, rows, columns) of a half, as shares of the picture."""
    return pixels(maps) / (STRIDE * maps.shape[-2])


def spreads(maps: Tensor) -> Tensor:
    """(n, points) standard deviation of each heat map of a half about its mean place, as a share of the picture."""
    return pixel_spreads(maps) / (STRIDE * maps.shape[-2])


def pixels(maps: Tensor) -> Tensor:
    """(n, points, 2) mean place of each heat map, in pixels of what it was made of."""
    across, down = (_centres(count, maps) for count in maps.shape[:-3:-1])
    return torch.stack([(maps.sum(2) * across).sum(2), (maps.sum(3) * down).sum(2)], dim=2)


def pixel_spreads(maps: Tensor) -> Tensor:
    """(n, points) standard deviation of each coordinate of a heat map about its mean place, in pixels."""
    mean = pixels(maps)
    across, down = (_centres(count, maps) for count in maps.shape[:-3:-1])
    squared = (maps.sum(2) * (across - mean[..., :1]).square()).sum(2)
    squared = squared + (maps.sum(3) * (down - mean[..., 1:]).square()).sum(2)
    # Half of the squared distance: each coordinate has its share.
    return (squared / 2).sqrt()


def _centres(count: int, maps: Tensor) -> Tensor:
    return (torch.arange(count, device=maps.device) + 0.5) * STRIDE


@dataclass(frozen=True)
class LandmarkerSpec:
    """Configuration of a `Landmarker`: its arguments, and the side of its pictures."""

    SCHEMA: ClassVar[str] = "facialpalsy.landmarker/1"
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    image_size: Count = 192
    pairs: Count = 90
    middle: Count = 11
    widths: tuple[Count, Count, Count, Count] = WIDTHS
    layers: tuple[Count, Count, Count] = LAYERS

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LandmarkerSpec:
        """The configuration of a plain dictionary, as `to_dict` or JSON give it.

        Raises:
            UsageError: a name is unknown, or a value is of the wrong kind.
        """
        return read_spec(cls, values, "landmarker")

    def to_dict(self) -> dict[str, Any]:
        """The configuration as a plain dictionary that JSON can hold."""
        return plain_values(self)

    def network(self) -> Landmarker:
        """The network with random weights.

        Raises:
            UsageError: the side of its pictures is no multiple of `STEP`.
        """
        if self.image_size % STEP:
            below = self.image_size // STEP * STEP
            near = f"{below} or {below + STEP}" if below else f"{STEP}"
            raise UsageError(f"image_size is {self.image_size}; points are found at multiples of {STEP}: take {near}.")
        return Landmarker(self.pairs, self.middle, self.widths, self.layers)


PRESETS: Mapping[str, LandmarkerSpec] = MappingProxyType(
    {"tiny": LandmarkerSpec(image_size=96, widths=(8, 16, 16, 16), layers=(1, 1, 1)), "small": LandmarkerSpec()}
)
"""Sizes by name: `tiny` is for tests, `small` is part of the shipped grader."""


class Residual(nn.Module):
    """relu(x + two convolutions of x), each normalised over the batch."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.steps = nn.Sequential(
            nn.Conv2d(dim, dim, 3, padding=1, bias=False),
            nn.BatchNorm2d(dim),
            nn.ReLU(),
            nn.Conv2d(dim, dim, 3, padding=1, bias=False),
            nn.BatchNorm2d(dim),
        )

    def forward(self, features: Tensor) -> Tensor:
        """(n, dim, rows, columns) -> the same."""
        return F.relu(features + self.steps(features))


def _halved(channels: int, out: int, size: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, out, size, 2, size // 2, bias=False), nn.BatchNorm2d(out), nn.ReLU())


def _residuals(dim: int, count: int) -> list[Residual]:
    return [Residual(dim) for _ in range(count)]
