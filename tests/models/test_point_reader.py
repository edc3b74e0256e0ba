"""Readers of points in recogniser and regions: how both readers count, the mirror law, the sides, and what is seen."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from facialpalsy.errors import UsageError
from facialpalsy.models import exam_regions, vit, vitau
from facialpalsy.models.exam_points import PointsOutput
from facialpalsy.models.exam_regions import FlipAveragedRegions, UnitReader
from facialpalsy.models.export import as_stored, export_onnx
from facialpalsy.models.point_reader import mean_where
from facialpalsy.models.resample import shrunk
from facialpalsy.models.vit import FlipAveragedRecogniser

from .conftest import POINTS

VIT = replace(vit.PRESETS["tiny"], image_size=48, seen_size=32, patch_size=8, dim=16, hidden=16, stem_channels=None)
VIT = replace(VIT, landmarker=POINTS)
REGIONS = replace(vitau.PRESETS["tiny"], points=4, image_size=48, seen_size=32, hidden=16, landmarker=POINTS)
SPECS = pytest.mark.parametrize("spec", [VIT, REGIONS], ids=["recogniser", "regions"])
SIDES = [1, 0, 3, 2]


def network_of(spec):
    """With random weights, as after the beginning of a training: a symmetric template and constants."""
    torch.manual_seed(0)
    network = spec.network().eval()
    exam = network.points.exam
    exam.template[3:6, 0], exam.template[3:6, 1], exam.template[6:, 0] = (
        1 - exam.template[:3, 0],
        exam.template[:3, 1],
        0.5,
    )
    exam.moved_scale[1] = 0.1
    with torch.no_grad():
        for one in network.points.parameters():
            if one.ndim == 2:
                one.mul_(3)
    return network


def ask(network, images, expressions, exam=None):
    exam = torch.zeros(len(images), dtype=torch.long) if exam is None else torch.tensor(exam)
    with torch.no_grad():
        return network(images, torch.tensor(expressions), exam, int(exam.max()) + 1)


def test_the_answer_is_a_mean_of_both_readers():
    images = torch.rand(3, 3, 48, 48)
    found = ask(network_of(VIT), images, [0, 1, 2])
    share = vit.PICTURE_SHARE
    wanted = share * found.seen_logits.log_softmax(1) + (1 - share) * found.read_logits.log_softmax(1)
    torch.testing.assert_close(found.exam_logits, wanted)
    found = ask(network_of(REGIONS), images, [0, 1, 2])
    share = exam_regions.PICTURE_SHARE
    torch.testing.assert_close(found.exam_logits, share * found.seen_logits + (1 - share) * found.read_logits)


@SPECS
def test_without_rest_the_picture_alone_is_read(spec):
    found = ask(network_of(spec), torch.rand(3, 3, 48, 48), [1, 2, 0], [0, 0, 1])
    seen = found.seen_logits.log_softmax(1) if spec is VIT else found.seen_logits
    torch.testing.assert_close(found.exam_logits[0], seen[0])
    assert (found.exam_logits[1] - seen[1]).abs().max() > 1e-3


@SPECS
def test_without_constants_the_picture_alone_is_read(spec):
    found = ask(spec.network().eval(), torch.rand(3, 3, 48, 48), [0, 1, 2])
    assert torch.equal(found.exam_logits, found.seen_logits.log_softmax(1) if spec is VIT else found.seen_logits)


@SPECS
def test_what_the_points_say_of_a_mirrored_exam(spec):
    """The same of the palsy; of the units the same with the sides exchanged."""
    network, images = network_of(spec), torch.rand(3, 3, 48, 48)
    found, mirrored = ask(network, images, [0, 1, 2]), ask(network, images.flip(-1), [0, 1, 2])
    wanted = found.read_logits if spec is VIT else found.read_logits[:, SIDES]
    torch.testing.assert_close(mirrored.read_logits, wanted, atol=1e-5, rtol=0)
    assert spec is VIT or (found.read_logits - wanted).abs().max() > 1e-3  # else the law says nothing


def test_mirror_law_of_the_whole():
    images, expressions = torch.rand(3, 3, 48, 48), torch.tensor([0, 5, 9])
    recogniser, regions = FlipAveragedRecogniser(network_of(VIT)), FlipAveragedRegions(network_of(REGIONS), SIDES)
    with torch.no_grad():
        found, mirrored = recogniser(images, expressions), recogniser(images.flip(-1), expressions)
        torch.testing.assert_close(mirrored.palsy, found.palsy, atol=1e-5, rtol=0)
        found, mirrored = regions(images, expressions), regions(images.flip(-1), expressions)
    torch.testing.assert_close(mirrored.palsy, found.palsy[SIDES], atol=1e-5, rtol=0)
    assert (found.palsy - found.palsy[SIDES]).abs().max() > 1e-3


def test_each_answer_is_calibrated_as_what_it_is_read_from():
    """With a photo at rest by the one line, without by the other."""
    images, inner = torch.rand(2, 3, 48, 48), network_of(VIT)
    network = FlipAveragedRecogniser(inner, picture=(2.0, -1.0), points=(0.5, 3.0))
    for expressions, slope, intercept in (([0, 4], 0.5, 3.0), ([4, 5], 2.0, -1.0)):
        views = [ask(inner, seen, expressions).exam_logits for seen in (images, images.flip(-1))]
        odds = torch.cat([one[:, vit.PALSY] - one[:, 1 - vit.PALSY] for one in views])
        with torch.no_grad():
            found = network(images, torch.tensor(expressions)).palsy
        torch.testing.assert_close(found, (slope * odds + intercept).sigmoid().mean(0, keepdim=True))


def test_the_left_comes_first_and_is_on_the_images_right():
    """By hand: `even` is what both halves say together, `odd` what the image's right half says beyond the left one."""
    reader = UnitReader(POINTS.network(), 2, 2, 10, 2)
    reader.units = torch.nn.Identity()
    right, left = torch.tensor([[5.0, 7.0]]), torch.tensor([[1.0, 2.0]])
    exam = PointsOutput(right + left, right - left, torch.tensor([True]), torch.empty(0))
    assert reader.unit_logits(exam).tolist() == [[10.0, 2.0, 14.0, 4.0]]
    alike = UnitReader(POINTS.network(), 2, 1, 10, 2)
    alike.units = torch.nn.Identity()
    assert alike.unit_logits(exam).tolist() == [[6.0, 9.0]]


