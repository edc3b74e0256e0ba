"""Materials: what colour and gloss each place of a sitter has, before any light falls on it; compiled by numba."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from facialpalsy.synth.points import IRIS_RADIUS_CM

Floats = NDArray[np.float32]
Material = tuple[float, float, float, float, int]
"""Red, green, blue reflectance, gloss, and how sharp the gloss is."""

SKIN, HEAD, EYE, TEETH, MOUTH, HAIR, CLOTH, FRAME = range(8)
"""Parts by number; the first five are those of the face model."""

compiled = njit(cache=True, nogil=True, fastmath=True, error_model="numpy")


class Surface(NamedTuple):
    """Everything that is drawn, by triangle or by vertex.

    Attributes:
        triangles, parts, uv: (m, 3), (m,) and (m, 3, 2); uv is used for skin alone.
        lit: (n, 8) from `lit_vertices`.
        mean_face: (n, 3) the vertices on the mean face at rest, where patterns are fixed.
        strand: (n, 1) place across the hair's strands.
        texture: (s, s, 8) from `paint_skin`.
        rotation: (3, 3) head to world, for the slopes of lines.
        colours: (5, 3) skin, hair, cloth, frame, iris.
        eyes: (2, 2, 3) centre and axis of the right and of the left eyeball on the mean face.
        shine: Gloss of skin.
        pupil: Its radius in centimetres.
        handed: -1 for a mirror image.
    """

    triangles: NDArray[np.int32]
    parts: NDArray[np.uint8]
    uv: Floats
    lit: Floats
    mean_face: Floats
    strand: Floats
    texture: Floats
    rotation: Floats
    colours: Floats
    eyes: Floats
    shine: float
    pupil: float
    handed: int


Corner = tuple[int, int, int, float, float, float]
"""The three vertices of a triangle and the barycentric weights of a place in it."""


@compiled
def between(values: Floats, first: int, at: Corner) -> tuple[float, float, float]:
    """Three columns of `values` (n, k) from column `first`, at a place."""
    a, b, c, wa, wb, wc = at
    return (
        wa * values[a, first] + (wb * values[b, first] + wc * values[c, first]),
        wa * values[a, first + 1] + (wb * values[b, first + 1] + wc * values[c, first + 1]),
        wa * values[a, first + 2] + (wb * values[b, first + 2] + wc * values[c, first + 2]),
    )


@compiled
def one_between(values: Floats, column: int, at: Corner) -> float:
    """One column of `values` (n, k) at a place."""
    a, b, c, wa, wb, wc = at
    return wa * values[a, column] + (wb * values[b, column] + wc * values[c, column])


@compiled
def texel_of(uv: Floats, t: int, at: Corner, size: int) -> tuple[int, int]:
    """Row and column of the nearest texel: the four samples of a pixel already blend texels finer than the picture."""
    _, _, _, wa, wb, wc = at
    u = (wa * uv[t, 0, 0] + (wb * uv[t, 1, 0] + wc * uv[t, 2, 0])) * size
    v = (1 - (wa * uv[t, 0, 1] + (wb * uv[t, 1, 1] + wc * uv[t, 2, 1]))) * size
    return min(max(int(v), 0), size - 1), min(max(int(u), 0), size - 1)


@compiled
def skin(texture: Floats, row: int, column: int, strength: float, shine: float) -> Material:
    """Skin with its lines: a furrow is darker than what lies around it."""
    dark = np.float32(max(0.35, 1 + 4.5 * strength * min(0.0, texture[row, column, 7])))
    return (
        texture[row, column, 0] * dark,
        texture[row, column, 1] * dark,
        texture[row, column, 2] * dark,
        np.float32(shine * texture[row, column, 6]),
        24,
    )


@compiled
def inside(part: int, z: float) -> Material:
    """Teeth, gums and tongue, darker the further back."""
    if part == TEETH:
        return _plain(0.72, 0.68, 0.56, 0.15 + 0.85 * min(1.0, max(0.0, (z - 7.2) / 3.2)), 0.7, 60)
    gums = min(1.0, max(0.0, (z - 8.6) / 1.2))
    return _plain(0.34, 0.12, 0.11, 0.10 + 0.35 * min(1.0, max(0.0, (z - 6.5) / 2.1)) + 1.3 * gums, 0.5, 40)


@compiled
def outside(part: int, x: float, y: float, place: float, colours: Floats, shine: float) -> Material:
    """Scalp and neck, hair, cloth, frame. `place` lies across the strands of hair; x is that of the unmirrored look."""
    row, dark, gloss, power = 3, 1.0, 1.8, 50
    if part == HEAD:
        row, dark, gloss, power = 0, 1 + 0.12 * (_noise(x * 3, int(y * 6)) - 0.5), 0.4 * shine, 24
    elif part == HAIR:
        dark = 0.45 + 0.75 * _noise(place * 1.7, 11) * (0.6 + 0.4 * _noise(place * 0.35 + y * 0.2, 12))
        row, gloss, power = 1, 0.9 * dark, 12
    elif part == CLOTH:
        row, dark, gloss, power = 2, 0.9 + 0.10 * _noise(x * 9, 21) + 0.10 * _noise(y * 9, 22), 0.0, 24
    return _plain(colours[row, 0], colours[row, 1], colours[row, 2], dark, gloss, power)


@compiled
def _plain(red: float, green: float, blue: float, dark: float, gloss: float, power: int) -> Material:
    return np.float32(red * dark), np.float32(green * dark), np.float32(blue * dark), np.float32(gloss), power


@compiled
def eye(x: float, y: float, z: float, eyes: Floats, colours: Floats, pupil: float, handed: int) -> Material:
    """Pupil, iris and white by the distance from the eye's axis, which turns with it."""
    side = 1 if x > 0 else 0
    ax, ay, az = eyes[side, 1, 0], eyes[side, 1, 1], eyes[side, 1, 2]
    dx, dy, dz = x - eyes[side, 0, 0], y - eyes[side, 0, 1], z - eyes[side, 0, 2]
    ahead = dx * ax + dy * ay + dz * az
    dx, dy, dz = dx - ahead * ax, dy - ahead * ay, dz - ahead * az
    r = np.sqrt(dx * dx + dy * dy + dz * dz) if ahead > 0 else np.float32(9)
    turn = np.arctan2(dy, dx * handed)
    pattern = 0.65 + 0.35 * (_noise(turn * 14, 3) + _noise(turn * 33, 5))
    pattern *= min(1.0, max(0.0, (r - pupil + 0.03) / 0.06))
    pattern *= 1 - 0.6 * max(0.0, (min(r, IRIS_RADIUS_CM) - 0.43) / 0.16)
    white = min(1.0, max(0.0, (r - IRIS_RADIUS_CM + 0.05) / 0.10))
    ball = (0.62 - 0.05 * min(3.0, r)) * white
    pattern = (pattern + 0.02) * (1 - white)
    red, green = colours[4, 0] * pattern + ball, colours[4, 1] * pattern + 0.93 * ball
    return _plain(red, green, colours[4, 2] * pattern + 0.90 * ball, 1.0, 2.2, 220)


@compiled
def _noise(x: float, row: int) -> float:
    """Smooth noise in 0..1 along x, another one in every row."""
    cell = int(np.floor(x))
    t = x - cell
    t = t * t * (3 - 2 * t)
    return _hash(cell, row) * (1 - t) + _hash(cell + 1, row) * t


@compiled
def _hash(a: int, b: int) -> float:
    """A number in 0..1 that only depends on two integers."""
    n = np.uint32(a * 374761393 + b * 668265263)
    n = np.uint32((n ^ (n >> np.uint32(13))) * np.uint32(1274126177))
    return ((n ^ (n >> np.uint32(16))) & np.uint32(0xFFFF)) / 65535.0
