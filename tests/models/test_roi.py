"""Regions of interest: the prior by hand, what the background keeps, where maps begin, and the mirror's order."""

import pytest
import torch

from facialpalsy.errors import UsageError
from facialpalsy.models.roi import MIRRORED_REGIONS, REGIONS, FacialROIModule, facial_prior


def test_facial_prior_by_hand():
    edge = 1 - 0.5 / 2**0.5
    wanted = torch.tensor([[0.5, edge, 0.5], [edge, 1.0, edge], [0.5, edge, 0.5]])
    torch.testing.assert_close(facial_prior(3), wanted)
    assert facial_prior(2).tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert facial_prior(1).tolist() == [[1.0]]


@pytest.mark.parametrize("grid", [16, 31, 32])
def test_facial_prior_is_centred_exactly(grid):
    prior = facial_prior(grid)
    assert torch.equal(prior, prior.flip(-1))
    assert torch.equal(prior, prior.flip(0))
    assert prior.amin() == 0.5


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_of_the_background_passes_its_share_alone(share):
    module = FacialROIModule(8, grid=4, background_share=share)
    torch.nn.init.zeros_(module.face.weight)
    torch.nn.init.constant_(module.face.bias, -1000.0)
    features = torch.randn(2, 8, 4, 4)
    out, _, mask = module(features)
    assert mask.count_nonzero() == 0
    assert torch.equal(out, features * share)


def test_shapes_and_ranges():
    out, maps, mask = FacialROIModule(8, 3, grid=6)(torch.randn(2, 8, 6, 6))
    assert (out.shape, maps.shape, mask.shape) == ((2, 8, 6, 6), (2, 3, 6, 6), (2, 1, 6, 6))
    assert 0 < maps.amin() < maps.amax() < 1
    assert (mask <= facial_prior(6)).all()


def blank(grid=4):
    """A module that has learnt nothing: its maps are its prior."""
    module = FacialROIModule(8, grid=grid)
    torch.nn.init.zeros_(module.regions.weight)
    torch.nn.init.zeros_(module.regions.bias)
    return module


def test_maps_begin_at_the_prior_handed_in():
    module, features = blank(), torch.randn(1, 8, 4, 4)
    torch.testing.assert_close(module(features)[1], torch.full((1, 5, 4, 4), 0.5))
    shares = torch.rand(5, 4, 4) * 0.9 + 0.05
    shares[0, 0] = torch.tensor([0.0, 1.0, 0.0, 1.0])
    module.set_prior(shares)
    torch.testing.assert_close(module(features)[1][0], shares.clamp(1e-3, 1 - 1e-3))
    assert "prior" in module.state_dict()
    with pytest.raises(UsageError, match=r"has the shape \(5, 4\); make it \(5, 4, 4\)"):
        module.set_prior(shares[0, :, :].new_zeros(5, 4))


def test_the_mirror_exchanges_the_eyes():
    exchanged = [REGIONS[index] for index in MIRRORED_REGIONS]
    assert exchanged == ["forehead", "right_eye", "left_eye", "nose", "mouth"]
    assert [MIRRORED_REGIONS[index] for index in MIRRORED_REGIONS] == list(range(5))
    module, half = blank(), torch.rand(5, 4, 4) * 0.9 + 0.05
    shares = (half + half[list(MIRRORED_REGIONS)].flip(-1)) / 2
    module.set_prior(shares)
    maps = module(torch.randn(1, 8, 4, 4))[1]
    torch.testing.assert_close(maps[:, list(MIRRORED_REGIONS)].flip(-1), maps)


@pytest.mark.parametrize(("regions", "share"), [(0, 0.1), (5, -0.1), (5, 1.1)])
def test_impossible_settings_are_refused(regions, share):
    with pytest.raises(UsageError, match="give at least one region and a share from 0 to 1"):
        FacialROIModule(8, regions, grid=4, background_share=share)
