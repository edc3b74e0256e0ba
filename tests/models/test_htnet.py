"""HTNet: the logits of the published arithmetic, restated here; its size; what is not allowed; the module law."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from facialpalsy.errors import CheckpointError, UsageError
from facialpalsy.models.htnet import HTNet
from facialpalsy.models.registry import PRESETS

SHAPES = ("image_size", "patch_size", "num_classes", "dim", "heads", "num_hierarchies", "block_repeats")


def normed(x, state, name):
    """Layer norm over the channels of (batch, channels, height, width)."""
    mean, variance = x.mean(1, keepdim=True), x.var(1, unbiased=False, keepdim=True)
    return (x - mean) / (variance + 1e-5).sqrt() * state[f"{name}.g"] + state[f"{name}.b"]


def one_by_one(x, state, name):
    """A 1x1 convolution, a matrix at every place."""
    out = torch.einsum("bchw,oc->bohw", x, state[f"{name}.weight"][:, :, 0, 0])
    return out if f"{name}.bias" not in state else out + state[f"{name}.bias"][:, None, None]


def published(state, image, patch, heads, repeats):
    """Logits by the published arithmetic: written for reading, one block and one head after the other."""
    batch, channels, size, _ = image.shape
    grid, levels = size // patch, len(repeats)
    cut = image.reshape(batch, channels, grid, patch, grid, patch).permute(0, 3, 5, 1, 2, 4)
    x = one_by_one(cut.reshape(batch, patch * patch * channels, grid, grid), state, "to_patch_embedding.1")
    for level, layers in enumerate(repeats):
        split = 2 ** (levels - 1 - level)
        side = x.shape[-1] // split
        rows = []
        for row in range(split):
            blocks = []
            for column in range(split):
                block = x[:, :, row * side : (row + 1) * side, column * side : (column + 1) * side]
                block = block + state[f"layers.{level}.0.pos_emb"].reshape(side, side)
                for layer in range(layers):
                    place = f"layers.{level}.0.layers.{layer}"
                    block = block + attended(normed(block, state, f"{place}.0.norm"), state, place, heads * 2**level)
                    wide = one_by_one(normed(block, state, f"{place}.1.norm"), state, f"{place}.1.fn.net.0")
                    wide = wide * (1 + torch.erf(wide / 2**0.5)) / 2
                    block = block + one_by_one(wide, state, f"{place}.1.fn.net.3")
                blocks.append(block)
            rows.append(torch.cat(blocks, dim=3))
        x = torch.cat(rows, dim=2)
        if level + 1 < levels:
            name = f"layers.{level}.1"
            x = torch.conv2d(x, state[f"{name}.0.weight"], state[f"{name}.0.bias"], padding=1)
            x = torch.max_pool2d(normed(x, state, f"{name}.1"), 3, stride=2, padding=1)
    features = normed(x, state, "mlp_head.0").mean((2, 3))
    return features @ state["mlp_head.2.weight"].T + state["mlp_head.2.bias"]


def attended(x, state, place, heads):
    batch, channels, height, width = x.shape
    each = channels // heads
    q, k, v = one_by_one(x, state, f"{place}.0.fn.to_qkv").flatten(2).transpose(1, 2).chunk(3, dim=2)
    found = []
    for head in range(heads):
        own = slice(head * each, (head + 1) * each)
        weight = torch.softmax(q[..., own] @ k[..., own].transpose(1, 2) / each**0.5, dim=-1)
        found.append(weight @ v[..., own])
    joined = torch.cat(found, dim=2).transpose(1, 2).reshape(batch, heads * each, height, width)
    return one_by_one(joined, state, f"{place}.0.fn.to_out.0")


def random_state(image_size, patch_size, num_classes, dim, heads, block_repeats, mlp_mult=4, channels=3):
    """Weights by the published names and shapes."""
    levels = len(block_repeats)
    places = (image_size // patch_size // 2 ** (levels - 1)) ** 2
    shapes = {"to_patch_embedding.1.weight": (dim, patch_size**2 * channels, 1, 1), "to_patch_embedding.1.bias": (dim,)}
    for level, repeats in enumerate(block_repeats):
        width, inner = dim * 2**level, dim * 2**level // (heads * 2**level) * heads * 2**level
        shapes[f"layers.{level}.0.pos_emb"] = (places,)
        for layer in range(repeats):
            place = f"layers.{level}.0.layers.{layer}"
            for part in (0, 1):
                shapes |= {f"{place}.{part}.norm.{affine}": (1, width, 1, 1) for affine in "gb"}
            shapes |= {
                f"{place}.0.fn.to_qkv.weight": (3 * inner, width, 1, 1),
                f"{place}.0.fn.to_out.0.weight": (width, inner, 1, 1),
                f"{place}.0.fn.to_out.0.bias": (width,),
                f"{place}.1.fn.net.0.weight": (width * mlp_mult, width, 1, 1),
                f"{place}.1.fn.net.0.bias": (width * mlp_mult,),
                f"{place}.1.fn.net.3.weight": (width, width * mlp_mult, 1, 1),
                f"{place}.1.fn.net.3.bias": (width,),
            }
        if level + 1 < levels:
            shapes |= {f"layers.{level}.1.0.weight": (2 * width, width, 3, 3), f"layers.{level}.1.0.bias": (2 * width,)}
            shapes |= {f"layers.{level}.1.1.{affine}": (1, 2 * width, 1, 1) for affine in "gb"}
    last = dim * 2 ** (levels - 1)
    shapes |= {f"mlp_head.0.{affine}": (1, last, 1, 1) for affine in "gb"}
    shapes |= {"mlp_head.2.weight": (num_classes, last), "mlp_head.2.bias": (num_classes,)}
    return {name: torch.randn(shape) / max(1, shape[1:].numel()) ** 0.5 for name, shape in _sizes(shapes)}


def _sizes(shapes):
    return ((name, torch.Size(shape)) for name, shape in shapes.items())


@pytest.fixture(scope="module")
def parity():
    folder = os.environ.get("FACIALPALSY_ASSETS")
    path = Path(folder or "") / "parity" / "htnet_reference.safetensors"
    if not folder or not path.is_file():
        pytest.skip("FACIALPALSY_ASSETS holds no parity/htnet_reference.safetensors")
    with safe_open(path, "pt") as file:
        tensors, said = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    configuration = {name: int(said[name]) for name in SHAPES if name != "block_repeats"}
    configuration["block_repeats"] = tuple(map(int, said["block_repeats"].split(",")))
    state = {name.removeprefix("weights."): one for name, one in tensors.items() if name.startswith("weights.")}
    return state, configuration, tensors["input"], tensors["logits"]


def test_the_reference_file_gives_its_own_logits(parity):
    state, configuration, image, logits = parity
    with torch.no_grad():
        found = HTNet.from_reference(state, **configuration).eval()(image)
    torch.testing.assert_close(found, logits, atol=1e-5, rtol=0)


def test_the_restatement_below_is_that_of_the_reference_file(parity):
    state, configuration, image, logits = parity
    found = published(state, image, configuration["patch_size"], configuration["heads"], configuration["block_repeats"])
    torch.testing.assert_close(found, logits, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "configuration",
    [
        {"image_size": 16, "patch_size": 4, "num_classes": 3, "dim": 12, "heads": 2, "block_repeats": (1, 2)},
        {"image_size": 56, "patch_size": 7, "num_classes": 6, "dim": 16, "heads": 3, "block_repeats": (2, 1, 1)},
        {"image_size": 48, "patch_size": 2, "num_classes": 2, "dim": 8, "heads": 1, "block_repeats": (1, 1, 1, 1)},
        {
            "image_size": 20, "patch_size": 5, "num_classes": 6, "dim": 8, "heads": 4, "block_repeats": (3,),
            "mlp_mult": 2, "channels": 1,
        },
    ],
    ids=["two-levels", "heads-do-not-divide", "four-levels", "one-level-grey"],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:3 heads do not divide")
def test_other_configurations_follow_the_published_arithmetic(configuration):
    state = random_state(**configuration)
    image = torch.rand(2, configuration.get("channels", 3), configuration["image_size"], configuration["image_size"])
    network = HTNet.from_reference(state, num_hierarchies=len(configuration["block_repeats"]), **configuration).eval()
    with torch.no_grad():
        found = network(image)
    wanted = published(
        state, image, configuration["patch_size"], configuration["heads"], configuration["block_repeats"]
    )
    assert wanted.abs().max() > 0.1
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)


def test_weights_of_another_configuration_are_refused_by_name():
    configuration = {
        "image_size": 16,
        "patch_size": 4,
        "num_classes": 3,
        "dim": 12,
        "heads": 2,
        "block_repeats": (1, 2),
    }
    state = random_state(**configuration)
    with pytest.raises(CheckpointError, match=r"unknown layers\.1\.0\.layers\.1\..* and 6 more\..*trained with"):
        HTNet.from_reference(state, num_hierarchies=2, **{**configuration, "block_repeats": (1, 1)})
    with pytest.raises(CheckpointError, match=r"in another size .*mlp_head\.2\.weight \(3, 24\) instead of \(6, 24\)"):
        HTNet.from_reference(state, num_hierarchies=2, **{**configuration, "num_classes": 6})
    # The published network has neither module.
    with pytest.raises(CheckpointError, match=r"they lack .*join\.weight"):
        HTNet.from_reference(state, num_hierarchies=2, use_micro_attention=True, **configuration)


@pytest.mark.filterwarnings("ignore:3 heads do not divide")
@pytest.mark.parametrize(("repeats", "count"), [((2, 2, 10), 139_586_246), ((2, 2, 4), 64_125_638)])
def test_the_published_sizes(repeats, count):
    with torch.device("meta"):
        network = HTNet(block_repeats=repeats)
    assert sum(parameter.numel() for parameter in network.parameters()) == count


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_size": 100}, r"100 is no multiple of 28 .*the next sizes are 84 and 112"),
        ({"image_size": 210}, r"the next sizes are 196 and 224"),
        ({"image_size": 20}, r"the next sizes are 28\."),
        ({"image_size": 256}, r"the next sizes are 252 and 280"),
        ({"block_repeats": (2, 2)}, r"\(2, 2\) for 3 hierarchies"),
        ({"block_repeats": (2, 0, 2)}, r"give one number from 1"),
        ({"patch_size": 0, "dim": -1}, r"cannot have patch_size 0, dim -1"),
        ({"dim": 2, "heads": 3}, r"3 heads for 2 channels"),
        ({"dropout": 1.0}, r"dropout is 1\.0"),
        ({"position": "fase"}, r"Did you mean 'face'\?"),
        ({"asymmetry": "diference", "use_micro_attention": True}, r"Did you mean 'difference'\?"),
    ],
)
def test_what_cannot_be_built_says_what_can(arguments, message):
    with torch.device("meta"), pytest.raises(UsageError, match=message):
        HTNet(**{"dim": 8, "heads": 2, **arguments})


def test_heads_that_do_not_divide_are_warned_of():
    with pytest.warns(UserWarning, match="3 heads do not divide 16 channels, so attention uses 15 of them"):
        HTNet(image_size=28, dim=16, block_repeats=(1, 1, 1))


def test_pictures_of_another_size_are_refused(make_grader):
    with pytest.raises(UsageError, match="The pictures are 30 x 32 pixels; this network takes 32 x 32"):
        make_grader().trunk(torch.rand(1, 3, 32, 30))


def test_maps_are_returned_where_they_are_asked_for(make_grader):
    image = torch.rand(2, 3, 32, 32)
    logits, maps = make_grader().trunk(image, return_attention_maps=True)
    assert logits.shape == (2, 6)
    assert maps["roi_maps"].shape == (2, 5, 8, 8)
    assert maps["roi_mask"].shape == (2, 1, 8, 8)
    assert [tuple(one.shape) for one in maps["asymmetry_maps"]] == [(2, 1, 8, 8), (2, 1, 4, 4), (2, 1, 2, 2)]
    _, bare = make_grader(use_micro_attention=False, use_roi_module=False).trunk(image, return_attention_maps=True)
    assert bare == {"roi_maps": None, "roi_mask": None, "asymmetry_maps": []}


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("changes", [{}, {"position": "scalar"}, {"image_size": 56, "patch_size": 7}])
def test_module_law(make_grader, symmetric, kind, changes):
    """Maps of every level are exactly zero for a symmetric face and equal for the mirrored one, with random weights."""
    network = make_grader(**changes).trunk.to(kind)
    with torch.no_grad():
        _, zero = network(symmetric(3, network.image_size).to(kind), return_attention_maps=True)
        image = torch.rand(3, 3, network.image_size, network.image_size).to(kind)
        _, seen = network(image, return_attention_maps=True)
        _, mirrored = network(image.flip(-1), return_attention_maps=True)
    assert len(zero["asymmetry_maps"]) == 3
    for one in zero["asymmetry_maps"]:
        assert one.count_nonzero() == 0
    for one, other in zip(seen["asymmetry_maps"], mirrored["asymmetry_maps"], strict=True):
        assert one.amax() > 0
        assert torch.equal(one, other)
        assert torch.equal(one, one.flip(-1))


def test_the_published_map_is_not_zero_on_a_symmetric_face(make_grader, symmetric):
    _, maps = make_grader(asymmetry="literal").trunk(symmetric(2, 32), return_attention_maps=True)
    for one in maps["asymmetry_maps"]:
        assert one.amin() > 0.05


@pytest.mark.filterwarnings("ignore:3 heads do not divide")
@pytest.mark.parametrize("modules", [True, False], ids=["modules", "bare"])
@pytest.mark.parametrize("name", list(PRESETS))
def test_every_parameter_has_a_gradient(name, modules):
    spec = replace(PRESETS[name], use_micro_attention=modules, use_roi_module=modules)
    grader = spec.network()
    if grader.points is not None:
        grader.points.exam.moved_scale[1] = 0.1  # as after the beginning of a training
    photos = 1 if name == "paper" else 10
    images = torch.rand(photos, 3, spec.image_size, spec.image_size)
    found = grader(images, torch.arange(photos), torch.zeros(photos, dtype=torch.long), 1)
    outputs = (found.grade_logits, found.photo_logits, found.side, found.regions, found.mask, found.asymmetry)
    sum(one.square().sum() for one in outputs if one is not None).backward()
    none = [name for name, parameter in grader.named_parameters() if not parameter.grad.count_nonzero()]
    assert all(parameter.grad.isfinite().all() for parameter in grader.parameters())
    # One number for all channels of a place is what the norm after the last level takes out again.
    assert [one for one in none if one != "trunk.levels.2.position"] == []
    assert spec.position == "scalar" or not none


def test_half_precision_is_near_full(make_grader):
    grader, image = make_grader(), torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        wanted = grader.trunk(image)
        with torch.autocast("cpu", torch.bfloat16):
            mixed = grader.trunk(image)
        half = grader.trunk.bfloat16()(image.bfloat16())
    torch.testing.assert_close(mixed.float(), wanted, atol=0.05, rtol=0)
    torch.testing.assert_close(half.float(), wanted, atol=0.05, rtol=0)
