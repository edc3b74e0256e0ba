"""Schemes: every index equals the table of clinical.md 3.1, and both mirror maps are complete and exact."""

import hashlib
import json

import pytest

from facialpalsy.face import DENSE, IBUG68, MEDIAPIPE478, SCHEMES, Side
from facialpalsy.face.schemes import IBUG68_FROM_MEDIAPIPE478

# SHA-256 of the three maps of the reference file landmark_maps.json, each as `json.dumps(list)`.
REFERENCE_SHA256 = {
    "mirror478": "bedd1028ff1d792f92a5a6a9ccb030c555f81c57a48521dd4296f0a2ad398c72",
    "mirror68": "c9b9cb17b428bfc4b9d9a4ec273198891f092efdfc656c30a5ba260bc2c3184d",
    "ibug68_from_mp478": "f9a18f100636fa0bfbb4464bdfb7f2a4110bb9d70e5244e128bb22fb797e166c",
}

# clinical.md 3.1: feature -> (iBUG right, iBUG left, MediaPipe right, MediaPipe left); None where the table has a dash.
CURVES = {
    "brow_upper": ([17, 18, 19, 20, 21], [26, 25, 24, 23, 22], [70, 63, 105, 66, 107], [300, 293, 334, 296, 336]),
    "brow_lower": (None, None, [46, 53, 52, 65, 55], [276, 283, 282, 295, 285]),
    "upper_lid": (
        [36, 37, 38, 39],
        [45, 44, 43, 42],
        [33, 246, 161, 160, 159, 158, 157, 173, 133],
        [263, 466, 388, 387, 386, 385, 384, 398, 362],
    ),
    "lower_lid": (
        [36, 41, 40, 39],
        [45, 46, 47, 42],
        [33, 7, 163, 144, 145, 153, 154, 155, 133],
        [263, 249, 390, 373, 374, 380, 381, 382, 362],
    ),
    "iris_ring": (None, None, [469, 470, 471, 472], [476, 475, 474, 477]),
    "upper_lip_outer": (
        [48, 49, 50, 51], [54, 53, 52, 51], [61, 185, 40, 39, 37, 0], [291, 409, 270, 269, 267, 0],
    ),
    "lower_lip_outer": (
        [48, 59, 58, 57], [54, 55, 56, 57], [61, 146, 91, 181, 84, 17], [291, 375, 321, 405, 314, 17],
    ),
    "upper_lip_inner": ([60, 61, 62], [64, 63, 62], [78, 191, 80, 81, 82, 13], [308, 415, 310, 311, 312, 13]),
    "lower_lip_inner": ([60, 67, 66], [64, 65, 66], [78, 95, 88, 178, 87, 14], [308, 324, 318, 402, 317, 14]),
    "nasolabial_fold": (None, None, [129, 203, 206, 216, 212], [358, 423, 426, 436, 432]),
}  # fmt: skip
CONTOUR = (
    [0, 1, 2, 3, 4, 5, 6, 7],
    [16, 15, 14, 13, 12, 11, 10, 9],
    [127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148],
    [356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377],
)
POINTS = {
    "outer_canthus": (36, 45, 33, 263),
    "inner_canthus": (39, 42, 133, 362),
    "pupil": (None, None, 468, 473),
    "commissure": (48, 54, 61, 291),
    "inner_commissure": (60, 64, 78, 308),
    "ala": (31, 35, 129, 358),
    "nostril": (31, 35, 98, 327),
}
MIDLINE = {"ibug68": {27, 28, 29, 30, 33, 51, 57, 62, 66, 8}}
MIDLINE["mediapipe478"] = {
    10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, 19, 94, 2, 164, 0, 11, 12, 13, 14, 15, 16, 17, 18, 200, 199, 175, 152,
}  # fmt: skip
MIDLINE["dense"] = {*MIDLINE["ibug68"], 68}
NAMED_MIDLINE = {  # name -> (iBUG-68 mark-up, MediaPipe)
    "forehead_top": (None, 10), "nasion": (27, 168), "bridge_upper": (28, 197), "bridge_lower": (29, 5),
    "nose_tip": (30, 4), "subnasale": (33, 2), "upper_lip_mid": (51, 0), "lower_lip_mid": (57, 17),
    "upper_lip_inner_mid": (62, 13), "lower_lip_inner_mid": (66, 14), "chin": (8, 152),
}  # fmt: skip

both = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda scheme: scheme.name)


def digest(indices):
    return hashlib.sha256(json.dumps(list(indices)).encode()).hexdigest()


