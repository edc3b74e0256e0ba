"""Panel: every measure of a face made of round numbers, with the answers worked out by hand.

The face is in conftest.py: unit 200 px, irises of 24 px, so 1 iod = 200 / 24 * 11.7 = 97.5 mm.
"""

from math import asin, degrees

import numpy as np
import pytest

from facialpalsy.face import IBUG68, MEDIAPIPE478, SCHEMES, Side
from facialpalsy.measure import DEFINITIONS, panel

both = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda scheme: scheme.name)
MM_PER_IOD = 97.5

# name -> (left, right) in iod.
MESH_ONLY = {
    # Pupils at (-+0.30, -0.02). The brow runs from (-0.60, -0.16) to (-0.10, -0.26), so it is at -0.22 over the right
    # pupil; the left one from (0.60, -0.10) to (0.10, -0.20) is at -0.16 over the left.
    "brow_height": (0.14, 0.20),
    # The right upper lid stands 0.03 above the pupil; the left one is ptotic, 0.03 below it.
    "mrd1": (-0.03, 0.03),
    "mrd2": (0.08, 0.07),
}
LENGTHS = {
    # Over the middle of the canthi, (-+0.35, 0): -0.21 and -0.15.
    "brow_to_canthus": (0.15, 0.21),
    "palpebral_fissure_height": (0.05, 0.10),
    "palpebral_fissure_width": (0.30, 0.30),
    # From (0, 0.85) to (-0.24, 0.78) and (0.24, 0.67): the right triangles 7-24-25 and 3-4-5.
    "commissure_position": (0.30, 0.25),
    "commissure_height": (0.18, 0.07),
    # Halfway to each corner, x = -+0.12. Upper border from the corners to (0.04, 0.60): right 3/7 of the way from the
    # corner, 0.78 - 0.18 * 3/7; left 3/5 of it, 0.67 - 0.07 * 3/5. Subnasale at 0.45.
    "upper_lip_height": (0.67 - 0.042 - 0.45, 0.78 - 0.18 * 3 / 7 - 0.45),
    # Lower border from the corners to (0, 0.85), halfway: (0.67 + 0.85) / 2 and (0.78 + 0.85) / 2.
    "lower_lip_height": (0.31, 0.365),
    # The gap opens to 0.08 on the midline: at x = 0.12 of 0.20 it is 0.08 * 2/5, at -0.12 of -0.16 it is 0.08 / 4.
    "dental_show": (0.032, 0.02),
}
DEGREES = {
    "smile_angle": (90 + degrees(asin(0.6)), 90 + degrees(asin(0.28))),
}
# Drops of 0.20 with runs of 0.20 and 0.15.
FOLD_ANGLE = (45.0, degrees(np.arctan(0.75)))
MIDLINE = {"philtrum_deviation": 0.04, "chin_deviation": -0.03}
RATIO = {"brow_height", "brow_to_canthus", "palpebral_fissure_height", "palpebral_fissure_width", "commissure_position",
         "smile_angle", "upper_lip_height", "lower_lip_height", "alar_height", "nasolabial_fold_angle"}  # fmt: skip

CONTRACT = {
    "brow_height", "mrd1", "mrd2", "palpebral_fissure_height", "palpebral_fissure_width", "commissure_position",
    "commissure_height", "smile_angle", "upper_lip_height", "lower_lip_height", "dental_show", "alar_height",
    "nasolabial_fold_angle", "philtrum_deviation", "chin_deviation",
}  # fmt: skip


def expected_lengths(scheme):
    return {**LENGTHS, "alar_height": (0.40, 0.38), **(MESH_ONLY if scheme is MEDIAPIPE478 else {})}


@both
def test_the_panel_holds_every_measure_once(known, scheme):
    names = [measure.name for measure in panel(known(scheme))]
    assert names == [definition.name for definition in DEFINITIONS]
    assert len(set(names)) == len(names)
    assert set(names) == CONTRACT | {"brow_to_canthus"}


@both
def test_lengths_in_iod(known, measured, scheme):
    found = measured(known(scheme))
    for name, (left, right) in expected_lengths(scheme).items():
        sides = found[name].iod
        assert (sides.left, sides.right) == pytest.approx((left, right), abs=1e-12), name
        assert sides.difference == pytest.approx(left - right, abs=1e-12), name
        assert found[name].deg is None


def test_lengths_in_millimetres(known, measured):
    found = measured(known(MEDIAPIPE478))
    for name, (left, right) in expected_lengths(MEDIAPIPE478).items():
        sides = found[name].mm
        assert (sides.left, sides.right) == pytest.approx((MM_PER_IOD * left, MM_PER_IOD * right), abs=1e-9), name
        assert sides.difference == pytest.approx(MM_PER_IOD * (left - right), abs=1e-9), name
    assert found["philtrum_deviation"].mm.difference == pytest.approx(3.9)


