"""Face model: exactly symmetric, its shapes sided, its triangles complete."""

import numpy as np
import pytest

pytest.importorskip("numba")

from facialpalsy.synth.face_model import Part

FLIP = np.float32([-1, 1, 1])


def dense(model, name):
    full = np.zeros_like(model.neutral)
    full[model.shapes[name].indices] = model.shapes[name].deltas
    return full


def test_every_vertex_has_its_partner(model):
    assert np.array_equal(model.mirror[model.mirror], np.arange(len(model.neutral)))
    assert np.array_equal(model.neutral[model.mirror] * FLIP, model.neutral)
    assert np.array_equal(model.identity[:, model.mirror] * FLIP, model.identity)


def test_right_shapes_are_the_mirrored_left_ones(model):
    lefts = [name for name in model.shapes if name.endswith("_L")]
    assert len(lefts) == 29
    for name in lefts:
        assert np.array_equal(model.mirrored(dense(model, name)), dense(model, name[:-1] + "R")), name


def test_the_left_shape_of_a_split_one_stops_soon_after_the_midline(model):
    for name in ("mouthPucker_L", "mouthFunnel_L", "mouthRollLower_L"):
        assert np.abs(dense(model, name)[model.neutral[:, 0] < -1.3]).max() < 2e-3


def test_the_jaw_is_one_for_both_sides(model):
    assert {"jawOpen", "jawForward"} <= model.shapes.keys()
    assert "jawOpen_L" not in model.shapes
    opened = dense(model, "jawOpen")
    assert np.abs(model.mirrored(opened) - opened).max() < 2e-3


def test_a_smile_lifts_the_corner_of_its_own_side(model):
    """The commissures of the 68 points are the archive's vertices 5708 (right) and 6213 (left)."""
    smile = dense(model, "mouthSmile_L")
    assert smile[6213, 1] > 0.5
    assert np.abs(smile[5708]).max() < 0.1


def test_triangles_are_mirrored_with_their_texture(model):
    half = len(model.triangles) // 2
    assert np.array_equal(model.mirror[model.triangles[:half]][:, [0, 2, 1]], model.triangles[half:])
    skin = model.parts[:half] == Part.SKIN
    left, right = model.uv[:half][skin], model.uv[half:][skin][:, [0, 2, 1]]
    assert right[..., 0] == pytest.approx(1 - left[..., 0], abs=1e-6)
    assert np.array_equal(right[..., 1], left[..., 1])


def test_triangles_face_outwards(model):
    """Of the skin before the ears, whose normals point away from the head's middle."""
    corners = model.neutral[model.triangles[model.parts == Part.SKIN]]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    forehead = (corners[:, :, 1] > 7).all(axis=1) & (corners[:, :, 2] > 6).all(axis=1)
    assert forehead.sum() > 500
    assert (normal[forehead, 2] > 0).all()
