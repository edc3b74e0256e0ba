"""Pose: how the head is turned, from the landmarks of one picture.

A scaled orthographic camera is fitted to points that facial movement hardly reaches: canthi, nasal bridge, subnasale
and, of engines that do not see them move, nostrils. Their 3-D positions are those of the mean face of ICT-FaceKit (MIT,
(c) 2020 USC Institute for Creative Technologies), made exactly symmetric. Of rendered people turned by up to 10 degrees
our own points give yaw within 1.5 and pitch within 4.4 degrees, MediaPipe's within 1.2 and 4.8 (one standard
deviation), once the gains below are applied; pitch 0 is the mean of 52 frontal studio portraits (London set), because a
face has no other zero. `benchmarks/pose.py` measures all of these numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facialpalsy.face.landmarks import Landmarks
from facialpalsy.face.schemes import DENSE
from facialpalsy.face.side import Side

# Centimetres; x towards the subject's left, y down, z away from the camera.
_MIDLINE_3D = {
    "nasion": (0.0, -3.74, -10.73),
    "bridge_upper": (0.0, -2.63, -11.52),
    "bridge_lower": (0.0, -1.61, -12.31),
    "nose_tip": (0.0, -0.41, -13.07),
    "subnasale": (0.0, 1.20, -11.57),
}
_LEFT_3D = {
    "outer_canthus": (4.46, -3.43, -8.60),
    "inner_canthus": (1.84, -3.25, -9.20),
    "nostril": (1.25, 1.14, -10.87),
}


class Calibration(NamedTuple):
    """What lies between the fitted and the true angles, which depends on where an engine places its points.

    Attributes:
        yaw_gain: Fitted yaw over true yaw; `pitch_gain` likewise.
        pitch_zero: Fitted pitch in degrees of a frontal portrait.
        left_out: Points that are not fitted.
    """

    yaw_gain: float
    pitch_gain: float
    pitch_zero: float
    left_out: tuple[str, ...] = ()


# Our own points show how far a snarl lifts the nostrils, which would look like a nod of 7 degrees.
_CALIBRATIONS = {DENSE.name: Calibration(1.02, 0.74, 1.9, ("nostril",))}
_USUAL = Calibration(1.10, 0.93, 6.1)


@dataclass(frozen=True)
class Pose:
    """Head pose in degrees, zero for a frontal portrait.

    Attributes:
        yaw: Turn about the vertical, positive towards the subject's left.
        pitch: Nod, positive with the chin down.
        roll: Tilt in the picture plane, positive towards the subject's left shoulder.
    """

    yaw: float
    pitch: float
    roll: float


def head_pose(landmarks: Landmarks) -> Pose:
    """Pose of the head; both schemes, no depth needed. Mirroring negates yaw and roll and keeps pitch."""
    used, model, image = calibration(landmarks), [], []
    for name, (x, y, z) in _MIDLINE_3D.items():
        model.append((x, y, z))
        image.append(landmarks.point(name))
    for name, (x, y, z) in _LEFT_3D.items():
        for side in Side if name not in used.left_out else ():
            model.append((side.sign * x, y, z))
            image.append(landmarks.point(name, side))
    rotation = _orthographic_rotation(np.array(model), np.array(image, dtype=np.float64))
    # Read from the depth row alone, which a roll of the picture leaves as it is.
    turn, nod = np.degrees(np.arcsin(np.clip(rotation[2, :2], -1, 1)))
    yaw, pitch = turn / used.yaw_gain, (nod - used.pitch_zero) / used.pitch_gain
    roll = np.degrees(np.arctan2(rotation[1, 0], rotation[0, 0]))
    return Pose(yaw=float(yaw), pitch=float(pitch), roll=float(roll))


def calibration(landmarks: Landmarks) -> Calibration:
    """That of our own networks for their scheme, of MediaPipe for all others."""
    return _CALIBRATIONS.get(landmarks.scheme.name, _USUAL)


def _orthographic_rotation(model: NDArray[np.float64], image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotation (3, 3) of the scaled orthographic camera that best maps `model` (n, 3) to `image` (n, 2)."""
    centred, *_ = np.linalg.lstsq(model - model.mean(axis=0), image - image.mean(axis=0), rcond=None)
    left, _, right = np.linalg.svd(centred.T, full_matrices=False)
    rows = left @ right
    return np.vstack([rows, np.cross(rows[0], rows[1])])
