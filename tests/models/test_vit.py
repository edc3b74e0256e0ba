"""ViT: the logits of the published arithmetic, restated here; its size; resampled positions; pooling; the mirror."""

import json
import math
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from facialpalsy.errors import CheckpointError, UsageError
from facialpalsy.models.export import as_stored, export_onnx
from facialpalsy.models.psp import PspEncoder
from facialpalsy.models.spec import preset_named
from facialpalsy.models.vit import PALSY, PRESETS, FlipAveragedRecogniser, RecogniserSpec, ViT
from facialpalsy.models.vit_weights import read_weights, timm_names

SPEC = RecogniserSpec(image_size=32, patch_size=8, dim=16, depth=2, heads=2, mlp_mult=2, dropout=0.0, hidden=16)
HYBRID = replace(SPEC, patch_size=16, stem_channels=(4, 4, 8, 8), places=3)
STEMS = pytest.mark.parametrize("spec", [SPEC, HYBRID], ids=["patches", "residual"])
EXPRESSIONS = torch.tensor([0, 1, 1, 9])


def lively(network):
    """The network with weights so large that every part of it matters, ready to be asked."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(std=0.3)
    return network.eval()


def ask(recogniser, images, expressions, exam=None):
    exam = torch.zeros(len(images), dtype=torch.long) if exam is None else torch.tensor(exam)
    with torch.no_grad():
        return recogniser(images, torch.tensor(expressions), exam, int(exam.max()) + 1)


# The network of one photo.


def normed(x, state, name):
    mean, variance = x.mean(-1, keepdim=True), x.var(-1, unbiased=False, keepdim=True)
    return (x - mean) / (variance + 1e-6).sqrt() * state[f"{name}.weight"] + state[f"{name}.bias"]


def linear(x, state, name):
    return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]


def published(state, image, patch, heads, depth, activation):
    """Logits by the published arithmetic: written for reading, one patch and one head after the other."""
    grid = image.shape[-1] // patch
    kernel = state["patch_embed.proj.weight"].flatten(1)
    tokens = [state["cls_token"][0, 0]]
    for row in range(grid):
        for column in range(grid):
            cut = image[:, row * patch : (row + 1) * patch, column * patch : (column + 1) * patch]
            tokens.append(kernel @ (cut.flatten() * 2 - 1) + state["patch_embed.proj.bias"])
    x = torch.stack(tokens) + state["pos_embed"][0]
    for layer in range(depth):
        place = f"blocks.{layer}"
        q, k, v = linear(normed(x, state, f"{place}.norm1"), state, f"{place}.attn.qkv").chunk(3, dim=1)
        each, seen = x.shape[1] // heads, []
        for head in range(heads):
            own = slice(head * each, (head + 1) * each)
            seen.append(torch.softmax(q[:, own] @ k[:, own].T / each**0.5, dim=1) @ v[:, own])
        x = x + linear(torch.cat(seen, dim=1), state, f"{place}.attn.proj")
        wide = linear(normed(x, state, f"{place}.norm2"), state, f"{place}.mlp.fc1")
        wide = wide.clamp(min=0) if activation == "relu" else wide * (1 + torch.erf(wide / 2**0.5)) / 2
        x = x + linear(wide, state, f"{place}.mlp.fc2")
    return linear(normed(x, state, "norm")[0], state, "head")


@pytest.mark.parametrize("activation", ["gelu", "relu"])
def test_logits_are_those_of_the_published_arithmetic(activation):
    network, images = lively(replace(SPEC, activation=activation).trunk()), torch.rand(2, 3, 32, 32)
    wanted = [published(network.vit.state_dict(), image, 8, 2, 2, activation) for image in images]
    with torch.no_grad():
        torch.testing.assert_close(network(images), torch.stack(wanted), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("changes", "count"),
    [({}, 85_846_274), ({"image_size": 224}, 85_800_194), ({"patch_size": 32}, 87_468_290)],
)
def test_the_published_sizes(changes, count):
    with torch.device("meta"):
        network = replace(PRESETS["paper"], **changes).trunk()
    assert sum(parameter.numel() for parameter in network.parameters()) == count


def test_the_shipped_size_is_small():
    with torch.device("meta"):
        parameters = PRESETS["small"].network().parameters()
    count = sum(parameter.numel() for parameter in parameters)
    assert 2_000_000 <= count <= 5_000_000
    assert count * 4 <= 20_000_000


def test_a_residual_stem_ends_on_the_grid_of_the_patches():
    network = HYBRID.trunk()
    with torch.no_grad():
        assert network.vit.patch_embed(torch.rand(2, 3, 32, 32)).shape == (2, 4, 16)


def test_the_places_add_to_the_class_token():
    """By hand: each patch by one linear map, and all of them by another."""
    network, tokens = HYBRID.trunk(), torch.randn(2, 5, 16)
    narrow, _, wide = network.places
    with torch.no_grad():
        small = torch.cat([narrow(tokens[:, place]) for place in range(1, 5)], dim=1)
        torch.testing.assert_close(network.read(tokens), tokens[:, 0] + wide(small))
        assert torch.equal(SPEC.trunk().read(tokens), tokens[:, 0])


def test_a_residual_stem_begins_with_an_encoder():
    encoder = PspEncoder(10, image_size=32, dim=8, channels=(4, 4, 8, 8), units=(1, 1, 1, 1), heads="shared").eval()
    network, image = HYBRID.trunk().eval(), torch.rand(2, 3, 32, 32)
    stem = network.vit.patch_embed
    stem.begin_with(encoder)
    with torch.no_grad():
        seen = encoder.body(encoder.input_layer(image))
        torch.testing.assert_close(stem(image), stem.proj[2](seen).flatten(2).transpose(1, 2))


def test_a_residual_stem_takes_no_other_encoder():
    encoder = PspEncoder(10, image_size=32, dim=8, channels=(4, 4, 8, 16), units=(1, 1, 1, 1), heads="shared")
    with pytest.raises(CheckpointError, match="another size"):
        HYBRID.trunk().vit.patch_embed.begin_with(encoder)


@STEMS
def test_dropout_is_for_training(spec):
    network, images = lively(replace(spec, dropout=0.5).trunk()), torch.rand(1, 3, 32, 32)
    places = {name.split(".")[-1] for name, one in network.named_modules() if getattr(one, "p", 0) == 0.5}
    assert places == {"pos_drop", "proj_drop", "drop1", "drop2"}  # positions, projections, both feed-forward layers
    with torch.no_grad():
        assert torch.equal(network(images), network(images))
        network.train()
        assert not torch.equal(network(images), network(images))


# Weights of others.


@pytest.fixture
def pretrained():
    """Weights of a network like `SPEC` with pictures of 56 pixels (7 x 7 patches) and 21 classes."""
    return lively(ViT(56, 8, 21, 16, 2, 2, 2)).vit.state_dict()


def test_weights_of_another_size_are_taken_but_the_head(pretrained):
    network = SPEC.trunk()
    head = network.vit.head.weight.clone()
    network.load_pretrained(pretrained)
    found = network.vit.state_dict()
    assert torch.equal(found["head.weight"], head)
    for name in found.keys() - {"pos_embed", "head.weight", "head.bias"}:
        assert torch.equal(found[name], pretrained[name]), name
    assert torch.equal(found["pos_embed"][:, 0], pretrained["pos_embed"][:, 0])
    assert found["pos_embed"].shape == (1, 17, 16)


def test_positions_of_the_same_grid_stay(pretrained):
    network = replace(SPEC, image_size=56).trunk()
    network.load_pretrained(pretrained)
    assert torch.equal(network.vit.pos_embed, pretrained["pos_embed"])


@pytest.mark.parametrize(("old", "new"), [(14, 16), (8, 16), (16, 8)])
def test_a_linear_function_of_place_stays_linear(old, new):
    """x along the picture, from 0 to 1 over its width, has the same meaning on every grid; borders are smoothed."""
    along, places = ((torch.arange(side) + 0.5) / side for side in (old, new))
    state = ViT(old * 4, 4, 2, 2, 2, 1).vit.state_dict()
    grid = torch.stack([along.expand(old, old), along[:, None].expand(old, old)], dim=-1)
    state["pos_embed"][0, 1:] = grid.flatten(0, 1)
    network = ViT(new * 4, 4, 2, 2, 2, 1)
    network.load_pretrained(state)
    edge = 2 * math.ceil(new / old)  # the spline reaches two places, of the coarser grid
    found = network.vit.pos_embed.detach()[0, 1:].reshape(new, new, 2)[edge:-edge, edge:-edge]
    inner = places[edge:-edge]
    torch.testing.assert_close(found[..., 0], inner.expand(len(inner), -1), atol=1e-5, rtol=0)
    torch.testing.assert_close(found[..., 1], inner[:, None].expand(-1, len(inner)), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depth": 3}, r"they lack blocks\.2\.attn\.proj\.bias, .* and 7 more\. Give"),
        ({"depth": 1}, r"they hold unknown blocks\.1\."),
        (
            {"patch_size": 16},
            r"they hold in another size patch_embed\.proj\.weight \(16, 3, 8, 8\) instead of \(16, 3, 16, 16\)",
        ),
        ({"dim": 32}, r"they hold in another size"),
        ({"patch_size": 16, "stem_channels": (4, 4, 8, 8)}, r"they lack patch_embed\.proj\.0\.0\.weight"),
    ],
)
def test_another_architecture_is_named(pretrained, changes, message):
    network = replace(SPEC, **changes).trunk()
    before = {name: one.clone() for name, one in network.state_dict().items()}
    with pytest.raises(CheckpointError, match=f"another architecture: {message}"):
        network.load_pretrained(pretrained)
    assert all(torch.equal(before[name], one) for name, one in network.state_dict().items())


@pytest.mark.parametrize("shape", [(1, 49, 16), (1, 1, 16), (50, 16)])
def test_positions_without_a_square_grid_are_refused(pretrained, shape):
    with pytest.raises(CheckpointError, match="no class token and square grid"):
        SPEC.trunk().load_pretrained({**pretrained, "pos_embed": torch.ones(shape)})


def transformers_names(state, query, key, value, out, wide, narrow, layer):
    """What `transformers` calls the weights of a ViT of two layers."""
    renamed = {
        "vit.embeddings.cls_token": state["cls_token"],
        "vit.embeddings.position_embeddings": state["pos_embed"],
        "vit.pooler.dense.weight": torch.ones(1),
    }
    pairs = {"vit.embeddings.patch_embeddings.projection": "patch_embed.proj", "vit.layernorm": "norm"}
    pairs["classifier"] = "head"
    for number in range(2):
        theirs, ours = f"{layer}.{number}", f"blocks.{number}"
        pairs |= {f"{theirs}.layernorm_before": f"{ours}.norm1", f"{theirs}.layernorm_after": f"{ours}.norm2"}
        pairs |= {f"{theirs}.{out}": f"{ours}.attn.proj"}
        pairs |= {f"{theirs}.{wide}": f"{ours}.mlp.fc1", f"{theirs}.{narrow}": f"{ours}.mlp.fc2"}
        for kind in ("weight", "bias"):
            parts = state[f"{ours}.attn.qkv.{kind}"].chunk(3)
            renamed |= {f"{theirs}.{name}.{kind}": one for name, one in zip((query, key, value), parts, strict=True)}
    return renamed | {
        f"{theirs}.{kind}": state[f"{ours}.{kind}"] for theirs, ours in pairs.items() for kind in ("weight", "bias")
    }


BEFORE_5 = (
    *(f"attention.attention.{one}" for one in ("query", "key", "value")),
    *("attention.output.dense", "intermediate.dense", "output.dense", "vit.encoder.layer"),
)
SINCE_5 = (*(f"attention.{one}_proj" for one in "qkvo"), "mlp.fc1", "mlp.fc2", "vit.layers")


@pytest.mark.parametrize("names", [BEFORE_5, SINCE_5], ids=["before 5", "since 5"])
def test_the_names_of_transformers_are_understood(pretrained, names):
    found = timm_names(transformers_names(pretrained, *names))
    assert found.keys() == pretrained.keys()
    assert all(torch.equal(one, pretrained[name]) for name, one in found.items())
    assert timm_names(pretrained).keys() == pretrained.keys()


def test_parts_that_do_not_fit_each_other_are_another_architecture(pretrained):
    names = transformers_names(pretrained, *SINCE_5)
    names["vit.layers.1.attention.k_proj.weight"] = torch.ones(3, 5)
    with pytest.raises(CheckpointError, match=r"they lack blocks\.1\.attn\.qkv\.weight; hold unknown"):
        SPEC.trunk().load_pretrained(timm_names(names))


@pytest.mark.parametrize("nested", ["model", "state_dict", None])
@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".bin"])
def test_a_file_is_read(pretrained, tmp_path, suffix, nested):
    path = tmp_path / f"weights{suffix}"
    if suffix == ".safetensors":
        safetensors.torch.save_file(pretrained, path)
    else:
        torch.save({nested: pretrained, "epoch": 3} if nested else pretrained, path)
    found = read_weights(path)
    assert found.keys() == pretrained.keys()
    assert all(torch.equal(one, pretrained[name]) for name, one in found.items())


class Harm:
    """Runs something when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (Path(self.path),))


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".pt", ".bin"])
def test_nothing_that_a_file_holds_is_run(tmp_path, suffix):
    done, path = tmp_path / "done", tmp_path / f"harm{suffix}"
    path.write_bytes(pickle.dumps({"model": {"weight": Harm(done)}}, protocol=2))
    with pytest.raises(CheckpointError, match=r"'harm.*' is damaged"):
        read_weights(path)
    assert not done.exists()


