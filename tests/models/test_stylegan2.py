"""StyleGAN2: upfirdn against scipy, maps and picture by the published arithmetic restated here, the public layout."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d

from facialpalsy.errors import CheckpointError, UsageError
from facialpalsy.models.resample import binomial_kernel, resize, upfirdn2d
from facialpalsy.models.stylegan2 import StyleGAN2Generator

REDUCED = {"dim": 8, "widest": 8, "area": 64}
LINE = np.array([1.0, 3.0, 3.0, 1.0])
SMOOTH = np.outer(LINE, LINE) / 16


def layout(size, dim=512, widest=512, area=32768):
    """Names and shapes of a public generator (171 of them for 1024 pixels)."""
    channels = [min(widest, area // 2**power) for power in range(2, size.bit_length())]
    shapes = {"input.input": (1, channels[0], 4, 4)}
    for number in range(1, 9):
        shapes |= {f"style.{number}.weight": (dim, dim), f"style.{number}.bias": (dim,)}

    def modulated(name, inputs, outputs, side):
        return {
            f"{name}.weight": (1, outputs, inputs, side, side),
            f"{name}.modulation.weight": (inputs, dim),
            f"{name}.modulation.bias": (inputs,),
        }

    def styled(name, inputs, outputs, up):
        blur = {f"{name}.conv.blur.kernel": (4, 4)} if up else {}
        rest = {f"{name}.noise.weight": (1,), f"{name}.activate.bias": (outputs,)}
        return modulated(f"{name}.conv", inputs, outputs, 3) | blur | rest

    shapes |= styled("conv1", channels[0], channels[0], False) | modulated("to_rgb1.conv", channels[0], 3, 1)
    shapes |= {"to_rgb1.bias": (1, 3, 1, 1), "noises.noise_0": (1, 1, 4, 4)}
    for number, (before, here) in enumerate(pairwise(channels)):
        side = 8 * 2**number
        shapes |= styled(f"convs.{2 * number}", before, here, True) | styled(
            f"convs.{2 * number + 1}", here, here, False
        )
        shapes |= modulated(f"to_rgbs.{number}.conv", here, 3, 1)
        shapes |= {f"to_rgbs.{number}.bias": (1, 3, 1, 1), f"to_rgbs.{number}.upsample.kernel": (4, 4)}
        shapes |= {f"noises.noise_{2 * number + one}": (1, 1, side, side) for one in (1, 2)}
    return shapes


def random_generator(size, **reduced):
    """Weights in the public layout; the filters are what they always are."""
    state = {name: torch.randn(shape) for name, shape in layout(size, **reduced).items()}
    filters = {name: torch.from_numpy(SMOOTH).float() for name in state if name.endswith("kernel")}
    return state | filters


def spread(x, kernel, pad):
    """Smooth every channel of (channels, height, width) after padding."""
    return torch.stack(
        [torch.from_numpy(convolve2d(np.pad(one.numpy(), pad), kernel, mode="valid")).float() for one in x]
    )


def modulated(state, name, x, code, demodulate=True):
    """A convolution of one picture (channels, height, width) by weights made for its code."""
    weight = state[f"{name}.weight"][0]
    style = state[f"{name}.modulation.weight"] @ code / len(code) ** 0.5 + state[f"{name}.modulation.bias"]
    weight = weight / weight[0].numel() ** 0.5 * style[:, None, None]
    if demodulate:
        weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
    if f"{name}.blur.kernel" in state:
        x = torch.conv_transpose2d(x[None], weight.transpose(0, 1), stride=2)[0]
        return spread(x, SMOOTH, 1)
    return torch.conv2d(x[None], weight, padding=weight.shape[-1] // 2)[0]


def activated(x):
    return torch.where(x > 0, x, 0.2 * x) * 2**0.5


def published(state, codes):
    """Maps and picture of one row of codes (latents, dim)."""
    x, picture, maps = state["input.input"][0], None, []
    for number in range(len(codes) - 1):
        name = f"convs.{number - 1}" if number else "conv1"
        x = modulated(state, f"{name}.conv", x, codes[number])
        x = x + state[f"{name}.noise.weight"] * state[f"noises.noise_{number}"][0]
        x = activated(x + state[f"{name}.activate.bias"][:, None, None])
        if number % 2:
            continue
        maps.append(x)
        name = f"to_rgbs.{number // 2 - 1}" if number else "to_rgb1"
        added = modulated(state, f"{name}.conv", x, codes[number + 1], demodulate=False) + state[f"{name}.bias"][0]
        if picture is not None:
            zeros = torch.zeros(3, *(2 * side for side in picture.shape[1:]))
            zeros[:, ::2, ::2] = picture
            added = added + spread(zeros, SMOOTH, (2, 1))
        picture = added
    return maps, picture


@pytest.mark.parametrize(
    ("up", "down", "pad"),
    [(1, 1, (0, 0)), (2, 1, (2, 1)), (1, 2, (1, 1)), (2, 3, (0, 4)), (3, 2, (-1, 2)), (1, 1, (-2, -1))],
)
def test_upfirdn_is_scipys_convolution(up, down, pad):
    x, kernel = torch.randn(2, 3, 7, 9, dtype=torch.double), torch.randn(3, 4, dtype=torch.double)
    found = upfirdn2d(x, kernel, up, down, pad)
    for picture, channel in np.ndindex(2, 3):
        zeros = np.zeros((7 * up, 9 * up))
        zeros[::up, ::up] = x[picture, channel].numpy()
        zeros = np.pad(zeros, [tuple(max(one, 0) for one in pad)] * 2)
        before, after = (max(-one, 0) for one in pad)
        zeros = zeros[before : zeros.shape[0] - after, before : zeros.shape[1] - after]
        wanted = convolve2d(zeros, kernel.numpy(), mode="valid")[::down, ::down]
        np.testing.assert_allclose(found[picture, channel].numpy(), wanted, atol=1e-12)


@pytest.mark.parametrize(("up", "down", "pad"), [(1, 1, (1, 1)), (2, 1, (2, 1)), (2, 3, (-1, 2))])
def test_upfirdn_has_the_gradient_of_its_sum(up, down, pad):
    x = torch.randn(1, 2, 4, 5, dtype=torch.double, requires_grad=True)
    kernel = torch.randn(3, 3, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, kernel: upfirdn2d(x, kernel, up, down, pad), (x, kernel))


def test_filter_and_resizing_by_hand():
    np.testing.assert_allclose(binomial_kernel(4).numpy(), SMOOTH)
    # From corner to corner the middle of 0 and 4 is 2.
    assert resize(torch.tensor([[[[0.0, 4.0], [0.0, 4.0]]]]), 3)[0, 0].tolist() == [[0, 2, 4]] * 3


def test_it_has_the_published_size_and_layout():
    with torch.device("meta"):
        network = StyleGAN2Generator(1024)
    assert sum(one.numel() for one in network.parameters()) == 30_370_060
    assert sum(one.numel() for one in network.style.parameters()) == 8 * (512 * 512 + 512)
    assert network.channels == (512, 512, 512, 512, 512, 256, 128, 64, 32)
    assert network.latents == 18
    wanted = layout(1024)
    assert len(wanted) == 171
    assert {name: tuple(one.shape) for name, one in network.state_dict().items()} == wanted


def test_maps_and_picture_are_the_published_ones():
    state, codes = random_generator(16, **REDUCED), torch.randn(2, 6, 8)
    network = StyleGAN2Generator.from_reference(state, 16, **REDUCED)
    with torch.no_grad():
        maps, picture = network.features(codes), network(codes)
        for number, row in enumerate(codes):
            wanted, drawn = published(state, row)
            for found, one in zip(maps, wanted, strict=True):
                torch.testing.assert_close(found[number], one, atol=1e-4, rtol=1e-4)
            torch.testing.assert_close(picture[number], drawn, atol=1e-4, rtol=1e-4)
        assert [len(network.features(codes, levels)) for levels in (1, 2, 3)] == [1, 2, 3]


def test_mapping_is_the_published_one():
    state, code = random_generator(8, **REDUCED), torch.randn(3, 5, 8)
    with torch.no_grad():
        found = StyleGAN2Generator.from_reference(state, 8, **REDUCED).remap(code)
    code = code / (code.square().mean(-1, keepdim=True) + 1e-8).sqrt()
    for number in range(1, 9):
        weight, bias = (0.01 * state[f"style.{number}.{name}"] for name in ("weight", "bias"))
        code = activated(code @ weight.T / 8**0.5 + bias)
    torch.testing.assert_close(found, code)


def test_a_smaller_generator_is_the_first_part_of_a_larger_one():
    state, codes = random_generator(32, **REDUCED), torch.randn(1, 8, 8)
    whole, part = (StyleGAN2Generator.from_reference(state, size, **REDUCED) for size in (32, 16))
    with torch.no_grad():
        for found, wanted in zip(part.features(codes[:, :6]), whole.features(codes), strict=False):
            assert torch.equal(found, wanted)
    assert part.latents == 6


def test_the_weights_are_a_copy():
    state = random_generator(8, **REDUCED)
    network = StyleGAN2Generator.from_reference(state, 8, **REDUCED)
    network.input.input.data.zero_()
    assert state["input.input"].abs().min() > 0
    assert set(network.state_dict()) == set(state)


def test_without_mapping_there_is_none():
    network = StyleGAN2Generator(8, mapping=0, **REDUCED)
    assert not [name for name in network.state_dict() if name.startswith("style.")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conv1.noise.weight": None}, r"they lack conv1\.noise\.weight\. Give a file of that architecture"),
        ({"convs.0.extra": torch.ones(1)}, r"they hold unknown convs\.0\.extra"),
        ({"convs.77.noise.weight": torch.ones(1)}, r"they hold unknown convs\.77\.noise\.weight"),
        ({"input.input": torch.ones(1, 9, 4, 4)}, r"input\.input \(1, 9, 4, 4\) instead of \(1, 8, 4, 4\)"),
    ],
)
def test_weights_that_do_not_fit_are_named(change, message):
    state = random_generator(16, **REDUCED) | change
    with pytest.raises(CheckpointError, match=message):
        StyleGAN2Generator.from_reference({k: one for k, one in state.items() if one is not None}, 16, **REDUCED)


def test_a_size_that_the_weights_or_no_generator_have_is_refused():
    with pytest.raises(CheckpointError, match="make pictures of 16 pixels; 64 were asked for"):
        StyleGAN2Generator.from_reference(random_generator(16, **REDUCED), 64, **REDUCED)
    for size in (0, 4, 100):
        with pytest.raises(UsageError, match=f"generator of {size} pixels was asked for; give a power of 2 from 8"):
            StyleGAN2Generator(size)
