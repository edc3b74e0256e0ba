"""Map losses: values by hand, none where nothing is known, and a minimum where the target is."""

import math
from typing import get_args

import pytest

pytest.importorskip("torch")

import torch

from facialpalsy.training.config import MapLoss
from facialpalsy.training.map_losses import map_loss

KINDS = get_args(MapLoss)


def test_by_hand():
    """One photo, two maps of two places: the first is palsied at its left place, the second nowhere."""
    maps = torch.tensor([[[[0.5, 0.0]], [[-1.0, 1.0]]]])
    target = torch.tensor([[[[1.0, 0.0]], [[-1.0, -1.0]]]])
    assert float(map_loss(maps, target, "mse")) == pytest.approx((0.25 / 2 + 4 / 2) / 2)

    def bce(logit, truth):
        return -truth * math.log(1 / (1 + math.exp(-logit))) - (1 - truth) * math.log(1 / (1 + math.exp(logit)))

    expected = (bce(0.5, 1) + bce(0, 0.5) + bce(-1, 0) + bce(1, 0)) / 4
    assert float(map_loss(maps, target, "bce")) == pytest.approx(expected, rel=1e-5)
    # Both places belong to the first map alone: at each, the share that the softmax over the maps gives it.
    first = (math.log(1 + math.exp(-1.5)) + math.log(1 + math.exp(1.0))) / 2
    assert float(map_loss(maps, target, "cross_entropy")) == pytest.approx(first, rel=1e-5)
    wanted, given = torch.tensor([1.0, 0.0]).softmax(0), torch.tensor([0.5, 0.0]).softmax(0)
    second, seen = torch.tensor([0.5, 0.5]), torch.tensor([-1.0, 1.0]).softmax(0)
    expected = (wanted * (wanted / given).log()).sum() + (second * (second / seen).log()).sum()
    assert float(map_loss(maps, target, "kl")) == pytest.approx(float(expected) / 2, rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_known_does_not_count(kind):
    maps, target = torch.randn(3, 4, 5, 5, requires_grad=True), torch.rand(3, 4, 5, 5) * 2 - 1
    target[0], target[1, 2] = torch.nan, torch.nan
    map_loss(maps, target, kind).backward()
    assert not maps.grad[0].any() and not maps.grad[1, 2].any() and maps.grad[2].any()
    nothing = map_loss(maps, torch.full_like(target, torch.nan), kind)
    assert float(nothing) == 0 and nothing.requires_grad


@pytest.mark.parametrize("kind", KINDS)
def test_no_other_map_is_nearer(kind):
    torch.manual_seed(1)
    target = torch.rand(2, 3, 4, 4) * 1.8 - 0.9
    share = (target + 1) / 2
    best = {"mse": target, "bce": share.logit(), "cross_entropy": share.log(), "kl": target}[kind]
    least = float(map_loss(best, target, kind))
    for _ in range(20):
        assert float(map_loss(best + 0.3 * torch.randn_like(best), target, kind)) > least
