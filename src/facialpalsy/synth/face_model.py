"""Face model: ICT-FaceKit made exactly mirror-symmetric, its shapes sparse and split by side.

ICT-FaceKit (MIT, (c) 2020 USC Institute for Creative Technologies): 100 identity modes and 57 expression shapes on one
mesh, unit centimetre, +x the subject's left, +y up, +z out of the face. Its right shapes differ from the mirrored left
ones by up to 2 mm, which would be a false palsy in every label; here the right shape is the mirrored left one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facialpalsy.weights import find_asset

Vertices = NDArray[np.float32]

_MIRROR = np.array([-1, 1, 1], np.float32)
_SPLIT_HALF_WIDTH_CM = 1.2
_SMALLEST_CM = 1e-3
# Corners of a triangle's mirror image, so that it still faces outwards; the first stays the first.
_TURNED = [0, 2, 1]

# The jaw is moved by the trigeminal nerve: it is one for both sides.
_UNSPLIT = frozenset({"jawOpen", "jawForward", "jawLeft", "jawRight", "mouthLeft", "mouthRight"})
# Shapes of the archive that are each other's mirror image although their names do not end in L and R.
_PAIRS = {"mouthRight": "mouthLeft", "jawRight": "jawLeft"}


class Part(IntEnum):
    """What a triangle belongs to."""

    SKIN = 0
    HEAD = 1
    EYE = 2
    TEETH = 3
    MOUTH = 4


# Lashes and the thin transparent shells before the eye are left out: without transparency they look like lids.
_PARTS = {
    "M_Face": Part.SKIN,
    "M_BackHead": Part.HEAD,
    "M_ScleraLeft": Part.EYE,
    "M_ScleraRight": Part.EYE,
    "M_Teeth": Part.TEETH,
    "M_GumsTongue": Part.MOUTH,
}


@dataclass(frozen=True)
class Shape:
    """One side of one expression shape.

    Attributes:
        indices: (k,) vertices that it moves.
        deltas: (k, 3) centimetres at weight 1.
    """

    indices: NDArray[np.int32]
    deltas: Vertices


@dataclass(frozen=True, eq=False)
class FaceModel:
    """The mesh and how it varies.

    Attributes:
        neutral: (n, 3) centimetres, the mean face.
        identity: (100, n, 3) centimetres for one standard deviation of each mode.
        shapes: `mouthSmile_L`, `mouthSmile_R`, ...; every shape but the jaw's and the sideways ones has both sides.
        triangles: (m, 3) vertex numbers, counter-clockwise seen from outside.
        uv: (m, 3, 2) texture coordinates of the corners of skin, 0 to 1, mirror-symmetric about u = 0.5.
        parts: (m,) `Part` of each triangle.
        mirror: (n,) for each vertex its partner on the other side.
    """

    neutral: Vertices
    identity: NDArray[np.float32]
    shapes: Mapping[str, Shape]
    triangles: NDArray[np.int32]
    uv: NDArray[np.float32]
    parts: NDArray[np.uint8]
    mirror: NDArray[np.int32]

    def mirrored(self, vertices: Vertices) -> Vertices:
        """The mirrored face (n, 3), every vertex under its own number."""
        return np.asarray(vertices[..., self.mirror, :] * _MIRROR)


@cache
def face_model() -> FaceModel:
    """The installed face model, read once.

    Raises:
        AssetNotInstalledError: `facialpalsy assets install ict-facekit` was not run.
    """
    return read_face_model(find_asset("ict-facekit"))


def read_face_model(path: Path) -> FaceModel:
    """Read the converted model `path` (npz with the arrays V, VT, F, FT, M, mats, E, ex, I)."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    part = np.array([_PARTS.get(str(name), 255) for name in arrays["mats"]], np.uint8)[arrays["M"]]
    kept = part != 255
    used = np.unique(arrays["F"][kept])
    number = np.full(len(arrays["V"]), -1, np.int32)
    number[used] = np.arange(len(used), dtype=np.int32)
    neutral = arrays["V"][used].astype(np.float32)
    identity = arrays["I"][:, used].astype(np.float32)
    triangles, parts = number[arrays["F"][kept]], part[kept]
    mirror = _mirror_map(neutral, identity, triangles, parts)
    triangles, parts, uv = _symmetric_triangles(
        neutral, triangles, parts, arrays["VT"][arrays["FT"][kept]].astype(np.float32), mirror
    )

    def symmetric(positions: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray((positions + positions[..., mirror, :] * _MIRROR) / 2, np.float32)

    neutral = symmetric(neutral)
    deltas = {str(name): arrays["E"][i][used].astype(np.float32) for i, name in enumerate(arrays["ex"])}
    shapes = _sided_shapes(deltas, neutral, mirror)
    return FaceModel(neutral, symmetric(identity), shapes, triangles, uv, parts, mirror)


def _mirror_map(
    neutral: Vertices, identity: NDArray[np.float32], triangles: NDArray[np.int32], parts: NDArray[np.uint8]
) -> NDArray[np.int32]:
    """Each vertex's partner: the nearest of the mirrored mesh, by position and by how eight identities move it."""
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial import cKDTree

    features = np.concatenate([neutral, *(3 * mode for mode in identity[:8])], axis=1).astype(np.float64)
    flipped = features * np.tile(_MIRROR, 9)
    mirror = np.full(len(neutral), -1, np.int32)
    for part in Part:
        members = np.unique(triangles[parts == part])
        found = cKDTree(features[members]).query(flipped[members])[1]
        clear = found[found] == np.arange(len(members))
        mirror[members[clear]] = members[found[clear]]
        # A few vertices lie on each other: what is left over is paired as a whole.
        left = np.flatnonzero(~clear)
        if len(left):
            cost = np.linalg.norm(flipped[members[left], None] - features[members[left]][None], axis=2)
            rows, columns = linear_sum_assignment(cost + cost.T)
            mirror[members[left[rows]]] = members[left[columns]]
    return mirror


def _symmetric_triangles(
    neutral: Vertices,
    triangles: NDArray[np.int32],
    parts: NDArray[np.uint8],
    uv: NDArray[np.float32],
    mirror: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.float32]]:
    """The triangles of the left half and their mirror images: no triangle of the mesh crosses the midline."""
    left = neutral[triangles].mean(axis=1)[:, 0] > 0
    turned = mirror[triangles[left]][:, _TURNED]
    corners = uv[left] % 1.0
    mirrored_uv = corners[:, _TURNED] * np.array([-1, 1], np.float32) + np.array([1, 0], np.float32)
    return (
        np.ascontiguousarray(np.concatenate([triangles[left], turned])),
        np.concatenate([parts[left], parts[left]]),
        np.ascontiguousarray(np.concatenate([corners, mirrored_uv])),
    )


