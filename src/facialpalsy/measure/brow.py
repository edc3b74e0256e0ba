"""Brow: how high the upper edge of the eyebrow stands."""

from __future__ import annotations

import numpy as np

from facialpalsy.face import Side
from facialpalsy.measure.geometry import FramedFace, height_at
from facialpalsy.measure.types import Definition, Taken


def _brow_height(face: FramedFace, side: Side) -> Taken:
    x, y = face.pupil(side)
    brow = height_at(face.curve("brow_upper", side), x)
    return Taken(y - brow, np.array([[x, y], [x, brow]]))


def _brow_to_canthus(face: FramedFace, side: Side) -> Taken:
    x, y = face.eye_centre(side)
    brow = height_at(face.curve("brow_upper", side), x)
    return Taken(y - brow, np.array([[x, y], [x, brow]]))


DEFINITIONS = (
    Definition("brow_height", "Brow height above the pupil", "brow", "iod", _brow_height),
    Definition("brow_to_canthus", "Brow height above the canthi", "brow", "iod", _brow_to_canthus),
)
