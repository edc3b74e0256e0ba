"""Worn: hair, clothes and glasses as meshes that sit on the head and do not move with the face."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from facialpalsy.synth.face_model import FaceModel, Part
from facialpalsy.synth.look import Look
from facialpalsy.synth.materials import CLOTH, FRAME, HAIR

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

LENS = 8
"""Part of lenses, which are laid over the picture instead of being drawn in it."""

_CENTRE = np.array([0.0, 6.0, 1.0])
_AZIMUTHS, _RINGS = 96, 44


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles that are drawn together.

    Attributes:
        vertices: (n, 3) centimetres on the mean face.
        triangles: (m, 3) counter-clockwise seen from outside.
        part: `HAIR`, `CLOTH`, `FRAME` or `LENS`.
        cut: (n,) centimetres beyond the hairline; hair is drawn where this, with each strand's own length, is negative.
        strand: (n,) place across the strands, in strands.
    """

    vertices: Floats
    triangles: Ints
    part: int
    cut: Floats
    strand: Floats

    @classmethod
    def solid(cls, vertices: NDArray[np.float64], triangles: Ints, part: int) -> Mesh:
        """A mesh without hairline."""
        count = len(vertices)
        return cls(
            np.asarray(vertices, np.float32),
            np.asarray(triangles, np.int32),
            part,
            np.full(count, -9, np.float32),
            np.zeros(count, np.float32),
        )


def worn_meshes(model: FaceModel, look: Look) -> list[Mesh]:
    """All meshes of one person, on the mean face."""
    meshes = [_clothes()]
    if look.hair_style != "bald":
        meshes.append(_hair(model, look))
    if look.glasses is not None:
        meshes += _glasses(look)
    if look.handed < 0:
        meshes = [
            Mesh(
                m.vertices * np.array([-1, 1, 1], np.float32), m.triangles[:, [0, 2, 1]].copy(), m.part, m.cut, m.strand
            )
            for m in meshes
        ]
    return meshes


def _grid_triangles(rows: int, columns: int, *, closed: bool) -> Ints:
    """Two triangles for each cell of a grid of vertices, row by row; columns run counter-clockwise from above."""
    last = columns if closed else columns - 1
    r, c = np.meshgrid(np.arange(rows - 1), np.arange(last), indexing="ij")
    a, b = r * columns + c, r * columns + (c + 1) % columns
    below_a, below_b = a + columns, b + columns
    halves = [np.stack([a, below_a, below_b], -1), np.stack([a, below_b, b], -1)]
    return np.asarray(np.concatenate([half.reshape(-1, 3) for half in halves]), np.int32)


@cache
def _skull(model: FaceModel) -> Floats:
    """(rings, azimuths) how far the head reaches from its centre in each direction of the upper half."""
    points = model.neutral[np.unique(model.triangles[(model.parts == Part.SKIN) | (model.parts == Part.HEAD)])]
    offset = points - _CENTRE
    points = offset[(offset[:, 1] > -4) & (np.abs(points[:, 0]) < 7.9)]
    reach = np.linalg.norm(points, axis=1)
    directions = _directions(np.linspace(0, np.pi / 2, _RINGS))
    closeness = directions.reshape(-1, 3) @ (points / reach[:, None]).T
    far = np.where(closeness > np.cos(np.radians(6)), reach, 0).max(axis=1).reshape(_RINGS, _AZIMUTHS)
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(far, (1.0, 1.5), mode=("nearest", "wrap"))
    return np.asarray((smooth + smooth[:, ::-1]) / 2, np.float32)


def _azimuths() -> NDArray[np.float64]:
    """From the front towards the subject's left; symmetric, so that reversing the order mirrors."""
    return (np.arange(_AZIMUTHS) + 0.5) / _AZIMUTHS * 2 * np.pi - np.pi


def _directions(polar: NDArray[np.float64]) -> NDArray[np.float64]:
    azimuth = _azimuths()
    ring = np.stack([np.sin(azimuth), np.zeros_like(azimuth), np.cos(azimuth)], -1)
    up = np.array([0.0, 1.0, 0.0])
    return np.asarray(np.sin(polar)[:, None, None] * ring + np.cos(polar)[:, None, None] * up)


_HAIRLINES = {
    # Height in cm on the mean face at azimuths of 0, 30, 50, 65, 78, 95, 120 and 180 degrees from the front.
    "short": (11.2, 11.0, 9.6, 7.6, 5.0, 6.3, 1.5, -1.5),
    "fringe": (7.6, 7.8, 7.2, 6.3, 4.6, 5.5, 0.0, -3.0),
    "long": (11.2, 10.8, 8.6, 2.0, -9.0, -13.0, -14.0, -14.0),
}