@pytest.mark.parametrize("content", [[1, 2], {"model": None}, {"a": 3}])
def test_what_is_no_state_dictionary_is_refused(tmp_path, content):
    path = tmp_path / "x.pth"
    torch.save(content, path)
    with pytest.raises(CheckpointError, match=r"no names with weights\. Give a state dictionary of a ViT"):
        read_weights(path)


@pytest.mark.parametrize("name", ["x.pth", "x.safetensors"])
def test_a_missing_file_is_named(tmp_path, name):
    with pytest.raises(CheckpointError, match=f"no weights '{name}'; check the path"):
        read_weights(tmp_path / name)


def test_an_unknown_name_is_answered_with_the_closest():
    with pytest.raises(
        UsageError, match=r"no ViT weights 'vit_bas_patch16_224.augreg_in21k'; the closest .* are vit_b"
    ):
        read_weights("vit_bas_patch16_224.augreg_in21k")


def test_without_a_network_a_name_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(CheckpointError, match=r"cannot be downloaded .* give the path of that file"):
        read_weights("vit_base_patch16_224.augreg_in21k")


# The network of exams.


def test_the_exam_is_pooled_by_expression():
    """By hand: the mean of each expression's features through its own linear map, then GELU and a linear layer."""
    recogniser, images = lively(SPEC.network()), torch.rand(3, 3, 32, 32)
    found = ask(recogniser, images, [1, 6, 6])
    weight, bias = recogniser.seen.weight, recogniser.seen.bias
    first, second = found.features[0], (found.features[1] + found.features[2]) / 2
    known = first @ weight[1] + bias[1] + second @ weight[6] + bias[6]
    wide = known * (1 + torch.erf(known / math.sqrt(2))) / 2
    last = recogniser.decide[2]
    torch.testing.assert_close(found.exam_logits[0], last.weight @ wide + last.bias, atol=1e-4, rtol=1e-4)
    assert found.photo_logits.shape == (3, 2)


