"""Quantised: the file finds what the network finds, nearly, of a mirrored picture the mirrored points, and is small."""

import logging

import pytest
import torch

from facialpalsy.models.landmarker import LandmarkerSpec, OrderedLandmarker
from facialpalsy.models.patch_landmarker import PatchLandmarkerSpec
from facialpalsy.models.quantised import export_quantised

pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

PATCH = PatchLandmarkerSpec(columns=64, rows=48, points=5, widths=(4, 8, 8, 8), layers=(1, 1, 1))
SWAP = [0, 1, 5, 6, 7, 2, 3, 4]


def used(network):
    """In training for a moment, on pictures with a gradient, so that its normalisations do something."""
    torch.manual_seed(0)
    network.train()
    with torch.no_grad():
        for _ in range(3):
            getattr(network, "landmarker", network).features(pictures(8, 96))
        getattr(network, "landmarker", network).maps.weight.mul_(8)
    return network.eval()


def pictures(count, size, rows=None):
    """Smooth random pictures."""
    knots = torch.rand(count, 3, 6, 6)
    return torch.nn.functional.interpolate(knots, (rows or size, size), mode="bicubic").clamp(0, 1)


def ordered():
    inner = LandmarkerSpec(pairs=3, middle=2, widths=(4, 8, 8, 8), layers=(1, 1, 1)).network()
    return used(OrderedLandmarker(inner, [2, 3, 4, 5, 6, 7, 0, 1], torch.ones(8)))


def opened(path):
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda images: [torch.from_numpy(one) for one in session.run(None, {"images": images.numpy()})]


def test_the_file_finds_what_the_network_of_patches_finds(tmp_path):
    network = used(PATCH.network())
    export_quantised(network, tmp_path / "patch.onnx", [pictures(4, 64, 48) for _ in range(4)])
    shown = pictures(6, 64, 48)
    points, sigma, covered = opened(tmp_path / "patch.onnx")(shown)
    with torch.no_grad():
        wanted = network(shown)
    spread = wanted.points.std(0).mean()
    assert spread > 0.03
    assert (points - wanted.points).abs().mean() < 0.25 * spread
    torch.testing.assert_close(sigma, wanted.sigma, atol=0.1, rtol=0)
    torch.testing.assert_close(covered, wanted.covered, atol=0.05, rtol=0)


def test_a_mirrored_picture_has_the_mirrored_points(tmp_path):
    export_quantised(ordered(), tmp_path / "face.onnx", [pictures(4, 96) for _ in range(2)])
    find, shown = opened(tmp_path / "face.onnx"), pictures(3, 96)
    (points, sigma), (mirrored, as_sure) = find(shown), find(shown.flip(-1))
    torch.testing.assert_close(mirrored[..., 0], 1 - points[:, SWAP, 0])
    torch.testing.assert_close(mirrored[..., 1], points[:, SWAP, 1])
    torch.testing.assert_close(as_sure, sigma[:, SWAP])


def test_all_but_the_ends_are_integers_and_the_log_is_as_it_was(tmp_path):
    onnx = pytest.importorskip("onnx")
    network = PATCH.network()
    export_quantised(network, tmp_path / "patch.onnx", [pictures(2, 64, 48)])
    graph = onnx.load(tmp_path / "patch.onnx").graph
    weights = {one.name: one.data_type for one in graph.initializer if len(one.dims) == 4}
    convolutions = [part for part in network.modules() if isinstance(part, torch.nn.Conv2d)]
    assert sum(kind == onnx.TensorProto.INT8 for kind in weights.values()) == len(convolutions) - 3
    assert sum(kind == onnx.TensorProto.FLOAT for kind in weights.values()) == 3
    assert not [node for node in graph.node if node.op_type == "BatchNormalization"]
    assert logging.root.manager.disable == logging.NOTSET
