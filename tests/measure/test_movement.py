"""Movement: known displacements come back as known movements, ratios and reasons.

The symmetric face of the tests' conftest, 100 px to the iod: a pixel is 0.01 iod. Right of the picture is the
subject's left.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facialpalsy.face import IBUG68, MEDIAPIPE478, SCHEMES, Side, mirror
from facialpalsy.measure import MOVEMENT_FLOOR_IOD, MOVEMENTS, movements

both = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda scheme: scheme.name)

EXPRESSIONS = {
    "rest": set(),
    "brow_raise": {"brow_elevation", "commissure_pull"},
    "eyes_gentle": {"lid_closure", "commissure_pull"},
    "eyes_tight": {"lid_closure", "commissure_pull"},
    "smile_closed": {"commissure_excursion", "lid_narrowing"},
    "smile_open": {"commissure_excursion", "fold_excursion", "lid_narrowing"},
    "snarl": {"upper_lip_elevation", "alar_elevation", "lid_narrowing"},
    "pucker": {"commissure_excursion", "lid_narrowing"},
    "lower_teeth": {"lower_lip_depression"},
}


def by_name(rest, moved, expression, **options):
    return {movement.measure: movement for movement in movements(rest, moved, expression, **options)}


@pytest.fixture
def smile(make_face, move):
    """Rest, and corners moved outwards and up by (right, left) pixels."""

    def make(scheme, right, left):
        rest = make_face(scheme)
        moved = move(rest, "commissure", Side.RIGHT, -right[0], -right[1])
        return rest, move(moved, "commissure", Side.LEFT, left[0], -left[1])

    return make


@pytest.fixture
def lift(make_face, move):
    """Rest, and one named part moved upwards by pixels on each side."""

    def make(scheme, name, right, left):
        rest = make_face(scheme)
        return rest, move(move(rest, name, Side.RIGHT, 0, -right), name, Side.LEFT, 0, -left)

    return make


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_each_expression_has_its_movements(make_face, expression):
    landmarks = make_face(MEDIAPIPE478)
    assert set(by_name(landmarks, landmarks, expression)) == EXPRESSIONS[expression]
    assert {name for definition in MOVEMENTS for name in definition.expressions} == set(EXPRESSIONS) - {"rest"}


@both
@pytest.mark.parametrize(
    ("expression", "part", "measure", "sign"),
    [
        ("brow_raise", "brow_upper", "brow_elevation", 1),
        ("snarl", "ala", "alar_elevation", 1),
        ("snarl", "upper_lip_outer", "upper_lip_elevation", 1),
        ("lower_teeth", "lower_lip_outer", "lower_lip_depression", -1),
        ("eyes_gentle", "upper_lid", "lid_closure", -1),
        ("eyes_tight", "lower_lid", "lid_closure", 1),
    ],
)
def test_vertical_movements(lift, scheme, expression, part, measure, sign):
    # The right side moves by 5 px, 0.05 iod; the left one by 2 px.
    rest, moved = lift(scheme, part, sign * 5, sign * 2)
    movement = by_name(rest, moved, expression, reference=Side.RIGHT, mm_per_iod=90.0)[measure]
    assert (movement.iod.left, movement.iod.right) == pytest.approx((0.02, 0.05), abs=1e-9)
    assert movement.iod.difference == pytest.approx(-0.03, abs=1e-9)
    assert movement.ratio == pytest.approx(0.4)
    assert (movement.mm.left, movement.mm.right) == pytest.approx((1.8, 4.5))
    assert movement.expression == expression


@both
def test_the_opposite_way_is_negative(lift, scheme):
    rest, moved = lift(scheme, "brow_upper", 5, -2)
    movement = by_name(rest, moved, "brow_raise", reference=Side.RIGHT)["brow_elevation"]
    assert movement.iod.left == pytest.approx(-0.02)
    assert movement.ratio == pytest.approx(-0.4)


@both
def test_both_sides_the_opposite_way_are_negative_and_have_no_ratio(lift, scheme):
    movement = by_name(*lift(scheme, "brow_upper", -5, -2), "brow_raise", reference=Side.RIGHT)["brow_elevation"]
    assert (movement.iod.left, movement.iod.right) == pytest.approx((-0.02, -0.05))
    assert movement.ratio is None


@both
@pytest.mark.parametrize("expression", ["smile_closed", "smile_open"])
def test_an_excursion_is_taken_along_the_larger_one(smile, scheme, expression):
    # Right corner 4 px out and 3 up: 5 px along (0.8, 0.6). Left corner 2 px along the same line.
    rest, moved = smile(scheme, (4, 3), (1.6, 1.2))
    movement = by_name(rest, moved, expression, reference=Side.RIGHT)["commissure_excursion"]
    assert movement.iod.right == pytest.approx(0.05)
    assert movement.iod.left == pytest.approx(0.02)
    assert movement.iod.difference == pytest.approx(-0.03)
    assert movement.ratio == pytest.approx(0.4)


@both
def test_only_the_part_along_the_larger_excursion_counts(smile, scheme):
    # The left corner moves 2 px at a right angle to the right one's line (0.8, 0.6).
    rest, moved = smile(scheme, (4, 3), (-1.2, 1.6))
    movement = by_name(rest, moved, "smile_open", reference=Side.RIGHT)["commissure_excursion"]
    assert movement.iod.left == pytest.approx(0, abs=1e-12)
    assert movement.ratio == pytest.approx(0, abs=1e-9)


@both
def test_a_dragged_corner_is_negative_movement(smile, scheme):
    # The left corner is pulled 2 px across, towards the strong side: -2 * 0.8.
    rest, moved = smile(scheme, (4, 3), (-2, 0))
    movement = by_name(rest, moved, "smile_open", reference=Side.RIGHT)["commissure_excursion"]
    assert movement.iod.left == pytest.approx(-0.016)
    assert movement.ratio == pytest.approx(-0.32)


@both
@pytest.mark.parametrize(
    ("expression", "right", "left"),
    [("smile_open", (-4, -3), (-1.6, -1.2)), ("smile_closed", (1, -3), (0.4, -1.2)), ("pucker", (5, 0), (2, 0))],
)
def test_corners_that_move_against_what_was_asked_for_are_negative_and_have_no_ratio(
    smile, scheme, expression, right, left
):
    """As when rest and smile are exchanged: by 5 (or 3.16) pixels and by 0.4 of that."""
    movement = by_name(*smile(scheme, right, left), expression, reference=Side.RIGHT)["commissure_excursion"]
    full = np.hypot(*right) / 100
    assert (movement.iod.right, movement.iod.left) == pytest.approx((-full, -0.4 * full), abs=1e-9)
    assert movement.ratio is None


@both
def test_a_pucker_moves_inwards_and_counts_as_positive(smile, scheme):
    rest, moved = smile(scheme, (-4, 0), (-3, 0))
    movement = by_name(rest, moved, "pucker", reference=Side.RIGHT)["commissure_excursion"]
    assert (movement.iod.left, movement.iod.right) == pytest.approx((0.03, 0.04))
    assert movement.ratio == pytest.approx(0.75)


def test_the_fold_moves_with_its_points_beside_the_ala(make_face, move):
    rest = make_face(MEDIAPIPE478)
    moved = move(move(rest, "nasolabial_fold", Side.RIGHT, -4, -3), "nasolabial_fold", Side.LEFT, 2, -1.5)
    movement = by_name(rest, moved, "smile_open", reference=Side.RIGHT)["fold_excursion"]
    assert (movement.iod.left, movement.iod.right) == pytest.approx((0.025, 0.05))
    assert movement.ratio == pytest.approx(0.5)


def test_68_points_have_no_fold_to_move(make_face):
    rest = make_face(IBUG68)
    movement = by_name(rest, rest, "smile_open", reference=Side.RIGHT)["fold_excursion"]
    assert (movement.iod, movement.ratio, movement.noise, movement.z) == (None, None, None, None)
    assert movement.withheld["value"] == "ibug68 has no nasolabial fold"


@both
@pytest.mark.parametrize("reference", list(Side))
def test_a_still_face_moves_by_zero_and_has_no_ratio(make_face, scheme, reference):
    rest = make_face(scheme)
    for expression in EXPRESSIONS:
        for movement in movements(rest, rest, expression, reference=reference):
            if movement.iod is not None:
                assert (movement.iod.left, movement.iod.right) == pytest.approx((0, 0), abs=1e-12)
            assert movement.ratio is None
            assert movement.withheld.get("ratio") or movement.withheld.get("value")


@both
def test_head_movement_is_no_movement(smile, turn, scheme):
    rest, moved = smile(scheme, (4, 3), (1.6, 1.2))
    movement = by_name(rest, turn(moved, 15, 1.4, (60, -20)), "smile_open", reference=Side.RIGHT)[
        "commissure_excursion"
    ]
    assert (movement.iod.left, movement.iod.right) == pytest.approx((0.02, 0.05))


@both
def test_without_a_reference_side_there_is_no_ratio(smile, scheme):
    movement = by_name(*smile(scheme, (4, 3), (1.6, 1.2)), "smile_open")["commissure_excursion"]
    assert movement.ratio is None
    assert movement.withheld["ratio"] == "no reference side was named (--reference-side left or right)"


@both
def test_a_reference_side_that_did_not_move_gives_no_ratio(lift, scheme):
    assert MOVEMENT_FLOOR_IOD == 0.01
    movement = by_name(*lift(scheme, "brow_upper", 0.8, 4), "brow_raise", reference=Side.RIGHT)["brow_elevation"]
    assert movement.iod.right == pytest.approx(0.008)
    assert movement.ratio is None
    assert movement.withheld["ratio"] == (
        "no effort on the reference side: the right (reference) side moved 0.008 iod, not more than its noise of 0.010"
    )
    enough = by_name(*lift(scheme, "brow_upper", 1.2, 4), "brow_raise", reference=Side.RIGHT)["brow_elevation"]
    assert enough.ratio == pytest.approx(4 / 1.2)


@both
@pytest.mark.parametrize("reference", list(Side))
def test_a_reference_side_that_moves_less_than_healthy_sides_differ_gives_no_ratio(
    smile, make_norms, scheme, reference
):
    """Total paralysis beside 0.03 iod is no more than 1.96 * 0.02 = 0.039, by which healthy sides differ."""
    norms = make_norms(scheme, "smile_open", movements={"commissure_excursion": 0.02})

    def excursion(out, norms=norms):
        shifts = {reference: (out, 0), reference.other: (0, 0)}
        pair = smile(scheme, shifts[Side.RIGHT], shifts[Side.LEFT])
        return by_name(*pair, "smile_open", reference=reference, norms=norms)["commissure_excursion"]

    weak = excursion(3)
    assert weak.ratio is None
    assert weak.withheld["ratio"] == (
        f"effort too small to judge: the {reference} (reference) side moved 0.030 iod, and healthy sides differ by up "
        "to 0.039"
    )
    assert abs(weak.z) == pytest.approx(1.5)
    assert excursion(4).ratio == pytest.approx(0, abs=1e-9)
    assert excursion(3, norms=None).ratio == pytest.approx(0, abs=1e-9)


def with_brow_repeats(landmarks, side, offset):
    """Three repeats with one brow at -offset, 0, offset pixels: a standard deviation of `offset`."""
    repeats = np.repeat(landmarks.points[None], 3, axis=0)
    repeats[:, list(landmarks.scheme.curve("brow_upper", side)), 1] += np.array([-offset, 0, offset])[:, None]
    return replace(landmarks, repeats=repeats)


@both
def test_noise_adds_in_quadrature_over_both_captures(lift, scheme):
    rest, moved = lift(scheme, "brow_upper", 3, 1)
    rest, moved = with_brow_repeats(rest, Side.LEFT, 0.6), with_brow_repeats(moved, Side.LEFT, 0.8)
    movement = by_name(rest, moved, "brow_raise", reference=Side.RIGHT)["brow_elevation"]
    assert movement.noise == pytest.approx(0.01)
    assert movement.iod.left == pytest.approx(0.01)
    assert "noise" not in movement.withheld
    assert movement.ratio == pytest.approx(1 / 3)  # the right side has no noise of its own


@both
def test_a_reference_side_within_its_noise_gives_no_ratio(lift, scheme):
    # The right brow moves 1.9 px with a noise of hypot(0.6, 0.8) = 1 px: 1.96 px would be needed.
    rest, moved = lift(scheme, "brow_upper", 1.9, 1)
    rest, moved = with_brow_repeats(rest, Side.RIGHT, 0.6), with_brow_repeats(moved, Side.RIGHT, 0.8)
    movement = by_name(rest, moved, "brow_raise", reference=Side.RIGHT)["brow_elevation"]
    assert movement.ratio is None
    assert movement.withheld["ratio"].endswith("moved 0.019 iod, not more than its noise of 0.020")


def test_one_set_of_points_has_no_noise_and_no_mdc(smile):
    movement = by_name(*smile(IBUG68, (4, 3), (4, 3)), "smile_open", reference=Side.LEFT)["commissure_excursion"]
    assert (movement.noise, movement.mdc, movement.mm) == (None, None, None)
    assert movement.withheld["noise"] == "one set of points has no repeat error"
    assert movement.withheld["mdc"] == "no capture of this expression was repeated"


@both
@pytest.mark.parametrize("reference", [None, *Side])
def test_a_movement_not_asked_for_has_no_ratio(lift, smile, scheme, reference):
    closing = by_name(*lift(scheme, "upper_lid", -3, -1), "smile_open", reference=reference)["lid_narrowing"]
    assert (closing.iod.left, closing.iod.right) == pytest.approx((0.01, 0.03))
    pulled = by_name(*smile(scheme, (0, 0), (3, 4)), "eyes_tight", reference=reference)["commissure_pull"]
    assert (pulled.iod.left, pulled.iod.right) == pytest.approx((0.05, 0), abs=1e-12)
    for movement in (closing, pulled):
        assert movement.ratio is None
        assert movement.withheld["ratio"] == "a movement that was not asked for has no ratio"


@both
def test_z_is_signed_left_minus_right(smile, make_norms, scheme):
    norms = make_norms(scheme, "smile_open", movements={"commissure_excursion": 0.015})
    rest, moved = smile(scheme, (4, 3), (1.6, 1.2))
    found = by_name(rest, moved, "smile_open", norms=norms)
    assert found["commissure_excursion"].z == pytest.approx(-2)
    assert found["lid_narrowing"].z is None
    assert found["lid_narrowing"].withheld["z"] == ("'hand-made' has no healthy limits for this movement in smile_open")
    stronger_left = by_name(*smile(scheme, (1.6, 1.2), (4, 3)), "smile_open", norms=norms)
    assert stronger_left["commissure_excursion"].z == pytest.approx(2)


def test_z_is_withheld_without_limits_for_these_points(smile, make_norms):
    pair = smile(MEDIAPIPE478, (4, 3), (1.6, 1.2))
    reasons = {
        "no healthy limits were given": None,
        "for this movement in smile_closed": make_norms(
            MEDIAPIPE478, "smile_open", movements={"commissure_excursion": 1}
        ),
        "not with file mediapipe478 points": make_norms(IBUG68, "smile_closed", movements={"commissure_excursion": 1}),
    }
    for reason, norms in reasons.items():
        movement = by_name(*pair, "smile_closed", norms=norms)["commissure_excursion"]
        assert movement.z is None
        assert reason in movement.withheld["z"]


quick = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@both
@quick
@given(r=st.floats(0, 1), out=st.floats(2, 8), up=st.floats(-2, 6), degrees=st.floats(-20, 20))
def test_a_palsy_of_known_size_is_recovered_on_its_side(smile, turn, scheme, r, out, up, degrees):
    rest, moved = smile(scheme, (out, up), (r * out, r * up))
    rest, moved = turn(rest, degrees), turn(moved, -degrees, 1.3)
    movement = by_name(rest, moved, "smile_open", reference=Side.RIGHT)["commissure_excursion"]
    assert movement.ratio == pytest.approx(r, abs=1e-9)
    flipped = [mirror(landmarks=one)[1] for one in (rest, moved)]
    assert by_name(*flipped, "smile_open", reference=Side.LEFT)["commissure_excursion"].ratio == pytest.approx(
        r, abs=1e-9
    )


@both
@quick
@given(seed=st.integers(0, 2**32 - 1))
def test_mirroring_swaps_the_sides_of_every_movement(make_face, make_norms, scheme, seed):
    rng = np.random.default_rng(seed)
    rest, moved = (
        replace(make_face(scheme), repeats=make_face(scheme).points + rng.normal(0, spread, (4, scheme.size, 2)))
        for spread in (0.3, 1.5)
    )
    flipped_rest, flipped = mirror(landmarks=rest)[1], mirror(landmarks=moved)[1]
    for expression in EXPRESSIONS:
        norms = make_norms(scheme, expression, movements={definition.name: 0.01 for definition in MOVEMENTS})
        ones = movements(rest, moved, expression, reference=Side.RIGHT, norms=norms, mm_per_iod=90.0)
        others = movements(flipped_rest, flipped, expression, reference=Side.LEFT, norms=norms, mm_per_iod=90.0)
        for one, other in zip(ones, others, strict=True):
            assert set(one.withheld) == set(other.withheld), one.measure
            if one.iod is None:
                continue
            assert (other.iod.left, other.iod.right) == pytest.approx((one.iod.right, one.iod.left), abs=1e-9)
            assert (other.mm.left, other.mm.right) == pytest.approx((one.mm.right, one.mm.left), abs=1e-7)
            assert other.noise == pytest.approx(one.noise, abs=1e-9)
            assert other.z == pytest.approx(-one.z, abs=1e-6)
            assert other.ratio == (None if one.ratio is None else pytest.approx(one.ratio, abs=1e-6))
