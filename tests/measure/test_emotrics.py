"""None of the defects of Emotrics listed in clinical.md 2.1, (a) to (i): one test each."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from facialpalsy.face import IBUG68, MEDIAPIPE478, SCHEMES, Landmarks, Side, mirror
from facialpalsy.measure import Scale, iris_scale, panel

both = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda scheme: scheme.name)
BOTH_CLOSED = {"upper_lid": (0.01, 0.01), "lower_lid": (0.03, 0.03)}
LEFT_CLOSED = {"upper_lid": (-0.05, 0.00), "lower_lid": (0.05, 0.03)}


@both
@pytest.mark.parametrize("degrees", [-20, 20])
def test_a_the_midline_of_the_lower_lip_stays_when_the_head_is_rolled(known, measured, turn, scheme, degrees):
    rolled = turn(known(scheme), degrees, shift=(100, 50))
    found = measured(rolled)
    assert found["commissure_position"].iod.left == pytest.approx(0.30, abs=1e-12)
    assert found["commissure_position"].iod.right == pytest.approx(0.25, abs=1e-12)
    start = found["commissure_position"].lines["left"][0]
    middle = rolled.points[scheme.point("lower_lip_mid")]
    np.testing.assert_allclose(start, middle, atol=1e-9)


@both
@pytest.mark.parametrize("scale", [0.05, 0.5, 2, 20])
def test_b_values_do_not_depend_on_the_resolution(make_face, measured, turn, scheme, scale):
    # A curved face: a smoothing spline would follow its lids and brows better in a larger picture.
    one, other = measured(make_face(scheme)), measured(turn(make_face(scheme), scale=scale))
    for name, measure in one.items():
        if measure.sides is not None:
            assert other[name].sides.left == pytest.approx(measure.sides.left, abs=1e-9), name
            assert other[name].sides.right == pytest.approx(measure.sides.right, abs=1e-9), name


def test_c_a_lid_below_the_pupil_is_negative(known, measured):
    mrd1 = measured(known(MEDIAPIPE478))["mrd1"]
    assert mrd1.iod.left == pytest.approx(-0.03)
    assert mrd1.mm.left == pytest.approx(-0.03 * 97.5)
    assert mrd1.iod.difference == pytest.approx(-0.06)
    # The lower lid above the pupil likewise: the eye looks down and the lid rides up.
    down = known(MEDIAPIPE478, points={"pupil": ((-0.30, -0.02), (0.30, 0.08))})
    assert measured(down)["mrd2"].iod.left == pytest.approx(-0.02)


@both
def test_d_a_closed_eye_takes_nothing_from_the_other_one(known, measured, scheme):
    one = measured(known(scheme, lids=LEFT_CLOSED))
    other = measured(known(scheme, lids={"upper_lid": (-0.10, 0.00), "lower_lid": (0.10, 0.03)}, iris_px=(40, 24)))
    for name in ("palpebral_fissure_height", "palpebral_fissure_width", "brow_to_canthus"):
        assert one[name].sides.left == other[name].sides.left
    assert one["mrd1"].sides is None
    assert one["brow_to_canthus"].mm is None


def test_d_the_eyes_centre_uses_both_canthi(known, measured, move):
    """Dropping the last point of the lids would move the centre outwards, where the slanted brow is lower."""
    found = measured(known(MEDIAPIPE478, lids=BOTH_CLOSED))
    assert found["brow_to_canthus"].iod.right == pytest.approx(0.21, abs=1e-12)


def test_e_the_scale_does_not_change_between_expressions(known, measured):
    rest, closed = known(MEDIAPIPE478), known(MEDIAPIPE478, lids=BOTH_CLOSED)
    assert iris_scale(closed).mm_per_iod is None  # not a quarter of the eye's width
    carried = replace(iris_scale(rest), source="rest capture")
    before, after = (
        measured(rest)["palpebral_fissure_width"],
        measured(closed, scale=carried)["palpebral_fissure_width"],
    )
    assert after.mm == before.mm
    assert measured(closed)["palpebral_fissure_width"].iod == before.iod


def test_f_a_given_scale_holds_for_every_millimetre(known, measured):
    found = measured(known(MEDIAPIPE478), scale=Scale(80.0, "ruler"))
    for measure in found.values():
        if measure.iod is not None:
            assert measure.mm == measure.iod.times(80.0)
    assert found["dental_show"].mm.left == pytest.approx(2.56)


@both
@pytest.mark.parametrize("degrees", [0, 90, -90, 180])
@pytest.mark.parametrize("lids", [{}, BOTH_CLOSED, {"upper_lid": (0.0, 0.0), "lower_lid": (0.0, 0.0)}])
def test_g_no_division_by_zero_on_a_vertical_midline_or_closed_eyes(known, turn, scheme, degrees, lids):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        measures = panel(turn(known(scheme, lids=lids), degrees))
    for measure in measures:
        for sides in (measure.iod, measure.mm, measure.deg):
            if sides is not None:
                assert all(
                    np.isfinite(value) for value in (sides.left, sides.right, sides.difference) if value is not None
                )


@both
def test_h_a_measure_of_zero_is_zero(known, measured, scheme):
    level = {"commissure": ((-0.24, 0.85), (0.24, 0.85))}
    closed_lips = {"upper_lip_inner_mid": (0, 0.70), "lower_lip_inner_mid": (0, 0.70), "upper_lip_mid": (0, 0.6)}
    found = measured(known(scheme, points=level, midline={**closed_lips, "chin": (0, 1.2)}))
    for name in ("commissure_height", "dental_show"):
        assert (found[name].iod.left, found[name].iod.right) == pytest.approx((0, 0), abs=1e-12), name
    for name in ("philtrum_deviation", "chin_deviation"):
        assert found[name].iod.difference == pytest.approx(0, abs=1e-12), name
    assert found["brow_to_canthus"].iod.right == pytest.approx(0.21, abs=1e-12)


@pytest.mark.parametrize("scheme", [MEDIAPIPE478, IBUG68], ids=lambda scheme: scheme.name)
def test_i_a_mirrored_picture_is_mirrored_back_before_it_is_measured(known, measured, scheme):
    """A tool labels a mirrored picture by image sides; the one mirror function gives the subject's own sides back."""
    truth = known(scheme)
    stored = truth.points * (-1, 1) + (600, 0)
    by_image_side = Landmarks(scheme, stored[list(scheme.mirror)], (600, 500))
    assert measured(by_image_side)["palpebral_fissure_height"].iod.left == pytest.approx(0.10)
    _, back, _ = mirror(landmarks=by_image_side)
    assert measured(back)["palpebral_fissure_height"].iod.left == pytest.approx(0.05)
    np.testing.assert_allclose(back.point("commissure", Side.LEFT), truth.point("commissure", Side.LEFT), atol=1e-9)
