"""Patch landmarker: points of one part of a face at a finer scale than a landmarker of whole faces can have.

It sees patches of the subject's right half, and those of the left half flipped, one by one: a mirrored face has the
mirrored points by construction, and no side knows of the other. Which part it is and which points lie in it is decided
by whoever trains the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from pydantic import ConfigDict
from torch import Tensor, nn

from facialpalsy.errors import UsageError
from facialpalsy.models.landmarker import COARSEST, LAYERS, WIDTHS, PointMaps, pixel_spreads, pixels
from facialpalsy.models.spec import Count, plain_values, read_spec


class PatchEstimate(NamedTuple):
    """What is found in n patches. The names are the outputs of the ONNX file.

    Attributes:
        points: (n, points, 2) x and y in pixels of the patch.
        sigma: (n, points) standard deviation of each coordinate in pixels, where nothing is in the way.
        covered: (n, points) probability that something is in the way.
    """

    points: Tensor
    sigma: Tensor
    covered: Tensor


class PatchLandmarker(PointMaps):
    """Points of patches, each with how sure it is; arguments and errors are those of `PointMaps`.

    Attributes:
        factors: (points,) by which the spread of a heat map is multiplied, as of `OrderedLandmarker`.
        covers: Of every place of a map and every point, the log-odds that something is in the way.
    """

    factors: Tensor

    def __init__(self, points: int, widths: Sequence[int] = WIDTHS, layers: Sequence[int] = LAYERS) -> None:
        super().__init__(points, widths, layers)
        fine = widths[1]
        self.covers = nn.Sequential(nn.Conv2d(fine, fine, 3, padding=1), nn.ReLU(), nn.Conv2d(fine, points, 1))
        self.register_buffer("factors", torch.ones(points))

    def forward(self, images: Tensor) -> PatchEstimate:
        """Points of (n, 3, rows, columns) patches in 0..1."""
        features = self.features(images)
        maps = self.maps_of(features)
        return PatchEstimate(pixels(maps), pixel_spreads(maps) * self.factors, self.cover_of(features, maps).sigmoid())

    def cover_of(self, features: Tensor, maps: Tensor) -> Tensor:
        """(n, points) log-odds that something is in the way, the mean over the places where a point may be."""
        found: Tensor = (self.covers(features) * maps).sum((2, 3))
        return found


@dataclass(frozen=True)
class PatchLandmarkerSpec:
    """Configuration of a `PatchLandmarker`: its arguments, and the size of its patches."""

    SCHEMA: ClassVar[str] = "facialpalsy.patch_landmarker/1"
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    columns: Count
    rows: Count
    points: Count
    widths: tuple[Count, Count, Count, Count] = WIDTHS
    layers: tuple[Count, Count, Count] = LAYERS

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PatchLandmarkerSpec:
        """The configuration of a plain dictionary, as `to_dict` or JSON give it.

        Raises:
            UsageError: a name is unknown, or a value is of the wrong kind.
        """
        return read_spec(cls, values, "patch landmarker")

    def to_dict(self) -> dict[str, Any]:
        """The configuration as a plain dictionary that JSON can hold."""
        return plain_values(self)

    def network(self) -> PatchLandmarker:
        """The network with random weights.

        Raises:
            UsageError: the sides of its patches are no multiples of `COARSEST`.
        """
        if self.columns % COARSEST or self.rows % COARSEST:
            raise UsageError(
                f"Patches of {self.columns} by {self.rows} pixels were asked for; both are multiples of {COARSEST}."
            )
        return PatchLandmarker(self.points, self.widths, self.layers)
