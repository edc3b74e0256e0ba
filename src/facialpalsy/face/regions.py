"""Regions: which places of a picture belong to which region of a face, from its landmarks.

Five regions as wide as the face, which is the contour of the jaw and half an oval above it: the forehead down to the
brows, the eyes down to a third of the way to the subnasale, the nose with the cheeks beside it down to the middle of
the white upper lip, and the mouth down to the chin. They are the zones that clinicians grade, not the organs alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facialpalsy.errors import LandmarkFileError
from facialpalsy.face.alignment import FaceFrame, face_frame
from facialpalsy.face.landmarks import Landmarks
from facialpalsy.face.side import Side

Mask = NDArray[np.bool_]
Grid = NDArray[np.float64]

FACE_REGIONS = ("forehead", "left_eye", "right_eye", "nose", "mouth")
"""Names of the regions in their order; the eyes are the subject's own."""

# The boundary below the forehead, as a share of the height of the brow's upper edge over the canthi.
_BELOW_BROW = 0.6
_BELOW_EYE = 0.3
_BELOW_NOSE = 0.5
# Where the forehead ends, in outer-canthus distances above the eyes, for schemes without a point there.
_HAIRLINE = -0.85
# The oval's exponent; 2 is an ellipse, and foreheads are squarer.
_OVAL = 3.0


def face_regions(landmarks: Landmarks, size: int) -> Mask:
    """(5, size, size) which places belong to each of `FACE_REGIONS`; no place belongs to two.

    Args:
        landmarks: Points of a square picture, usually an aligned crop.
        size: Side of the masks, which cover the whole picture.

    Raises:
        LandmarkFileError: the scheme lacks the brows, the subnasale, the upper lip or the contour.
    """
    frame = face_frame(landmarks)
    step = np.array(landmarks.image_size) / size
    centres = (np.arange(size) + 0.5)[:, None] * step
    pixels = np.stack(np.meshgrid(centres[:, 0], centres[:, 1]), axis=-1)
    x, y = np.moveaxis(frame.to_frame(pixels), -1, 0)
    left = x > 0
    subnasale = _point(landmarks, frame, "subnasale")[1]
    lip = _point(landmarks, frame, "upper_lip_mid")[1]
    brow = np.where(left, *(_BELOW_BROW * _curve(landmarks, frame, "brow_upper", side)[:, 1].mean() for side in Side))
    eye, nose = _BELOW_EYE * subnasale, subnasale + _BELOW_NOSE * (lip - subnasale)
    face = _within(landmarks, frame, x, y)
    eyes = face & (y >= brow) & (y < eye)
    return np.stack(
        [
            face & (y < brow),
            eyes & left,
            eyes & ~left,
            face & (y >= np.maximum(eye, brow)) & (y < nose),
            face & (y >= np.maximum(nose, brow)),
        ]
    )


def _within(landmarks: Landmarks, frame: FaceFrame, x: Grid, y: Grid) -> Mask:
    """Which places lie within the contour of the jaw or the oval above it."""
    top = landmarks.point("forehead_top")
    highest = _HAIRLINE if top is None else min(_HAIRLINE, frame.to_frame(top)[1])
    widths = []
    for side in Side:
        contour = _curve(landmarks, frame, "contour", side) * (side.sign, 1)
        down = np.maximum.accumulate(contour[:, 1])
        above = np.clip((down[0] - y) / (down[0] - highest), 0, 1)
        oval = contour[0, 0] * (1 - above**_OVAL) ** (1 / _OVAL)
        widths.append(np.where(y < down[0], oval, np.interp(y, down, contour[:, 0], right=0)))
    return np.asarray(np.abs(x) < np.where(x > 0, *widths))


def _point(landmarks: Landmarks, frame: FaceFrame, name: str) -> Grid:
    point = landmarks.point(name)
    if point is None:
        raise _missing(landmarks, name)
    return frame.to_frame(point)


def _curve(landmarks: Landmarks, frame: FaceFrame, name: str, side: Side) -> Grid:
    curve = landmarks.curve(name, side)
    if curve is None:
        raise _missing(landmarks, name)
    return frame.to_frame(curve)


def _missing(landmarks: Landmarks, name: str) -> LandmarkFileError:
    return LandmarkFileError(f"The scheme {landmarks.scheme.name} has no {name}; use mediapipe478 or ibug68.")
