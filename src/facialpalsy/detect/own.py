"""Own: the points of our own landmark networks, on faces that our own finder finds (`detect.face_finder`).

One network (`models.landmarker`) sees the whole face, small; two others (`models.patch_landmarker`) see each eye with
its brow, and each half of nose and mouth, at a finer scale, and their points count where they have any. All see each
half of a face by itself and learn from faces whose sides move on their own, so that they report what differs between
them; the first one's card holds how much. Where an iris is, its edge in the photo says (`detect.limbus`). Each face is
looked at several times, turned a little to either side and cut a little wider, and the mean counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facialpalsy.detect import limbus
from facialpalsy.detect.base import Engine
from facialpalsy.detect.face_finder import FaceFinder, upright
from facialpalsy.detect.mesh import MeshDetector, Picture, face_width
from facialpalsy.face import DENSE, FACE6, Landmarks, Side
from facialpalsy.face.alignment import FaceFrame, cut_out
from facialpalsy.face.patches import EYE, MOUTH, Patch
from facialpalsy.weights import EYE_LANDMARKER, FACE_FINDER, LANDMARKER, MOUTH_LANDMARKER, find_card, open_model

NAME = "own"

PATCHES: Mapping[str, Patch] = {EYE_LANDMARKER: EYE, MOUTH_LANDMARKER: MOUTH}
"""Network -> what it sees."""

# How each look at a face is cut: how much wider, and turned by how many degrees. With the turns in pairs the set is its
# own mirror image, and so is the result. A frame of a clip gets the first alone.
_LOOKS = ((1.0, 0.0), (0.94, 4.0), (0.94, -4.0), (1.08, 3.0), (1.08, -3.0))
# Median sigma of the inner points, in iod: where it is more there is no face. Portraits have 0.007 to 0.009 and, out of
# focus, up to 0.014; drawn faces 0.022 and more, a cat 0.024.
_UNSURE = 0.0175
_INNER = slice(17, 68)
# Step from one frame to the next, in iod, of which half is taken: a point that stands still is found with an error of
# 0.003, and a lid that shuts moves by 0.02 and more.
_STILL = 0.01
# Probability that something is in the way, from which on a point is hidden. In training covered points counted twice,
# and at 0.5 lids that shut under dark lashes were taken for covered.
_HIDDEN = 0.8

Points = NDArray[np.float64]


class OwnDetector(MeshDetector):
    """Detector with our own networks; not for use from several threads at once.

    Raises:
        AssetNotInstalledError: a network does not come with this copy.
        AssetHashError: one is damaged.
    """

    def __init__(self) -> None:
        super().__init__(own_engine(), FaceFinder(), DENSE)
        self._networks = _Networks()

    def tracker(self) -> OwnTracker:
        """A tracker for one clip."""
        return OwnTracker(self._networks)

    def _looked_at(self, picture: Picture, points: Points) -> Landmarks | None:
        return self._networks.found(picture, Landmarks(FACE6, points, _size(picture)), _LOOKS)


class OwnTracker:
    """Follows a face through a clip: where it was in the last frame, or where the finder finds it.

    Of a step to the next frame a point takes the share d^2 / (d^2 + s^2), where d is how far it is and s `_STILL`: what
    stands still is averaged over frames, and what moves faster than noise, as a lid that shuts, is followed at once.
    """

    def __init__(self, networks: _Networks) -> None:
        self._finder = FaceFinder()
        self._networks = networks
        self._last: tuple[FaceFrame, Points] | None = None

    def update(self, picture: Picture) -> Landmarks | None:
        """Landmarks of the next frame, or None without a face."""
        found = None if self._last is None else self._networks.seen(picture, self._last[0], _LOOKS[:1])
        if found is None:
            self._last = None
            found = self._widest(picture)
        if found is None or (frame := upright(found)) is None:
            self._last = None
            return found
        points = found.points
        if self._last is not None:
            step = points - self._last[1]
            squared = (step**2).sum(axis=1, keepdims=True)
            points = self._last[1] + squared / (squared + (_STILL * frame.iod) ** 2) * step
        self._last = frame, points
        return found.single(points)

    def _widest(self, picture: Picture) -> Landmarks | None:
        """The widest of what the finder finds that the networks take for a face."""
        for points in sorted(self._finder.faces(picture), key=face_width, reverse=True):
            found = self._networks.found(picture, Landmarks(FACE6, points, _size(picture)), _LOOKS[:1])
            if found is not None:
                return found
        return None


class _Networks:
    """The three networks, that of the eye beside the others: with a thread for each they wait for one another."""

    def __init__(self) -> None:
        self._beside = ThreadPoolExecutor(1)

    def found(self, picture: Picture, face: Landmarks, looks: Sequence[tuple[float, float]]) -> Landmarks | None:
        """As `seen`, at a face that the finder has found."""
        # The finder's canthi are where the face is; the networks' own are where it is measured from.
        for few in (_LOOKS[:1], looks):
            frame = upright(face)
            found = None if frame is None else self.seen(picture, frame, few)
            if found is None:
                return None
            face = found
        return face

    def seen(self, picture: Picture, frame: FaceFrame, looks: Sequence[tuple[float, float]]) -> Landmarks | None:
        """The mean of several looks at a face; None where the networks are not sure that there is one."""
        frames, image = [_turned(frame, zoom, degrees) for zoom, degrees in looks], Image.fromarray(picture)
        eye = self._beside.submit(_of_patch, EYE_LANDMARKER, EYE, image, frames)
        mouth = _of_patch(MOUTH_LANDMARKER, MOUTH, image, frames)
        (points, sigma), hidden = _of_face(image, frames), np.zeros(DENSE.size, bool)
        for patch, found in ((MOUTH, mouth), (EYE, eye.result())):
            mine = [*patch.points_on(Side.RIGHT), *patch.points_on(Side.LEFT)[: len(patch.pairs)]]
            points[:, mine], sigma[:, mine], covered = found
            hidden[mine] = covered.mean(axis=0) > _HIDDEN
        if np.median(sigma[:, _INNER]) > _UNSURE * frame.iod:
            return None
        return Landmarks(DENSE, points.mean(axis=0), _size(picture), repeats=points, engine=NAME, hidden=hidden)


@cache
def own_engine() -> Engine:
    """The networks' identity, with the recovery slopes measured by `benchmarks/recovery.py`.

    Raises:
        AssetNotInstalledError: one does not come with this copy.
        AssetHashError: one is damaged.
    """
    card, *others = (find_card(name) for name in (LANDMARKER, *PATCHES, FACE_FINDER))
    together = hashlib.sha256("".join(one.sha256 for one in (card, *others)).encode()).hexdigest()
    return Engine(NAME, card.version, together, card.licence, card.trained_on, card.metrics.get("recovery", {}))


def _of_face(image: Image.Image, frames: Sequence[FaceFrame]) -> tuple[Points, Points]:
    """(frames, DENSE, 2) points and (frames, DENSE) sigma in pixels, of the whole face."""
    size = find_card(LANDMARKER).preprocessing.size
    cut = [cut_out(image, frame, size) for frame in frames]
    found = _asked(LANDMARKER, np.stack([crop for crop, _ in cut]))
    return _back(found["points"] * size, found["sigma"] * size, np.stack([matrix for _, matrix in cut]))


def _of_patch(
    name: str, patch: Patch, image: Image.Image, frames: Sequence[FaceFrame]
) -> tuple[Points, Points, Points]:
    """(frames, points, 2) points and (frames, points) sigma in pixels, and the probability that each is covered.

    Those of the right come first, then the midline, then the left.
    """
    pairs, shown = len(patch.pairs), [(side, frame) for side in (Side.RIGHT, Side.LEFT) for frame in frames]
    crops = np.stack([patch.cut(image, frame, side) for side, frame in shown])
    seen = _asked(name, crops)
    there = seen["points"].astype(float)
    if patch is EYE:
        there = limbus.fitted(crops, there)
    matrices = np.stack([patch.matrix(frame, side) for side, frame in shown])
    found: tuple[NDArray[Any], ...] = (*_back(there, seen["sigma"], matrices), seen["covered"])
    # Both sides see the midline; the mean counts.
    points, sigma, covered = (
        np.concatenate([right[:, :pairs], (right[:, pairs:] + left[:, pairs:]) / 2, left[:, :pairs]], axis=1)
        for right, left in (np.split(one, 2) for one in found)
    )
    return points, sigma, covered


def _asked(name: str, crops: Picture) -> dict[str, NDArray[np.float32]]:
    """What a network says of (n, rows, columns, 3) crops."""
    images = np.ascontiguousarray(crops.transpose(0, 3, 1, 2)).astype(np.float32) / 255
    return open_model(name, threads=1).run({"images": images})


def _back(points: NDArray[Any], sigma: NDArray[Any], matrices: Points) -> tuple[Points, Points]:
    """What is known in pixels of crops, in pixels of the picture from which (n, 2, 3) matrices lead to them."""
    linear = matrices[:, :, :2]
    there = (points - matrices[:, None, :, 2]) @ np.linalg.inv(linear).transpose(0, 2, 1)
    return there, sigma / np.sqrt(np.abs(np.linalg.det(linear)))[:, None]


def _turned(frame: FaceFrame, zoom: float, degrees: float) -> FaceFrame:
    turn = np.deg2rad(degrees)
    u = np.cos(turn) * frame.u + np.sin(turn) * frame.n
    return replace(frame, u=u, n=np.array([-u[1], u[0]]), iod=zoom * frame.iod)


def _size(picture: Picture) -> tuple[int, int]:
    return picture.shape[1], picture.shape[0]
