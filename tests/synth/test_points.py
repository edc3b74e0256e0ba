"""Points: on the mesh where they are said to be, each the mirror image of its partner."""

import numpy as np
import pytest

from facialpalsy.face import DENSE, Side
from facialpalsy.synth.face_model import Part
from facialpalsy.synth.points import (
    EYE_CENTRE_RIGHT_CM,
    IBUG68_VERTICES,
    IRIS_RADIUS_CM,
    dense_points,
    eyeballs,
)


def test_one_vertex_for_each_dense_point():
    points = dense_points()
    assert len(points) == DENSE.size
    assert points[:68] == IBUG68_VERTICES
    # The first and the last of the list in ICT-FaceKit's README.
    assert (points[0], points[67]) == (1225, 5966)


def test_mirrored_points_are_mirrored_vertices(model):
    points = np.array(dense_points())
    assert (model.mirror[points] == points[list(DENSE.mirror)]).all()


def test_the_subjects_left_is_at_positive_x(model):
    x = model.neutral[list(dense_points()), 0]
    for index, twin in enumerate(DENSE.mirror):
        assert x[index] == pytest.approx(-x[twin], abs=1e-5)
    assert (x[list(DENSE.curve("upper_lid", Side.LEFT))] > 0).all()


def test_points_lie_on_skin_and_irises_on_eyeballs(model):
    eye = set(np.unique(model.triangles[model.parts == Part.EYE]).tolist())
    skin = set(np.unique(model.triangles[model.parts == Part.SKIN]).tolist())
    points = dense_points()
    irises = {121, *range(122, 130), 182, *range(183, 191)}
    assert all((vertex in eye) if index in irises else (vertex in skin) for index, vertex in enumerate(points))


def test_curves_run_from_lateral_to_medial_in_even_steps(model):
    for name in ("upper_lid", "lower_lid", "brow_upper", "brow_lower", "upper_lip_outer", "lower_lip_inner"):
        curve = model.neutral[[dense_points()[i] for i in DENSE.curve(name, Side.LEFT)]]
        assert (np.diff(curve[:, 0]) < 0).all(), name
        steps = np.linalg.norm(np.diff(curve, axis=0), axis=1)
        assert steps.max() < 3 * steps.min(), name


def test_the_brow_is_half_to_one_centimetre_high_and_ends_in_a_tail(model):
    points = np.array(dense_points())
    for side in Side:
        high, low = (model.neutral[points[list(DENSE.curve(f"brow_{edge}", side))], 1] for edge in ("upper", "lower"))
        assert ((high - low)[2:] > 0.55).all()
        assert ((high - low)[2:] < 0.9).all()
        assert 0 < (high - low)[0] < 0.4


def test_the_iris_is_as_wide_as_people_have_it(model):
    left, right = (eyeballs()[side] for side in Side)
    np.testing.assert_allclose(right.centre(model.neutral), EYE_CENTRE_RIGHT_CM, atol=0.001)
    np.testing.assert_allclose(left.centre(model.neutral), right.centre(model.neutral) * (-1, 1, 1), atol=1e-4)
    for ball in (left, right):
        centre, axis = ball.centre(model.neutral), ball.axis(model.neutral)
        radii = np.linalg.norm(np.cross(model.neutral[list(ball.iris)] - centre, axis), axis=1)
        assert radii.mean() == pytest.approx(IRIS_RADIUS_CM, abs=0.01)
        assert np.abs(radii - IRIS_RADIUS_CM).max() < 0.035
        assert np.linalg.norm(np.cross(model.neutral[ball.apex] - centre, axis)) < 0.03
        assert ball.size(model.neutral) == pytest.approx(1, abs=1e-4)


def test_the_ring_of_the_iris_starts_medially_and_goes_over_the_top(model):
    medial, top, lateral, bottom, *between = eyeballs()[Side.RIGHT].iris
    x, y = model.neutral[:, 0], model.neutral[:, 1]
    assert x[medial] > x[top] > x[lateral]
    assert y[top] > y[medial] > y[bottom]
    assert x[medial] > x[between[0]] > x[top]
    assert y[top] > y[between[0]] > y[medial]
