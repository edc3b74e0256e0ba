"""Laws: turning, scaling and shifting a face change nothing; mirroring it swaps the sides and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facialpalsy.face import SCHEMES, mirror
from facialpalsy.measure import panel

both = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda scheme: scheme.name)
quick = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
seeds = st.integers(0, 2**32 - 1)
CLOSED = {"upper_lid": (-0.05, 0.00), "lower_lid": (0.05, 0.03)}


def some_face(known, scheme, seed):
    """The round-numbered face, every point moved a little, in four repeats; one in three with a closed left eye."""
    rng = np.random.default_rng(seed)
    landmarks = known(scheme, lids=CLOSED if seed % 3 == 0 else {})
    points = landmarks.points + rng.normal(0, 0.6, landmarks.points.shape)
    repeats = points + rng.normal(0, 0.4, (4, *points.shape))
    return replace(landmarks, points=repeats.mean(axis=0), repeats=repeats)


def numbers(measure):
    found = {"ratio": measure.ratio, "noise": measure.noise}
    for unit in ("iod", "mm", "deg"):
        sides = getattr(measure, unit)
        for field in ("left", "right", "difference"):
            found[f"{unit} {field}"] = None if sides is None else getattr(sides, field)
    return found


def assert_equal(one, other, name):
    assert set(one.withheld) == set(other.withheld), name
    for key, value in numbers(one).items():
        assert numbers(other)[key] == (None if value is None else pytest.approx(value, abs=1e-9, rel=1e-9)), (name, key)


@both
@quick
@given(
    seed=seeds,
    degrees=st.floats(-20, 20),
    scale=st.sampled_from([0.5, 1.0, 2.0]) | st.floats(0.5, 2),
    x=st.floats(-500, 500),
    y=st.floats(-500, 500),
)
def test_turn_scale_and_shift_change_nothing(known, turn, scheme, seed, degrees, scale, x, y):
    landmarks = some_face(known, scheme, seed)
    for one, other in zip(panel(landmarks), panel(turn(landmarks, degrees, scale, (x, y))), strict=True):
        assert_equal(one, other, one.name)


@both
@quick
@given(seed=seeds, degrees=st.floats(-20, 20))
def test_mirroring_swaps_the_sides_and_nothing_else(known, turn, scheme, seed, degrees):
    landmarks = turn(some_face(known, scheme, seed), degrees)
    _, flipped, _ = mirror(landmarks=landmarks)
    for one, other in zip(panel(landmarks), panel(flipped), strict=True):
        assert set(one.withheld) == set(other.withheld), one.name
        assert other.noise == (None if one.noise is None else pytest.approx(one.noise, abs=1e-9)), one.name
        assert other.ratio == (None if one.ratio is None else pytest.approx(1 / one.ratio, abs=1e-9)), one.name
        for unit in ("iod", "mm", "deg"):
            before, after = getattr(one, unit), getattr(other, unit)
            assert (before is None) == (after is None), one.name
            if before is not None:
                assert after.difference == pytest.approx(-before.difference, abs=1e-9), one.name
                assert after.left == (None if before.right is None else pytest.approx(before.right, abs=1e-9))
                assert after.right == (None if before.left is None else pytest.approx(before.left, abs=1e-9))


@both
@quick
@given(seed=seeds)
def test_a_left_right_difference_is_left_minus_right(known, scheme, seed):
    for measure in panel(some_face(known, scheme, seed)):
        if measure.sides is not None and measure.sides.left is not None:
            assert measure.sides.difference == measure.sides.left - measure.sides.right
        if measure.sides is None:
            assert measure.withheld["value"]
