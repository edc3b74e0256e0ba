"""Face finder: places by hand, sizes, and a gradient everywhere."""

import pytest
import torch

from facialpalsy.errors import UsageError
from facialpalsy.face import FACE6
from facialpalsy.models.face_finder import POINTS, FaceFinderSpec, centre_of

SPEC = FaceFinderSpec(image_size=48, widths=(4, 8, 8, 8), layers=(1, 1, 1))


def test_its_points_are_those_of_the_scheme():
    assert FACE6.size == POINTS


def test_where_the_maps_say_nothing_points_lie_at_their_place():
    """Places are 4 pixels apart, the first 2 from the border."""
    network = SPEC.network().eval()
    torch.nn.init.zeros_(network.maps.weight)
    torch.nn.init.zeros_(network.maps.bias)
    with torch.no_grad():
        found = network(torch.rand(1, 3, 48, 64))
    assert found.faces.shape == (1, 12, 16) and (found.faces == 0.5).all()
    assert found.points.shape == (1, POINTS, 2, 12, 16)
    torch.testing.assert_close(found.points[0, 3, :, 2, 5], torch.tensor([22.0, 10.0]))


def test_the_centre_lies_between_the_outer_canthi_and_the_corners_of_the_mouth():
    points = torch.tensor([[10.0, 4], [30, 4], [15, 4], [25, 4], [14, 24], [26, 28]])
    torch.testing.assert_close(centre_of(points), torch.tensor([20.0, 15.0]))


def test_every_parameter_has_a_gradient():
    network = SPEC.network().train()
    faces, points = network(torch.rand(2, 3, 48, 48))
    (faces.sum() + points.square().sum()).backward()
    assert [name for name, one in network.named_parameters() if one.grad is None or not one.grad.any()] == []


def test_the_configuration_travels_as_plain_values():
    assert FaceFinderSpec.from_dict(SPEC.to_dict()) == SPEC
    with pytest.raises(UsageError, match=r"The face finder has no setting 'sizes'"):
        FaceFinderSpec.from_dict({"sizes": 3})


def test_impossible_sizes_are_named():
    with pytest.raises(UsageError, match="image_size is 100; it is a multiple of 16"):
        FaceFinderSpec(image_size=100).network()
