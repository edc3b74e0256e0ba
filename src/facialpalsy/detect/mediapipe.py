"""MediaPipe: the Face Mesh of mediapipe 0.10.21 with its attention mesh (478 points, iris).

Kartynnik et al. 2019 (arXiv 1907.06724), Grishchenko et al. 2020 (arXiv 2006.10962); Apache-2.0. Its models come
in the wheel, which the extra `mediapipe` brings. It labels by image side, so it is right for unmirrored pictures only,
and it flattens asymmetry: `mediapipe_card.json` holds how much of a known displacement it reports.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from facialpalsy.detect.base import Engine, read_card
from facialpalsy.detect.mesh import CONFIDENCE, MAX_FACES, Mesh, MeshDetector, Picture, face_width, quiet
from facialpalsy.errors import AssetNotInstalledError
from facialpalsy.face import MEDIAPIPE478, Landmarks


class MediaPipeDetector(MeshDetector):
    """Detector with MediaPipe's Face Mesh; not for use from several threads at once.

    Raises:
        AssetNotInstalledError: the library is not installed.
    """

    def __init__(self) -> None:
        check_library()
        super().__init__(mediapipe_engine(), FaceMesh(static=True, faces=MAX_FACES))

    def tracker(self) -> MediaPipeTracker:
        """A tracker for one clip."""
        return MediaPipeTracker(self.engine.name)


class MediaPipeTracker:
    """Follows a face through a clip: one detection and its mirror image per frame, each with its own memory."""

    def __init__(self, engine_name: str) -> None:
        self._engine_name = engine_name
        self._mesh = FaceMesh(static=False, faces=1)
        self._mirrored_mesh = FaceMesh(static=False, faces=1)

    def update(self, picture: Picture) -> Landmarks | None:
        """Landmarks of the next frame, averaged over the picture and its mirror image, or None without a face."""
        points = self._mesh.largest(picture)
        mirrored = self._mirrored_mesh.largest_mirrored(picture)
        if points is None or mirrored is None:
            return None
        repeats = np.stack([points, mirrored])
        size = (picture.shape[1], picture.shape[0])
        return Landmarks(MEDIAPIPE478, repeats.mean(axis=0), size, repeats=repeats, engine=self._engine_name)


class FaceMesh(Mesh):
    """MediaPipe's own object; unless `static`, it looks for a face near the last one first."""

    def __init__(self, *, static: bool, faces: int) -> None:
        with quiet():
            self._mesh = _solutions().FaceMesh(
                static_image_mode=static,
                max_num_faces=faces,
                refine_landmarks=True,
                min_detection_confidence=CONFIDENCE,
            )
            # The graph starts in the background and logs when it does: an empty picture waits for it.
            self._mesh.process(np.zeros((64, 64, 3), dtype=np.uint8))

    def _shares(self, picture: Picture) -> list[NDArray[np.float64]]:
        faces = self._mesh.process(picture).multi_face_landmarks or []
        return [np.array([(point.x, point.y) for point in face.landmark]) for face in faces]

    def largest(self, picture: Picture) -> NDArray[np.float64] | None:
        """The widest face of `points`, or None."""
        return max(self.points(picture), key=face_width, default=None)

    def largest_mirrored(self, picture: Picture) -> NDArray[np.float64] | None:
        """The widest face of `mirrored_points`, or None."""
        return max(self.mirrored_points(picture), key=face_width, default=None)


def check_library() -> None:
    """Nothing where MediaPipe can be imported.

    Raises:
        AssetNotInstalledError: it cannot.
    """
    if find_spec("mediapipe") is None:
        raise AssetNotInstalledError(
            "The library MediaPipe is not installed: run `pip install 'facialpalsy[mediapipe]'`."
        )


@cache
def mediapipe_engine() -> Engine:
    """MediaPipe's identity, with the recovery slopes measured by `benchmarks/recovery.py`."""
    return read_card("mediapipe_card.json")


def _solutions() -> ModuleType:
    from mediapipe.python.solutions import face_mesh

    module: ModuleType = face_mesh
    return module
