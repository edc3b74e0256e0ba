"""AU targets: centres at the published landmarks, maps by their formula, and the mirror that exchanges the sides."""

import math

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from facialpalsy.clinical.actions import PALSY_UNITS
from facialpalsy.errors import LabelsError, LandmarkFileError, UsageError
from facialpalsy.face import DENSE, IBUG68, MEDIAPIPE478, Landmarks, Scheme, Side, mirror, mirror_landmarks
from facialpalsy.face.schemes import IBUG68_FROM_MEDIAPIPE478
from facialpalsy.training.au_targets import (
    MAPS,
    MIRRORED_MAPS,
    document_centres,
    document_maps,
    heat_maps,
    mirrored_centres,
    palsy_labels,
    sideless_labels,
    unit_centres,
)
from facialpalsy.training.targets import mirrored_targets

LEFT, RIGHT = (tuple(Side).index(side) for side in (Side.LEFT, Side.RIGHT))

# 0-based iBUG-68, the subject's right first: where the reference has its Gaussians.
REFERENCE = {
    "AU1": ([21], [22]),
    "AU2": ([17], [26]),
    "AU4": (range(17, 22), range(22, 27)),
    "AU6": (range(36, 42), range(42, 48)),
    "AU9": ([39], [42]),
    "AU10": ([50], [52]),
    "AU12": ([48], [54]),
    "AU26": ([58], [56]),
}


@pytest.fixture
def points():
    """68 places of a picture of 256 pixels, no two alike."""
    return np.random.default_rng(0).uniform(0, 256, (68, 2))


@pytest.fixture
def face(points):
    return Landmarks(IBUG68, points, (256, 256))


def of(centres, unit):
    return centres[PALSY_UNITS.index(unit)]


def tensors(*arrays):
    return tuple(torch.from_numpy(one) for one in arrays)


@pytest.mark.parametrize("unit", list(REFERENCE))
def test_centres_are_those_of_the_reference(face, points, unit):
    down = np.array([0, math.dist(points[42], points[39])]) if unit == "AU6" else 0
    for side, indices in zip((RIGHT, LEFT), REFERENCE[unit], strict=True):
        wanted = points[list(indices)].mean(axis=0) + down
        np.testing.assert_allclose(of(unit_centres(face), unit)[side] * 256, wanted, rtol=1e-5)
        np.testing.assert_allclose(of(document_centres(face), unit)[side] * 256, wanted, rtol=1e-5)


def test_the_document_parts_the_lips_at_their_middles(face, points):
    np.testing.assert_allclose(of(document_centres(face), "AU25") * 256, points[[51, 57]], rtol=1e-5)


def test_centres_that_the_reference_has_not_lie_where_the_muscle_is(face, points):
    distance = math.dist(points[42], points[39])
    found = {unit: of(unit_centres(face), unit) * 256 for unit in PALSY_UNITS}
    np.testing.assert_allclose(found["AU15"], points[[54, 48]] + (0, distance / 2), rtol=1e-5)
    np.testing.assert_allclose(found["AU16"], points[[56, 58]] + (0, distance / 4), rtol=1e-5)
    np.testing.assert_allclose(found["AU25"][LEFT], points[[63, 65]].mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found["AU43"][RIGHT], points[36:42].mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found["AU18"][RIGHT], points[[48, 49, 50, 57, 58, 59]].mean(axis=0), rtol=1e-5)


def test_other_schemes_are_brought_to_the_same_points(face, points):
    mesh = np.zeros((478, 2))
    mesh[list(IBUG68_FROM_MEDIAPIPE478)] = points
    dense = np.concatenate([points, np.zeros((DENSE.size - 68, 2))])
    for scheme, placed in ((MEDIAPIPE478, mesh), (DENSE, dense)):
        other = Landmarks(scheme, placed, (256, 256))
        np.testing.assert_array_equal(unit_centres(other), unit_centres(face))
        np.testing.assert_array_equal(document_centres(other), document_centres(face))
    unknown = Scheme("three", 3, (0, 1, 2), {}, {}, {}, ())
    with pytest.raises(LandmarkFileError, match="no map to ibug68"):
        unit_centres(Landmarks(unknown, np.zeros((3, 2)), (256, 256)))


def test_the_left_of_an_unmirrored_face_is_on_the_right_of_the_picture(portrait_68):
    centres = unit_centres(portrait_68)
    assert (centres[:, LEFT, 0] > centres[:, RIGHT, 0]).all()
    height = {unit: of(centres, unit)[:, 1].mean() for unit in PALSY_UNITS}
    order = ["AU43", "AU6", "AU10", "AU25", "AU26", "AU16"]
    assert sorted(order, key=height.__getitem__) == order
    assert height["AU4"] < height["AU43"] < height["AU12"] < height["AU15"]


