"""Colour spread: by how much the colours of a face differ from one another, whatever its light.

Skin, lips, brows, the white of the eyes and irises of a person have colours of their own. A statue has one, and so has
everybody in a picture without colours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facialpalsy.face.alignment import Picture, align
from facialpalsy.face.landmarks import Landmarks

# Side of the crop that is looked at, so coarse that noise is no colour.
_SIZE = 128
# Added to each channel: what is nearly black has no colour.
_DARK = 8.0


def colour_spread(picture: Picture, landmarks: Landmarks) -> float:
    """How far the colours at the points of a face are from their median, in shares of red, green and blue.

    Args:
        picture: (h, w, 3) RGB.
        landmarks: Of any scheme.

    Returns:
        The median distance over the points, 0 where all have one colour. A coloured light changes it little.
    """
    crop, placed = align(picture, landmarks, _SIZE)
    columns, rows = placed.points.astype(int).clip(0, _SIZE - 1).T
    colours = crop[rows, columns] + _DARK
    shares: NDArray[np.float64] = colours / colours.sum(axis=1, keepdims=True)
    return float(np.median(np.linalg.norm(shares - np.median(shares, axis=0), axis=1)))
