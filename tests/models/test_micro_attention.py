"""Micro-attention: mask, attention and map worked by hand; the cache; half precision; odd widths; alpha 0."""

import math

import pytest
import torch

from facialpalsy.errors import UsageError
from facialpalsy.models.micro_attention import (
    AsymmetryMap,
    DiagonalMicroAttention,
    LiteralAsymmetryMap,
    halves,
    neighbourhood_mask,
    whole,
)

# Of which places each place of a grid, counted by rows, is a neighbour.
NEIGHBOURS = {
    (3, 3): [
        {0, 1, 3, 4}, {0, 1, 2, 3, 4, 5}, {1, 2, 4, 5},
        {0, 1, 3, 4, 6, 7}, {0, 1, 2, 3, 4, 5, 6, 7, 8}, {1, 2, 4, 5, 7, 8},
        {3, 4, 6, 7}, {3, 4, 5, 6, 7, 8}, {4, 5, 7, 8},
    ],
    (2, 4): [{0, 1, 4, 5}, {0, 1, 2, 4, 5, 6}, {1, 2, 3, 5, 6, 7}, {2, 3, 6, 7}] * 2,
}  # fmt: skip


def one_head(alpha=0.5, compared_dim=1):
    """Attention over four channels whose queries, keys and values are its input; the map's one weight is 1."""
    attention = DiagonalMicroAttention(4, 1, compared_dim=compared_dim, asymmetry_weight=alpha)
    with torch.no_grad():
        attention.qkv.weight.copy_(torch.eye(4).repeat(3, 1))
        attention.project[0].weight.copy_(torch.eye(4))
        attention.project[0].bias.zero_()
    plain(attention.map)
    return attention


@torch.no_grad()
def plain(mapped):
    """Let the map be 1 - exp(-half the sum over channels of what differs), each place for itself."""
    for convolution in (mapped.differ, mapped.common, mapped.judge):
        torch.nn.init.zeros_(convolution.weight)
    torch.nn.init.zeros_(mapped.common.bias)
    for convolution in (mapped.differ, mapped.judge):
        count = min(convolution.weight.shape[:2])
        convolution.weight[range(count), range(count), 1, 1] = 1
    mapped.weight.fill_(math.log(math.e - 1))


def row(*values):
    """A face of one block of one row, of which the first channel has these values."""
    return torch.tensor([[value, 0.0, 0.0, 0.0] for value in values]).view(1, 1, 1, 1, len(values), 4)


@pytest.mark.parametrize("grid", list(NEIGHBOURS))
def test_the_mask_is_zero_for_neighbours_and_minus_infinity_elsewhere(grid):
    mask = neighbourhood_mask(*grid)
    for place, neighbours in enumerate(NEIGHBOURS[grid]):
        assert {other for other, value in enumerate(mask[place].tolist()) if value == 0} == neighbours
        assert set(mask[place].tolist()) <= {0.0, -math.inf}


def test_the_mask_of_8_by_8_lets_484_pairs_through():
    """What the reference document counts: 484 of 4096."""
    assert (neighbourhood_mask(8, 8) == 0).sum() == 484


def test_attention_and_map_by_hand():
    found, asymmetry = one_head()(row(1.0, 2.0, 1.0), torch.tensor([0.0, 7.0, 1.0]).view(1, 1, 1, 3))
    # The outer places differ by 1, the middle one is compared with itself; sigmoid(0) takes half.
    full = 1 - math.exp(-0.5)
    torch.testing.assert_close(asymmetry.flatten(), torch.tensor([full, 0.0, full]))
    # Logits are q k / sqrt(4). The outer places do not see each other.
    outer = (1 * math.exp(0.5) + 2 * math.exp(1)) / (math.exp(0.5) + math.exp(1))
    middle = (2 * math.exp(1) + 2 * math.exp(2)) / (2 * math.exp(1) + math.exp(2))
    wanted = torch.tensor([outer * (1 + 0.5 * full), middle, outer * (1 + 0.5 * full)])
    torch.testing.assert_close(found[..., 0].flatten(), wanted)
    assert found[..., 1:].count_nonzero() == 0


