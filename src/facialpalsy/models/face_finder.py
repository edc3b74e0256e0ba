"""Face finder: where in a picture faces are, small or large, as six points of each: canthi and corners of the mouth.

Every place of a map says how sure it is that a face's centre lies there, and where the points of that face are (Zhou
et al. 2019, arXiv:1904.07850). Whoever asks shows it the mirror image too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from pydantic import ConfigDict
from torch import Tensor

from facialpalsy.errors import UsageError
from facialpalsy.models.landmarker import COARSEST, STRIDE, PointMaps
from facialpalsy.models.spec import Count, plain_values, read_spec

POINTS = 6
"""Outer canthi, inner canthi, corners of the mouth, in each pair that of the subject's right first."""

REACH = 32.0
"""Pixels that are 1 in the maps of where points are."""


class FaceEstimate(NamedTuple):
    """What is found in n pictures. The names are the outputs of the ONNX file.

    Attributes:
        faces: (n, rows / 4, columns / 4) probability that the centre of a face lies at a place.
        points: (n, POINTS, 2, rows / 4, columns / 4) x and y in pixels of the points of that face.
    """

    faces: Tensor
    points: Tensor


class FaceFinder(PointMaps):
    """Finds faces.

    Args:
        widths: As of `PointMaps`.
        layers: As of `PointMaps`.

    Raises:
        UsageError: sizes are not given for each stride.
    """

    def __init__(self, widths: Sequence[int], layers: Sequence[int]) -> None:
        super().__init__(1 + 2 * POINTS, widths, layers)

    def forward(self, images: Tensor) -> FaceEstimate:
        """The faces of (n, 3, rows, columns) pictures in 0..1."""
        odds, points = self.odds(images)
        return FaceEstimate(odds.sigmoid(), points)

    def odds(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """As `forward`, with log-odds for probabilities."""
        maps = self.maps(self.features(images)).float()
        rows, columns = maps.shape[-2:]
        down, across = ((torch.arange(count, device=maps.device) + 0.5) * STRIDE for count in (rows, columns))
        places = torch.stack([across.expand(rows, columns), down[:, None].expand(rows, columns)])
        return maps[:, 0], maps[:, 1:].unflatten(1, (POINTS, 2)) * REACH + places


@dataclass(frozen=True)
class FaceFinderSpec:
    """Configuration of a `FaceFinder`: its arguments, and the side of its pictures."""

    SCHEMA: ClassVar[str] = "facialpalsy.face_finder/1"
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    image_size: Count = 160
    widths: tuple[Count, Count, Count, Count] = (12, 24, 48, 64)
    layers: tuple[Count, Count, Count] = (1, 2, 2)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FaceFinderSpec:
        """The configuration of a plain dictionary, as `to_dict` or JSON give it.

        Raises:
            UsageError: a name is unknown, or a value is of the wrong kind.
        """
        return read_spec(cls, values, "face finder")

    def to_dict(self) -> dict[str, Any]:
        """The configuration as a plain dictionary that JSON can hold."""
        return plain_values(self)

    def network(self) -> FaceFinder:
        """The network with random weights.

        Raises:
            UsageError: the side of its pictures is no multiple of `COARSEST`.
        """
        if self.image_size % COARSEST:
            raise UsageError(f"image_size is {self.image_size}; it is a multiple of {COARSEST}.")
        return FaceFinder(self.widths, self.layers)


def centre_of(points: Tensor) -> Tensor:
    """(..., 2) the centre of faces of (..., POINTS, 2): between the outer canthi and the corners of the mouth."""
    return points[..., (0, 1, 4, 5), :].mean(-2)
