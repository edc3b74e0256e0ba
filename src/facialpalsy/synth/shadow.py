"""Shadow: depth maps as seen from a light, and how much of its surroundings each place of the face sees."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from facialpalsy.synth.face_model import FaceModel, Part
from facialpalsy.synth.rasterise import rasterise, vertex_normals

Floats = NDArray[np.float32]

SHADOW_SIZE = 192
"""Texels along each side of a depth map."""

SHADOW_HALF_CM = 17.0
"""Half of the width that it covers."""

# Infinity would be undefined where the compiler may assume finite numbers.
_NOTHING_CM = 1e6
_DIRECTIONS = 64
# Places whose shelter changes with every movement have one value.
_FIXED = {Part.EYE: 0.75, Part.TEETH: 0.6, Part.MOUTH: 0.35}


def light_axes(direction: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 3) rows: right and up as seen from the light, and towards the light."""
    right = np.cross([0.0, 1.0, 0.0], direction)
    right /= np.linalg.norm(right) + 1e-12
    return np.stack([right, np.cross(direction, right), direction])


def shadow_map(placed: Floats, triangles: NDArray[np.int32]) -> Floats:
    """(SHADOW_SIZE, SHADOW_SIZE) how far behind the origin the first surface lies, as seen from the light."""
    scale = 0.5 * SHADOW_SIZE / SHADOW_HALF_CM
    middle = 0.5 * SHADOW_SIZE
    # The rasteriser takes distances above zero.
    screen = np.stack([middle + scale * placed[:, 0], middle - scale * placed[:, 1], 100 - placed[:, 2]], 1)
    buffer = np.full((SHADOW_SIZE, SHADOW_SIZE), _NOTHING_CM, np.float32)
    owner = np.empty((SHADOW_SIZE, SHADOW_SIZE), np.int32)
    weights = np.empty((SHADOW_SIZE, SHADOW_SIZE, 2), np.float32)
    rasterise(screen.astype(np.float32), triangles, buffer, owner, weights, 0)
    return buffer - np.float32(100)


@cache
def shelter(model: FaceModel) -> Floats:
    """Ambient occlusion of the mean face at rest: the cosine-weighted share of 64 directions that see each vertex."""
    normals = vertex_normals(model.neutral, model.triangles)
    seen, possible = np.zeros(len(normals)), np.full(len(normals), 1e-6)
    golden = np.pi * (3 - np.sqrt(5))
    for k in range(_DIRECTIONS):
        y = 1 - (k + 0.5) / _DIRECTIONS * 1.6
        direction = np.array([np.sqrt(1 - y * y) * np.sin(golden * k), y, np.sqrt(1 - y * y) * np.cos(golden * k)])
        axes = light_axes(direction)
        placed = model.neutral @ axes.T.astype(np.float32)
        buffer = shadow_map(placed, model.triangles)
        column = ((placed[:, 0] / SHADOW_HALF_CM + 1) * 0.5 * SHADOW_SIZE).astype(int).clip(0, SHADOW_SIZE - 1)
        row = ((1 - placed[:, 1] / SHADOW_HALF_CM) * 0.5 * SHADOW_SIZE).astype(int).clip(0, SHADOW_SIZE - 1)
        cosine = (normals @ direction).clip(0)
        seen += cosine * (-placed[:, 2] < buffer[row, column] + 0.35)
        possible += cosine
    share = seen / possible
    for part, fixed in _FIXED.items():
        share[np.unique(model.triangles[model.parts == part])] = fixed
    return np.asarray((share + share[model.mirror]) / 2, np.float32)
