"""pSp: codes by the published arithmetic restated here, the public layout, and what does not fit it."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from facialpalsy.errors import CheckpointError, UsageError
from facialpalsy.models.psp import PspEncoder

CHANNELS, UNITS, LATENTS = (4, 6, 6, 8), (1, 2, 1, 2), 9
REDUCED = {"image_size": 64, "dim": 5, "channels": CHANNELS, "units": UNITS}


def norm(name, channels):
    parts = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{part}": (channels,) for part in parts} | {f"{name}.num_batches_tracked": ()}


def layout(latents=18, image_size=256, dim=512, channels=(64, 128, 256, 512), units=(3, 4, 14, 3)):
    """Names and shapes of a public encoder (621 of them for 18 codes)."""
    shapes = {"input_layer.0.weight": (channels[0], 3, 3, 3), **norm("input_layer.1", channels[0])}
    shapes["input_layer.2.weight"] = (channels[0],)
    number, inputs = 0, channels[0]
    for width, count in zip(channels, units, strict=True):
        for _ in range(count):
            name, squeezed = f"body.{number}", max(width // 16, 4)
            if inputs != width:
                shapes[f"{name}.shortcut_layer.0.weight"] = (width, inputs, 1, 1)
                shapes |= norm(f"{name}.shortcut_layer.1", width)
            shapes |= norm(f"{name}.res_layer.0", inputs) | norm(f"{name}.res_layer.4", width)
            shapes[f"{name}.res_layer.1.weight"] = (width, inputs, 3, 3)
            shapes[f"{name}.res_layer.2.weight"] = (width,)
            shapes[f"{name}.res_layer.3.weight"] = (width, width, 3, 3)
            shapes[f"{name}.res_layer.5.fc1.weight"] = (squeezed, width, 1, 1)
            shapes[f"{name}.res_layer.5.fc2.weight"] = (width, squeezed, 1, 1)
            number, inputs = number + 1, width
    wide, side = channels[3], image_size // 16
    for code in range(latents):
        convs = side.bit_length() - 1 + (0 if code < 3 else 1 if code < 7 else 2)
        for place in range(convs):
            shapes[f"styles.{code}.convs.{2 * place}.weight"] = (wide, wide, 3, 3)
            shapes[f"styles.{code}.convs.{2 * place}.bias"] = (wide,)
        shapes |= {f"styles.{code}.linear.weight": (dim, wide), f"styles.{code}.linear.bias": (dim,)}
    for number, width in ((1, channels[2]), (2, channels[1])):
        shapes |= {f"latlayer{number}.weight": (wide, width, 1, 1), f"latlayer{number}.bias": (wide,)}
    return shapes


def random_encoder(latents=LATENTS, **reduced):
    """Weights in the public layout."""
    state = {name: torch.randn(shape) / 2 for name, shape in layout(latents, **reduced).items()}
    for name, tensor in state.items():
        if name.endswith("running_var"):
            tensor.abs_().add_(0.5)
        elif name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(7)
    return state


def published(state, image):
    """Codes before the average is added."""

    def normed(x, name):
        mean, variance, weight, bias = (
            state[f"{name}.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (variance + 1e-5).sqrt() * weight + bias

    def bent(x, name):
        return torch.where(x > 0, x, x * state[f"{name}.weight"][:, None, None])

    x = bent(normed(torch.conv2d(image, state["input_layer.0.weight"], padding=1), "input_layer.1"), "input_layer.2")
    number, maps = 0, []
    for count in UNITS:
        for unit in range(count):
            name, stride = f"body.{number}", 1 if unit else 2
            shortcut = x[:, :, ::stride, ::stride]
            if f"{name}.shortcut_layer.0.weight" in state:
                shortcut = torch.einsum("bchw,oc->bohw", shortcut, state[f"{name}.shortcut_layer.0.weight"][..., 0, 0])
                shortcut = normed(shortcut, f"{name}.shortcut_layer.1")
            x = torch.conv2d(normed(x, f"{name}.res_layer.0"), state[f"{name}.res_layer.1.weight"], padding=1)
            x = bent(x, f"{name}.res_layer.2")
            x = torch.conv2d(x, state[f"{name}.res_layer.3.weight"], stride=stride, padding=1)
            x = normed(x, f"{name}.res_layer.4")
            squeezed = (x.mean((2, 3)) @ state[f"{name}.res_layer.5.fc1.weight"][..., 0, 0].T).clamp(min=0)
            x = x * torch.sigmoid(squeezed @ state[f"{name}.res_layer.5.fc2.weight"][..., 0, 0].T)[..., None, None]
            x, number = x + shortcut, number + 1
        maps.append(x)
    coarse, below = maps[3], [maps[2], maps[1]]
    levels = [coarse]
    for number, one in enumerate(below, start=1):
        lateral = torch.conv2d(one, state[f"latlayer{number}.weight"], state[f"latlayer{number}.bias"])
        levels.append(F.interpolate(levels[-1], lateral.shape[2:], mode="bilinear", align_corners=True) + lateral)
    codes = []
    for code in range(LATENTS):
        x, place = levels[0 if code < 3 else 1 if code < 7 else 2], 0
        while x.shape[-1] > 1:
            name = f"styles.{code}.convs.{place}"
            x = torch.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], stride=2, padding=1)
            x, place = torch.where(x > 0, x, 0.01 * x), place + 2
        name = f"styles.{code}.linear"
        codes.append(x[:, :, 0, 0] @ state[f"{name}.weight"].T / CHANNELS[3] ** 0.5 + state[f"{name}.bias"])
    return torch.stack(codes, dim=1)


def test_it_has_the_published_size_and_layout():
    with torch.device("meta"):
        network = PspEncoder()
        codes = network(torch.empty(2, 3, 256, 256))
    assert sum(one.numel() for one in network.parameters()) == 267_136_704
    assert codes.shape == (2, 18, 512)
    found = {name: tuple(one.shape) for name, one in network.state_dict().items()}
    assert found.pop("latent_avg") == (18, 512)
    wanted = layout()
    assert len(wanted) == 621
    assert found == wanted


def test_a_generator_of_256_takes_14_codes():
    with torch.device("meta"):
        assert PspEncoder(14)(torch.empty(1, 3, 256, 256)).shape == (1, 14, 512)


def test_codes_are_the_published_ones():
    state, image, average = random_encoder(**REDUCED), torch.rand(2, 3, 64, 64), torch.randn(LATENTS, 5)
    network = PspEncoder.from_reference(state, average, LATENTS, **REDUCED).eval()
    with torch.no_grad():
        found, wanted = network(image), published(state, image) + average
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)
    kept = network.state_dict()
    assert all(torch.equal(kept[name], one) for name, one in state.items())
    assert torch.equal(kept["latent_avg"], average)


def test_fewer_codes_are_the_first_ones():
    state, average = random_encoder(**REDUCED), torch.randn(LATENTS, 5)
    image = torch.rand(1, 3, 64, 64)
    all_of_them, some = (PspEncoder.from_reference(state, average, codes, **REDUCED).eval() for codes in (9, 8))
    with torch.no_grad():
        assert torch.equal(some(image), all_of_them(image)[:, :8])


def test_shared_heads_have_the_same_codes():
    network = PspEncoder(12, image_size=128, dim=6, channels=CHANNELS, units=UNITS, heads="shared")
    codes = network(torch.rand(2, 3, 128, 128))
    assert codes.shape == (2, 12, 6)
    codes.square().sum().backward()
    assert all(one.grad.abs().sum() > 0 for one in network.parameters())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"body.0.res_layer.2.weight": None}, r"not of a pSp encoder \(IR-SE-50\) of 9 codes: they lack body\.0\.res"),
        ({"output_layer_2.0.weight": torch.ones(1)}, r"they hold unknown output_layer_2\.0\.weight"),
        ({"latlayer1.weight": torch.ones(8, 6, 3, 3)}, r"latlayer1\.weight \(8, 6, 3, 3\) instead of \(8, 6, 1, 1\)"),
        ({"styles.8.linear.bias": torch.ones(4)}, r"styles\.8\.linear\.bias \(4,\) instead of \(5,\)"),
    ],
)
def test_weights_that_do_not_fit_are_named(change, message):
    state = {name: one for name, one in (random_encoder(**REDUCED) | change).items() if one is not None}
    with pytest.raises(CheckpointError, match=message):
        PspEncoder.from_reference(state, torch.zeros(LATENTS, 5), LATENTS, **REDUCED)


def test_too_few_codes_and_another_average_are_refused():
    state = random_encoder(**REDUCED)
    with pytest.raises(
        CheckpointError, match=r"of 11 codes: they lack styles\.10\.convs.* latent_avg \(9, 5\) instead"
    ):
        PspEncoder.from_reference(state, torch.zeros(LATENTS, 5), 11, **REDUCED)
    with pytest.raises(CheckpointError, match=r"latent_avg \(9, 7\) instead of \(9, 5\)"):
        PspEncoder.from_reference(state, torch.zeros(LATENTS, 7), LATENTS, **REDUCED)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"image_size": 100}, "image_size is 100; give a power of 2 from 32"),
        ({"latents": 7}, "7 codes were asked for; give 8 or more"),
        ({"units": (3, 4)}, "its units \\(3, 4\\); give four numbers"),
        ({"heads": "double"}, "heads is 'double'; allowed are single, shared"),
    ],
)
def test_values_that_are_not_allowed(values, message):
    with pytest.raises(UsageError, match=message):
        PspEncoder(**values)
