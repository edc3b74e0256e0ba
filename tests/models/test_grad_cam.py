"""Grad-CAM and rollout: maps worked out by hand, and the laws they keep."""

import pytest
import torch
from torch import nn

from facialpalsy.errors import UsageError
from facialpalsy.models.grad_cam import (
    attention_rollout,
    attentions,
    flip_averaged,
    grad_cam,
    rollout,
    vit_grad_cam,
)
from facialpalsy.models.vit import RecogniserSpec

SPEC = RecogniserSpec(image_size=32, patch_size=8, dim=16, depth=3, heads=2, mlp_mult=2, dropout=0.0)
PICTURE = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]])


class Classifier(nn.Module):
    """Two maps A1 = x and A2 = 2 x - 4; scores mean(A1)^2 - mean(A2) and mean(A2) / 2."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1)
        with torch.no_grad():
            self.conv.weight.copy_(torch.tensor([1.0, 2.0]).view(2, 1, 1, 1))
            self.conv.bias.copy_(torch.tensor([0.0, -4.0]))

    def forward(self, images):
        first, second = self.conv(images).mean((2, 3)).unbind(1)
        return torch.stack([first**2 - second, second / 2], dim=1)


@pytest.fixture
def regressor():
    """Three heat maps from eight channels."""
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 3, padding=1)).eval()


@pytest.fixture
def vit():
    network = SPEC.trunk().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(std=0.3)
    return network


def test_a_classifier_by_hand():
    """The mean of A1 is 3 and Z is 4, so the gradients of the first score are 2 * 3 / 4 for A1 and -1 / 4 for A2.

    Its map is relu(1.5 x - (2 x - 4) / 4) = relu(x + 1); that of the second relu((2 x - 4) / 8) = relu((x - 2) / 4).
    """
    network = Classifier()
    assert grad_cam(network, network.conv, PICTURE, 0)[0, 0].tolist() == [[2, 3], [4, 7]]
    assert grad_cam(network, network.conv, PICTURE, 1)[0, 0].tolist() == [[0, 0], [0.25, 1]]


def test_each_photo_may_have_its_own_target():
    network = Classifier()
    found = grad_cam(network, network.conv, torch.cat([PICTURE, PICTURE]), [1, 0])
    assert found[:, 0].tolist() == [[[0, 0], [0.25, 1]], [[2, 3], [4, 7]]]


def test_maps_are_as_large_as_the_photo():
    """One place of a layer that sees the photo at half its size is 2 x 2 pixels, and between places it is linear."""
    network = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(1, 1, 1), nn.Flatten(), nn.Linear(4, 1))
    with torch.no_grad():
        network[1].weight.fill_(1)
        network[1].bias.zero_()
        network[3].weight.fill_(1)
    images = PICTURE.repeat_interleave(2, 2).repeat_interleave(2, 3)
    found = grad_cam(network, network[1], images, 0)
    assert found.shape == images.shape
    assert found[0, 0, 0].tolist() == [1, 1.25, 1.75, 2]
    assert found[0, 0, :, 3].tolist() == [2, 3, 5, 6]


@pytest.mark.parametrize("target", [0, 1, 2])
def test_on_the_output_itself_it_is_the_rectified_heat_map(regressor, target):
    """The score is the mean of 16 x 16 places, so that is the constant."""
    images = torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        wanted = regressor(images)[:, target].relu() / 256
    torch.testing.assert_close(grad_cam(regressor, regressor[2], images, target)[:, 0], wanted)


def test_before_the_output_it_is_another_map(regressor):
    images = torch.randn(1, 3, 16, 16)
    found = grad_cam(regressor, regressor[1], images, 0)
    assert found.shape == (1, 1, 16, 16)
    output = grad_cam(regressor, regressor[2], images, 0)
    assert torch.corrcoef(torch.stack([found.flatten(), output.flatten()]))[0, 1] < 0.99


def test_a_network_without_gradients_is_explained_too(regressor):
    images = torch.randn(1, 3, 16, 16)
    wanted = grad_cam(regressor, regressor[1], images, 0)
    regressor.requires_grad_(False)
    with torch.no_grad():
        found = grad_cam(regressor, regressor[1], images, 0)
    assert torch.equal(found, wanted)
    assert not found.requires_grad


def test_a_vit_by_its_formula(vit):
    """What the second of three layers gives, by plain autograd: 16 places after the class token."""
    kept = {}
    hook = vit.vit.blocks[1].register_forward_hook(lambda _layer, _given, tokens: kept.update(tokens=tokens))
    images = torch.rand(2, 3, 32, 32)
    logits = vit(images)
    hook.remove()
    gradient = torch.autograd.grad(logits[:, 1].sum(), kept["tokens"])[0][:, 1:].mean(1, keepdim=True)
    small = (gradient * kept["tokens"][:, 1:]).sum(2).relu().reshape(2, 1, 4, 4)
    wanted = nn.functional.interpolate(small, (32, 32), mode="bilinear")
    assert wanted.any()
    torch.testing.assert_close(vit_grad_cam(vit, images, 1), wanted)


def test_other_weights_give_another_map(vit):
    images = torch.rand(1, 3, 32, 32)
    before = vit_grad_cam(vit, images, 1).flatten(), attention_rollout(vit, images).flatten()
    with torch.no_grad():
        for parameter in vit.vit.blocks.parameters():
            parameter.normal_(std=0.3)
    after = vit_grad_cam(vit, images, 1).flatten(), attention_rollout(vit, images).flatten()
    for one, other in zip(before, after, strict=True):
        assert torch.corrcoef(torch.stack([one, other]))[0, 1] < 0.9


def test_rollout_by_hand():
    """Two tokens, two layers, two heads whose mean is what counts.

    First layer: mean [[1, 0], [0.5, 0.5]], with itself [[1, 0], [0.25, 0.75]]. Second: mean [[0, 1], [0, 1]], with
    itself [[0.5, 0.5], [0, 1]]. Their product, the second on the left, is [[0.625, 0.375], [0.25, 0.75]].
    """
    first = torch.tensor([[[[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]]])
    second = torch.tensor([[[[0.0, 1.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]]])
    assert rollout([first, second]).tolist() == [[[0.625, 0.375], [0.25, 0.75]]]


def test_rows_of_rollout_sum_to_one(vit):
    layers = attentions(vit, torch.rand(2, 3, 32, 32))
    assert [one.shape for one in layers] == [(2, 2, 17, 17)] * 3
    for one in (*layers, rollout(layers)):
        torch.testing.assert_close(one.sum(-1), torch.ones(one.shape[:-1]))
        assert one.min() >= 0


def test_attention_is_that_of_the_network(vit):
    """As the layers compute it when they are told to keep the matrix."""
    images, wanted = torch.rand(2, 3, 32, 32), []
    found = attentions(vit, images)
    for block in vit.vit.blocks:
        block.attn.fused_attn = False
        block.attn.attn_drop.register_forward_hook(lambda _layer, _given, matrix: wanted.append(matrix))
    with torch.no_grad():
        vit(images)
    torch.testing.assert_close(torch.stack(found), torch.stack(wanted))


def test_attention_to_everything_alike_rolls_out_evenly(vit):
    """Each of 3 layers is (U + I) / 2 with U = 1 / 17 everywhere, so the rest of I after them, 1 / 8, is not spread."""
    with torch.no_grad():
        for block in vit.vit.blocks:
            block.attn.qkv.weight.zero_()
            block.attn.qkv.bias.zero_()
    found = attention_rollout(vit, torch.rand(2, 3, 32, 32))
    torch.testing.assert_close(found, torch.full((2, 1, 32, 32), (1 - 1 / 8) / 17))


@pytest.mark.parametrize("explain", [attention_rollout, lambda vit, images: vit_grad_cam(vit, images, 1)])
def test_mirrored_photos_have_mirrored_maps(vit, explain):
    images = torch.rand(2, 3, 32, 32)

    def plain(photos):
        return explain(vit, photos)

    assert not torch.allclose(plain(images.flip(-1)), plain(images).flip(-1), atol=1e-5)
    found, mirrored = flip_averaged(plain, images), flip_averaged(plain, images.flip(-1))
    torch.testing.assert_close(mirrored, found.flip(-1), atol=1e-6, rtol=0)


@pytest.mark.parametrize("target", [2, -1, [0, 1]])
def test_a_target_that_there_is_not_is_refused(target):
    network = Classifier()
    with pytest.raises(UsageError, match=r"for 1 photos; give one number from 0 to 1"):
        grad_cam(network, network.conv, PICTURE, target)


def test_a_layer_without_a_grid_is_refused(vit):
    with pytest.raises(UsageError, match=r"The layer Block gives 3 dimensions; .* or `vit_grad_cam`"):
        grad_cam(vit, vit.vit.blocks[1], torch.rand(1, 3, 32, 32), 1)


def test_a_vit_of_one_layer_is_refused():
    with pytest.raises(UsageError, match="a single layer"):
        vit_grad_cam(RecogniserSpec(32, 8, 16, 1, 2).trunk(), torch.rand(1, 3, 32, 32), 1)
