"""Mouth: commissures, lip borders and what the mouth is pulled towards."""

from __future__ import annotations

import math

import numpy as np

from facialpalsy.face import Side
from facialpalsy.measure.geometry import FramedFace, WithheldError, height_at
from facialpalsy.measure.types import Definition, Taken


def lower_lip_midpoint(face: FramedFace) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """(2,) lower border of the lower lip on the facial midline x = 0."""
    return np.array([0.0, height_at(face.lip("lower_lip_outer"), 0.0)])


def _from_midpoint(
    face: FramedFace, side: Side
) -> tuple[float, float, np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    """Distance and rise of the commissure from the lower-lip midpoint, and the line between them."""
    middle, corner = lower_lip_midpoint(face), face.point("commissure", side)
    distance = float(np.hypot(*(corner - middle)))
    if distance == 0:
        raise WithheldError("the commissure lies on the midline of the lower lip")
    return distance, float(middle[1] - corner[1]), np.array([middle, corner])


def _commissure_position(face: FramedFace, side: Side) -> Taken:
    distance, _, line = _from_midpoint(face, side)
    return Taken(distance, line)


def _commissure_height(face: FramedFace, side: Side) -> Taken:
    _, rise, line = _from_midpoint(face, side)
    corner = line[1]
    return Taken(rise, np.array([[corner[0], line[0, 1]], corner]))


def _smile_angle(face: FramedFace, side: Side) -> Taken:
    distance, rise, line = _from_midpoint(face, side)
    return Taken(90 + math.degrees(math.asin(rise / distance)), line)


def _lip_height(face: FramedFace, side: Side, border: str) -> Taken:
    x = float(face.point("commissure", side)[0]) / 2
    top = float(face.point("subnasale")[1])
    y = height_at(face.lip(border), x)
    return Taken(y - top, np.array([[x, top], [x, y]]))


def _upper_lip_height(face: FramedFace, side: Side) -> Taken:
    return _lip_height(face, side, "upper_lip_outer")


def _lower_lip_height(face: FramedFace, side: Side) -> Taken:
    return _lip_height(face, side, "lower_lip_outer")


def _dental_show(face: FramedFace, side: Side) -> Taken:
    x = float(face.point("commissure", side)[0]) / 2
    upper = height_at(face.lip("upper_lip_inner"), x)
    lower = height_at(face.lip("lower_lip_inner"), x)
    return Taken(max(0.0, lower - upper), np.array([[x, upper], [x, lower]]))


def _deviation(face: FramedFace, name: str) -> Taken:
    x, y = face.point(name)
    return Taken(float(x), np.array([[0.0, y], [x, y]]))


def _philtrum_deviation(face: FramedFace, _: Side) -> Taken:
    return _deviation(face, "upper_lip_mid")


def _chin_deviation(face: FramedFace, _: Side) -> Taken:
    return _deviation(face, "chin")


DEFINITIONS = (
    Definition("commissure_position", "Commissure to lower-lip midpoint", "mouth", "iod", _commissure_position),
    Definition(
        "commissure_height", "Commissure above lower-lip midpoint", "mouth", "iod", _commissure_height, signed=True
    ),
    Definition("smile_angle", "Smile angle", "mouth", "deg", _smile_angle),
    Definition("upper_lip_height", "Upper lip border below the subnasale", "mouth", "iod", _upper_lip_height),
    Definition("lower_lip_height", "Lower lip border below the subnasale", "mouth", "iod", _lower_lip_height),
    Definition("dental_show", "Gap between the lips (dental show)", "mouth", "iod", _dental_show, signed=True),
    Definition("philtrum_deviation", "Philtrum off the midline", "mouth", "iod", _philtrum_deviation, midline=True),
    Definition("chin_deviation", "Chin off the midline", None, "iod", _chin_deviation, midline=True),
)
