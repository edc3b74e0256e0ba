"""Noise from repeats of known spread, and z against a hand-made table of healthy limits."""

from dataclasses import replace

import numpy as np
import pytest

from facialpalsy.clinical.norms import Norms
from facialpalsy.face import IBUG68, MEDIAPIPE478, SCHEMES, Side, mirror
from facialpalsy.measure import panel

both = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda scheme: scheme.name)


@both
def test_noise_is_the_spread_of_the_difference_over_repeats(known, repeated, measured, scheme):
    # The left brow at -2, 0, 2 px of 200: a standard deviation of 0.01 iod; all else is equal in the repeats.
    found = measured(repeated(known(scheme), "brow_upper", Side.LEFT, [-2, 0, 2]))
    assert found["brow_to_canthus"].noise == pytest.approx(0.01)
    assert found["brow_to_canthus"].iod.left == pytest.approx(0.15)
    assert found["palpebral_fissure_height"].noise == pytest.approx(0, abs=1e-12)
    assert "noise" not in found["brow_to_canthus"].withheld


@both
def test_noise_of_a_midline_measure(known, repeated, measured, scheme):
    found = measured(repeated(known(scheme), "chin", None, [-1, 1, -1, 1], axis=0))
    # Four values at -+0.005: the sum of squares is 0.0001, over 3.
    assert found["chin_deviation"].noise == pytest.approx(np.sqrt(0.0001 / 3))


def test_noise_of_an_angle_is_in_degrees(known, repeated, measured):
    # The left fold, 45 degrees at rest, ends 40 px lower in one of two repeats: atan(40 / 80) instead of atan(40 / 40).
    landmarks = known(MEDIAPIPE478)
    repeats = np.stack([landmarks.points, landmarks.points])
    repeats[1, landmarks.scheme.curve("nasolabial_fold", Side.LEFT)[-1], 1] += 40
    found = measured(replace(landmarks, repeats=repeats))
    assert found["nasolabial_fold_angle"].noise == pytest.approx((45 - np.degrees(np.arctan(0.5))) / np.sqrt(2))


@both
def test_one_set_of_points_has_no_noise(known, repeated, scheme):
    for landmarks in (known(scheme), repeated(known(scheme), "chin", None, [0])):
        for measure in panel(landmarks):
            assert measure.noise is None
            if measure.sides is not None:
                assert measure.withheld["noise"] == "one set of points has no repeat error"


def test_repeats_that_cannot_be_measured_do_not_count(known, repeated, measured):
    # In two of four repeats the left pupil lies beside the lids: the spread of the other two, -+0.01 iod, remains.
    landmarks = repeated(known(MEDIAPIPE478), "brow_upper", Side.LEFT, [-2, 2, 0, 0])
    landmarks.repeats[2:, landmarks.scheme.point("pupil", Side.LEFT), 0] += 100
    assert measured(landmarks)["brow_height"].noise == pytest.approx(0.01 * np.sqrt(2))


@both
def test_z_and_limits(known, measured, make_norms, scheme):
    norms = make_norms(scheme, measures={"palpebral_fissure_height": 0.02, "smile_angle": 4.0, "chin_deviation": 0.01})
    found = measured(known(scheme), norms=norms, expression="rest")
    # 0.05 - 0.10 = -0.05 iod, over 0.02; limits at 1.96 standard deviations.
    assert found["palpebral_fissure_height"].z == pytest.approx(-2.5)
    assert found["palpebral_fissure_height"].healthy_limits == pytest.approx((-0.0392, 0.0392))
    assert "z" not in found["palpebral_fissure_height"].withheld
    angle = np.degrees(np.arcsin(0.6) - np.arcsin(0.28))
    assert found["smile_angle"].z == pytest.approx(angle / 4)
    assert found["smile_angle"].healthy_limits == pytest.approx((-7.84, 7.84))
    assert found["chin_deviation"].z == pytest.approx(-3.0)


@both
def test_z_changes_sign_with_the_side(known, measured, make_norms, scheme):
    norms = make_norms(scheme, measures={"palpebral_fissure_height": 0.02})
    _, flipped, _ = mirror(landmarks=known(scheme))
    assert measured(flipped, norms=norms, expression="rest")["palpebral_fissure_height"].z == pytest.approx(2.5)


@both
def test_without_limits_z_is_withheld(known, measured, make_norms, scheme):
    norms = make_norms(scheme, measures={"palpebral_fissure_height": 0.02})
    cases = [
        ({}, "no healthy limits were given"),
        ({"norms": norms}, "the expression is not known"),
        (
            {"norms": norms, "expression": "snarl"},
            "'hand-made' has no healthy limits for palpebral_fissure_height in snarl",
        ),
    ]
    for options, reason in cases:
        measure = measured(known(scheme), **options)["palpebral_fissure_height"]
        assert (measure.z, measure.healthy_limits) == (None, None)
        assert measure.withheld["z"] == reason
    measure = measured(known(scheme), norms=norms, expression="rest")["chin_deviation"]
    assert measure.withheld["z"] == "'hand-made' has no healthy limits for chin_deviation in rest"


@pytest.mark.parametrize(
    ("engine", "scheme"), [("mediapipe", "mediapipe478"), ("file", "ibug68"), ("mediapipe", "ibug68")]
)
def test_limits_of_another_engine_or_scheme_do_not_hold(known, measured, make_norms, engine, scheme):
    own = make_norms(MEDIAPIPE478, measures={"palpebral_fissure_height": 0.02})
    norms = Norms(own.name, engine, scheme, own.source, None, own.expressions)
    measure = measured(known(MEDIAPIPE478), norms=norms, expression="rest")["palpebral_fissure_height"]
    assert measure.z is None
    assert f"measured with {engine} {scheme} points, not with file mediapipe478 points" in measure.withheld["z"]


def test_a_withheld_value_has_no_z(known, measured, make_norms):
    norms = make_norms(IBUG68, measures={"mrd1": 0.01})
    measure = measured(known(IBUG68), norms=norms, expression="rest")["mrd1"]
    assert (measure.z, measure.healthy_limits) == (None, None)
    assert set(measure.withheld) == {"value"}
