"""Patches: where they lie by hand, the mirror, and the sides' points."""

import numpy as np
import pytest
from PIL import Image

from facialpalsy.face import DENSE, FaceFrame, Side
from facialpalsy.face.alignment import mirror_picture
from facialpalsy.face.patches import EYE, MOUTH, PIXELS_PER_IOD

PATCHES = pytest.mark.parametrize("patch", [EYE, MOUTH], ids=["eye", "mouth"])
FRAME = FaceFrame(np.array([100.0, 80.0]), np.array([1.0, 0.0]), np.array([0.0, 1.0]), PIXELS_PER_IOD / 2)


@PATCHES
@pytest.mark.parametrize("side", list(Side))
def test_a_place_of_the_face_by_hand(patch, side):
    """A picture at half the scale: 0.3 iod outwards and 0.4 down lies 0.3 - nearest from the patch's right edge."""
    half = PIXELS_PER_IOD / 2
    point = np.array([100 + side.sign * 0.3 * half, 80 + 0.4 * half])
    matrix = patch.matrix(FRAME, side)
    wanted = (patch.columns - (0.3 - patch.nearest) * PIXELS_PER_IOD, (0.4 - patch.top) * PIXELS_PER_IOD)
    np.testing.assert_allclose(matrix[:, :2] @ point + matrix[:, 2], wanted)


@PATCHES
def test_the_patch_of_the_mirrored_picture_is_that_of_the_other_side(patch):
    picture = np.random.default_rng(0).integers(0, 256, (240, 200, 3), np.uint8)
    mirrored = Image.fromarray(np.ascontiguousarray(mirror_picture(picture)))
    for side in Side:
        one, other = patch.cut(Image.fromarray(picture), FRAME, side), patch.cut(mirrored, FRAME, side.other)
        assert one.shape == (patch.rows, patch.columns, 3)
        np.testing.assert_allclose(one.astype(float), other, atol=1)


@PATCHES
def test_beyond_the_picture_a_patch_is_black(patch):
    white = Image.fromarray(np.full((20, 20, 3), 255, np.uint8))
    far = FaceFrame(np.array([500.0, 500.0]), FRAME.u, FRAME.n, FRAME.iod)
    assert not patch.cut(white, far, Side.LEFT).any()


@PATCHES
def test_points_of_the_left_are_the_mirror_points_of_the_right(patch):
    right, left = (patch.points_on(side) for side in (Side.RIGHT, Side.LEFT))
    assert [DENSE.mirror[one] for one in right] == list(left)
    assert set(patch.pairs) <= set(DENSE.right) and all(DENSE.mirror[one] == one for one in patch.middle)


def test_no_point_lies_in_two_patches():
    assert not {*EYE.pairs, *EYE.middle} & {*MOUTH.pairs, *MOUTH.middle}
