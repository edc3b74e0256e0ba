"""Landmarks: shapes, repeat error and the map from the mesh to 68 points."""

from dataclasses import replace

import numpy as np
import pytest

from facialpalsy.errors import LandmarkFileError
from facialpalsy.face import DENSE, IBUG68, MEDIAPIPE478, SCHEMES, Landmarks, Scheme, Side

both = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda scheme: scheme.name)


@both
@pytest.mark.parametrize("shape", [(67, 2), (479, 2), (68,), (68, 3), (2, 68), (0, 2)])
def test_a_wrong_shape_is_refused(scheme, shape):
    with pytest.raises(LandmarkFileError, match=rf"needs {scheme.size} points of x and y"):
        Landmarks(scheme, np.zeros(shape), (100, 100))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_position_that_is_no_number_is_refused(make_face, value):
    points = make_face(IBUG68).points.copy()
    points[3, 1] = value
    with pytest.raises(LandmarkFileError, match="not finite"):
        Landmarks(IBUG68, points, (300, 300))


def test_points_and_curves_by_name(make_face):
    landmarks = make_face(MEDIAPIPE478)
    # The face by formula: right commissure at (-0.27, 0.70) iod of 100 px from (150, 110).
    np.testing.assert_allclose(landmarks.point("commissure", Side.RIGHT), [123, 180])
    np.testing.assert_allclose(landmarks.point("commissure", Side.LEFT), [177, 180])
    np.testing.assert_allclose(landmarks.point("chin"), [150, 230])
    assert landmarks.curve("upper_lid", Side.LEFT).shape == (9, 2)
    assert make_face(IBUG68).point("pupil", Side.LEFT) is None
    assert make_face(IBUG68).curve("nasolabial_fold", Side.LEFT) is None


def test_sigma_is_the_spread_of_one_detection_per_axis(make_face):
    landmarks = make_face(IBUG68)
    assert landmarks.sigma() is None
    assert replace(landmarks, repeats=landmarks.points[None]).sigma() is None
    # x at -3, 0, 3 and y fixed: variances 9 and 0, so 3 / sqrt(2) per axis.
    offset = np.zeros((3, 68, 2))
    offset[:, 30, 0] = (-3, 0, 3)
    sigma = replace(landmarks, repeats=landmarks.points + offset).sigma()
    assert sigma[30] == pytest.approx(3 / np.sqrt(2))
    np.testing.assert_allclose(np.delete(sigma, 30), 0, atol=1e-12)


def test_one_affine_matrix_moves_points_and_repeats(make_face):
    landmarks = make_face(IBUG68)
    landmarks = replace(landmarks, repeats=np.stack([landmarks.points - 1, landmarks.points + 1]), engine="hand")
    result = landmarks.transformed(np.array([[0.0, -2.0, 5.0], [2.0, 0.0, 7.0]]), (64, 48))
    np.testing.assert_allclose(result.points[8], [-2 * 230 + 5, 2 * 150 + 7])
    np.testing.assert_allclose(result.repeats.mean(axis=0), result.points)
    assert (result.image_size, result.engine) == ((64, 48), "hand")
    assert result.single(result.points).repeats is None


def test_68_points_of_the_mesh_are_the_same_anatomy(make_face):
    mesh = make_face(MEDIAPIPE478)
    mesh = replace(mesh, repeats=np.stack([mesh.points, mesh.points]))
    points = mesh.to_ibug68()
    assert points.scheme is IBUG68
    assert points.repeats.shape == (2, 68, 2)
    for name in ("outer_canthus", "inner_canthus", "commissure", "inner_commissure", "nostril"):
        for side in Side:
            np.testing.assert_array_equal(points.point(name, side), mesh.point(name, side))
    for name in IBUG68.midline:
        np.testing.assert_array_equal(points.point(name), mesh.point(name))
    for side in Side:
        np.testing.assert_array_equal(points.curve("brow_upper", side), mesh.curve("brow_upper", side))
    assert points.to_ibug68() is points


def test_dense_points_begin_with_the_68():
    points = np.random.default_rng(0).random((2, DENSE.size, 2))
    found = Landmarks(DENSE, points.mean(axis=0), (9, 9), repeats=points).to_ibug68()
    assert found.scheme is IBUG68
    np.testing.assert_array_equal(found.points, points.mean(axis=0)[:68])
    np.testing.assert_array_equal(found.repeats, points[:, :68])


def test_an_unknown_scheme_has_no_map(make_face):
    scheme = Scheme("other", 3, (0, 1, 2), {}, {}, {}, ())
    with pytest.raises(LandmarkFileError, match="no map to ibug68"):
        Landmarks(scheme, np.zeros((3, 2)), (9, 9)).to_ibug68()
