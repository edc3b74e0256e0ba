"""Pyramid: c_i = C_i(c_{i-1} + f_i) restated here, its published size, which maps are read, and what is not allowed."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from facialpalsy.errors import CheckpointError, UsageError
from facialpalsy.models.pyramid import STAGES, PyramidInterpreter, stage_levels

# Four resolutions, of which the last is shrunk to 16 pixels.
CHANNELS, SIDE, POINTS = (6, 6, 5, 4), 16, 3


def random_state(points=POINTS):
    """Weights by the published names: layer0 ... with an upsampling first while the side is not reached."""
    state, widths = {}, [*CHANNELS[1:], CHANNELS[-1]]
    for level, (inputs, width) in enumerate(zip(CHANNELS, widths, strict=True)):
        name, first = f"layer{level}", int(4 * 2**level < SIDE)
        size = 5 if level else 3
        state[f"{name}.{first}.weight"] = torch.randn(width, inputs, size, size) / 5
        state[f"{name}.{first}.bias"] = torch.randn(width)
        for part in ("weight", "bias", "running_mean", "running_var"):
            state[f"{name}.{first + 3}.{part}"] = torch.rand(width) + 0.5
        state[f"{name}.{first + 3}.num_batches_tracked"] = torch.tensor(1)
    state["layer3.4.weight"], state["layer3.4.bias"] = torch.randn(points, CHANNELS[-1], 5, 5), torch.randn(points)
    return state


def random_features(batch=2):
    return [torch.randn(batch, width, 4 << level, 4 << level) for level, width in enumerate(CHANNELS)]


def published(state, features, reads):
    """Heat maps; maps that are not read count as zeros, blocks before the first that is read as none."""
    c = 0
    for level, f in enumerate(features):
        if level < reads[0]:
            continue
        name, grows = f"layer{level}", 4 * 2**level < SIDE
        if f.shape[-1] > SIDE:
            f = F.interpolate(f, (SIDE, SIDE), mode="bilinear", align_corners=True)
        c = c + f * (level in reads)
        if grows:
            c = F.interpolate(c, scale_factor=2, mode="bilinear", align_corners=True)
        weight, bias = state[f"{name}.{int(grows)}.weight"], state[f"{name}.{int(grows)}.bias"]
        c = torch.conv2d(c, weight, bias, padding=weight.shape[-1] // 2).clamp(min=0)
        place = f"{name}.{3 + grows}"
        mean, variance, gain, shift = (
            state[f"{place}.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias")
        )
        c = (c - mean) / (variance + 1e-5).sqrt() * gain + shift
    return torch.conv2d(c, state["layer3.4.weight"], state["layer3.4.bias"], padding=2)


@pytest.mark.parametrize(("points", "count"), [(8, 26_411_784), (32, 26_431_008)])
def test_it_has_the_published_size(points, count):
    sides = [4 << level for level in range(9)]
    with torch.device("meta"):
        network = PyramidInterpreter(points)
        maps = network([torch.empty(1, layer, side, side) for layer, side in zip(
            (512, 512, 512, 512, 512, 256, 128, 64, 32), sides, strict=True
        )])  # fmt: skip
    assert sum(one.numel() for one in network.parameters()) == count
    assert maps.shape == (1, points, 128, 128)
    assert (network.last_convolution.in_channels, network.last_convolution.out_channels) == (32, 32)


def test_heat_maps_are_the_published_ones():
    state, features = random_state(), random_features()
    network = PyramidInterpreter.from_reference(state, POINTS, channels=CHANNELS, side=SIDE).eval()
    with torch.no_grad():
        torch.testing.assert_close(network(features), published(state, features, range(4)), atol=1e-4, rtol=1e-4)
    kept = network.state_dict()
    assert all(torch.equal(kept[name.replace("layer", "layers.")], one) for name, one in state.items())


@pytest.mark.parametrize(("stages", "reads"), [("early", [0]), ("middle", [1, 2]), ("late", [3])])
def test_a_stage_reads_its_maps_alone(stages, reads):
    state, features = random_state(), random_features()
    ours = {name: one for name, one in state.items() if int(name[5]) >= reads[0]}
    network = PyramidInterpreter.from_reference(ours, POINTS, channels=CHANNELS, side=SIDE, stages=stages).eval()
    with torch.no_grad():
        found = network(features)
        torch.testing.assert_close(found, published(state, features, reads), atol=1e-4, rtol=1e-4)
        for level in set(range(4)) - set(reads):
            features[level] = torch.randn_like(features[level])
        assert torch.equal(network(features), found)
    assert list(network.reads) == reads


@pytest.mark.parametrize("levels", [3, 6, 7, 9])
def test_stages_share_out_the_maps(levels):
    parts = [list(stage_levels(stages, levels)) for stages in STAGES[1:]]
    assert all(parts)
    assert [*parts[0], *parts[1], *parts[2]] == list(stage_levels("all", levels)) == list(range(levels))


def test_the_published_stages():
    # 4 to 16, 32 to 128, 256 to 1024 pixels.
    assert [list(stage_levels(stages, 9)) for stages in STAGES[1:]] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


@pytest.mark.parametrize("stages", STAGES)
def test_every_parameter_has_a_gradient(stages):
    network = PyramidInterpreter(POINTS, CHANNELS, side=SIDE, stages=stages, dropout=0)
    network(random_features()).square().mean().backward()
    assert all(one.grad.abs().sum() > 0 for one in network.parameters())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layer1.4.bias": None}, r"of a pyramid interpreter of 3 heat maps: they lack layers\.1\.4\.bias"),
        ({"layer9.0.bias": torch.ones(1)}, r"they hold unknown layers\.9\.0\.bias"),
        ({"layer3.4.bias": torch.ones(32)}, r"layers\.3\.4\.bias \(32,\) instead of \(3,\)"),
    ],
)
def test_weights_that_do_not_fit_are_named(change, message):
    state = {name: one for name, one in (random_state() | change).items() if one is not None}
    with pytest.raises(CheckpointError, match=message):
        PyramidInterpreter.from_reference(state, POINTS, channels=CHANNELS, side=SIDE)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"points": 0}, "0 heat maps were asked for"),
        ({"channels": (8, 8)}, "maps of 2 resolutions were given; there must be 3"),
        ({"dropout": 1.0}, "dropout is 1.0; give a share"),
        ({"kernel": 4}, "kernel is 4; give an odd number"),
        ({"stages": "erly"}, "stages is 'erly'. Did you mean 'early'"),
        ({"side": 100}, "Heat maps of 100 pixels were asked for; give a power of 2 from 4 to 1024"),
        ({"side": 2048}, "from 4 to 1024, the side of the generator's largest map"),
    ],
)
def test_values_that_are_not_allowed(values, message):
    with pytest.raises(UsageError, match=message):
        PyramidInterpreter(**{"points": 2, **values})
