"""Rasteriser: hand-worked triangles, and the mirror law of its buffers."""

import numpy as np
import pytest

pytest.importorskip("numba")

from facialpalsy.synth.rasterise import add_shape, rasterise, rasterise_hair, vertex_normals

# Seen by a camera with y downwards this one is counter-clockwise from outside: it faces the camera.
FACING = np.array([[0, 1, 2]], np.int32)
CORNERS = np.array([[0, 0, 10], [0, 4, 10], [4, 0, 10]], np.float32)


def drawn(screen, triangles, size=8):
    depth = np.full((size, size), np.inf, np.float32)
    owner = np.full((size, size), -1, np.int32)
    weights = np.zeros((size, size, 2), np.float32)
    rasterise(np.asarray(screen, np.float32), np.asarray(triangles, np.int32), depth, owner, weights, 0)
    return depth, owner, weights


def test_pixels_whose_centre_lies_inside_are_drawn():
    """Below the diagonal x + y = 4 lie the centres (i + .5, j + .5) with i + j <= 3."""
    _, owner, _ = drawn(CORNERS, FACING)
    i, j = np.meshgrid(np.arange(8), np.arange(8), indexing="ij")
    assert np.array_equal(owner == 0, i + j <= 3)


def test_a_triangle_that_faces_away_is_not_drawn():
    _, owner, _ = drawn(CORNERS, FACING[:, ::-1])
    assert (owner == -1).all()


def test_weights_are_barycentric():
    """At (0.5, 0.5): a quarter of each edge's length over 4 is 1/8 of the second and of the third corner."""
    _, _, weights = drawn(CORNERS, FACING)
    assert weights[0, 0] == pytest.approx((0.125, 0.125))
    assert weights[0, 3] == pytest.approx((0.125, 0.875))


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_the_nearer_triangle_is_seen_whatever_comes_first(order):
    screen = np.concatenate([CORNERS, CORNERS - [0, 0, 3]])
    depth, owner, _ = drawn(screen, np.array([[0, 1, 2], [3, 4, 5]])[order])
    assert owner[0, 0] == order.index(1)
    assert depth[0, 0] == 7


def test_nothing_behind_the_camera_is_drawn():
    _, owner, _ = drawn(CORNERS * [1, 1, -1], FACING)
    assert (owner == -1).all()


def test_the_mirror_image_has_mirrored_buffers_to_the_last_bit():
    rng = np.random.default_rng(4)
    screen = np.round(rng.uniform(0, 64, (90, 3)) * 1024).astype(np.float32) / 1024 + np.float32([0, 0, 20])
    triangles = np.arange(90, dtype=np.int32).reshape(-1, 3)
    mirrored = screen * np.float32([-1, 1, 1]) + np.float32([64, 0, 0])
    depth, owner, _ = drawn(screen, triangles, 64)
    other_depth, other_owner, _ = drawn(mirrored, triangles[:, [0, 2, 1]], 64)
    assert np.array_equal(depth, other_depth[:, ::-1])
    assert np.array_equal(owner, other_owner[:, ::-1])
    assert (owner >= 0).sum() > 1000


def test_hair_ends_at_its_hairline():
    """With ends of 3 mm at one standard deviation nothing is drawn 2 cm beyond the line, everything 2 cm within."""
    screen, cut = np.concatenate([CORNERS, CORNERS + np.float32([4, 4, 0])]).astype(np.float32), np.repeat([-2, 2], 3)
    owner = np.full((8, 8), -1, np.int32)
    rasterise_hair(
        screen,
        np.arange(6, dtype=np.int32).reshape(2, 3),
        cut.astype(np.float32),
        np.zeros(6, np.float32),
        np.full((8, 8), np.inf, np.float32),
        owner,
        np.zeros((8, 8, 2), np.float32),
        0,
    )
    assert (owner == 0).sum() == 10
    assert (owner == 1).sum() == 0


def test_normals_point_out_of_a_tetrahedron():
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32)
    normals = vertex_normals(corners, faces)
    assert np.linalg.norm(normals, axis=1) == pytest.approx(np.ones(4), abs=1e-6)
    assert (((corners - corners.mean(axis=0)) * normals).sum(axis=1) > 0).all()


def test_a_shape_is_added_where_it_has_deltas():
    vertices = np.zeros((3, 3), np.float32)
    add_shape(vertices, np.array([2], np.int32), np.array([[1, 2, 3]], np.float32), 0.5)
    assert vertices.tolist() == [[0, 0, 0], [0, 0, 0], [0.5, 1, 1.5]]
