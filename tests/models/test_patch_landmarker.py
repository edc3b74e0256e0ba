"""Patch landmarker: places and spreads of maps in pixels by hand, sizes, and a gradient everywhere."""

import pytest
import torch

from facialpalsy.errors import UsageError
from facialpalsy.models.landmarker import pixel_spreads, pixels
from facialpalsy.models.patch_landmarker import PatchLandmarkerSpec

SPEC = PatchLandmarkerSpec(columns=64, rows=48, points=5, widths=(4, 8, 8, 8), layers=(1, 1, 1))


def test_the_place_and_the_spread_of_a_map_by_hand():
    """Places of a map are 4 pixels apart, the first 2 from the border; each axis has half of a squared distance."""
    maps = torch.zeros(1, 2, 6, 4)
    maps[0, 0, 1, 2] = 1
    maps[0, 1, 3, 0] = maps[0, 1, 3, 1] = 0.5
    torch.testing.assert_close(pixels(maps), torch.tensor([[[10.0, 6.0], [4.0, 14.0]]]))
    torch.testing.assert_close(pixel_spreads(maps), torch.tensor([[0.0, 2 / 2**0.5]]))


def test_points_lie_in_the_patch_and_factors_widen_what_is_unsure():
    network, images = SPEC.network().eval(), torch.rand(3, 3, 48, 64)
    with torch.no_grad():
        found = network(images)
        network.factors.fill_(3)
        wider = network(images)
    assert found.points.shape == (3, 5, 2) and found.sigma.shape == found.covered.shape == (3, 5)
    assert (found.points > 0).all() and (found.points[..., 0] < 64).all() and (found.points[..., 1] < 48).all()
    torch.testing.assert_close(wider.sigma, 3 * found.sigma)
    torch.testing.assert_close(wider.points, found.points)


def test_every_parameter_has_a_gradient():
    network = SPEC.network().train()
    found = network(torch.rand(2, 3, 48, 64))
    (found.points.square().sum() + found.covered.square().sum()).backward()
    assert [name for name, one in network.named_parameters() if one.grad is None or not one.grad.any()] == []


def test_the_configuration_travels_as_plain_values():
    assert PatchLandmarkerSpec.from_dict(SPEC.to_dict()) == SPEC
    with pytest.raises(UsageError, match=r"patch landmarker has no setting 'row'\. Did you mean 'rows'?"):
        PatchLandmarkerSpec.from_dict({**SPEC.to_dict(), "row": 3})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": 40}, "Patches of 64 by 40 pixels were asked for; both are multiples of 16"),
        ({"points": 0}, "The patch landmarker's points is 0"),
    ],
)
def test_impossible_sizes_are_named(changes, message):
    with pytest.raises(UsageError, match=message):
        PatchLandmarkerSpec.from_dict({**SPEC.to_dict(), **changes}).network()


def test_what_covers_a_point_is_asked_where_the_point_may_be():
    """Half of the map lies where the log-odds are 2, half where they are -4."""
    network = SPEC.network().eval()
    network.covers = torch.nn.Identity()
    features, maps = torch.zeros(1, 5, 6, 4), torch.zeros(1, 5, 6, 4)
    features[..., 0], features[..., 3] = 2, -4
    maps[..., 2, 0] = maps[..., 4, 3] = 0.5
    torch.testing.assert_close(network.cover_of(features, maps), torch.full((1, 5), -1.0))