@STEMS
def test_several_exams_are_recognised_as_each_alone(spec):
    recogniser, images = lively(spec.network()), torch.rand(5, 3, 32, 32)
    found = ask(recogniser, images, [0, 3, 0, 8, 9], [1, 0, 1, 2, 0])
    alone = [ask(recogniser, images[[1, 4]], [9, 3][::-1]), ask(recogniser, images[[2, 0]], [0, 0])]
    alone.append(ask(recogniser, images[[3]], [8]))
    wanted = torch.cat([one.exam_logits for one in alone])
    torch.testing.assert_close(found.exam_logits, wanted, atol=1e-4, rtol=1e-4)


@STEMS
def test_mirror_law(spec):
    network, images = FlipAveragedRecogniser(lively(spec.network())), torch.rand(4, 3, 32, 32)
    plain = [ask(network.recogniser, seen, EXPRESSIONS.tolist()) for seen in (images, images.flip(-1))]
    assert (plain[0].exam_logits - plain[1].exam_logits).abs().max() > 1e-3  # else the law says nothing
    with torch.no_grad():
        found, mirrored = network(images, EXPRESSIONS), network(images.flip(-1), EXPRESSIONS)
    torch.testing.assert_close(mirrored.palsy, found.palsy, atol=1e-5, rtol=0)
    torch.testing.assert_close(mirrored.photo_palsy, found.photo_palsy, atol=1e-5, rtol=0)
    wanted = sum(one.exam_logits.softmax(1)[:, PALSY] for one in plain) / 2
    torch.testing.assert_close(found.palsy, wanted, atol=1e-5, rtol=0)
    with torch.no_grad():
        alone = [network(images[[one]], EXPRESSIONS[[one]]).palsy for one in range(4)]
    torch.testing.assert_close(found.photo_palsy, torch.cat(alone), atol=1e-5, rtol=0)


