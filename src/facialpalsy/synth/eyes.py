"""Eyes: how the lids close over a fissure, and how an eyeball turns and gives way below them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from facialpalsy.face.side import Side
from facialpalsy.synth.face_model import FaceModel, Vertices
from facialpalsy.synth.points import IRIS_RADIUS_CM, eyeballs
from facialpalsy.synth.rasterise import add_shape, vertex_normals

_OVERLAP_CM = 0.03
# The middle three of the points of each lid: upper, lower.
_LIDS = {Side.RIGHT: ((1541, 1990, 1537), (1512, 1514, 1517)), Side.LEFT: ((3755, 4190, 3751), (3726, 3728, 3731))}

_STRAIGHT_DEGREES = 5.8
"""The eyeballs of the mesh look outwards by this."""

_SCLERA_CM, _CORNEA_CM = 1.53, 1.72
_LID_CM = 0.07
"""Least way between an eyeball and the vertices of the lid before it, whose triangles are flat."""

_LARGEST_RETREAT_CM = 0.7


def close_lids(model: FaceModel, vertices: Vertices, side: Side, share: float) -> None:
    """Close `share` of the fissure that is open now, in place; 1 brings the lids just over each other."""
    upper, lower = _LIDS[side]
    gap = float(vertices[list(upper), 1].mean() - vertices[list(lower), 1].mean())
    if share > 0 and gap > 0:
        _blink(model, vertices, side, share * (gap + _OVERLAP_CM) / _blink_travel(model, side))


def turn_eyeball(model: FaceModel, vertices: Vertices, side: Side, look: tuple[float, float]) -> None:
    """Turn an eyeball about its centre to look (degrees towards the subject's left, up), in place, behind the lids."""
    eyeball = eyeballs()[side]
    centre = eyeball.centre(vertices)
    turn = rotation(look[0] - side.sign * _STRAIGHT_DEGREES, look[1])
    axis = turn @ eyeball.axis(vertices)
    first, end = eyeball.vertices
    offset = (vertices[first:end] - centre.astype(np.float32)) @ turn.T.astype(np.float32)
    size = eyeball.size(vertices)
    centre[2] -= size * _retreat((vertices[_lid_skin(model, side)] - centre) / size, axis)
    vertices[first:end] = offset + centre.astype(np.float32)


def rotation(left_degrees: float, up_degrees: float) -> NDArray[np.float64]:
    """(3, 3) that turns the direction out of the face towards the subject's left, then up."""
    yaw, pitch = np.radians(left_degrees), np.radians(up_degrees)
    c, s = np.cos(yaw), np.sin(yaw)
    about_y = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    c, s = np.cos(pitch), np.sin(pitch)
    about_x = np.array([[1, 0, 0], [0, c, s], [0, -s, c]])
    return np.asarray(about_x @ about_y)


def _retreat(lid: NDArray[np.float64], axis: NDArray[np.float64]) -> float:
    """How far back an eyeball has to move so that no vertex of the lid (k, 3, from its centre) lies within it.

    Both in centimetres of an eyeball of the mean face's size.
    """
    aside = lid[:, 0] ** 2 + lid[:, 1] ** 2
    away = np.sqrt(aside + lid[:, 2] ** 2)
    radius = _radius(lid @ axis / away) + _LID_CM
    # Moving back keeps x and y: the vertex must lie at least at this depth before the centre.
    depth = np.sqrt(np.clip(radius**2 - aside, 0, None))
    return float(np.clip((depth - lid[:, 2]).max(initial=0.0), 0, _LARGEST_RETREAT_CM))


def _radius(cosine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of an eyeball's surface from its centre at an angle from its axis."""
    edge = np.cos(np.arcsin(IRIS_RADIUS_CM / _SCLERA_CM))
    return np.asarray(_SCLERA_CM + (_CORNEA_CM - _SCLERA_CM) * np.clip((cosine - edge) / (1 - edge), 0, 1))


@lru_cache(maxsize=4)
def _lid_skin(model: FaceModel, side: Side) -> NDArray[np.int64]:
    """Vertices of the outer skin of the lids: what closing them moves, where it faces forward."""
    shut = model.neutral.copy()
    _blink(model, shut, side, 1.0)
    moved = np.linalg.norm(shut - model.neutral, axis=1) > 0.1
    centre = eyeballs()[side].centre(model.neutral)
    outside = np.linalg.norm(shut - centre, axis=1) > _SCLERA_CM + 0.05
    near = np.linalg.norm((shut - centre)[:, :2], axis=1) < _SCLERA_CM
    facing = vertex_normals(shut, model.triangles)[:, 2] > 0.3
    return np.flatnonzero(moved & outside & near & facing)


@lru_cache(maxsize=4)
def _blink_travel(model: FaceModel, side: Side) -> float:
    """Centimetres by which `eyeBlink` at weight 1 narrows the fissure."""
    moved = np.zeros_like(model.neutral)
    _blink(model, moved, side, 1.0)
    upper, lower = _LIDS[side]
    return float(moved[list(lower), 1].mean() - moved[list(upper), 1].mean())


def _blink(model: FaceModel, vertices: Vertices, side: Side, weight: float) -> None:
    shape = model.shapes["eyeBlink_L" if side is Side.LEFT else "eyeBlink_R"]
    add_shape(vertices, shape.indices, shape.deltas, weight)
