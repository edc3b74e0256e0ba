"""Mesh: one face found with a model that gives the points of every face in a picture, whichever model that is.

The picture and its mirror image are searched, then the picture padded (tight crops), then overlapping tiles of it
(small faces); the points are the mean over three crops and their mirror images, and their spread is the noise.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facialpalsy.detect.base import Detection, Engine, Tracker
from facialpalsy.errors import NoFaceError
from facialpalsy.face import MEDIAPIPE478, Landmarks, Scheme, mirror_landmarks, mirror_picture

Picture = NDArray[np.uint8]

MAX_FACES = 8
CONFIDENCE = 0.5
# Where a face is, is seen in a picture of this size; only its points need every pixel.
_SEARCH_MAX_PX = 1600
# The smallest tile, in pixels and as a share of the longer side: bounds the time that a picture without a face takes.
_TILE_MIN_PX, _TILE_MIN_SHARE = 160, 1 / 10
# Crops around the found face for the repeat error: side of the crop over the face's, and its downward shift in face
# sizes. None is shifted sideways: with each crop's mirror image the set is mirror-symmetric, and so is the result.
_CROPS = ((1.9, 0.0), (1.7, -0.04), (2.1, 0.04))
_CROP_MAX_PX = 1024
# Share of another face's points within the box of the chosen one from which on the faces overlap.
_OVERLAPPED = 0.25


class Mesh(ABC):
    """A model behind arrays in pixels.

    Attributes:
        scheme: Of its points.
    """

    scheme: ClassVar[Scheme] = MEDIAPIPE478
    _has_logged = False

    @abstractmethod
    def _shares(self, picture: Picture) -> list[NDArray[np.float64]]:
        """(points, 2) of every face in an RGB picture, as shares of its width and height."""

    def points(self, picture: Picture) -> list[NDArray[np.float64]]:
        """(points, 2) pixels of every face in an RGB picture."""
        height, width = picture.shape[:2]
        # The network of the points logs when it sees its first face.
        with nullcontext() if self._has_logged else quiet():
            faces = self._shares(picture)
        self._has_logged |= bool(faces)
        return [shares * np.array([width, height], dtype=np.float64) for shares in faces]

    def mirrored_points(self, picture: Picture) -> list[NDArray[np.float64]]:
        """As `points`, found in the mirrored picture; in the coordinates and the sides of the picture itself."""
        size = (picture.shape[1], picture.shape[0])
        found = self.points(mirror_picture(picture))
        return [mirror_landmarks(Landmarks(self.scheme, points, size)).points for points in found]

    def faces(self, picture: Picture) -> list[NDArray[np.float64]]:
        """Every face of the picture or its mirror image, the mean where both show it: mirroring changes nothing."""
        mirrored = self.mirrored_points(picture)
        found = []
        for points in self.points(picture):
            twin = next((index for index, other in enumerate(mirrored) if same_face(points, other)), None)
            found.append(points if twin is None else (points + mirrored.pop(twin)) / 2)
        return found + mirrored


class MeshDetector:
    """Detector with a mesh; not for use from several threads at once.

    Attributes:
        engine: Identity of what places the points.
        scheme: Of the points.
    """

    scheme: Scheme

    def __init__(self, engine: Engine, mesh: Mesh, scheme: Scheme | None = None) -> None:
        """Take the model's identity, the model as it looks at every picture anew, and the scheme if not the model's."""
        self.engine, self.scheme = engine, scheme or mesh.scheme
        self._mesh = mesh

    def tracker(self) -> Tracker:
        """A tracker for one clip."""
        return FrameTracker(self.engine.name, self._mesh)

    def detect(self, picture: Picture) -> Detection:
        """Find the largest face and place its points as the mean over three crops and their mirror images.

        Args:
            picture: (h, w, 3) RGB.

        Raises:
            NoFaceError: no face in the whole picture, nor with padding, nor in overlapping tiles of it.
        """
        faces: list[Landmarks] = []
        for candidates in self._candidates(picture):
            faces = [face for points in candidates if (face := self._looked_at(picture, points)) is not None]
            if faces:
                break
        else:
            raise NoFaceError(
                "No face was found in the picture, also after padding it and searching it piece by piece. "
                "Give a frontal photo in which the whole face is at least 60 pixels wide."
            )
        faces.sort(key=lambda face: face_width(face.points), reverse=True)
        points = faces[0].points
        low, high = points.min(axis=0), points.max(axis=0)
        return Detection(
            landmarks=faces[0],
            box=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
            faces=len(faces),
            warnings=_several_faces([face_width(face.points) for face in faces]),
            overlapped=any(_share_within(face.points, low, high) > _OVERLAPPED for face in faces[1:]),
        )

    def _candidates(self, picture: Picture) -> Iterator[list[NDArray[np.float64]]]:
        """Points of every face: in the whole picture, padded (tight crops), then in tiles (small faces)."""
        small, zoom = _shrunk(picture)
        yield [points / zoom for points in self._mesh.faces(small)]
        pad = max(small.shape) // 2
        padded = np.pad(small, ((pad, pad), (pad, pad), (0, 0)), constant_values=127)
        yield [(points - pad) / zoom for points in self._mesh.faces(padded)]
        longer = max(picture.shape)
        side = longer // 2
        while side >= max(_TILE_MIN_PX, _TILE_MIN_SHARE * longer):
            yield self._find_in_tiles(picture, side)
            side //= 2

    def _find_in_tiles(self, picture: Picture, side: int) -> list[NDArray[np.float64]]:
        """Every face of the tiles; the mean where several show it, so that neither order nor mirroring matters."""
        height, width = picture.shape[:2]
        found: list[list[NDArray[np.float64]]] = []
        for top in _tile_starts(height, side):
            for left in _tile_starts(width, side):
                tile, zoom = _shrunk(picture[top : top + side, left : left + side])
                for points in self._mesh.faces(tile):
                    placed = points / zoom + np.array([left, top])
                    seen = next((views for views in found if same_face(placed, views[0])), None)
                    if seen is None:
                        found.append([placed])
                    else:
                        seen.append(placed)
        return [np.mean(views, axis=0) for views in found]

    def _looked_at(self, picture: Picture, points: NDArray[np.float64]) -> Landmarks | None:
        """The mean of detections of one face over crops and flips, in complete flip pairs, so that they average out.

        None where no crop shows the face again: texture may look like a face in one view, but not in all.
        """
        low, high = points.min(axis=0), points.max(axis=0)
        extent = float((high - low).max())
        repeats = []
        for scale, shift in _CROPS:
            centre = (low + high) / 2 + np.array([0, shift * extent])
            crop, origin, zoom = _crop(picture, centre, scale * extent)
            place = (points - origin) * zoom
            one, other = (
                showing(place, faces) for faces in (self._mesh.points(crop), self._mesh.mirrored_points(crop))
            )
            if one is not None and other is not None:
                repeats += [one / zoom + origin, other / zoom + origin]
        if not repeats:
            return None
        size = (picture.shape[1], picture.shape[0])
        return Landmarks(
            self.scheme, np.mean(repeats, axis=0), size, repeats=np.stack(repeats), engine=self.engine.name
        )


class FrameTracker:
    """Follows a face through a clip: one detection and its mirror image per frame, of the face that was last seen.

    Every frame is looked at anew. A model's own mode for clips may smooth the points over time, which makes a movement
    smaller and later than it is.
    """

    def __init__(self, engine_name: str, mesh: Mesh) -> None:
        self._engine_name = engine_name
        self._mesh = mesh
        self._last: NDArray[np.float64] | None = None

    def update(self, picture: Picture) -> Landmarks | None:
        """Landmarks of the next frame, averaged over the picture and its mirror image, or None without a face."""
        mirrored = self._mesh.mirrored_points(picture)
        pairs = [
            np.stack([points, twin])
            for points in self._mesh.points(picture)
            if (twin := showing(points, mirrored)) is not None
        ]
        near = [pair for pair in pairs if self._last is not None and same_face(pair.mean(axis=0), self._last)]
        repeats = max(near or pairs, key=lambda pair: face_width(pair.mean(axis=0)), default=None)
        if repeats is None:
            self._last = None
            return None
        self._last = repeats.mean(axis=0)
        size = (picture.shape[1], picture.shape[0])
        return Landmarks(self._mesh.scheme, self._last, size, repeats=repeats, engine=self._engine_name)


def _crop(picture: Picture, centre: NDArray[np.float64], side: float) -> tuple[Picture, NDArray[np.float64], float]:
    """A square crop, padded where it leaves the picture, shrunk to a bounded size; with its origin and zoom."""
    length = max(2, round(side))
    left, top = np.rint(centre - length / 2).astype(int)
    window = picture[max(top, 0) : max(top + length, 0), max(left, 0) : max(left + length, 0)]
    before = (max(-top, 0), max(-left, 0))
    after = (length - before[0] - window.shape[0], length - before[1] - window.shape[1])
    window = np.pad(window, ((before[0], after[0]), (before[1], after[1]), (0, 0)), constant_values=127)
    zoom = min(1.0, _CROP_MAX_PX / length)
    if zoom < 1:
        image = Image.fromarray(window).resize((_CROP_MAX_PX, _CROP_MAX_PX), Image.Resampling.BOX)
        window, zoom = np.asarray(image), _CROP_MAX_PX / length
    return np.ascontiguousarray(window), np.array([left, top], dtype=np.float64), zoom


def _shrunk(picture: Picture) -> tuple[Picture, NDArray[np.float64]]:
    """A contiguous copy of a bounded size, and its zoom in x and y."""
    height, width = picture.shape[:2]
    zoom = _SEARCH_MAX_PX / max(height, width)
    if zoom >= 1:
        return np.ascontiguousarray(picture), np.ones(2)
    size = (max(1, round(width * zoom)), max(1, round(height * zoom)))
    small = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))
    return small, np.array([size[0] / width, size[1] / height])


def _tile_starts(length: int, side: int) -> list[int]:
    """Starts of half-overlapping tiles that cover `length`, the same from both ends."""
    last = max(length - side, 0)
    steps = -(-last // max(side // 2, 1))
    starts = {round(start) for start in np.linspace(0, last, steps + 1)}
    return sorted(starts | {last - start for start in starts})


def face_width(points: NDArray[np.float64]) -> float:
    """Extent from side to side in pixels."""
    return float(np.ptp(points[:, 0]))


def same_face(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether two sets of points lie where one face lies, not two."""
    distance = float(np.linalg.norm(one.mean(axis=0) - other.mean(axis=0)))
    return distance < 0.5 * face_width(other)


def showing(points: NDArray[np.float64], faces: list[NDArray[np.float64]]) -> NDArray[np.float64] | None:
    """The widest of `faces` that is the face of `points`, or None."""
    return max((face for face in faces if same_face(points, face)), key=face_width, default=None)


def _share_within(points: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]) -> float:
    return float(((points > low) & (points < high)).all(axis=1).mean())


def _several_faces(widths: list[float]) -> tuple[str, ...]:
    if len(widths) < 2:
        return ()
    return (
        f"{len(widths)} faces were found; the largest, {widths[0]:.0f} px wide, was measured "
        f"(the next is {widths[1]:.0f} px wide). Crop the picture if another face was meant.",
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the native log lines that an engine writes to file descriptor 2 while its network starts."""
    saved = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