@pytest.fixture
def portrait_68():
    """A symmetric face drawn by hand: the subject's right, mirrored for the left about x = 128."""
    right = {
        **{17: (66, 92), 18: (74, 86), 19: (86, 84), 20: (98, 86), 21: (110, 92)},
        **{36: (74, 102), 37: (82, 98), 38: (94, 98), 39: (102, 102), 40: (94, 106), 41: (82, 106)},
        **{48: (100, 180), 49: (110, 174), 50: (120, 170), 58: (120, 192), 59: (110, 188)},
        **{60: (104, 180), 61: (118, 178), 67: (118, 182)},
    }
    points = np.full((68, 2), 128.0)
    for index, (x, y) in right.items():
        points[index] = x, y
        points[IBUG68.mirror[index]] = 256 - x, y
    points[[51, 57, 62, 66], 1] = 172, 193, 178, 182
    return Landmarks(IBUG68, points, (256, 256))


def test_maps_peak_at_the_centres_and_only_the_affected_side_is_positive(portrait_68):
    labels = palsy_labels({"palsy_AU12_left": 1, "palsy_AU12_right": 0, "palsy_AU43_right": True, "palsy_AU1": 0})
    centres = unit_centres(portrait_68)
    maps = heat_maps(*tensors(centres, labels), sigma=8)
    assert maps.shape == (len(PALSY_UNITS), 2, 128, 128)
    for unit, side in ((unit, side) for unit in range(len(PALSY_UNITS)) for side in (LEFT, RIGHT)):
        found, label = maps[unit, side], labels[unit, side]
        if np.isnan(label):
            assert found.isnan().all()
            continue
        row, column = divmod(int(found.abs().argmax()), 128)
        # The pixel that the centre lies in, or on whose border.
        assert np.abs(centres[unit, side] * 128 - (column + 0.5, row + 0.5)).max() <= 0.5 + 1e-4
        assert (found.max() > 0.98 and found.min() == 0) if label else (found.min() < -0.98 and found.max() == 0)
    positive = maps.nan_to_num(0).amax((2, 3)) > 0
    assert positive.nonzero().tolist() == [[PALSY_UNITS.index("AU12"), LEFT], [PALSY_UNITS.index("AU43"), RIGHT]]


def test_a_map_by_hand():
    """A centre in the middle of pixel (30, 40), sigma 20 at 128: what lies 20 pixels off is exp(-1 / 2), 60.7 is 0.01.

    exp(-d^2 / 2 / 20^2) < 0.01 for d > 20 sqrt(2 ln 100) = 60.7.
    """
    centre = torch.tensor([[[30.5, 40.5], [30.5, 40.5]]]) / 128
    found, negative = heat_maps(centre, torch.tensor([[1.0, 0.0]]))[0]
    assert found[40, 30] == 1
    assert found[40, 50] == pytest.approx(math.exp(-0.5))
    assert found[24, 42] == pytest.approx(math.exp(-0.5))  # 12 and 16 away, 20 in all
    assert found[40, 90] == pytest.approx(math.exp(-4.5)) and found[40, 91] == 0
    assert torch.equal(negative, -found)


def test_the_spread_grows_with_the_map():
    centre = torch.full((1, 2, 2), 0.5)
    labels = torch.ones(1, 2)
    small, large = heat_maps(centre, labels, 32, 10), heat_maps(centre, labels, 96, 10)
    torch.testing.assert_close(large[..., 1::3, 1::3], small)  # the same places
    assert small[0, 0, 16, 20] == pytest.approx(math.exp(-((4.5**2 + 0.5**2) / 2 / 2.5**2)))


def test_the_mirror_exchanges_the_sides(face):
    values = {"palsy_AU12_left": 1, "palsy_AU12_right": 0, "palsy_AU2_right": 1, "palsy_AU9": 0}
    centres, labels = tensors(unit_centres(face), palsy_labels(values))
    maps = heat_maps(centres, labels, 32)
    mirrored = tensors(unit_centres(mirror_landmarks(face)))[0]
    torch.testing.assert_close(mirrored_centres(centres), mirrored)
    found = heat_maps(mirrored, mirrored_targets(labels), 32)
    wanted = maps.flatten(0, 1)[list(MIRRORED_MAPS)].flip(-1)
    torch.testing.assert_close(found.flatten(0, 1), wanted, equal_nan=True, atol=1e-5, rtol=0)
    assert [MAPS[one] for one in MIRRORED_MAPS] == mirror(labels=list(MAPS))[2]


def test_many_faces_at_once(face, portrait_68):
    centres = torch.from_numpy(np.stack([unit_centres(face), unit_centres(portrait_68)]))
    labels = torch.randint(0, 2, (2, len(PALSY_UNITS), 2)).float()
    found = heat_maps(centres, labels, 16)
    for number in range(2):
        assert torch.equal(found[number], heat_maps(centres[number], labels[number], 16))


