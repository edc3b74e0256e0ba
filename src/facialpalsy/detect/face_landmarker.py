"""Face Landmarker: the network of MediaPipe's `face_landmarker.task` (Face Mesh V2, 478 points, iris), once installed.

Apache-2.0; `facialpalsy assets install face-landmarker` stores the file. It labels by image side, so it is right for
unmirrored pictures only, and it flattens asymmetry: `face_landmarker_card.json` holds how much of a known displacement
it reports.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facialpalsy.detect.base import Engine, read_card
from facialpalsy.detect.mediapipe import check_library
from facialpalsy.detect.mesh import CONFIDENCE, MAX_FACES, Mesh, MeshDetector, Picture, quiet
from facialpalsy.weights import find_asset

ASSET = "face-landmarker"
"""Name of the file in the catalogue of assets."""


class FaceLandmarkerDetector(MeshDetector):
    """Detector with the installed Face Landmarker; not for use from several threads at once.

    Raises:
        AssetNotInstalledError: the file, or the library that reads it, is not installed.
        AssetHashError: it is damaged, or another file of that name.
    """

    def __init__(self) -> None:
        check_library()
        super().__init__(face_landmarker_engine(), _TaskMesh(find_asset(ASSET)))


class _TaskMesh(Mesh):
    """The Face Landmarker as it looks at single pictures."""

    def __init__(self, path: Path) -> None:
        from mediapipe.tasks.python import BaseOptions, vision

        with quiet():
            # The bytes, not the path, which the native code reads in an encoding of its own.
            self._landmarker = vision.FaceLandmarker.create_from_options(
                vision.FaceLandmarkerOptions(
                    base_options=BaseOptions(model_asset_buffer=path.read_bytes()),
                    num_faces=MAX_FACES,
                    min_face_detection_confidence=CONFIDENCE,
                )
            )
            # The graph starts in the background and logs when it does: an empty picture waits for it.
            self._shares(np.zeros((64, 64, 3), dtype=np.uint8))

    def _shares(self, picture: Picture) -> list[NDArray[np.float64]]:
        from mediapipe import Image, ImageFormat

        found = self._landmarker.detect(Image(image_format=ImageFormat.SRGB, data=np.ascontiguousarray(picture)))
        return [np.array([(point.x, point.y) for point in face]) for face in found.face_landmarks]


@cache
def face_landmarker_engine() -> Engine:
    """The Face Landmarker's identity, with the recovery slopes measured by `benchmarks/recovery.py`."""
    return read_card("face_landmarker_card.json")