def _hair(model: FaceModel, look: Look) -> Mesh:
    """A shell over the skull, continued downwards, cut along the hairline."""
    rng = np.random.default_rng(look.seed + 1)
    directions, skull = _directions(np.linspace(0, np.pi / 2, _RINGS)), _skull(model)
    azimuth = np.abs(np.degrees(_azimuths()))
    line = np.interp(azimuth, [0, 30, 50, 65, 78, 95, 120, 180], _HAIRLINES[look.hair_style])
    line = line + 2.6 * look.hairline * np.exp(-(((azimuth - 28) / 22) ** 2)) * (look.hair_style != "fringe")
    thickness = look.hair_thickness * (0.8 + 0.35 * np.cos(np.radians(azimuth) * 2 + rng.uniform(-0.5, 0.5)))
    thickness = thickness + (1.0 if look.hair_style == "long" else 0.0)
    shell = _CENTRE + directions * (skull + thickness[None])[..., None]
    drop = np.linspace(0.5, 21 if look.hair_style == "long" else 8, _RINGS // 2)[:, None, None]
    sides = shell[-1][None] + drop * np.array([0.0, -1.0, 0.0])
    sides[..., [0, 2]] *= 1 + 0.004 * drop * (1 if look.hair_style == "long" else -6)
    vertices = np.concatenate([shell, sides])
    cut = line[None] - vertices[..., 1]
    # The shell comes down onto the skin at the hairline instead of ending in the air.
    near = np.exp(-np.maximum(0, -cut) / 1.2)[..., None]
    inward = np.concatenate([directions, np.repeat(directions[-1:], len(sides), 0)]) * thickness[None, :, None]
    if look.hair_style != "long":
        vertices = vertices - 0.75 * near * inward
    strand = np.repeat(np.arange(_AZIMUTHS)[None] * 7.0, len(vertices), 0) + rng.normal(0, 0.6, vertices.shape[:2])
    triangles = _grid_triangles(len(vertices), _AZIMUTHS, closed=True)
    return Mesh(
        vertices.reshape(-1, 3).astype(np.float32),
        triangles,
        HAIR,
        cut.reshape(-1).astype(np.float32),
        strand.reshape(-1).astype(np.float32),
    )


def _clothes() -> Mesh:
    """Neckline, shoulders and chest."""
    heights = np.array([-12.3, -13.2, -14.5, -16.0, -18.0, -22.0, -40.0])
    widths = np.array([7.0, 8.0, 11.5, 16.0, 19.0, 21.0, 21.5])
    depths = np.array([7.2, 7.6, 8.2, 9.0, 9.6, 10.5, 11.0])
    azimuth = _azimuths()
    x = widths[:, None] * np.sin(azimuth)
    z = depths[:, None] * np.cos(azimuth) - 0.5
    y = np.repeat(heights[:, None], _AZIMUTHS, 1) + 1.6 * (np.cos(azimuth) < 0) * (heights[:, None] > -14)
    vertices = np.stack([x, y, z], -1).reshape(-1, 3)
    return Mesh.solid(vertices, _grid_triangles(len(heights), _AZIMUTHS, closed=True), CLOTH)


def _glasses(look: Look) -> list[Mesh]:
    """Two rims, a bridge, two temples and the lenses."""
    turn = (np.arange(48) + 0.5) / 48 * 2 * np.pi
    exponent = 2 / (2 + 3 * look.glasses_shape)
    rim = np.stack(
        [
            np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** exponent,
            np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** exponent,
        ],
        1,
    )
    rims: list[tuple[NDArray[np.float64], Ints]] = []
    lenses: list[tuple[NDArray[np.float64], Ints]] = []
    temples: list[tuple[NDArray[np.float64], Ints]] = []
    for sign in (1, -1):
        x = sign * (3.35 + 2.65 * rim[:, 0])
        y = 3.15 + (2.25 - 0.35 * look.glasses_shape) * rim[:, 1]
        path = np.stack([x, y, 11.35 - 0.035 * x**2], 1)
        path = path if sign > 0 else path[::-1]
        rims.append(_tube(path, 0.15, closed=True))
        middle = path.mean(axis=0, keepdims=True)
        fan = np.array([[48, i, (i + 1) % 48] for i in range(48)], np.int32)
        lenses.append((np.concatenate([path, middle]), fan))
        temples.append(
            _tube(
                np.array([[sign * 6.0, 3.6, 10.1], [sign * 7.7, 4.1, 8.0], [sign * 8.3, 4.3, 1.5]]), 0.14, closed=False
            )
        )
    bridge = _tube(
        np.array([[0.72, 3.5, 11.3], [0.35, 3.8, 11.9], [-0.35, 3.8, 11.9], [-0.72, 3.5, 11.3]]), 0.14, closed=False
    )
    return [_joined([*rims, bridge, *temples], FRAME), _joined(lenses, LENS)]


def _tube(path: NDArray[np.float64], radius: float, *, closed: bool) -> tuple[NDArray[np.float64], Ints]:
    """A tube of eight sides along a path (k, 3)."""
    along = np.roll(path, -1, 0) - np.roll(path, 1, 0) if closed else np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    first = np.cross(along, np.where(np.abs(along[:, 2:3]) < 0.9, [[0.0, 0.0, 1.0]], [[0.0, 1.0, 0.0]]))
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(along, first)
    turn = (np.arange(8) / 8 * 2 * np.pi)[None, :, None]
    rings = path[:, None] + radius * (np.cos(turn) * first[:, None] + np.sin(turn) * second[:, None])
    if closed:
        rings = np.concatenate([rings, rings[:1]])
    return rings.reshape(-1, 3), _grid_triangles(len(rings), 8, closed=True)[:, ::-1]


def _joined(pieces: list[tuple[NDArray[np.float64], Ints]], part: int) -> Mesh:
    start, vertices, triangles = 0, [], []
    for points, faces in pieces:
        vertices.append(points)
        triangles.append(faces + start)
        start += len(points)
    return Mesh.solid(np.concatenate(vertices), np.concatenate(triangles), part)
