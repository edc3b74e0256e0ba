"""A picture to warp (the face by formula that lies in it comes from the tests' own conftest), and the face model."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import zoom

from facialpalsy.errors import AssetNotInstalledError
from facialpalsy.synth.face_model import FaceModel, face_model


@pytest.fixture(scope="session")
def noise() -> NDArray[np.uint8]:
    """A smooth random picture without any symmetry."""
    coarse = np.random.default_rng(5).uniform(30, 220, (30, 30, 3))
    picture = np.clip(zoom(coarse, (10, 10, 1), order=3), 0, 255).astype(np.uint8)
    picture.flags.writeable = False
    return picture


@pytest.fixture(scope="session")
def model() -> FaceModel:
    """The installed face model; without it the test is skipped."""
    try:
        return face_model()
    except AssetNotInstalledError as reason:
        pytest.skip(f"needs the face model: {reason}")