@both
def test_angles_in_degrees(known, measured, scheme):
    found = measured(known(scheme))
    angles = {**DEGREES, "nasolabial_fold_angle": FOLD_ANGLE} if scheme is MEDIAPIPE478 else DEGREES
    for name, (left, right) in angles.items():
        sides = found[name].deg
        assert (sides.left, sides.right) == pytest.approx((left, right), abs=1e-9), name
        assert sides.difference == pytest.approx(left - right, abs=1e-9), name
        assert found[name].iod is None
        assert found[name].mm is None
        assert "mm" not in found[name].withheld


@both
def test_midline_measures_have_one_signed_value(known, measured, scheme):
    found = measured(known(scheme))
    for name, value in MIDLINE.items():
        sides = found[name].iod
        assert (sides.left, sides.right) == (None, None)
        assert sides.difference == pytest.approx(value, abs=1e-12), name
        assert found[name].ratio is None


@both
def test_ratios_are_left_over_right_of_the_unsigned_measures(known, measured, scheme):
    found = measured(known(scheme))
    assert {name for name, measure in found.items() if measure.ratio is not None} == {
        name for name in RATIO if found[name].sides is not None
    }
    assert found["palpebral_fissure_height"].ratio == pytest.approx(0.5)
    assert found["commissure_position"].ratio == pytest.approx(1.2)
    assert found["brow_to_canthus"].ratio == pytest.approx(5 / 7)


def test_a_ratio_over_zero_is_undefined(known, measured):
    # The right lids meet on the canthal line, so the right fissure is 0 high.
    measure = measured(known(MEDIAPIPE478, lids={"upper_lid": (0.0, -0.05), "lower_lid": (0.0, 0.05)}))
    measure = measure["palpebral_fissure_height"]
    assert (measure.iod.left, measure.iod.right) == pytest.approx((0.10, 0.0), abs=1e-12)
    assert measure.ratio is None
    assert measure.withheld["ratio"] == "the right side measures zero"


@both
def test_overlapping_lids_leave_no_fissure(known, measured, scheme):
    sides = measured(known(scheme, lids={"upper_lid": (0.01, -0.05), "lower_lid": (-0.01, 0.05)}))
    sides = sides["palpebral_fissure_height"].iod
    assert (sides.left, sides.right) == pytest.approx((0.10, 0.0), abs=1e-12)


@both
def test_overlapping_lips_show_no_teeth(known, measured, scheme):
    landmarks = known(scheme, midline={"upper_lip_inner_mid": (0, 0.75), "lower_lip_inner_mid": (0, 0.70)})
    sides = measured(landmarks)["dental_show"].iod
    assert (sides.left, sides.right, sides.difference) == (0, 0, 0)


@both
def test_the_lower_lip_midpoint_lies_on_the_midline_not_at_the_lips_middle(known, measured, scheme):
    # The lip's middle point is pulled to x = 0.06: on x = 0 the border is 0.24 / 0.30 of the way from the right
    # corner (0.78) to it (0.88), so at 0.86.
    found = measured(known(scheme, midline={"lower_lip_mid": (0.06, 0.88)}))
    sides = found["commissure_height"].iod
    assert (sides.left, sides.right) == pytest.approx((0.86 - 0.67, 0.86 - 0.78), abs=1e-12)


@both
def test_each_measure_says_along_which_pixels_it_was_taken(known, measured, scheme):
    found = measured(known(scheme))
    for measure in found.values():
        if measure.sides is not None:
            assert set(measure.lines) == ({"midline"} if measure.sides.left is None else {"left", "right"})
    # Lines of lengths are as long as the value says: 200 px to the iod.
    for name in ("brow_to_canthus", "palpebral_fissure_height", "palpebral_fissure_width", "commissure_position"):
        for side in Side:
            ends = np.array(found[name].lines[side])
            length = np.hypot(*(ends[1] - ends[0]))
            assert length == pytest.approx(200 * getattr(found[name].iod, side), abs=1e-9), (name, side)
    np.testing.assert_allclose(found["palpebral_fissure_width"].lines["left"], [(400, 220), (340, 220)])
    np.testing.assert_allclose(found["chin_deviation"].lines["midline"], [(300, 460), (294, 460)])


@both
def test_a_symmetric_face_has_no_difference(make_face, scheme):
    measures = panel(make_face(scheme))
    for measure in measures:
        if measure.sides is not None:
            assert measure.sides.difference == pytest.approx(0, abs=1e-10), measure.name
            if measure.ratio is not None:
                assert measure.ratio == pytest.approx(1, abs=1e-10), measure.name
    assert sum(measure.sides is not None for measure in measures) == (12 if scheme is IBUG68 else 16)
