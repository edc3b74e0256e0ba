"""Schemes: which landmark index is which anatomical point. The only file with landmark indices.

Every side-bound feature is written once, for the subject's right; the left one is its image under the scheme's
mirror map, so the two sides cannot drift apart. Index sources: MediaPipe 0.10.21 `face_mesh_connections`
(Apache-2.0) for `mediapipe478`, and the 68-point mark-up of iBUG 300-W for `ibug68`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from facialpalsy.face.side import Side


@dataclass(frozen=True)
class Scheme:
    """A numbered set of facial points.

    Attributes:
        name: Name used in files and results.
        size: Number of points.
        mirror: For each index, the index of the same anatomical point on the other side.
        midline: Midline point name -> index.
        right_points: Point name -> index on the subject's right.
        right_curves: Curve name -> indices on the subject's right, from lateral to medial
            (the nasolabial fold from the ala downwards, the iris ring medial, top, lateral, bottom).
        right: Indices of all points on the subject's right.
    """

    name: str
    size: int
    mirror: tuple[int, ...]
    midline: Mapping[str, int]
    right_points: Mapping[str, int]
    right_curves: Mapping[str, tuple[int, ...]]
    right: tuple[int, ...]

    def point(self, name: str, side: Side | None = None) -> int | None:
        """Index of a named point: a midline point without `side`, else that of `side`; None if not in the scheme."""
        if side is None:
            return self.midline.get(name)
        index = self.right_points.get(name)
        return index if index is None or side is Side.RIGHT else self.mirror[index]

    def curve(self, name: str, side: Side) -> tuple[int, ...] | None:
        """Indices of a named curve on `side`, or None if the scheme has no such curve."""
        indices = self.right_curves.get(name)
        if indices is None or side is Side.RIGHT:
            return indices
        return tuple(self.mirror[index] for index in indices)


def _mediapipe478_mirror() -> tuple[int, ...]:
    """The mesh numbers midline and subject's right below 248, then the left in the same order, then the irises."""
    midline = {*range(3), *range(4, 7), *range(8, 20), 94, 151, 152, 164, 168, 175, 195, 197, 199, 200}
    mirror = list(range(478))
    right = [index for index in range(248) if index not in midline]
    iris = zip((468, 469, 470, 471, 472), (473, 476, 475, 474, 477), strict=True)
    for one, other in [*zip(right, range(248, 468), strict=True), *iris]:
        mirror[one], mirror[other] = other, one
    return tuple(mirror)


_MEDIAPIPE478_MIRROR = _mediapipe478_mirror()

MEDIAPIPE478 = Scheme(
    name="mediapipe478",
    size=478,
    mirror=_MEDIAPIPE478_MIRROR,
    right=(*(one for one in range(248) if _MEDIAPIPE478_MIRROR[one] != one), *range(468, 473)),
    midline=MappingProxyType(
        {
            "forehead_top": 10,
            "nasion": 168,
            "bridge_upper": 197,
            "bridge_lower": 5,
            "nose_tip": 4,
            "subnasale": 2,
            "upper_lip_mid": 0,
            "lower_lip_mid": 17,
            "upper_lip_inner_mid": 13,
            "lower_lip_inner_mid": 14,
            "chin": 152,
        }
    ),
    right_points=MappingProxyType(
        {
            "outer_canthus": 33,
            "inner_canthus": 133,
            "pupil": 468,
            "commissure": 61,
            "inner_commissure": 78,
            "ala": 129,
            "nostril": 98,
        }
    ),
    right_curves=MappingProxyType(
        {
            "brow_upper": (70, 63, 105, 66, 107),
            "brow_lower": (46, 53, 52, 65, 55),
            "upper_lid": (33, 246, 161, 160, 159, 158, 157, 173, 133),
            "lower_lid": (33, 7, 163, 144, 145, 153, 154, 155, 133),
            "iris_ring": (469, 470, 471, 472),
            "upper_lip_outer": (61, 185, 40, 39, 37, 0),
            "lower_lip_outer": (61, 146, 91, 181, 84, 17),
            "upper_lip_inner": (78, 191, 80, 81, 82, 13),
            "lower_lip_inner": (78, 95, 88, 178, 87, 14),
            "nasolabial_fold": (129, 203, 206, 216, 212),
            "contour": (127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152),
        }
    ),
)

