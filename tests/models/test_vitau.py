"""ViTAU regions: sizes, the formula, gradients, the mirror law, public files read whole or refused, the ONNX file."""

import json
from dataclasses import replace

import pytest
import torch

from facialpalsy.errors import CheckpointError, UsageError
from facialpalsy.models.psp import PspEncoder
from facialpalsy.models.spec import preset_named
from facialpalsy.models.vitau import PRESETS, PublicWeights, RegionSpec, read_public

from .test_psp import layout as encoder_layout
from .test_psp import random_encoder
from .test_stylegan2 import random_generator

TINY = replace(PRESETS["tiny"], points=4)

# A public file at reduced size: a generator of 64 pixels, 10 codes.
GENERATOR = {"dim": 5, "widest": 8, "area": 128}
ENCODER = {"image_size": 64, "dim": 5, "channels": (4, 6, 6, 8), "units": (1, 2, 1, 2)}
PUBLIC = RegionSpec(
    points=2, image_size=64, generator_size=64, dim=5, widest=8, area=128, encoder_channels=(4, 6, 6, 8),
    encoder_units=(1, 2, 1, 2), map_size=16,
)  # fmt: skip


def count(network):
    return sum(one.numel() for one in network.parameters())


@pytest.fixture
def public(tmp_path):
    """Writes a file in the layout of psp_ffhq_encode.pt, with changes; parts given as None are left out."""

    def write(**changes):
        state = {f"encoder.{name}": one for name, one in random_encoder(10, **ENCODER).items()}
        state |= {f"decoder.{name}": one for name, one in random_generator(64, **GENERATOR).items()}
        content = {"state_dict": state, "latent_avg": torch.randn(10, 5), "opts": {"output_size": 64, "lr": 1e-4}}
        path = tmp_path / "psp_ffhq_encode.pt"
        torch.save({name: one for name, one in (content | changes).items() if one is not None}, path)
        return path, content

    return write


@pytest.mark.parametrize(
    ("name", "codes", "maps", "side"),
    [("tiny", 10, 5, 32), ("small", 10, 5, 32), ("256", 14, 7, 128), ("paper", 18, 9, 128)],
)
def test_presets(name, codes, maps, side):
    spec = preset_named(PRESETS, name)
    with torch.device("meta"):
        network = spec.trunk()
        found = network(torch.empty(2, 3, spec.image_size, spec.image_size))
    assert network.generator.latents == codes
    assert len(network.generator.channels) == len(network.interpreter.layers) == maps
    # 13 action units on two sides.
    assert found.shape == (2, 26, side, side)


def test_the_published_size():
    with torch.device("meta"):
        parts = [count(replace(PRESETS["paper"], points=points).trunk()) for points in (8, 32)]
    assert parts == [267_136_704 + 30_370_060 + 26_411_784, 267_136_704 + 30_370_060 + 26_431_008]


def test_the_shipped_size_is_small():
    with torch.device("meta"):
        assert count(PRESETS["small"].trunk()) <= 5_000_000
        assert 2 * count(PRESETS["small"].network()) <= 20_000_000  # bytes, in half precision


def test_heat_maps_are_read_from_the_maps_of_the_codes():
    network, images = TINY.trunk().eval(), torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        codes = network.encoder(2 * images - 1)
        assert torch.equal(network.codes(images), codes)
        assert torch.equal(network(images), network.interpreter(network.generator.features(codes)))
        assert torch.equal(network.drawn(codes), network.generator(codes) / 2 + 0.5)


def test_remapped_codes_pass_the_mapping_network():
    network, images = replace(TINY, mapping=2, remap_codes=True).trunk().eval(), torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(network.codes(images), network.generator.remap(network.encoder(2 * images - 1)))


@pytest.mark.parametrize("heads", ["single", "shared"])
@pytest.mark.parametrize("remap", [False, True])
def test_heat_maps_have_a_gradient_in_every_parameter_that_they_pass(heads, remap):
    network = replace(TINY, heads=heads, mapping=2, remap_codes=remap).trunk()
    network(torch.rand(2, 3, 32, 32)).square().mean().backward()
    without = {name for name, one in network.named_parameters() if one.grad is None or not one.grad.any()}
    bypassed = {name for name, _ in network.named_parameters() if ".to_rgb" in name}
    if not remap:
        bypassed |= {name for name, _ in network.named_parameters() if name.startswith("generator.style.")}
    if heads == "single":
        last = f"encoder.styles.{network.generator.latents - 1}."
        bypassed |= {name for name, _ in network.named_parameters() if name.startswith(last)}
    assert without == bypassed


def test_the_picture_has_a_gradient_in_encoder_and_generator():
    network = TINY.trunk()
    network.drawn(network.codes(torch.rand(2, 3, 32, 32))).square().mean().backward()
    without = {name.split(".")[0] for name, one in network.named_parameters() if one.grad is None or not one.grad.any()}
    assert without == {"interpreter"}


def test_early_maps_need_no_later_layers():
    network = replace(TINY, stages="early", heads="single").trunk()
    network(torch.rand(2, 3, 32, 32)).square().mean().backward()
    # Maps of 4 and 8: three layers of the generator, each with its code.
    assert [all(one.grad is not None for one in layer.parameters()) for layer in network.generator.convs[:3]] == [
        1,
        1,
        0,
    ]
    used = [any(one.grad.any() for one in style.parameters()) for style in network.encoder.styles]
    assert used == [True] * 3 + [False] * 7


