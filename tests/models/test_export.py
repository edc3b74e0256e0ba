"""Export: the ONNX file answers as the network does, for any number of photos, and tells nothing of this machine."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from facialpalsy.models.export import as_stored, export_onnx
from facialpalsy.models.inference import FlipAveraged

from .conftest import POINTS, SPEC

NAMES = ["grade", "photo_grades", "side", "regions", "mask", "asymmetry"]


@pytest.fixture(scope="module", params=["modules", "bare", "points"])
def exported(request, tmp_path_factory):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    torch.manual_seed(0)
    changes = {
        "modules": {},
        "bare": {"use_micro_attention": False, "use_roi_module": False, "position": "scalar"},
        "points": {"image_size": 48, "patch_size": 6, "landmarker": POINTS},
    }[request.param]
    spec = replace(SPEC, **changes)
    grader = spec.network()
    path = tmp_path_factory.mktemp("onnx") / "grader.onnx"
    network = FlipAveraged(grader)
    export_onnx(network, spec.image_size, path)
    assert network.training
    return as_stored(network), path, runtime.InferenceSession(path, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("photos", [1, 2, 9, 12])
def test_it_equals_the_network(exported, photos):
    network, _, session = exported
    size = network.grader.trunk.image_size
    images, expressions = torch.rand(photos, 3, size, size), torch.randint(0, 10, (photos,))
    with torch.no_grad():
        wanted = {name: one for name, one in network(images, expressions)._asdict().items() if one is not None}
    names = [output.name for output in session.get_outputs()]
    assert names == [name for name in NAMES if name in wanted]
    found = session.run(names, {"images": images.numpy(), "expressions": expressions.numpy()})
    for name, value in zip(names, found, strict=True):
        np.testing.assert_allclose(value, wanted[name].numpy(), atol=1e-4, rtol=0, err_msg=name)


def test_inputs_and_outputs_are_those_of_the_contract(exported):
    network, _, session = exported
    size = network.grader.trunk.image_size
    inputs = {one.name: (one.type, one.shape) for one in session.get_inputs()}
    assert inputs == {
        "images": ("tensor(float)", ["n", 3, size, size]),
        "expressions": ("tensor(int64)", ["n"]),
    }
    shapes = {
        "grade": [6], "photo_grades": ["n", 6], "side": [1], "regions": ["n", 5, 8, 8], "mask": ["n", 1, 8, 8],
        "asymmetry": ["n", 1, 8, 8],
    }  # fmt: skip
    for output in session.get_outputs():
        assert output.shape == shapes[output.name]
    assert network.grader.trunk.sides is None or len(session.get_outputs()) == 6


def test_weights_are_stored_in_half_precision():
    weight, few = torch.nn.Linear(64, 64), torch.nn.Linear(4, 4)
    stored = as_stored(torch.nn.Sequential(weight, few))
    off = (stored[0].weight - weight.weight).abs()
    assert off.max() > 0 and (off <= weight.weight.abs() / 2048 + 1e-7).all()
    assert torch.equal(stored[1].weight, few.weight) and torch.equal(stored[0].bias, weight.bias)


def test_the_file_tells_nothing_of_this_machine(exported):
    content = exported[1].read_bytes()
    assert str(Path.cwd()).encode() not in content
    assert b".py" not in content
