"""Point targets: numbers of an exam by hand, and constants that know no side."""

import math

import pytest

pytest.importorskip("torch")

import torch

from facialpalsy.clinical.expressions import Expression
from facialpalsy.models.exam_points import MOVED, ExamPoints
from facialpalsy.training.augment import mirrored, plain
from facialpalsy.training.exams import EXPRESSIONS, NOT_KNOWN, Numbered, join
from facialpalsy.training.losses import point_losses, reading_losses
from facialpalsy.training.point_targets import exam_numbers, point_scale
from facialpalsy.training.targets import EXAM_TARGETS, PHOTO_TARGETS

COUNT = len(EXPRESSIONS) + 1
REST, SMILE = EXPRESSIONS.index(Expression.REST), EXPRESSIONS.index(Expression.SMILE_OPEN)


def joined_exams(exams):
    return plain(join([Numbered(exams)[number] for number in range(len(exams))]), 48)


def test_numbers_by_hand(noise_exams):
    """A smile of 40 % on the subject's left is the image's right; a fissure of 0.1 iod is 1."""
    batch = joined_exams(noise_exams(1))
    photo = torch.zeros(2, len(PHOTO_TARGETS), 2)
    photo[:, PHOTO_TARGETS.index("true_palpebral_fissure_height")] = torch.tensor([[1.0, 0.2], [2.0, 0.4]])
    truth = torch.zeros(1, len(EXAM_TARGETS), 2)
    truth[0, EXAM_TARGETS.index("movement_smile_open")] = torch.tensor([math.asinh(4.0), math.asinh(10.0)])
    slots = torch.tensor([SMILE, SMILE])
    batch = batch._replace(photo_truth=photo, exam_truth=truth, expressions=slots)
    found = exam_numbers(batch, COUNT, torch.tensor([True]))
    torch.testing.assert_close(found[0, SMILE, 0], torch.tensor([1.0, 0.4]))
    torch.testing.assert_close(found[0, SMILE, MOVED + 1], torch.tensor([0.3, 1.5]))
    assert found[0, REST].isnan().all() and found[0, NOT_KNOWN].isnan().all()
    assert exam_numbers(batch, COUNT, torch.tensor([False])).isnan().all()


def test_numbers_of_the_mirrored_exam_are_exchanged(noise_exams):
    batch, all_ = joined_exams(noise_exams(3, photos=9)), torch.ones(3, dtype=torch.bool)
    found = exam_numbers(batch, COUNT, all_)
    other = exam_numbers(mirrored(batch, all_), COUNT, all_)
    torch.testing.assert_close(other, found.flip(-1), equal_nan=True)
    assert found[:, :NOT_KNOWN, MOVED:].isfinite().all()


def test_constants_know_no_side(noise_exams):
    batch = joined_exams(noise_exams(6, photos=9))
    one = point_scale([batch], COUNT)
    other = point_scale([mirrored(batch, torch.ones(6, dtype=torch.bool))], COUNT)
    for mine, yours in zip(one, other, strict=True):
        torch.testing.assert_close(mine, yours, atol=1e-4, rtol=1e-3)
    reader = ExamPoints(90, 11, COUNT, 8)
    torch.testing.assert_close(reader._mirrored(one.template - 0.5) + 0.5, one.template, atol=1e-6, rtol=0)
    # An expression that nobody shows is neither shifted nor scaled.
    assert not one.moved[0, NOT_KNOWN].any() and (one.moved[1, NOT_KNOWN] == 1).all()


def test_points_that_no_expression_moves_are_held_most(noise_exams):
    batch = joined_exams(noise_exams(6, photos=9))
    still = batch.points[batch.exam.unique_consecutive().repeat_interleave(9) * 9].clone()
    still[:, 100:] = batch.points[:, 100:]
    found = point_scale([batch._replace(points=still)], COUNT).steadiness
    from facialpalsy.training.landmarks import ORDER

    moving = torch.tensor([one >= 100 for one in ORDER])
    pairs = 90
    alike = moving[:pairs] == moving[pairs : 2 * pairs]
    assert found[:pairs][alike & ~moving[:pairs]].min() > found[:pairs][alike & moving[:pairs]].max()


def test_unknown_points_have_no_constants(noise_exams):
    assert point_scale([joined_exams(noise_exams(2, known=False))], COUNT) is None


def test_the_reader_learns_from_exams_with_rest_alone(noise_exams, training):
    """The second exam has no rest photo, so the losses are those of the first alone."""
    config = training(points=True)
    # Not in training, where batch normalisation would see the other photos too.
    reader, batch = config.spec.network().points.eval(), joined_exams(noise_exams(2, photos=3))
    batch = batch._replace(expressions=torch.tensor([0, 1, 2, 1, 2, 3]))
    alone = batch._make(one[:3] if len(one) == 6 else one[:1] for one in batch)

    def losses(one):
        read = reader(one.images, one.expressions, one.exam, len(one.number))
        return point_losses(read, *reader.graded(read.exam), one, config) | reading_losses(read, one)

    found, wanted = losses(batch), losses(alone)
    assert found.keys() == wanted.keys() == {"numbers", "point_grade", "point_ordinal", "point_side"}
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name], atol=1e-4, rtol=1e-3)


def test_a_grader_with_points_trains(noise_exams, training, tmp_path):
    from facialpalsy.training.grader import fit_grader

    found = fit_grader(
        training(points=True, epochs=1), noise_exams(8), noise_exams(4, first=100), tmp_path, tmp_path / "logs",
        accelerator="cpu", devices=1,
    )  # fmt: skip
    assert found.epoch == 1 and found.model.is_file()
