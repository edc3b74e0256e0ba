"""Frontal: three measures of a face, and the way of the mouth's corners, seen straight from the front without a camera.

They are those of the same names in `facialpalsy.measure` (a room of the same floor, so not imported; a test holds them
equal): in fractions of the outer-canthus distance, in the frame of the canthi.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facialpalsy.face.alignment import face_frame
from facialpalsy.face.landmarks import Landmarks
from facialpalsy.face.schemes import DENSE
from facialpalsy.face.side import Side
from facialpalsy.synth.face_model import Vertices
from facialpalsy.synth.points import dense_points

Sided = tuple[float, float]
PIXELS_PER_CM = 100.0
_SIZE = 2400


def frontal_landmarks(vertices: Vertices) -> Landmarks:
    """The dense points (191, 2) of a face seen from the front, 100 pixels to the centimetre."""
    seen = vertices[list(dense_points()), :2].astype(np.float64) * (1, -1)
    return Landmarks(DENSE, seen * PIXELS_PER_CM + _SIZE / 2, (_SIZE, _SIZE), engine="truth")


def frontal_measures(vertices: Vertices) -> dict[str, Sided]:
    """Measure -> left and right, in iod: `brow_to_canthus`, `palpebral_fissure_height`, `commissure_height`."""
    landmarks = frontal_landmarks(vertices)
    frame = face_frame(landmarks)
    points = frame.to_frame(landmarks.points)
    taken = [_of_side(points, side) for side in (Side.LEFT, Side.RIGHT)]
    return {name: (taken[0][name], taken[1][name]) for name in taken[0]}


def corner_excursion(before: Vertices, after: Vertices) -> Sided:
    """How far the left and the right corner of the mouth go, in iod, along the way of the one that goes further."""
    ways = []
    places = [_corners(vertices) for vertices in (before, after)]
    for side in (Side.LEFT, Side.RIGHT):
        right, down = places[1][side] - places[0][side]
        ways.append(np.array([side.sign * right, -down]))
    furthest = max(ways, key=lambda way: float(way @ way))
    length = float(np.linalg.norm(furthest))
    left, right = (float(way @ furthest) / length if length else 0.0 for way in ways)
    return left, right


def _corners(vertices: Vertices) -> dict[Side, NDArray[np.float64]]:
    landmarks = frontal_landmarks(vertices)
    points = face_frame(landmarks).to_frame(landmarks.points)
    return {side: points[DENSE.point("commissure", side)] for side in Side}


def _of_side(points: NDArray[np.float64], side: Side) -> dict[str, float]:
    outer, inner, pupil, corner = (
        points[DENSE.point(name, side)] for name in ("outer_canthus", "inner_canthus", "pupil", "commissure")
    )
    eye = (outer + inner) / 2
    upper, lower = (_height(points, DENSE.curve(lid, side), pupil[0]) for lid in ("upper_lid", "lower_lid"))
    lips = [DENSE.curve("lower_lip_outer", one) or () for one in (Side.RIGHT, Side.LEFT)]
    return {
        "brow_to_canthus": float(eye[1]) - _height(points, DENSE.curve("brow_upper", side), eye[0]),
        # Shut lids lie over each other.
        "palpebral_fissure_height": max(0.0, lower - upper),
        "commissure_height": _height(points, (*lips[0], *lips[1]), 0.0) - float(corner[1]),
    }


def _height(points: NDArray[np.float64], curve: tuple[int, ...] | None, x: float) -> float:
    line = points[list(curve or ())]
    order = np.argsort(line[:, 0], kind="stable")
    return float(np.interp(x, line[order, 0], line[order, 1]))
