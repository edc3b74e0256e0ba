"""Eye: lid margins against the pupil, and the palpebral fissure."""

from __future__ import annotations

import numpy as np

from facialpalsy.face import Side
from facialpalsy.measure.geometry import FramedFace, WithheldError, height_at
from facialpalsy.measure.types import Definition, Taken

# A fissure narrower than this share of its width hides the pupil: its place under the lid is a guess.
CLOSED_OPENNESS = 0.12


def openness(face: FramedFace, side: Side) -> float:
    """Palpebral fissure height over width."""
    width = fissure_width(face, side).value
    if width == 0:
        raise WithheldError("the canthi of one eye lie on one point")
    return fissure_height(face, side).value / width


def fissure_height(face: FramedFace, side: Side) -> Taken:
    """MRD1 + MRD2; without an iris, at the middle of the canthi. 0 where the lids of a shut eye lie over each other."""
    try:
        x = float(face.pupil(side)[0])
    except WithheldError:
        x = float(face.eye_centre(side)[0])
    upper = height_at(face.curve("upper_lid", side), x)
    lower = height_at(face.curve("lower_lid", side), x)
    return Taken(max(0.0, lower - upper), np.array([[x, upper], [x, lower]]))


def fissure_width(face: FramedFace, side: Side) -> Taken:
    """Distance between the canthi of one eye."""
    outer, inner = face.point("outer_canthus", side), face.point("inner_canthus", side)
    return Taken(float(np.hypot(*(outer - inner))), np.array([outer, inner]))


def _margin(face: FramedFace, side: Side, lid: str) -> Taken:
    x, y = face.pupil(side)
    if openness(face, side) < CLOSED_OPENNESS:
        raise WithheldError("the eye is closed, so the pupil cannot be seen")
    margin = height_at(face.curve(lid, side), x)
    return Taken(y - margin if lid == "upper_lid" else margin - y, np.array([[x, y], [x, margin]]))


def _mrd1(face: FramedFace, side: Side) -> Taken:
    return _margin(face, side, "upper_lid")


def _mrd2(face: FramedFace, side: Side) -> Taken:
    return _margin(face, side, "lower_lid")


DEFINITIONS = (
    Definition("mrd1", "MRD1, pupil to upper lid margin", "eye", "iod", _mrd1, signed=True),
    Definition("mrd2", "MRD2, pupil to lower lid margin", "eye", "iod", _mrd2, signed=True),
    Definition("palpebral_fissure_height", "Palpebral fissure height", "eye", "iod", fissure_height),
    Definition("palpebral_fissure_width", "Palpebral fissure width", "eye", "iod", fissure_width),
)