def test_the_documents_maps_have_one_sign_and_both_gaussians(portrait_68):
    """Two Gaussians on one place make 1, not 2, and what is below 0.01 of each is nothing."""
    centres = torch.tensor([[[0.5, 0.5], [0.5, 0.5]], [[0.1, 0.5], [0.9, 0.5]]])
    found = document_maps(centres, torch.tensor([1.0, 0.0]), 128, 20)
    assert found.shape == (2, 128, 128)
    assert found[0].max() == 1
    assert -1 <= found[1].min() < -0.99
    assert torch.equal(found[0] > 0, found[0] != 0) and torch.equal(found[1] < 0, found[1] != 0)
    both = heat_maps(centres, torch.ones(2, 2))
    torch.testing.assert_close(found[0], (2 * both[0, 0]).clamp(max=1))
    torch.testing.assert_close(found[1], -(both[1, 0] + both[1, 1]))
    assert document_maps(centres, torch.tensor([1.0, torch.nan]))[1].isnan().all()
    # Somewhere within 60.7 pixels of a centre, as in the reference.
    corners = of(document_centres(portrait_68), "AU12") * 128
    places = np.moveaxis(np.mgrid[:128, :128], 0, -1)[..., ::-1] + 0.5
    near = (
        np.min([np.linalg.norm(places - corner, axis=-1) for corner in corners], axis=0)
        < 20 * (2 * math.log(100)) ** 0.5
    )
    maps = document_maps(*tensors(document_centres(portrait_68), np.ones(len(PALSY_UNITS), np.float32)))
    np.testing.assert_array_equal(of(maps, "AU12") > 0, near)


def test_labels():
    found = palsy_labels(
        {
            "palsy_AU12_left": True,
            "palsy_AU12_right": np.float32(0),
            "palsy_AU1": 0,
            "palsy_AU2_left": None,
            "palsy_AU4_right": float("nan"),
            "palsy_AU6": None,
            "palsy_AU9_right": "1",
            "strength_AU99_left": 7,
            "grade": 3,
        }
    )
    wanted = {"AU12": (1, 0), "AU1": (0, 0), "AU9": (np.nan, 1)}
    for unit, one in zip(PALSY_UNITS, found, strict=True):
        np.testing.assert_array_equal(one, wanted.get(unit, (np.nan, np.nan)), err_msg=unit)


def test_a_palsy_with_a_side_may_be_said_twice():
    assert of(palsy_labels({"palsy_AU12": 1, "palsy_AU12_left": 1}), "AU12").tolist() == [
        1,
        pytest.approx(np.nan, nan_ok=True),
    ]


def test_labels_without_a_side():
    found = sideless_labels(
        {
            "palsy_AU12": 1,
            "palsy_AU1_left": 1,
            "palsy_AU2_left": 0,
            "palsy_AU2_right": 0,
            "palsy_AU4_right": 0,
            "palsy_AU6": 0,
        }
    )
    wanted = {"AU12": 1, "AU1": 1, "AU2": 0, "AU6": 0}
    np.testing.assert_array_equal(found, [wanted.get(unit, np.nan) for unit in PALSY_UNITS])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"palsy_AU12_left": 2}, "palsy_AU12_left is 2; allowed are 0, 1, or nothing"),
        ({"palsy_AU12_left": -1}, "is -1; allowed"),
        ({"palsy_AU12_left": 0.5}, "is 0.5; allowed"),
        ({"palsy_AU12_left": "yes"}, "is 'yes'; allowed"),
        ({"palsy_AU12_left": float("inf")}, "is inf; allowed"),
        ({"palsy_AU12": 1}, "palsy_AU12 is 1 and says no side; give palsy_AU12_left and palsy_AU12_right"),
        ({"palsy_AU12": 1, "palsy_AU12_left": 0}, "palsy_AU12 is 1 and says no side;"),
        ({"palsy_AU12": 0, "palsy_AU12_left": 1}, "is 0, but palsy_AU12_left is 1 and palsy_AU12_right nan; correct"),
        ({"palsy_AU12": 1, "palsy_AU12_left": 0, "palsy_AU12_right": 0}, "is 1, but palsy_AU12_left is 0 and"),
        ({"palsy_AU5_left": 1}, r"palsy_AU5_left names no unit that has a palsy label\. .*Allowed are AU1, "),
        ({"palsy_AU12_lft": 1}, r"names no side of the subject\. Did you mean 'left'"),
    ],
)
def test_labels_that_cannot_be_are_named(labels, message):
    with pytest.raises(LabelsError, match=message):
        palsy_labels(labels)
    if "no side;" not in message:
        with pytest.raises(LabelsError, match=message):
            sideless_labels(labels)


@pytest.mark.parametrize(
    ("labels", "changes", "message"),
    [
        ([[1.0, 3.0]], {}, "A label is 3; allowed are 0, 1, and NaN"),
        ([[1.0, -torch.inf]], {}, "A label is -inf"),
        ([1.0], {}, r"shape \(1,\); these centres need \(1, 2\)"),
        ([[1.0, 0.0]], {"size": 0}, "give both above 0"),
        ([[1.0, 0.0]], {"sigma": 0}, "give both above 0"),
    ],
)
def test_maps_that_cannot_be_are_refused(labels, changes, message):
    with pytest.raises(UsageError, match=message):
        heat_maps(torch.rand(1, 2, 2), torch.tensor(labels), **changes)
