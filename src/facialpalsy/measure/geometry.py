"""Geometry: points and curves of one face in the face frame.

Frame coordinates (`facialpalsy.face.FaceFrame`): x towards the subject's left, y downwards, origin between the eyes,
unit iod (the outer-canthus distance). Curves are read by piecewise-linear interpolation, never by a smoothing
spline, so that values do not depend on the resolution of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from facialpalsy.face import FaceFrame, Landmarks, Side

Vector = NDArray[np.float64]

HIDDEN_SHARE = 1 / 3
"""Of a curve's points that may be hidden: a hair over the tail of a brow leaves its height to be measured."""


class WithheldError(Exception):
    """A value cannot be measured; the message is the reason. Never leaves this room."""


@dataclass(frozen=True)
class FramedFace:
    """A face in its own frame.

    Attributes:
        landmarks: The points in pixels, with their scheme.
        frame: The face frame, in pixels.
        points: (n, 2) all points in frame coordinates.
    """

    landmarks: Landmarks
    frame: FaceFrame
    points: Vector

    @classmethod
    def of(cls, landmarks: Landmarks, frame: FaceFrame) -> FramedFace:
        """The face of `landmarks` seen in `frame`."""
        return cls(landmarks, frame, frame.to_frame(landmarks.points))

    def point(self, name: str, side: Side | None = None) -> Vector:
        """(2,) a named point; withheld where the scheme has none or the picture does not show it."""
        index = self.landmarks.scheme.point(name, side)
        if index is None:
            raise WithheldError(f"{self.landmarks.scheme.name} has no {name.replace('_', ' ')}")
        self._check_shown(name, [index])
        return np.asarray(self.points[index])

    def curve(self, name: str, side: Side) -> Vector:
        """(m, 2) a named curve of one side; withheld where the scheme has none or the picture hides much of it."""
        indices = self.landmarks.scheme.curve(name, side)
        if indices is None:
            raise WithheldError(f"{self.landmarks.scheme.name} has no {name.replace('_', ' ')}")
        self._check_shown(name, indices)
        return self.points[list(indices)]

    @cached_property
    def _hidden(self) -> NDArray[np.bool_] | None:
        hidden = self.landmarks.hidden
        return hidden if hidden is not None and hidden.any() else None

    def _check_shown(self, name: str, indices: Sequence[int]) -> None:
        hidden = self._hidden
        if hidden is not None and np.count_nonzero(hidden[list(indices)]) > HIDDEN_SHARE * len(indices):
            # Not on which side: of an image whose mirroring is unknown nobody can say.
            raise WithheldError(f"{name.replace('_', ' ')}: covered or unclear in the picture")

    def lip(self, name: str) -> Vector:
        """(m, 2) a lip border from corner to corner."""
        return np.vstack([self.curve(name, Side.RIGHT), self.curve(name, Side.LEFT)[::-1]])

    def eye_centre(self, side: Side) -> Vector:
        """(2,) midpoint of the canthi of one eye."""
        return (self.point("outer_canthus", side) + self.point("inner_canthus", side)) / 2

    def pupil(self, side: Side) -> Vector:
        """(2,) iris centre; withheld where the scheme has no iris."""
        try:
            return self.point("pupil", side)
        except WithheldError:
            raise WithheldError(
                f"{self.landmarks.scheme.name} has no iris, so there is no pupil to measure from"
            ) from None


def height_at(curve: Vector, x: float) -> float:
    """The y of a curve (m, 2) at `x`, linear between its points; withheld beyond its ends."""
    order = np.argsort(curve[:, 0], kind="stable")
    xs, ys = curve[order, 0], curve[order, 1]
    if not xs[0] <= x <= xs[-1]:
        raise WithheldError("the curve does not reach the place where it is measured")
    return float(np.interp(x, xs, ys))
