"""The astronaut (NASA, public domain, in scikit-image) and one detector of each engine for the session."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from facialpalsy.detect import open_detector
from facialpalsy.errors import AssetNotInstalledError


@pytest.fixture(scope="session")
def astronaut() -> NDArray[np.uint8]:
    """(512, 512, 3); the face is 92 px wide."""
    data = pytest.importorskip("skimage.data", reason="scikit-image is not installed (extra `demo`)")
    picture = np.array(data.astronaut())
    picture.flags.writeable = False
    return picture


@pytest.fixture(scope="session", params=["mediapipe", "face-landmarker"])
def detector(request):
    pytest.importorskip("mediapipe", reason="mediapipe is not installed")
    try:
        return open_detector(request.param)
    except AssetNotInstalledError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def found(detector, astronaut):
    """What the detector finds in the astronaut."""
    return detector.detect(astronaut)


@pytest.fixture(scope="session")
def paste(astronaut):
    """A grey picture with the astronaut pasted at each (x, y, factor)."""

    def make(width, height, *places):
        picture = np.full((height, width, 3), 90, dtype=np.uint8)
        for x, y, factor in places:
            size = round(512 * factor)
            copy = np.asarray(Image.fromarray(astronaut).resize((size, size), Image.Resampling.LANCZOS))
            picture[y : y + size, x : x + size] = copy[: height - y, : width - x]
        return picture

    return make
