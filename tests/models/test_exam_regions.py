"""Exam regions: what the pooling computes, the mirror law, gradients, what is refused, and the ONNX file."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from facialpalsy.errors import UsageError
from facialpalsy.models.exam_regions import ExamRegions, FlipAveragedRegions, map_scores
from facialpalsy.models.export import as_stored, export_onnx
from facialpalsy.models.vitau import PRESETS

TINY = replace(PRESETS["tiny"], points=4)
SIDES = (1, 0, 3, 2)


def lively(network):
    """With weights of the pooling that are not those of the beginning."""
    with torch.no_grad():
        for one in (network.same, network.other, network.bias):
            if one is not None:
                one.copy_(torch.randn(one.shape))
    return network


def test_scores_are_means_within_one():
    maps = torch.zeros(1, 2, 2, 2)
    maps[0, 0] = torch.tensor([[4.0, -1.0], [0.0, 1.0]])
    assert map_scores(maps).tolist() == [[0.25, 0.0]]


def test_pooling_by_hand():
    """Two units, two exams: of the first two smiles and a rest, of the second a photo that nobody names."""
    network = ExamRegions(torch.nn.Identity(), points=4, expressions=3)
    with torch.no_grad():
        network.same.zero_(), network.other.zero_(), network.bias.zero_()
        network.same[0, 0, 0], network.other[1, 1, 0], network.bias[1, 1], network.same[2, 0, 1] = 1.0, 2.0, 5.0, 10.0
    # A heat map that is sure has the mean 0.15.
    scores = 0.15 * torch.tensor([[0.1, 0.2, 0, 0], [0.3, 0.4, 0, 0], [0.6, 0.8, 0, 0], [0, 0, 0.5, 0.25]])
    found = network.pooled(scores, torch.tensor([1, 1, 0, 2]), torch.tensor([0, 0, 0, 1]), 2)
    # Unit 0 is its own score at rest; unit 1 twice what unit 0 has on the other side, on average in the smiles, plus 5.
    torch.testing.assert_close(found, torch.tensor([[0.6, 0.8, 5.6, 5.4], [5.0, 2.5, 0.0, 0.0]]))


def test_an_untrained_pool_names_what_the_maps_show():
    network = ExamRegions(torch.nn.Identity(), points=4)
    scores = torch.tensor([[0.5, -0.5, -0.2, 0.4]])
    found = network.pooled(scores, torch.tensor([3]), torch.tensor([0]), 1)
    assert ((found > 0) == (scores > 0)).all()


def test_mirror_law():
    network = FlipAveragedRegions(lively(TINY.network()).eval(), SIDES)
    images, expressions = torch.rand(3, 3, 32, 32), torch.tensor([0, 5, 9])
    with torch.no_grad():
        found, mirrored = network(images, expressions), network(images.flip(-1), expressions)
        alone = network.regions(images, expressions, torch.zeros(3, dtype=torch.long), 1)
    torch.testing.assert_close(mirrored.maps, found.maps[:, SIDES].flip(-1), atol=1e-5, rtol=0)
    torch.testing.assert_close(mirrored.palsy, found.palsy[list(SIDES)], atol=1e-5, rtol=0)
    assert (alone.maps - found.maps).abs().max() > 1e-4


def test_the_pool_knows_no_side():
    network = lively(ExamRegions(torch.nn.Identity(), points=4))
    scores, expressions, exam = torch.randn(5, 4), torch.arange(5), torch.zeros(5, dtype=torch.long)
    found, mirrored = (network.pooled(one, expressions, exam, 1) for one in (scores, scores[:, SIDES]))
    torch.testing.assert_close(mirrored, found[:, SIDES])


@pytest.mark.parametrize("sides", [1, 2])
def test_a_gradient_reaches_the_pool_and_the_interpreter(sides):
    network = lively(replace(TINY, sides=sides).network())
    found = network(torch.rand(3, 3, 32, 32), torch.tensor([0, 1, 9]), torch.tensor([0, 0, 1]), 2)
    assert found.exam_logits.shape == (2, 4)
    found.exam_logits.square().sum().backward()
    used = {name for name, one in network.named_parameters() if one.grad is not None and one.grad.any()}
    assert {"same", "bias", *(["other"] if sides == 2 else [])} <= used
    parts = {name.split(".")[1] for name in used if name.startswith("trunk.")}
    assert parts == {"encoder", "generator", "interpreter"}


@pytest.mark.parametrize("order", [(1, 2, 0), (0, 0), (1, 2), (-1, 0)])
def test_an_order_that_is_no_mirror_is_refused(order):
    with pytest.raises(UsageError, match=r"is \(.*\); give each number once"):
        FlipAveragedRegions(TINY.network(), order)


def test_heat_maps_that_are_not_of_two_sides_are_refused():
    with pytest.raises(UsageError, match="13 heat maps cannot be of 2 sides each"):
        replace(TINY, points=13).network()


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    torch.manual_seed(0)
    spec = PRESETS["small"]
    network = FlipAveragedRegions(spec.network(), [one ^ 1 for one in range(spec.points)]).eval()
    path = tmp_path_factory.mktemp("onnx") / "regions.onnx"
    export_onnx(network, spec.image_size, path)
    return as_stored(network), path, runtime.InferenceSession(path, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("photos", [1, 3])
def test_the_small_size_as_onnx_equals_the_network(exported, photos):
    network, path, session = exported
    images, expressions = torch.rand(photos, 3, 192, 192), torch.arange(photos)
    with torch.no_grad():
        wanted = network(images, expressions)
    found = session.run(list(wanted._fields), {"images": images.numpy(), "expressions": expressions.numpy()})
    for name, one in zip(wanted._fields, found, strict=True):
        np.testing.assert_allclose(one, getattr(wanted, name).numpy(), atol=1e-4, rtol=0, err_msg=name)
    assert path.stat().st_size <= 20_000_000