def test_the_maps_are_those_of_the_reference():
    assert digest(MEDIAPIPE478.mirror) == REFERENCE_SHA256["mirror478"]
    assert digest(IBUG68.mirror) == REFERENCE_SHA256["mirror68"]
    assert digest(IBUG68_FROM_MEDIAPIPE478) == REFERENCE_SHA256["ibug68_from_mp478"]


@both
def test_the_mirror_map_is_complete_and_its_own_inverse(scheme):
    assert len(scheme.mirror) == scheme.size
    assert sorted(scheme.mirror) == list(range(scheme.size))
    assert [scheme.mirror[scheme.mirror[index]] for index in range(scheme.size)] == list(range(scheme.size))
    assert {index for index in range(scheme.size) if scheme.mirror[index] == index} == MIDLINE[scheme.name]


def test_ibug68_from_the_mesh_adds_no_asymmetry():
    chosen = IBUG68_FROM_MEDIAPIPE478
    assert len(set(chosen)) == 68
    assert [MEDIAPIPE478.mirror[index] for index in chosen] == [chosen[index] for index in IBUG68.mirror]


@pytest.mark.parametrize("name", CURVES)
def test_curves_equal_the_table(name):
    expected = CURVES[name]
    found = [scheme.curve(name, side) for scheme in (IBUG68, MEDIAPIPE478) for side in (Side.RIGHT, Side.LEFT)]
    assert [None if one is None else list(one) for one in found] == list(expected)


def test_the_contour_ends_at_the_chin():
    found = [scheme.curve("contour", side) for scheme in (IBUG68, MEDIAPIPE478) for side in (Side.RIGHT, Side.LEFT)]
    assert [list(one) for one in found] == [[*CONTOUR[0], 8], [*CONTOUR[1], 8], [*CONTOUR[2], 152], [*CONTOUR[3], 152]]


@pytest.mark.parametrize("name", POINTS)
def test_side_points_equal_the_table(name):
    found = [scheme.point(name, side) for scheme in (IBUG68, MEDIAPIPE478) for side in (Side.RIGHT, Side.LEFT)]
    assert found == list(POINTS[name])


@pytest.mark.parametrize("name", NAMED_MIDLINE)
def test_midline_points_lie_on_the_midline_of_the_table(name):
    assert (IBUG68.point(name), MEDIAPIPE478.point(name)) == NAMED_MIDLINE[name]


@both
def test_nothing_is_named_that_no_table_names(scheme):
    assert set(scheme.right_curves) <= {*CURVES, "contour"}
    assert set(scheme.right_points) <= set(POINTS)
    assert set(scheme.midline) <= set(NAMED_MIDLINE)
    assert set(scheme.midline.values()) <= MIDLINE[scheme.name]


@both
def test_unknown_names_are_none(scheme):
    assert scheme.point("dimple") is None
    assert scheme.point("commissure") is None
    assert scheme.point("chin", Side.LEFT) is None
    assert scheme.curve("dimple", Side.RIGHT) is None
    assert SCHEMES[scheme.name] is scheme


def test_the_dense_scheme_starts_as_ibug68():
    assert DENSE.mirror[:68] == IBUG68.mirror
    for name in ("upper_lid", "lower_lid", "upper_lip_outer", "lower_lip_outer", "upper_lip_inner", "lower_lip_inner"):
        dense, sparse = DENSE.curve(name, Side.LEFT), IBUG68.curve(name, Side.LEFT)
        assert (dense[0], dense[-1]) == (sparse[0], sparse[-1])
    assert {name: DENSE.point(name, Side.LEFT) for name in IBUG68.right_points} == {
        name: IBUG68.point(name, Side.LEFT) for name in IBUG68.right_points
    }


def test_the_dense_scheme_has_every_name_of_the_mesh():
    assert set(DENSE.right_curves) == set(MEDIAPIPE478.right_curves)
    assert set(DENSE.right_points) == set(MEDIAPIPE478.right_points)
    assert set(DENSE.midline) == set(MEDIAPIPE478.midline)


def test_each_dense_point_of_one_side_is_in_one_place_only():
    inner = [index for name, curve in DENSE.right_curves.items() if name != "contour" for index in curve if index > 68]
    inner += [index for index in DENSE.right_points.values() if index > 68]
    # The side of the nose's wing and four points of the iris ring have no name.
    assert sorted(inner) == [*range(69, 115), *range(116, 126)]
    assert len(DENSE.curve("upper_lid", Side.LEFT)) == len(DENSE.curve("lower_lid", Side.LEFT)) == 9
    assert {len(DENSE.curve(name, Side.LEFT)) for name in DENSE.right_curves if "lip" in name or "brow" in name} == {7}