def test_alpha_zero_is_plain_attention_to_neighbours():
    attention = DiagonalMicroAttention(8, 2, asymmetry_weight=0.0)
    blocks = torch.randn(2, 2, 2, 3, 3, 8)
    found, asymmetry = attention(blocks)
    assert asymmetry.amax() > 0
    q, k, v = attention.qkv(blocks.flatten(3, 4)).chunk(3, dim=-1)
    parts = []
    for head in (slice(0, 4), slice(4, 8)):
        score = q[..., head] @ k[..., head].transpose(-1, -2) / 2
        for place, neighbours in enumerate(NEIGHBOURS[3, 3]):
            score[..., place, [other for other in range(9) if other not in neighbours]] = -1e9
        parts.append(torch.softmax(score, dim=-1) @ v[..., head])
    wanted = attention.project(torch.cat(parts, dim=-1)).view_as(blocks)
    torch.testing.assert_close(found, wanted)


def test_the_mask_is_made_once_for_a_size():
    attention = DiagonalMicroAttention(4, 1, block=3)
    first = attention.neighbours.data_ptr()
    for _ in range(2):
        attention(torch.randn(1, 1, 1, 3, 3, 4))
        assert attention.neighbours.data_ptr() == first
    attention(torch.randn(1, 1, 1, 2, 4, 4))
    assert torch.equal(attention.neighbours, neighbourhood_mask(2, 4))
    attention(torch.randn(1, 1, 1, 4, 2, 4))
    assert torch.equal(attention.neighbours, neighbourhood_mask(4, 2))
    assert "neighbours" not in attention.state_dict()


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_half_precision(kind):
    attention, blocks = DiagonalMicroAttention(8, 2, block=3), torch.randn(2, 2, 2, 3, 3, 8)
    wanted, _ = attention(blocks)
    with torch.autocast("cpu", kind):
        mixed, _ = attention(blocks)
    half, asymmetry = attention.to(kind)(blocks.to(kind))
    assert half.dtype == asymmetry.dtype == kind
    torch.testing.assert_close(mixed.float(), wanted, atol=0.02, rtol=0)
    torch.testing.assert_close(half.float(), wanted, atol=0.02, rtol=0)


def test_blocks_are_put_together_before_halves_are_compared():
    """A symmetric face is symmetric, though none of its blocks is; a difference shows at its place and its twin's."""
    half = torch.rand(1, 4, 2, 4)
    face = torch.cat([half, half.flip(2)], dim=2)
    face[0, 3, 0, 0] += 1
    blocks = face.view(1, 2, 2, 2, 2, 4).transpose(2, 3)
    attention = DiagonalMicroAttention(4, 1)
    plain(attention.map)
    _, asymmetry = attention(blocks)
    assert {tuple(place) for place in asymmetry[0, 0].nonzero().tolist()} == {(3, 0), (3, 3)}


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("width", [1, 2, 5, 8])
def test_the_map_knows_no_side(width, kind):
    mapped, features = AsymmetryMap(3).to(kind), torch.randn(2, 3, 4, width).to(kind)
    found = mapped(features)
    assert found.shape == (2, 1, 4, width)
    assert 0 <= found.amin() <= found.amax() < 1
    assert torch.equal(found, found.flip(-1))
    assert torch.equal(found, mapped(features.flip(-1)))
    assert mapped(features + features.flip(-1)).count_nonzero() == 0
    if width % 2:
        plain(mapped)
        assert mapped(features)[..., width // 2].count_nonzero() == 0


def test_halves_and_whole_of_odd_and_even_widths():
    left, right = halves(torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0]]))
    assert (left.tolist(), right.tolist()) == ([[1, 2, 3]], [[5, 4, 3]])
    assert whole(left, 5).tolist() == [[1, 2, 3, 2, 1]]
    assert whole(left[:, :2], 4).tolist() == [[1, 2, 2, 1]]


def test_the_published_map_is_one_half_with_weights_of_zero():
    mapped = LiteralAsymmetryMap(3)
    for parameter in mapped.parameters():
        torch.nn.init.zeros_(parameter)
    found = mapped(torch.zeros(1, 3, 2, 5))
    assert torch.equal(found, torch.full((1, 1, 2, 5), 0.5))


def test_an_unknown_map_is_refused():
    with pytest.raises(UsageError, match=r"asymmetry is 'litteral'\. Did you mean 'literal'\?"):
        DiagonalMicroAttention(4, 1, asymmetry="litteral")
