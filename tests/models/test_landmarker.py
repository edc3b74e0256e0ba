"""Landmarker: places of maps by hand, the mirror exactly, sizes, and a gradient everywhere."""

import pytest
import torch

from facialpalsy.errors import UsageError
from facialpalsy.models.landmarker import PRESETS, Landmarker, LandmarkerSpec, OrderedLandmarker, places, spreads

PAIRS, MIDDLE = 3, 2


def make(**changes):
    return Landmarker(PAIRS, MIDDLE, **{"widths": (4, 8, 8, 8), "layers": (1, 1, 1), **changes}).eval()


def test_the_place_of_a_map_by_hand():
    """A half is two thirds of the picture: 6 rows and 4 columns, a third of the way right and 1 of 6 down."""
    maps = torch.zeros(1, 2, 6, 4)
    maps[0, 0, 1, 2] = 1
    maps[0, 1, 0, 0] = maps[0, 1, 3, 1] = 0.5
    wanted = torch.tensor([[[2.5 / 4 * 2 / 3, 1.5 / 6], [1 / 4 * 2 / 3, 2 / 6]]])
    torch.testing.assert_close(places(maps), wanted)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_points_of_the_mirrored_picture_are_the_mirrored_points(kind):
    network, images = make().to(kind), torch.rand(2, 3, 96, 96).to(kind)
    with torch.no_grad():
        found, mirrored = network(images), network(images.flip(-1))
    assert found.shape == (2, 2 * PAIRS + MIDDLE, 2) and found.dtype == torch.float32
    order = [3, 4, 5, 0, 1, 2, 6, 7]
    torch.testing.assert_close(mirrored[..., 1], found[:, order, 1], atol=1e-6, rtol=0)
    torch.testing.assert_close(mirrored[..., 0], 1 - found[:, order, 0], atol=1e-6, rtol=0)
    assert (mirrored - found).abs().max() > 1e-4


def test_a_symmetric_picture_has_symmetric_points(symmetric):
    with torch.no_grad():
        found = make()(symmetric(2, 48))
    assert torch.equal(found[:, :3, 1], found[:, 3:6, 1])
    torch.testing.assert_close(found[:, :3, 0], 1 - found[:, 3:6, 0], atol=1e-7, rtol=0)
    torch.testing.assert_close(found[:, 6:, 0], torch.full((2, 2), 0.5), atol=1e-7, rtol=0)


def test_what_one_side_does_moves_the_points_of_that_side_alone():
    """The right twelfth of the picture lies beyond what the left half and its strip see."""
    network, image = make(), torch.rand(1, 3, 96, 96)
    other = image.clone()
    other[..., -8:] = 0
    with torch.no_grad():
        found, changed = network(image), network(other)
    assert torch.equal(found[:, :PAIRS], changed[:, :PAIRS])
    assert not torch.equal(found[:, PAIRS : 2 * PAIRS], changed[:, PAIRS : 2 * PAIRS])


def test_every_parameter_has_a_gradient():
    network = make().train()
    network(torch.rand(2, 3, 48, 48)).square().sum().backward()
    missing = [name for name, one in network.named_parameters() if one.grad is None or not one.grad.any()]
    assert missing == []


def test_the_shipped_size_is_small():
    parameters = PRESETS["small"].network().parameters()
    assert sum(one.numel() for one in parameters) <= 1_000_000


def test_the_configuration_travels_as_plain_values():
    for spec in PRESETS.values():
        assert LandmarkerSpec.from_dict(spec.to_dict()) == spec
    with pytest.raises(UsageError, match=r"landmarker has no setting 'pears'\. Did you mean 'pairs'?"):
        LandmarkerSpec.from_dict({"pears": 3})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: make()(torch.rand(1, 3, 100, 100)), "The pictures are 100 pixels wide; points are found at multiples"),
        (
            lambda: LandmarkerSpec(image_size=200).network(),
            "image_size is 200; points are found at multiples of 48: take 192",
        ),
        (lambda: Landmarker(0, 1), "0 pairs of points were asked for; give at least one"),
        (lambda: make(widths=(4, 8)), r"widths \(4, 8\).* four widths"),
    ],
)
def test_impossible_sizes_are_named(wrong, message):
    with pytest.raises(UsageError, match=message):
        wrong()


def test_the_spread_of_a_map_by_hand():
    """Two places a fourth of the half apart across: each is an eighth of the half off, in one of two coordinates."""
    maps = torch.zeros(1, 2, 6, 4)
    maps[0, 0, 1, 2] = 1
    maps[0, 1, 3, 0] = maps[0, 1, 3, 1] = 0.5
    torch.testing.assert_close(spreads(maps), torch.tensor([[0.0, 2 / 3 / 8 / 2**0.5]]))


def ordered():
    """With the points of a scheme that has the midline first, then the left half's, then the right half's."""
    return OrderedLandmarker(make(), [2, 3, 4, 5, 6, 7, 0, 1], torch.arange(1.0, 9.0)).eval()


def test_points_come_in_the_order_of_the_scheme():
    network, images = ordered(), torch.rand(2, 3, 96, 96)
    with torch.no_grad():
        found = network(images)
        halves = network.landmarker.heat_maps(images)
        plain = network.landmarker.points_of(*(places(one) for one in halves))
        left = spreads(halves[0])
    torch.testing.assert_close(found.points, plain[:, [6, 7, 0, 1, 2, 3, 4, 5]])
    torch.testing.assert_close(found.sigma[:, 2:5], left[:, :3] * torch.tensor([3.0, 4.0, 5.0]))


def test_a_mirrored_picture_is_as_sure_on_the_other_side():
    network, images = ordered(), torch.rand(2, 3, 96, 96)
    network.factors.fill_(1)
    with torch.no_grad():
        found, mirrored = network(images), network(images.flip(-1))
    swap = [0, 1, 5, 6, 7, 2, 3, 4]
    torch.testing.assert_close(mirrored.sigma, found.sigma[:, swap])
    torch.testing.assert_close(mirrored.points[..., 0], 1 - found.points[:, swap, 0])
    torch.testing.assert_close(mirrored.points[..., 1], found.points[:, swap, 1])