def test_a_picture_of_another_size_is_refused():
    with pytest.raises(UsageError, match=r"pictures are 48 x 64 pixels; this network takes 32 x 32\. Align"):
        TINY.trunk()(torch.rand(1, 3, 64, 48))


def test_a_public_file_becomes_a_network(public):
    path, content = public()
    network = PUBLIC.trunk_from(read_public(path)).eval()
    kept, wanted = network.state_dict(), content["state_dict"]
    for name, one in wanted.items():
        ours = name.replace("decoder.", "generator.")
        assert torch.equal(kept[ours], one), name
    assert torch.equal(kept["encoder.latent_avg"], content["latent_avg"])
    assert network(torch.rand(1, 3, 64, 64)).shape == (1, 2, 16, 16)


def test_a_smaller_network_takes_the_first_part_of_a_public_file(public):
    weights = read_public(public()[0])
    whole, part = (replace(PUBLIC, generator_size=size).trunk_from(weights).eval() for size in (64, 32))
    images = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        codes = whole.codes(images)
        assert torch.equal(part.codes(images), codes[:, :8])
        maps = whole.generator.features(codes)
        assert all(map(torch.equal, part.generator.features(codes[:, :8]), maps[:4]))


def test_a_generator_alone_is_read_and_gives_no_network(tmp_path):
    path = tmp_path / "stylegan2-ffhq.pt"
    torch.save({"g_ema": random_generator(64, **GENERATOR), "latent_avg": torch.zeros(5)}, path)
    weights = read_public(path)
    assert weights.encoder is weights.latent_avg is None
    with pytest.raises(CheckpointError, match="holds a generator alone; give one with an encoder"):
        PUBLIC.trunk_from(weights)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"latent_avg": None}, r"'latent_avg' is missing, and must be \(18, 512\)"),
        ({"latent_avg": torch.zeros(5)}, r"'latent_avg' is \(5,\), and must be \(18, 512\)"),
        ({"state_dict": None}, "holds no weights under 'state_dict' or 'g_ema'"),
        ({"state_dict": {"encoder.a": 3}}, "holds no weights under 'state_dict'"),
        (
            {"state_dict": {"body.0.weight": torch.ones(2)}},
            "another architecture: its weights begin with body, and must",
        ),
        ({"state_dict": {"encoder.a": torch.ones(2)}}, "another architecture: its weights begin with encoder"),
    ],
)
def test_another_file_is_refused(public, changes, message):
    with pytest.raises(CheckpointError, match=message):
        read_public(public(**changes)[0])


def test_another_architecture_and_another_size_are_refused(public):
    weights = read_public(public()[0])
    with pytest.raises(CheckpointError, match="make pictures of 64 pixels; 128 were asked for"):
        replace(PUBLIC, generator_size=128).trunk_from(weights)
    with pytest.raises(CheckpointError, match=r"of a StyleGAN2 generator of 64 pixels: they hold in another size"):
        replace(PUBLIC, widest=16).trunk_from(weights)
    with pytest.raises(
        CheckpointError, match=r"of a pSp encoder \(IR-SE-50\) of 10 codes: they lack body\.2\.shortcut"
    ):
        replace(PUBLIC, encoder_units=(2, 2, 1, 2)).trunk_from(weights)


def test_damaged_and_harmful_files_are_refused(public, tmp_path):
    path, _ = public()
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(CheckpointError, match=r"nothing of it was run\. Give psp_ffhq_encode\.pt"):
        read_public(path)
    torch.save({"state_dict": PspEncoder}, path)
    with pytest.raises(CheckpointError, match="holds more than weights; nothing of it was run"):
        read_public(path)
    with pytest.raises(CheckpointError, match=r"There are no weights 'nothing\.pt'"):
        read_public(tmp_path / "nothing.pt")


def test_public_weights_of_full_size_fit_the_paper():
    with torch.device("meta"):
        found = PRESETS["paper"].trunk().encoder.state_dict()
    assert {name: tuple(one.shape) for name, one in found.items() if name != "latent_avg"} == encoder_layout()
    assert PublicWeights({}).encoder is None


def test_a_configuration_survives_json():
    for one in (TINY, *PRESETS.values()):
        assert RegionSpec.from_dict(json.loads(json.dumps(one.to_dict()))) == one


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"stage": "all"}, r"no setting 'stage'\. Did you mean 'stages'"),
        ({"points": 0}, "The region network's points is 0: .*greater than or equal to 1"),
        ({"encoder_units": [1, 2]}, r"encoder_units"),
        ({"dropout": float("nan")}, "finite"),
    ],
)
def test_a_wrong_value_is_named(values, message):
    with pytest.raises(UsageError, match=message):
        RegionSpec.from_dict(values)


def test_an_unknown_preset_is_answered_with_the_closest():
    with pytest.raises(UsageError, match=r"Unknown preset 'papr'\. Did you mean 'paper'\?"):
        preset_named(PRESETS, "papr")
