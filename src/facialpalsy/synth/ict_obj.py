"""ICT OBJ: the OBJ files of the face model ICT-FaceKit as arrays.

All files hold one mesh. The neutral one gives vertices, texture vertices, triangles and materials; of every other file
only the vertices count, as differences from the neutral ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facialpalsy.errors import AssetArchiveError

Arrays = Mapping[str, NDArray[Any]]

MATERIALS = (
    "M_BackHead", "M_EyeBlend", "M_EyeLashes", "M_EyeOcclusion", "M_Face", "M_GumsTongue", "M_IrisLeft", "M_IrisRight",
    "M_LacrimalFluid", "M_ScleraLeft", "M_ScleraRight", "M_Teeth",
)  # fmt: skip
"""Names of the materials; the array M holds indices into these."""

_SIDED = (
    "PupilDilate", "browDown", "browInnerUp", "browOuterUp", "cheekPuff", "cheekRaiser", "cheekSquint", "eyeBlink",
    "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp", "eyeSquint", "eyeWide", "mouthDimple", "mouthFrown",
    "mouthLowerDown", "mouthPress", "mouthSmile", "mouthStretch", "mouthUpperUp", "noseSneer",
)  # fmt: skip
_WHOLE = (
    "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthFunnel", "mouthLeft", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
)  # fmt: skip
NEUTRAL = "generic_neutral_mesh"
EXPRESSIONS = tuple(sorted([*_WHOLE, *(f"{name}_{side}" for name in _SIDED for side in "LR")]))
"""Names of the 57 expression shapes in the order of the array E."""
IDENTITIES = tuple(f"identity{number:03d}" for number in range(100))
"""Names of the 100 identity shapes in the order of the array I."""
FILES = (NEUTRAL, *EXPRESSIONS, *IDENTITIES)
"""Names of the OBJ files, without their ending."""

VERTICES, TEXTURE_VERTICES, TRIANGLES = 26_719, 28_911, 52_220

# Beyond a hundred metres a head is none, and half floats would overflow.
_LARGEST_CM = 1e4


def convert(read: Callable[[str], bytes]) -> Arrays:
    """The arrays from the OBJ files that `read` returns by name."""
    lines = read(NEUTRAL).splitlines()
    neutral = _numbers(lines, b"v ", (VERTICES, 3), NEUTRAL)
    textures = _numbers(lines, b"vt ", (TEXTURE_VERTICES, 2), NEUTRAL)
    triangles, materials = _triangles(lines)

    def deltas(names: Sequence[str]) -> NDArray[np.float16]:
        moved = np.empty((len(names), VERTICES, 3), np.float16)
        for row, name in zip(moved, names, strict=True):
            vertices = _numbers(read(name).splitlines(), b"v ", (VERTICES, 3), name)
            row[:] = vertices - neutral
        return moved

    return {
        "V": neutral,
        "VT": textures,
        "F": triangles[..., 0],
        "FT": triangles[..., 1],
        "M": materials,
        "mats": np.array(MATERIALS),
        "E": deltas(EXPRESSIONS),
        "ex": np.array(EXPRESSIONS),
        "I": deltas(IDENTITIES),
    }


def _numbers(lines: Sequence[bytes], keyword: bytes, shape: tuple[int, int], name: str) -> NDArray[np.float32]:
    """Numbers of the lines that begin with `keyword`, as an array of `shape`."""
    rows = [line[len(keyword) :] for line in lines if line.startswith(keyword)]
    words = b" ".join(rows).split()
    kind = keyword.decode().strip()
    if (len(rows), len(words)) != (shape[0], shape[0] * shape[1]):
        raise AssetArchiveError(
            f"'{name}.obj' has {len(rows):,} lines '{kind}' with {len(words):,} numbers; ICT-FaceKit has {shape[0]:,} "
            f"with {shape[1]} each. It is cut short or another model."
        )
    try:
        values = np.array(words, np.float64).reshape(shape)
    except ValueError:
        raise AssetArchiveError(f"'{name}.obj' holds a line '{kind}' that is not made of numbers.") from None
    if not (np.abs(values) < _LARGEST_CM).all():
        raise AssetArchiveError(f"'{name}.obj' holds a line '{kind}' with a number that is not finite or absurd.")
    return values.astype(np.float32)


def _triangles(lines: Sequence[bytes]) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """(52220, 3, 2) indices into vertices and texture vertices, and (52220,) into MATERIALS, of the neutral mesh.

    A face of four corners becomes two triangles that share its first and third.
    """
    corners: list[list[bytes]] = []
    materials: list[int] = []
    material = -1
    for line in lines:
        if line.startswith(b"usemtl "):
            material = _material(line)
        elif line.startswith(b"f "):
            face = line.split()[1:]
            if material < 0 or len(face) not in (3, 4):
                raise AssetArchiveError(
                    f"'{NEUTRAL}.obj' has a face of {len(face)} corners or without material; ICT-FaceKit has 3 or 4."
                )
            for first in range(1, len(face) - 1):
                corners.append([face[0], face[first], face[first + 1]])
                materials.append(material)
    return _indices(corners), np.array(materials, np.uint8)


def _material(line: bytes) -> int:
    name = line[len(b"usemtl ") :].strip().decode("ascii", "replace")
    if name not in MATERIALS:
        raise AssetArchiveError(f"'{NEUTRAL}.obj' has the unknown material {name[:40]!r}; it is another model.")
    return MATERIALS.index(name)


def _indices(corners: Sequence[Sequence[bytes]]) -> NDArray[np.int32]:
    if len(corners) != TRIANGLES:
        raise AssetArchiveError(
            f"'{NEUTRAL}.obj' has {len(corners):,} triangles; ICT-FaceKit has {TRIANGLES:,}. It is cut short or "
            "another model."
        )
    try:
        pairs = [corner.split(b"/") for triangle in corners for corner in triangle]
        indices = np.array(pairs, np.int64).reshape(TRIANGLES, 3, 2) - 1
    except (ValueError, OverflowError):
        raise AssetArchiveError(f"'{NEUTRAL}.obj' has a corner that is not vertex/texture.") from None
    if (indices < 0).any() or (indices >= (VERTICES, TEXTURE_VERTICES)).any():
        raise AssetArchiveError(f"'{NEUTRAL}.obj' has a face whose index is out of range.")
    return indices.astype(np.int32)
