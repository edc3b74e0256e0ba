"""dlib: its face detector and 68-point shape predictor, for fidelity to work that aligned faces with them.

Kazemi & Sullivan 2014, One Millisecond Face Alignment (CVPR). The library (Boost licence) comes with the extra `dlib`;
the predictor was trained on iBUG 300-W, for research only, and the user installs it: `facialpalsy assets install
dlib`. It names sides by the place in the picture, so it is right for unmirrored pictures only.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from facialpalsy.detect.base import Engine, read_card
from facialpalsy.detect.mesh import Mesh, MeshDetector, Picture
from facialpalsy.errors import AssetNotInstalledError
from facialpalsy.face import IBUG68, Scheme
from facialpalsy.weights import find_asset

ASSET = "dlib"
"""Name of the predictor in the catalogue of assets."""

# dlib sees faces of 80 pixels; a small picture is searched at twice its size.
_SMALL_PX = 640


class DlibDetector(MeshDetector):
    """Detector with dlib and the installed predictor.

    Raises:
        AssetNotInstalledError: the library or the predictor is not installed.
        AssetHashError: the predictor is damaged, or another file of that name.
    """

    def __init__(self) -> None:
        check_library()
        super().__init__(dlib_engine(), _Predictor(find_asset(ASSET)))


class _Predictor(Mesh):
    scheme: ClassVar[Scheme] = IBUG68

    def __init__(self, path: Path) -> None:
        import dlib

        self._find, self._place = dlib.get_frontal_face_detector(), dlib.shape_predictor(str(path))

    def _shares(self, picture: Picture) -> list[NDArray[np.float64]]:
        height, width = picture.shape[:2]
        picture = np.ascontiguousarray(picture)
        faces = self._find(picture, int(max(height, width) < _SMALL_PX))
        shapes = [self._place(picture, face) for face in faces]
        # dlib names the middle of the first pixel 0.
        return [np.array([(one.x + 0.5, one.y + 0.5) for one in shape.parts()]) / (width, height) for shape in shapes]


def check_library() -> None:
    """Nothing where dlib can be imported.

    Raises:
        AssetNotInstalledError: it cannot.
    """
    if find_spec("dlib") is None:
        raise AssetNotInstalledError("The library dlib is not installed: run `pip install 'facialpalsy[dlib]'`.")


@cache
def dlib_engine() -> Engine:
    """The predictor's identity, with the recovery slopes measured by `benchmarks/recovery.py`."""
    return read_card("dlib_card.json")
