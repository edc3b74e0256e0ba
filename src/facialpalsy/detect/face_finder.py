"""Face finder: our own network that says where faces are, for the landmark networks to look at.

It sees a picture whole, and once more at half the size with room about it, for faces that fill it. What looks like a
face there is cut out and looked at again, upright and of one size.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image

from facialpalsy.detect.mesh import MAX_FACES, Mesh, Picture, same_face
from facialpalsy.errors import LandmarkFileError, SwappedSidesError
from facialpalsy.face import FACE6, Landmarks, Scheme, Side, face_frame
from facialpalsy.face.alignment import FaceFrame, resampled
from facialpalsy.weights import FACE_FINDER, find_card, open_model

_ZOOMS = (1.0, 0.5)
# Probability of a face from which on it is looked at again, and from which on it is one then: of portraits that it
# learnt from it is 0.9 and more then, and what passes without being a face is left to the landmark networks.
_PERHAPS, _SURE = 0.2, 0.6
# Times that a face is looked at again: how small and turned it was seen first shows in the first of them.
_AGAIN = 2
# Of a face that is looked at again: outer-canthus distance as a share of the crop, and how far its centre may lie from
# where it was expected, in outer-canthus distances.
_CLOSE, _NEAR = 0.22, 0.5

Points = NDArray[np.float64]


class FaceFinder(Mesh):
    """Six points of every face, not accurate enough to be measured, and of a few things that are none.

    Raises:
        AssetNotInstalledError: the network does not come with this copy.
        AssetHashError: it is damaged.
    """

    scheme: ClassVar[Scheme] = FACE6

    def __init__(self) -> None:
        self._size = find_card(FACE_FINDER).preprocessing.size

    def _shares(self, picture: Picture) -> list[Points]:
        image = Image.fromarray(picture)
        faces = _surest(self._everywhere(image))
        for _ in range(_AGAIN):
            faces = _surest(self._again(image, faces))
        return [points / image.size for points in faces]

    def _everywhere(self, image: Image.Image) -> list[tuple[float, Points]]:
        """Whatever looks like a face in the picture as a whole."""
        matrices = [self._whole(image.size, zoom) for zoom in _ZOOMS]
        found = []
        for matrix, chances, points in zip(matrices, *self._asked(image, matrices), strict=True):
            highest = sliding_window_view(np.pad(chances, 1), (3, 3)).max(axis=(2, 3))
            rows, columns = np.nonzero((chances == highest) & (chances > _PERHAPS))
            found += [(float(chances[one]), _back(points[one], matrix)) for one in zip(rows, columns, strict=True)]
        return found

    def _again(self, image: Image.Image, perhaps: list[Points]) -> list[tuple[float, Points]]:
        """What still looks like a face when it is cut out."""
        framed = [(upright(Landmarks(FACE6, points, image.size)), points) for points in perhaps]
        faces = [(frame, points) for frame, points in framed if frame is not None]
        if not faces:
            return []
        matrices = [self._about(frame, _centre(points)) for frame, points in faces]
        found = []
        for matrix, chances, points in zip(matrices, *self._asked(image, matrices), strict=True):
            centres = _centre(points)
            near = np.linalg.norm(centres - self._size / 2, axis=-1) < _NEAR * _CLOSE * self._size
            best = np.unravel_index(np.argmax(np.where(near, chances, 0)), chances.shape)
            if near[best] and chances[best] > _SURE:
                found.append((float(chances[best]), _back(points[best], matrix)))
        return found

    def _asked(self, image: Image.Image, matrices: list[NDArray[np.float64]]) -> tuple[Points, Points]:
        """(n, rows, columns) probabilities and (n, rows, columns, 6, 2) points in pixels of what is cut out."""
        cut = [resampled(image, matrix, (self._size, self._size)) for matrix in matrices]
        pictures = np.stack(cut).transpose(0, 3, 1, 2).astype(np.float32) / 255
        found = open_model(FACE_FINDER, threads=1).run({"images": pictures})
        return found["faces"].astype(float), found["points"].astype(float).transpose(0, 3, 4, 1, 2)

    def _whole(self, size: tuple[int, int], zoom: float) -> NDArray[np.float64]:
        """(2, 3) that shows a picture whole, in the middle."""
        scale = zoom * self._size / max(size)
        return np.column_stack([scale * np.eye(2), (self._size - scale * np.array(size)) / 2])

    def _about(self, frame: FaceFrame, centre: Points) -> NDArray[np.float64]:
        """(2, 3) that shows a face upright, its centre in the middle."""
        linear = _CLOSE * self._size / frame.iod * np.stack([frame.u, frame.n])
        return np.column_stack([linear, self._size / 2 - linear @ centre])


def upright(landmarks: Landmarks) -> FaceFrame | None:
    """The face frame; None where the points form no upright face."""
    try:
        return face_frame(landmarks)
    except (LandmarkFileError, SwappedSidesError):
        return None


def _surest(found: list[tuple[float, Points]]) -> list[Points]:
    """The surest of those that lie on each other."""
    kept: list[Points] = []
    for _, points in sorted(found, key=lambda one: -one[0]):
        if not any(same_face(points, other) or same_face(other, points) for other in kept):
            kept.append(points)
    return kept[:MAX_FACES]


def _centre(points: Points) -> Points:
    """(..., 2) between the outer canthi and the corners of the mouth."""
    names = ("outer_canthus", "commissure")
    places = [one for name in names for side in Side if (one := FACE6.point(name, side)) is not None]
    return np.asarray(points[..., places, :].mean(axis=-2))


def _back(points: Points, matrix: NDArray[np.float64]) -> Points:
    return np.asarray((points - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T)
