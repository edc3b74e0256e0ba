"""Landmarks: the points of one face in one picture, with their scheme and their repeat error."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from facialpalsy.errors import LandmarkFileError
from facialpalsy.face.schemes import DENSE, IBUG68, IBUG68_FROM_MEDIAPIPE478, MEDIAPIPE478, Scheme
from facialpalsy.face.side import Side

Points = NDArray[np.float64]

# Dense points begin with them.
_TO_IBUG68 = {MEDIAPIPE478.name: IBUG68_FROM_MEDIAPIPE478, DENSE.name: tuple(range(IBUG68.size))}


@dataclass(frozen=True)
class Landmarks:
    """The points of one face.

    Coordinates are pixels of the picture after EXIF orientation (and, for a mirrored capture, after un-mirroring):
    x right, y down, float, with (0, 0) at the outer corner of the first pixel.

    Attributes:
        scheme: Meaning of each point.
        points: (n, 2) pixels.
        image_size: Width and height of the picture in pixels.
        repeats: (k, n, 2) single detections (flips, small crops) whose mean is `points`; None for one set of points.
        engine: Who placed the points: an engine's name, or "file" for points placed by hand or by another tool.
        edited: Whether a person or another tool placed or moved points.
        hidden: (n,) points whose place the picture does not show, so that the engine guesses it; what rests on them is
            withheld. None where the engine does not say.
    """

    scheme: Scheme
    points: Points
    image_size: tuple[int, int]
    repeats: NDArray[np.float64] | None = field(default=None, repr=False)
    engine: str = "file"
    edited: bool = False
    hidden: NDArray[np.bool_] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        points = np.asarray(self.points, dtype=np.float64)
        if points.shape != (self.scheme.size, 2):
            raise LandmarkFileError(
                f"The scheme {self.scheme.name} needs {self.scheme.size} points of x and y, but an array of shape "
                f"{points.shape} was given; give all points of one scheme."
            )
        if not np.isfinite(points).all():
            raise LandmarkFileError("Some landmarks are not finite numbers; give a pixel position for every point.")
        object.__setattr__(self, "points", points)

    def point(self, name: str, side: Side | None = None) -> NDArray[np.float64] | None:
        """Position (2,) of a named point, or None where the scheme has none."""
        index = self.scheme.point(name, side)
        return None if index is None else np.asarray(self.points[index])

    def curve(self, name: str, side: Side) -> NDArray[np.float64] | None:
        """Positions (m, 2) of a named curve, or None where the scheme has none."""
        indices = self.scheme.curve(name, side)
        return None if indices is None else np.asarray(self.points[list(indices)])

    def sigma(self) -> NDArray[np.float64] | None:
        """(n,) standard deviation in pixels of a single detection of each point, or None without repeats."""
        if self.repeats is None or len(self.repeats) < 2:
            return None
        deviations = self.repeats - self.repeats.mean(axis=0)
        squared = (deviations**2).sum(axis=(0, 2)) / (2 * (len(self.repeats) - 1))
        return np.asarray(np.sqrt(squared), dtype=np.float64)

    def single(self, points: NDArray[np.float64]) -> Landmarks:
        """The same face with one set of points and no repeats."""
        return replace(self, points=points, repeats=None)

    def transformed(self, matrix: NDArray[np.float64], image_size: tuple[int, int]) -> Landmarks:
        """Apply a (2, 3) affine matrix to points and repeats; `image_size` is that of the new picture."""
        linear, shift = matrix[:, :2], matrix[:, 2]
        repeats = None if self.repeats is None else self.repeats @ linear.T + shift
        return replace(self, points=self.points @ linear.T + shift, repeats=repeats, image_size=image_size)

    def to_ibug68(self) -> Landmarks:
        """The iBUG-68 points of a MediaPipe mesh or of dense points; iBUG-68 landmarks are returned as they are."""
        if self.scheme is IBUG68:
            return self
        if self.scheme.name not in _TO_IBUG68:
            raise LandmarkFileError(
                f"The scheme {self.scheme.name} has no map to ibug68; give {', '.join(_TO_IBUG68)} or ibug68."
            )
        chosen = list(_TO_IBUG68[self.scheme.name])
        repeats = None if self.repeats is None else self.repeats[:, chosen]
        hidden = None if self.hidden is None else self.hidden[chosen]
        return replace(self, scheme=IBUG68, points=self.points[chosen], repeats=repeats, hidden=hidden)