IBUG68 = Scheme(
    name="ibug68",
    size=68,
    mirror=(
        *range(16, -1, -1),
        *range(26, 16, -1),
        *range(27, 31),
        *range(35, 30, -1),
        *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
        *range(54, 47, -1),
        *range(59, 54, -1),
        *range(64, 59, -1),
        *range(67, 64, -1),
    ),
    right=(*range(8), *range(17, 22), 31, 32, *range(36, 42), *range(48, 51), 58, 59, 60, 61, 67),
    midline=MappingProxyType(
        {
            "nasion": 27,
            "bridge_upper": 28,
            "bridge_lower": 29,
            "nose_tip": 30,
            "subnasale": 33,
            "upper_lip_mid": 51,
            "lower_lip_mid": 57,
            "upper_lip_inner_mid": 62,
            "lower_lip_inner_mid": 66,
            "chin": 8,
        }
    ),
    right_points=MappingProxyType(
        {
            "outer_canthus": 36,
            "inner_canthus": 39,
            "commissure": 48,
            "inner_commissure": 60,
            "ala": 31,
            "nostril": 31,
        }
    ),
    right_curves=MappingProxyType(
        {
            "brow_upper": (17, 18, 19, 20, 21),
            "upper_lid": (36, 37, 38, 39),
            "lower_lid": (36, 41, 40, 39),
            "upper_lip_outer": (48, 49, 50, 51),
            "lower_lip_outer": (48, 59, 58, 57),
            "upper_lip_inner": (60, 61, 62),
            "lower_lip_inner": (60, 67, 66),
            "contour": (0, 1, 2, 3, 4, 5, 6, 7, 8),
        }
    ),
)


def _dense_mirror() -> tuple[int, ...]:
    """The 68 points, the forehead, 61 points of the subject's right, and the same 61 of the left."""
    return (*IBUG68.mirror, 68, *range(130, 191), *range(69, 130))


DENSE = Scheme(
    name="dense",
    size=191,
    mirror=_dense_mirror(),
    right=(*IBUG68.right, *range(69, 130)),
    midline=MappingProxyType({"forehead_top": 68, **IBUG68.midline}),
    right_points=MappingProxyType({**IBUG68.right_points, "pupil": 121}),
    right_curves=MappingProxyType(
        {
            "brow_upper": (17, *range(83, 88), 21),
            "brow_lower": tuple(range(88, 95)),
            "upper_lid": (36, *range(69, 76), 39),
            "lower_lid": (36, *range(76, 83), 39),
            # The points between these four follow them: 126 to 129.
            "iris_ring": tuple(range(122, 126)),
            "upper_lip_outer": (48, *range(95, 100), 51),
            "lower_lip_outer": (48, *range(100, 105), 57),
            "upper_lip_inner": (60, *range(105, 110), 62),
            "lower_lip_inner": (60, *range(110, 115), 66),
            "nasolabial_fold": tuple(range(116, 121)),
            "contour": tuple(range(9)),
        }
    ),
)
"""The points that palsy needs, read from the face model: the 68 of iBUG first, then dense ones that add to them."""

FACE6 = Scheme(
    name="face6",
    size=6,
    mirror=(1, 0, 3, 2, 5, 4),
    right=(0, 2, 4),
    midline=MappingProxyType({}),
    right_points=MappingProxyType({"outer_canthus": 0, "inner_canthus": 2, "commissure": 4}),
    right_curves=MappingProxyType({}),
)
"""What says where a face is: no measure is taken from it, and no file holds it."""

SCHEMES: Mapping[str, Scheme] = MappingProxyType({scheme.name: scheme for scheme in (MEDIAPIPE478, IBUG68, DENSE)})

IBUG68_FROM_MEDIAPIPE478 = (
    *(127, 234, 93, 132, 58, 172, 150, 176, 152, 400, 379, 397, 288, 361, 323, 454, 356),
    *(70, 63, 105, 66, 107, 336, 296, 334, 293, 300),
    *(168, 197, 5, 4, 98, 97, 2, 326, 327),
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 321, 314, 17, 84, 91),
    *(78, 82, 13, 312, 308, 317, 14, 87),
)
"""For each iBUG-68 point the nearest mesh point; symmetric under both mirror maps, so that it adds no asymmetry."""