@STEMS
def test_every_parameter_learns(spec):
    torch.manual_seed(3)  # a few units of few channels may all be silent
    recogniser = lively(spec.network()).train()
    expressions = torch.arange(10)
    found = recogniser(torch.rand(10, 3, 32, 32), expressions, torch.zeros(10, dtype=torch.long), 1)
    (found.photo_logits[:, 1].sum() + found.exam_logits[:, 1].sum()).backward()
    assert [name for name, one in recogniser.named_parameters() if one.grad is None or not one.grad.any()] == []


def test_half_precision():
    recogniser, images = SPEC.network().eval(), torch.rand(2, 3, 32, 32)
    wanted = ask(recogniser, images, [0, 5])
    with torch.autocast("cpu", torch.bfloat16):
        mixed = ask(recogniser, images, [0, 5])
    half = ask(recogniser.bfloat16(), images.bfloat16(), [0, 5])
    for found in (mixed, half):
        torch.testing.assert_close(found.exam_logits.float(), wanted.exam_logits, atol=0.05, rtol=0)


@STEMS
def test_onnx_equals_the_network(spec, tmp_path):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    network = FlipAveragedRecogniser(lively(spec.network())).eval()
    path = tmp_path / "recogniser.onnx"
    export_onnx(network, spec.image_size, path)
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for count in (1, 2, 12):
        images, expressions = torch.rand(count, 3, 32, 32), torch.randint(0, 10, (count,))
        with torch.no_grad():
            wanted = as_stored(network)(images, expressions)
        found = session.run(["palsy", "photo_palsy"], {"images": images.numpy(), "expressions": expressions.numpy()})
        for value, one in zip(found, wanted[:2], strict=True):
            np.testing.assert_allclose(value, one.numpy(), atol=1e-4, rtol=0)


