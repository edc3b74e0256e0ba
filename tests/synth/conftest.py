"""A picture to warp; the face by formula that lies in it comes from the tests' own conftest."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import zoom


@pytest.fixture(scope="session")
def noise() -> NDArray[np.uint8]:
    """A smooth random picture without any symmetry."""
    coarse = np.random.default_rng(5).uniform(30, 220, (30, 30, 3))
    picture = np.clip(zoom(coarse, (10, 10, 1), order=3), 0, 255).astype(np.uint8)
    picture.flags.writeable = False
    return picture
