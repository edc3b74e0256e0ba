"""Own: the points of our own landmark network, on faces that MediaPipe finds.

The network (`models.landmarker`) sees each half of a face by itself and learns from faces whose sides move on their
own, so that it reports what differs between them; its card holds how much. Each face is looked at several times, turned
a little to either side and cut a little wider, and the mean counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from facialpalsy.detect.base import Engine
from facialpalsy.detect.mediapipe import FaceMesh
from facialpalsy.detect.mesh import MAX_FACES, MeshDetector, Picture
from facialpalsy.errors import LandmarkFileError, SwappedSidesError
from facialpalsy.face import DENSE, Landmarks, face_frame
from facialpalsy.face.alignment import FaceFrame, cut_out
from facialpalsy.weights import LANDMARKER, find_card, open_model

NAME = "own"

# How each look at a face is cut: how much wider, and turned by how many degrees. With the turns in pairs the set is its
# own mirror image, and so is the result.
_LOOKS = ((1.0, 0.0), (0.94, 4.0), (0.94, -4.0), (1.08, 3.0), (1.08, -3.0))
_FRAME_LOOKS = ((1.0, 3.0), (1.0, -3.0))
# Median sigma of the inner points, in iod: where it is more there is no face. Portraits have 0.009 to 0.010, also with
# one eye covered; noise, empty pictures, a cat and a cup of coffee 0.04 and more.
_UNSURE = 0.02
_INNER = slice(17, 68)

Points = NDArray[np.float64]


class OwnDetector(MeshDetector):
    """Detector with our own network; not for use from several threads at once.

    Raises:
        AssetNotInstalledError: the network does not come with this copy.
        AssetHashError: it is damaged.
    """

    def __init__(self) -> None:
        super().__init__(own_engine(), FaceMesh(static=True, faces=MAX_FACES), DENSE)

    def tracker(self) -> OwnTracker:
        """A tracker for one clip."""
        return OwnTracker()

    def _repeat(self, picture: Picture, points: Points) -> Points | None:
        return _found(picture, Landmarks(self._mesh.scheme, points, _size(picture)), _LOOKS)


class OwnTracker:
    """Follows a face through a clip: where it was in the last frame, or where MediaPipe finds it."""

    def __init__(self) -> None:
        self._mesh = FaceMesh(static=True, faces=1)
        self._last: FaceFrame | None = None

    def update(self, picture: Picture) -> Landmarks | None:
        """Landmarks of the next frame, or None without a face."""
        repeats = None if self._last is None else _looks(picture, self._last, _FRAME_LOOKS)
        if repeats is None and (points := self._mesh.largest(picture)) is not None:
            repeats = _found(picture, Landmarks(self._mesh.scheme, points, _size(picture)), _FRAME_LOOKS)
        if repeats is None:
            self._last = None
            return None
        found = Landmarks(DENSE, repeats.mean(axis=0), _size(picture), repeats=repeats, engine=NAME)
        self._last = _frame(found)
        return found


@cache
def own_engine() -> Engine:
    """The network's identity, with the recovery slopes measured by `benchmarks/recovery.py`.

    Raises:
        AssetNotInstalledError: it does not come with this copy.
        AssetHashError: it is damaged.
    """
    card = find_card(LANDMARKER)
    return Engine(NAME, card.version, card.sha256, card.licence, card.trained_on, card.metrics.get("recovery", {}))


def _found(picture: Picture, face: Landmarks, looks: Sequence[tuple[float, float]]) -> Points | None:
    """As `_looks`, at a face that another engine has found."""
    if (frame := _frame(face)) is None or (points := _looks(picture, frame, _LOOKS[:1])) is None:
        return None
    # The other's canthi are where the face is; the network's own are where it is measured from.
    own = _frame(Landmarks(DENSE, points[0], _size(picture)))
    return None if own is None else _looks(picture, own, looks)


def _looks(picture: Picture, frame: FaceFrame, looks: Sequence[tuple[float, float]]) -> Points | None:
    """(looks, points, 2) pixels found by each look; None where the network is not sure that there is a face."""
    network = open_model(LANDMARKER)
    size = network.card.preprocessing.size
    cut = [cut_out(picture, _turned(frame, zoom, degrees), size) for zoom, degrees in looks]
    images = np.stack([crop.transpose(2, 0, 1) for crop, _ in cut]).astype(np.float32) / 255
    found = network.run({"images": images})
    back = np.linalg.inv(np.stack([matrix[:, :2] for _, matrix in cut]))
    shift = np.stack([matrix[:, 2] for _, matrix in cut])
    points = (found["points"] * float(size) - shift[:, None]) @ back.transpose(0, 2, 1)
    unsure = np.median(found["sigma"][:, _INNER]) * size * np.sqrt(np.abs(np.linalg.det(back)).mean()) / frame.iod
    return points if unsure < _UNSURE else None


def _turned(frame: FaceFrame, zoom: float, degrees: float) -> FaceFrame:
    turn = np.deg2rad(degrees)
    u = np.cos(turn) * frame.u + np.sin(turn) * frame.n
    return replace(frame, u=u, n=np.array([-u[1], u[0]]), iod=zoom * frame.iod)


def _frame(landmarks: Landmarks) -> FaceFrame | None:
    """The face frame; None where the points form no upright face."""
    try:
        return face_frame(landmarks)
    except (LandmarkFileError, SwappedSidesError):
        return None


def _size(picture: Picture) -> tuple[int, int]:
    return picture.shape[1], picture.shape[0]
