"""Alignment: the face frame, aligned crops, and the one function that mirrors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facialpalsy.errors import LandmarkFileError, SwappedSidesError
from facialpalsy.face.landmarks import Landmarks
from facialpalsy.face.side import Side

Picture = NDArray[np.uint8]

# Where the face frame lies in an aligned crop, as fractions of its side: the outer canthi are this far apart,
# and the origin is this far down, which leaves room for the brow and the chin of an open mouth.
CROP_CANTHUS_DISTANCE = 0.42
CROP_ORIGIN = (0.5, 0.40)
# Shrunk pixels around what is resampled: its filter reaches so far.
_MARGIN = 3


@dataclass(frozen=True)
class FaceFrame:
    """Coordinates fixed to the canthi, identical over an exam.

    Attributes:
        origin: (2,) pixels, midway between the two eyes' canthal midpoints.
        u: (2,) unit vector towards the subject's left.
        n: (2,) unit vector downwards.
        iod: Outer-canthus distance in pixels, the unit of length.
    """

    origin: NDArray[np.float64]
    u: NDArray[np.float64]
    n: NDArray[np.float64]
    iod: float

    def to_frame(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixels (..., 2) -> (x towards the subject's left, y downwards) in iod."""
        return np.asarray((points - self.origin) @ self._axes.T / self.iod)

    def to_pixels(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Frame coordinates (..., 2) in iod -> pixels."""
        return np.asarray(self.origin + self.iod * (points @ self._axes))

    @cached_property
    def _axes(self) -> NDArray[np.float64]:
        return np.stack([self.u, self.n])


def face_frame(landmarks: Landmarks) -> FaceFrame:
    """The face frame of `landmarks`.

    Raises:
        LandmarkFileError: the canthi coincide.
        SwappedSidesError: the mouth lies above the eyes, as when left and right are exchanged.
    """
    canthi = {side: [_required(landmarks, f"{end}_canthus", side) for end in ("outer", "inner")] for side in Side}
    centre = {side: np.mean(points, axis=0) for side, points in canthi.items()}
    axis = centre[Side.LEFT] - centre[Side.RIGHT]
    iod = float(np.linalg.norm(canthi[Side.LEFT][0] - canthi[Side.RIGHT][0]))
    length = float(np.linalg.norm(axis))
    if length == 0 or iod == 0:
        raise LandmarkFileError(
            "The canthi of both eyes lie on one point, so there is no face frame; check the points."
        )
    u = axis / length
    n = np.array([-u[1], u[0]])
    origin = (centre[Side.LEFT] + centre[Side.RIGHT]) / 2
    mouth = np.mean([_required(landmarks, "commissure", side) for side in Side], axis=0)
    if (mouth - origin) @ n <= 0:
        raise SwappedSidesError(
            "The mouth lies above the eyes when left and right are taken as labelled, so the sides are exchanged: "
            "points are labelled by the subject's own side, and the subject's right is on the left of an unmirrored "
            "picture. Exchange the sides, or state that the picture is mirrored."
        )
    return FaceFrame(origin=origin, u=u, n=n, iod=iod)


def _required(landmarks: Landmarks, name: str, side: Side) -> NDArray[np.float64]:
    point = landmarks.point(name, side)
    if point is None:
        raise LandmarkFileError(f"The scheme {landmarks.scheme.name} has no {name}; use mediapipe478 or ibug68.")
    return point


def align(picture: Picture, landmarks: Landmarks, size: int) -> tuple[Picture, Landmarks]:
    """Cut the face out, upright and of one scale, by one similarity transform.

    Args:
        picture: (h, w, 3) RGB.
        landmarks: Points of that picture.
        size: Side of the square crop in pixels, usually 256 or 224.

    Returns:
        The (size, size, 3) crop and the landmarks in its pixels. Beyond the picture the crop is black.
    """
    crop, forward = cut_out(Image.fromarray(picture), face_frame(landmarks), size)
    return crop, landmarks.transformed(forward, (size, size))


def cut_out(picture: Image.Image, frame: FaceFrame, size: int) -> tuple[Picture, NDArray[np.float64]]:
    """Cut out what lies about a face frame, as `align` does.

    Args:
        picture: RGB.
        frame: Where the eyes are and how far apart, in pixels of that picture.
        size: Side of the square crop in pixels.

    Returns:
        The (size, size, 3) crop and the (2, 3) matrix from pixels of the picture to pixels of the crop.
    """
    scale = CROP_CANTHUS_DISTANCE * size / frame.iod
    linear = scale * np.stack([frame.u, frame.n])
    shift = np.array(CROP_ORIGIN) * size - linear @ frame.origin
    forward = np.column_stack([linear, shift])
    return resampled(picture, forward, (size, size)), forward


def resampled(
    picture: Image.Image,
    forward: NDArray[np.float64],
    size: tuple[int, int],
    kernel: Image.Resampling = Image.Resampling.BICUBIC,
) -> Picture:
    """The picture as a similarity shows it, which may flip it; beyond the picture it is black.

    Args:
        picture: RGB.
        forward: (2, 3) from its pixels to the new ones.
        size: New width and height in pixels.
        kernel: Of Pillow's that transform: nearest, bilinear or bicubic.
    """
    inverse = np.linalg.inv(forward[:, :2])
    start = -inverse @ forward[:, 2]
    # Pillow samples at points: shrinking needs a box filter first, or fine texture aliases.
    shrink = max(1, int(np.sqrt(abs(np.linalg.det(inverse)))))
    if shrink > 1:
        box = _box_seen(picture, inverse, start, size, shrink)
        picture = picture.reduce(shrink, box)
        start = start - box[:2]
    backward = np.column_stack([inverse, start]) / shrink
    return np.asarray(picture.transform(size, Image.Transform.AFFINE, backward.ravel().tolist(), kernel))


def _box_seen(
    picture: Image.Image, inverse: NDArray[np.float64], start: NDArray[np.float64], size: tuple[int, int], shrink: int
) -> tuple[int, int, int, int]:
    """What of a picture is needed to resample it, in whole steps of `shrink` pixels, so that each lies where it did."""
    corners = np.array([(0, 0), (size[0], 0), (0, size[1]), size]) @ inverse.T + start
    whole = np.array(picture.size)
    low = np.clip(np.floor(corners.min(axis=0) / shrink) - _MARGIN, 0, (whole - 1) // shrink) * shrink
    high = np.clip((np.ceil(corners.max(axis=0) / shrink) + _MARGIN) * shrink, low + 1, whole)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def mirror(
    picture: Picture | None = None, landmarks: Landmarks | None = None, labels: Any = None
) -> tuple[Picture | None, Landmarks | None, Any]:
    """Mirror a picture, its landmarks and its labels together; whatever is None stays None.

    Labels are `Side` values, mappings keyed by `Side`, and lists, tuples or mappings of such; everything else is kept.
    """
    return (
        None if picture is None else mirror_picture(picture),
        None if landmarks is None else mirror_landmarks(landmarks),
        mirror_labels(labels),
    )


def mirror_picture(picture: Picture) -> Picture:
    """The picture (h, w, 3) mirrored left to right."""
    return np.asarray(Image.fromarray(picture).transpose(Image.Transpose.FLIP_LEFT_RIGHT))


def mirror_landmarks(landmarks: Landmarks) -> Landmarks:
    """The landmarks of the mirrored picture, each under the name of its new side."""
    order = list(landmarks.scheme.mirror)
    width = landmarks.image_size[0]

    def flip(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.array([width, 0]) + points[..., order, :] * np.array([-1, 1]))

    repeats = None if landmarks.repeats is None else flip(landmarks.repeats)
    hidden = None if landmarks.hidden is None else landmarks.hidden[order]
    return replace(landmarks, points=flip(landmarks.points), repeats=repeats, hidden=hidden)


def mirror_labels(labels: Any) -> Any:
    """Labels with every `Side` exchanged."""
    if isinstance(labels, Side):
        return labels.other
    if isinstance(labels, Mapping):
        return {mirror_labels(key): mirror_labels(value) for key, value in labels.items()}
    if isinstance(labels, list | tuple):
        return type(labels)(mirror_labels(value) for value in labels)
    return labels