def _sided_shapes(deltas: Mapping[str, Vertices], neutral: Vertices, mirror: NDArray[np.int32]) -> dict[str, Shape]:
    shapes: dict[str, Shape] = {}
    left_share = _left_share(neutral[:, 0])[:, None]
    for name, delta in deltas.items():
        if name.endswith("_R"):
            continue
        flipped = delta[mirror] * _MIRROR
        if name.endswith("_L"):
            shapes[name], shapes[name[:-2] + "_R"] = _sparse(delta), _sparse(flipped)
        elif name in _UNSPLIT:
            partner = next((left for right, left in _PAIRS.items() if right == name), None)
            if partner is not None:
                shapes[name] = _sparse(deltas[partner][mirror] * _MIRROR)
            else:
                shapes[name] = _sparse(delta if name in _PAIRS.values() else (delta + flipped) / 2)
        else:
            left = (delta + flipped) / 2 * left_share
            shapes[f"{name}_L"], shapes[f"{name}_R"] = _sparse(left), _sparse(left[mirror] * _MIRROR)
    return shapes


def _left_share(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """0 on the right, 1 on the left, smooth over the midline; both sides add up to 1."""
    t = np.clip(x / (2 * _SPLIT_HALF_WIDTH_CM) + 0.5, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _sparse(deltas: Vertices) -> Shape:
    indices = np.flatnonzero(np.abs(deltas).max(axis=1) > _SMALLEST_CM).astype(np.int32)
    return Shape(indices, np.ascontiguousarray(deltas[indices]))
