"""Auxiliary targets: what is learnt beside the question, by hand, and nothing where nothing is known."""

import math

import pytest

pytest.importorskip("torch")

import torch

from facialpalsy.face import DENSE
from facialpalsy.face.alignment import CROP_CANTHUS_DISTANCE
from facialpalsy.training.augment import mirrored, plain
from facialpalsy.training.auxiliary import ExamTargets, PhotoTargets, UnitTargets
from facialpalsy.training.exams import Numbered, join
from facialpalsy.training.targets import TRACE

from .noise import NoiseExams


def batch(known=True):
    exams = Numbered(NoiseExams(2, known=known))
    return plain(join([exams[0], exams[1]]), 32)


def knowing(points, strengths):
    """Photo targets that say the same of every photo, and features that say nothing."""
    found = PhotoTargets(3)
    with torch.no_grad():
        found.points.bias.copy_(points.flatten())
        found.strengths.bias.copy_(strengths.flatten())
    return found, torch.zeros(4, 3)


def test_nothing_is_wrong_where_all_is_known():
    exams = batch()
    exams = exams._replace(
        points=exams.points[:1].expand_as(exams.points), photo_truth=exams.photo_truth[:1].expand_as(exams.photo_truth)
    )
    heads, features = knowing(exams.points[0], torch.asinh(exams.photo_truth[0] / TRACE))
    for loss in heads.losses(features, exams).values():
        assert loss < 1e-4


def test_a_point_on_one_side_counts_as_place_and_as_difference_of_the_sides():
    exams = batch()
    exams = exams._replace(points=exams.points[:1].expand_as(exams.points))
    moved = exams.points[0].clone()
    moved[DENSE.right[0], 1] += CROP_CANTHUS_DISTANCE  # one iod down
    heads, features = knowing(moved, torch.zeros(exams.photo_truth[0].shape))
    found = heads.losses(features, exams)
    seen = DENSE.size - len(DENSE.right)  # by one half: its own points and those of the midline
    assert found["place"].item() == pytest.approx(2 / (2 * seen), abs=1e-4)  # weight 2, of 2 halves
    assert found["sides"].item() == pytest.approx(3 * 0.5 / seen, abs=1e-4)
    assert found["movement"] < 1e-4  # it is where it is in every photo


def test_what_moves_between_the_photos_of_an_exam_counts_for_itself():
    exams = batch()
    points = exams.points[:1].repeat(4, 1, 1)
    points[0, DENSE.right[0], 1] += CROP_CANTHUS_DISTANCE  # in the first of two photos of the first exam
    heads, features = knowing(exams.points[0], torch.zeros(exams.photo_truth[0].shape))
    found = heads.losses(features, exams._replace(points=points))
    seen = DENSE.size - len(DENSE.right)
    # Half an iod from the exam's mean in both photos, of 4 photos and 2 halves.
    assert found["movement"].item() == pytest.approx(6 * 0.5 * (2 * 0.5) / (4 * 2 * seen), abs=1e-4)


def test_the_mirrored_exam_is_as_far_from_the_mirrored_answer():
    exams = batch()
    turned = mirrored(exams, torch.tensor([True, True]))
    heads, features = knowing(torch.full((DENSE.size, 2), 0.5), torch.ones(exams.photo_truth[0].shape))
    one, other = heads.losses(features, exams), heads.losses(features, turned)
    for name in one:
        torch.testing.assert_close(one[name], other[name])


def test_the_movements_of_an_exam():
    exams, heads = batch(), ExamTargets(3)
    with torch.no_grad():
        heads.movements.bias.copy_(exams.exam_truth[0].flatten() + 2)
    found = heads.losses(torch.zeros(2, 3), exams._replace(exam_truth=exams.exam_truth[:1].repeat(2, 1, 1)))
    assert found["movements"].item() == pytest.approx(0.3 * 4, rel=1e-4)


def test_the_units_of_an_exam():
    exams, heads = batch(), UnitTargets(3)
    with torch.no_grad():
        heads.units.bias.copy_(exams.units[0].flatten() * 2 - 1)
    units = exams.units[:1].repeat(2, 1, 1)
    units[1] = torch.nan
    assert heads.loss(torch.zeros(2, 3), units).item() == pytest.approx(math.log(1 + math.exp(-1)), rel=1e-5)


def test_what_is_not_known_teaches_nothing():
    heads, more, of_units, exams = PhotoTargets(3), ExamTargets(3), UnitTargets(3), batch(known=False)
    losses = heads.losses(torch.randn(4, 3), exams) | more.losses(torch.randn(2, 3), exams)
    losses["units"] = of_units.loss(torch.randn(2, 3), exams.units)
    assert {one.item() for one in losses.values()} == {0.0}
    sum(losses.values()).backward()
    assert not any(
        one.grad.any() for part in (heads, more, of_units) for one in part.parameters() if one.grad is not None
    )
