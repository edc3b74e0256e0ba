"""Iris light: how bright the irises are beside the white of their eyes.

Pupil and iris take in light, so that in any light they are darker than the white. Those of a statue are not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facialpalsy.face.alignment import FaceFrame, Picture, face_frame
from facialpalsy.face.landmarks import Landmarks
from facialpalsy.face.side import Side

# Of a circle's radius: what is surely iris, what is surely not, and how far an eye is looked at; places looked at in a
# row, and the fewest of either.
_IRIS, _WHITE, _REACH = 0.75, 1.2, 1.9
_PLACES, _FEWEST = 57, 5
_LUMA = np.array([0.3, 0.6, 0.1])


def iris_light(picture: Picture, landmarks: Landmarks) -> float | None:
    """Mean light of the iris over that of the white beside it, of the eye in which it is darker.

    Args:
        picture: (h, w, 3) RGB.
        landmarks: Of a scheme with lids and irises.

    Returns:
        None where either eye shows too little of both, as where it is shut or rolled up, and where the scheme has no
        irises.
    """
    frame = face_frame(landmarks)
    found = [_of_side(picture, landmarks, frame, side) for side in Side]
    known = [one for one in found if one is not None]
    return min(known) if len(known) == len(found) else None


def _of_side(picture: Picture, landmarks: Landmarks, frame: FaceFrame, side: Side) -> float | None:
    curves = [landmarks.curve(name, side) for name in ("iris_ring", "upper_lid", "lower_lid")]
    if any(one is None for one in curves):
        return None
    ring, *lids = (frame.to_frame(one) for one in curves if one is not None)
    centre = ring.mean(axis=0)
    radius = float(np.linalg.norm(ring - centre, axis=1).mean())
    way = np.linspace(-_REACH, _REACH, _PLACES)
    across, down = np.meshgrid(way, way)
    far = np.hypot(across, down)
    x, y = centre[0] + radius * across, centre[1] + radius * down
    upper, lower = (_height(lid, x) for lid in lids)
    seen = (y > upper) & (y < lower)
    iris, white = seen & (far < _IRIS), seen & (far > _WHITE)
    if min(iris.sum(), white.sum()) < _FEWEST or not seen[_PLACES // 2, _PLACES // 2]:
        return None
    columns, rows = np.moveaxis(frame.to_pixels(np.stack([x, y], axis=-1)).astype(int), -1, 0)
    light = picture[rows.clip(0, picture.shape[0] - 1), columns.clip(0, picture.shape[1] - 1)] @ _LUMA
    return float(light[iris].mean() / max(light[white].mean(), 1.0))


def _height(curve: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The y of a curve at `x`, NaN beyond its ends."""
    along = curve[np.argsort(curve[:, 0])]
    return np.interp(x, along[:, 0], along[:, 1], left=np.nan, right=np.nan)