def test_a_mean_where_something_is_known():
    picture, points = torch.tensor([[1.0], [1.0]]), torch.tensor([[3.0], [torch.nan]])
    assert mean_where(torch.tensor([True, False]), 0.25, picture, points).tolist() == [[2.5], [1.0]]


@SPECS
def test_the_trunk_sees_the_shrunken_picture(spec):
    network, images = network_of(spec).trunk, torch.rand(2, 3, 48, 48)
    alone = replace(spec, image_size=32, seen_size=None, landmarker=None).network().eval().trunk
    alone.load_state_dict(network.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(network(images), alone(shrunk(images, 32)))


def test_what_is_shrunk_stays_in_place_and_is_smoothed():
    ramp = torch.arange(48.0).expand(1, 1, 48, 48)
    assert shrunk(ramp, 48) is ramp
    wanted = (torch.arange(32) + 0.5) * 1.5 - 0.5
    torch.testing.assert_close(shrunk(ramp, 32)[0, 0, 5, 2:-2], wanted[2:-2], atol=0.05, rtol=0)
    stripes = (torch.arange(48) % 2).float().expand(1, 1, 48, 48)
    assert (shrunk(stripes, 16) - 0.5).abs().max() < 0.2


@SPECS
def test_pictures_that_no_landmarker_takes_are_refused(spec):
    with pytest.raises(UsageError, match=r"image_size is 50; points are found at multiples of 48: take 48 or 96\."):
        replace(spec, image_size=50).network()


@SPECS
@pytest.mark.parametrize("photos", [1, 4])
def test_onnx_equals_the_network(spec, photos, tmp_path):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    inner = network_of(spec)
    network = as_stored(FlipAveragedRecogniser(inner) if spec is VIT else FlipAveragedRegions(inner, SIDES))
    export_onnx(network, spec.image_size, tmp_path / "network.onnx")
    session = runtime.InferenceSession(tmp_path / "network.onnx", providers=["CPUExecutionProvider"])
    images, expressions = torch.rand(photos, 3, 48, 48), torch.arange(photos)
    with torch.no_grad():
        wanted = network(images, expressions)
    found = session.run(list(wanted._fields), {"images": images.numpy(), "expressions": expressions.numpy()})
    for name, one in zip(wanted._fields, found, strict=True):
        np.testing.assert_allclose(one, getattr(wanted, name).numpy(), atol=1e-4, rtol=0, err_msg=name)


def test_regions_as_onnx_take_the_points_that_the_recogniser_finds(tmp_path):
    """With the same landmarker they are those that the region network would find itself."""
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    recogniser, regions = network_of(VIT), network_of(REGIONS)
    regions.points.landmarker.load_state_dict(recogniser.points.landmarker.state_dict())
    recogniser = as_stored(FlipAveragedRecogniser(recogniser))
    regions = as_stored(FlipAveragedRegions(regions, SIDES))
    export_onnx(regions, 48, tmp_path / "regions.onnx", points=8)
    session = runtime.InferenceSession(tmp_path / "regions.onnx", providers=["CPUExecutionProvider"])
    assert [(one.name, one.shape) for one in session.get_inputs()][2] == ("points", ["n", 8, 2])
    images, expressions = torch.rand(4, 3, 48, 48), torch.arange(4)
    with torch.no_grad():
        points = recogniser(images, expressions).points
        wanted = regions(images, expressions)
    given = {"images": images.numpy(), "expressions": expressions.numpy(), "points": points.numpy()}
    for name, one in zip(wanted._fields, session.run(list(wanted._fields), given), strict=True):
        np.testing.assert_allclose(one, getattr(wanted, name).numpy(), atol=1e-4, rtol=0, err_msg=name)


@SPECS
def test_a_configuration_survives_json(spec):
    assert type(spec).from_dict(spec.to_dict()) == spec
