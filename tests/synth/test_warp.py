"""Both warps against values worked by hand: one bump, and a square whose centre moves."""

import numpy as np
import pytest

from facialpalsy.errors import UsageError
from facialpalsy.synth.warp import STRAIN_LIMIT, GaussianWarp, PiecewiseAffineWarp, Warp, largest_amount

SQUARE = np.array([[0.0, 0], [100, 0], [100, 100], [0, 100], [50, 50]])


def bump(amount: float) -> GaussianWarp:
    """One bump of width 10 px round (50, 50) after the move."""
    return GaussianWarp(np.array([[50.0, 50 - amount]]), np.array([[0.0, amount]]), np.array([10.0]))


def square(amount: float) -> PiecewiseAffineWarp:
    """The centre of a 100 px square moves down."""
    return PiecewiseAffineWarp(SQUARE, np.array([[0.0, 0]] * 4 + [[0, amount]]))


def two_bumps() -> GaussianWarp:
    points = np.array([[40.0, 50], [60, 52], [50, 80]])
    return GaussianWarp(points, np.array([[3.0, 6], [-2, 4], [0, 0]]), np.array([12.0, 15, 8]))


def test_one_bump_by_hand():
    shift = bump(5).at(np.array([[50.0, 50], [60, 50], [90, 50], [50, 9]]))
    side = 5 * np.exp(-0.5) * (1 - (1 / 4) ** 4) ** 2
    np.testing.assert_allclose(shift, [[0, 5], [0, side], [0, 0], [0, 0]], atol=1e-12)


def test_strain_of_one_bump_is_that_of_a_gaussian():
    # The steepest slope of a Gaussian of height 5 and width 10 is 5 / 10 / sqrt(e); the taper adds under 3 %.
    assert bump(5).strain == pytest.approx(0.5 * np.exp(-0.5), rel=0.03)


def test_square_by_hand():
    # Above the centre the triangle (0,0) (100,0) (50,60) is reached from a height of 50; (50,25) lies half way up.
    warp = square(10)
    points = np.array([[50.0, 25], [50, 50], [25, 0], [50, 75], [-20, 30]])
    expected = [[50, 30], [50, 60], [25, 0], [50, 80], [-20, 30]]
    np.testing.assert_allclose(warp.forward(points), expected, atol=1e-12)
    # Slopes of the four triangles: 10/60 above, 10/40 below, 10/50 at the sides.
    assert warp.strain == pytest.approx(0.25)


@pytest.mark.parametrize("warp", [bump(8), two_bumps(), square(12)], ids=["bump", "bumps", "square"])
def test_forward_and_backward_are_inverse(warp: Warp):
    points = np.random.default_rng(0).uniform(0, 100, (500, 2))
    np.testing.assert_allclose(warp.backward(warp.forward(points)), points, atol=1e-9)


@pytest.mark.parametrize("warp", [bump(8), two_bumps(), square(12)], ids=["bump", "bumps", "square"])
def test_grid_agrees_with_points(warp: Warp):
    # Both diagonals of the square are edges between triangles, and pixel centres lie on them.
    x, y = np.arange(0.5, 100), np.arange(0.5, 100)
    places = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    np.testing.assert_allclose(warp.on_grid(x, y).reshape(2, -1).T, warp.at(places), atol=1e-10)


def test_controls_move_exactly():
    points = np.array([[40.0, 50], [60, 52], [50, 80]])
    np.testing.assert_allclose(two_bumps().forward(points) - points, [[3, 6], [-2, 4], [0, 0]], atol=1e-9)


@pytest.mark.parametrize("build", [bump, square])
def test_largest_amount_is_the_edge_of_what_is_allowed(build):
    asked = 80.0 if build is bump else 45.0
    assert build(asked).strain >= STRAIN_LIMIT
    largest = largest_amount(build, asked)
    assert build(largest).strain < STRAIN_LIMIT <= build(largest + asked / 100).strain
    if build is square:
        # Below the centre the slope is a / (50 - a), which is 0.95 at a = 24.36; the step is 1 % of 45.
        assert largest == pytest.approx(24.3, abs=0.45)


def test_a_picture_taken_by_hand():
    # A ramp of 2 levels per pixel downwards: moving down by d lowers the value by 2 d.
    ramp = np.repeat(np.repeat((2 * np.arange(100))[:, None, None], 100, axis=1), 3, axis=2).astype(np.uint8)
    warped = bump(5).apply(ramp)
    shift = bump(5).on_grid(np.arange(100) + 0.5, np.arange(100) + 0.5)[1]
    assert np.abs(ramp[..., 0] - 2 * shift - warped[..., 0]).max() < 0.52


def test_a_dot_between_affine_edges_is_found_where_the_truth_says():
    rows, columns = np.mgrid[:100, :100] + 0.5
    dot = 80 + 120 * np.exp(-((columns - 50) ** 2 + (rows - 25) ** 2) / (2 * 1.5**2))
    picture = np.repeat(np.rint(dot)[..., None], 3, axis=2).astype(np.uint8)
    light = square(10).apply(picture)[..., 0] - 80.0
    # (50, 25) moves to (50, 30): see test_square_by_hand.
    assert (columns * light).sum() / light.sum() == pytest.approx(50, abs=0.05)
    assert (rows * light).sum() / light.sum() == pytest.approx(30, abs=0.05)


def test_what_does_not_move_stays_bit_identical(noise):
    warped = bump(6).apply(noise)
    assert np.array_equal(warped[:, 92:], noise[:, 92:])
    assert np.array_equal(warped[92:], noise[92:])
    assert not np.array_equal(warped[40:60, 40:60], noise[40:60, 40:60])


def test_over_the_edge_of_the_picture_nothing_new_appears():
    plain = np.full((40, 40, 3), 90, np.uint8)
    over = GaussianWarp(np.array([[5.0, -1]]), np.array([[0.0, 6]]), np.array([10.0]))
    assert np.array_equal(over.apply(plain), plain)


@pytest.mark.parametrize("warp", [bump(0), square(0)], ids=["bump", "square"])
def test_nothing_moves(warp: Warp, noise):
    points = np.random.default_rng(1).uniform(0, 100, (50, 2))
    assert warp.strain == 0
    assert np.array_equal(warp.forward(points), points)
    assert np.array_equal(warp.apply(noise), noise)


@pytest.mark.parametrize("family", ["gaussian", "piecewise"])
def test_one_place_cannot_move_two_ways(family: str):
    points = np.vstack([SQUARE[:4], [[50, 50], [50, 40]]])
    moves = np.array([[0.0, 0]] * 4 + [[0, 5], [0, 15]])
    with pytest.raises(UsageError, match="on one place"):
        if family == "gaussian":
            GaussianWarp(points[[4, 5]], moves[[4, 5]], np.full(2, 9.0))
        else:
            PiecewiseAffineWarp(points, moves)


def test_the_hull_of_a_triangulation_stays():
    with pytest.raises(UsageError, match="outside the face"):
        PiecewiseAffineWarp(SQUARE, np.array([[0.0, 5], [0, 0], [0, 0], [0, 0], [0, 5]]))


def test_strain_covers_every_direction():
    # The strain bounds |d(a) - d(b)| / |a - b| for every pair of points.
    warp = two_bumps()
    rng = np.random.default_rng(2)
    one = rng.uniform(10, 100, (4000, 2))
    two = one + rng.normal(0, 0.5, one.shape)
    rate = np.linalg.norm(warp.at(one) - warp.at(two), axis=1) / np.linalg.norm(one - two, axis=1)
    assert rate.max() <= warp.strain * 1.01
    assert rate.max() > warp.strain * 0.9
