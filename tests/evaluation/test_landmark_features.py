"""Landmark features: sides by hand, the mirror law, and what cannot be measured."""

import pytest

from facialpalsy.clinical.expressions import Expression
from facialpalsy.evaluation.landmark_features import exam_sides, signed_features, unsigned_features
from facialpalsy.face import IBUG68, MEDIAPIPE478, SCHEMES, Side, mirror_landmarks
from facialpalsy.measure import Sides


@pytest.fixture
def exam(make_face, move):
    """The right brow rises by 4 % and the left by 1 % of the outer-canthus distance; the left lids stay open."""
    rest = make_face(MEDIAPIPE478)
    raised = move(move(rest, "brow_upper", Side.RIGHT, 0, -4), "brow_upper", Side.LEFT, 0, -1)
    closed = move(rest, "upper_lid", Side.RIGHT, 0, 6)
    return {Expression.REST: rest, Expression.BROW_RAISE: raised, Expression.EYES_TIGHT: closed}


def test_features_by_hand(exam):
    found = unsigned_features(exam_sides(exam))
    brow = {name.rpartition(".")[2]: value for name, value in found.items() if "brow_elevation" in name}
    assert brow == pytest.approx({"difference": 0.03, "smaller": 0.01, "larger": 0.04, "ratio": 0.25})
    assert found["rest.brow_to_canthus"] == pytest.approx(0, abs=1e-9)
    assert signed_features(exam_sides(exam))["brow_raise.brow_elevation"] == pytest.approx(-0.03)


def test_what_an_eye_leaves_open_is_a_share_of_its_own_fissure(exam):
    found = exam_sides(exam)
    assert found["eyes_tight.left_open"].left == pytest.approx(1)
    height = next(sides.left for name, sides in found.items() if name == "rest.palpebral_fissure_height")
    assert found["eyes_tight.left_open"].right == pytest.approx(1 - 0.06 / height, abs=1e-3)


def test_a_side_that_does_not_move_or_is_dragged_across():
    sides = {
        "a.still": Sides(0.002, 0.001, 0.001),
        "a.dragged": Sides(-0.02, 0.1, -0.12),
        "a.far": Sides(-0.3, 0.1, -0.4),
    }
    found = unsigned_features(sides)
    assert "a.still.ratio" not in found
    assert found["a.dragged.ratio"] == pytest.approx(-0.2)
    assert found["a.far.ratio"] == -1


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda scheme: scheme.name)
def test_the_mirrored_exam_has_the_same_features_and_opposite_signs(scheme, make_face, move):
    rest = move(make_face(scheme), "commissure", Side.LEFT, 0, 3)
    smile = move(move(rest, "commissure", Side.RIGHT, -9, -6), "commissure", Side.LEFT, 2, -1)
    closed = move(rest, "upper_lid", Side.RIGHT, 0, 5)
    exam = {Expression.REST: rest, Expression.SMILE_OPEN: smile, Expression.EYES_GENTLE: closed}
    one, other = exam_sides(exam), exam_sides({name: mirror_landmarks(points) for name, points in exam.items()})
    assert unsigned_features(other) == pytest.approx(unsigned_features(one), abs=1e-9)
    opposite = {name: -value for name, value in signed_features(one).items()}
    assert signed_features(other) == pytest.approx(opposite, abs=1e-9)


def test_what_cannot_be_measured_is_left_out(exam, make_face):
    without_rest = {name: points for name, points in exam.items() if name is not Expression.REST}
    assert exam_sides(without_rest) == {}
    only_rest = exam_sides({Expression.REST: make_face(IBUG68)})
    assert all(name.startswith("rest.") for name in only_rest)
    # Without an iris there is no MRD1.
    assert "rest.mrd1" not in only_rest
    assert "rest.mrd1" in exam_sides(exam)
