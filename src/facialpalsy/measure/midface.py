"""Midface: the alae and the nasolabial folds."""

from __future__ import annotations

import math

import numpy as np

from facialpalsy.face import Side
from facialpalsy.measure.geometry import FramedFace
from facialpalsy.measure.types import Definition, Taken


def _alar_height(face: FramedFace, side: Side) -> Taken:
    x, y = face.point("ala", side)
    return Taken(float(y), np.array([[x, 0.0], [x, y]]))


def _nasolabial_fold_angle(face: FramedFace, side: Side) -> Taken:
    fold = face.curve("nasolabial_fold", side)
    dx, dy = fold[-1] - fold[0]
    return Taken(math.degrees(math.atan2(abs(dx), dy)), np.array([fold[0], fold[-1]]))


DEFINITIONS = (
    Definition("alar_height", "Ala below the canthal line", "midface", "iod", _alar_height),
    Definition(
        "nasolabial_fold_angle", "Nasolabial fold, angle from the vertical", "midface", "deg", _nasolabial_fold_angle
    ),
)