# The configuration.


def test_a_configuration_survives_json():
    for one in (SPEC, HYBRID, *PRESETS.values()):
        assert RecogniserSpec.from_dict(json.loads(json.dumps(one.to_dict()))) == one


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"dept": 1}, r"no setting 'dept'\. Did you mean 'depth'\?"),
        ({"dim": "wide"}, "The recogniser's dim is 'wide'"),
        ({"heads": 0}, "greater than or equal to 1"),
        ({"dim": 10**9}, "less than or equal to 4096"),
        ({"dropout": float("nan")}, "finite"),
    ],
)
def test_a_wrong_value_is_named(values, message):
    with pytest.raises(UsageError, match=message):
        RecogniserSpec.from_dict(values)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_size": 30}, "image_size 30 is no multiple of patch_size 8; the next sizes are 24 and 32"),
        ({"image_size": 4}, "the next sizes are 8"),
        ({"heads": 3}, "3 heads do not divide 16 channels"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"activation": "rlu"}, "Did you mean 'relu'"),
        ({"stem_channels": (4, 4, 8, 8)}, "patch_size is 8; a network with a residual stem, such as preset `small`"),
    ],
)
def test_values_that_do_not_fit_are_named(changes, message):
    with pytest.raises(UsageError, match=message):
        replace(SPEC, **changes).trunk()


def test_pictures_of_another_size_are_refused():
    with pytest.raises(UsageError, match=r"are 48 x 32 pixels; this network takes 32 x 32\. .* tiny 128, .* paper 256"):
        SPEC.trunk()(torch.rand(1, 3, 32, 48))


def test_an_unknown_preset_is_answered_with_the_closest():
    with pytest.raises(UsageError, match=r"Unknown preset 'smal'\. Did you mean 'small'\?"):
        preset_named(PRESETS, "smal")
