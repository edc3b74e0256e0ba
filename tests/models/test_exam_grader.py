"""Exam grader: pooling by hand and by its laws; the side changes its sign with the mirror; pictures of 0..1."""

from dataclasses import replace

import pytest
import torch

from facialpalsy.models.slots import Slots

from .conftest import POINTS


def ask(grader, images, expressions, exam=None):
    exam = torch.zeros(len(images), dtype=torch.long) if exam is None else torch.tensor(exam)
    with torch.no_grad():
        return grader(images, torch.tensor(expressions), exam, int(exam.max()) + 1)


def test_slots_by_hand():
    """Two expressions: 2 x mean + 5 of the first, 3 x mean + 7 of the second; what is not there adds nothing."""
    slots = Slots(1, 2, 1, bias=True)
    with torch.no_grad():
        slots.weight.copy_(torch.tensor([[[2.0]], [[3.0]]]))
        slots.bias.copy_(torch.tensor([[5.0], [7.0]]))
    means, present = torch.tensor([[10.0], [100.0], [0.0], [20.0]]), torch.tensor([[1.0], [1.0], [0.0], [1.0]])
    # The second exam has its second expression alone.
    assert slots(means, present).tolist() == [[10 * 2 + 5 + 100 * 3 + 7], [20 * 3 + 7]]


def test_pictures_are_normalised_inside(make_grader):
    grader, images = make_grader(), torch.rand(2, 3, 32, 32)
    features, _ = grader.trunk.forward_features(images * 4 - 2)
    torch.testing.assert_close(ask(grader, images, [0, 1]).features, features, atol=1e-5, rtol=0)


def test_the_order_of_photos_does_not_matter(make_grader):
    grader, images, expressions = make_grader(), torch.rand(5, 3, 32, 32), [0, 4, 4, 9, 2]
    order = [3, 0, 4, 2, 1]
    found, other = ask(grader, images, expressions), ask(grader, images[order], [expressions[one] for one in order])
    torch.testing.assert_close(other.grade_logits, found.grade_logits, atol=1e-6, rtol=0)
    torch.testing.assert_close(other.side, found.side, atol=1e-6, rtol=0)
    torch.testing.assert_close(other.photo_logits, found.photo_logits[order], atol=1e-6, rtol=0)


def test_photos_of_one_expression_are_averaged(make_grader):
    """A photo given twice counts once; a second one of another expression changes the answer."""
    grader, images = make_grader(), torch.rand(2, 3, 32, 32)
    once, twice = ask(grader, images, [1, 6]), ask(grader, images[[0, 0, 1]], [1, 1, 6])
    torch.testing.assert_close(twice.grade_logits, once.grade_logits, atol=1e-6, rtol=0)
    torch.testing.assert_close(twice.side, once.side, atol=1e-6, rtol=0)
    same, other = ask(grader, images[[0, 0, 1]], [1, 2, 6]), ask(grader, images, [1, 7])
    assert (same.grade_logits - once.grade_logits).abs().max() > 1e-3
    assert (other.grade_logits - once.grade_logits).abs().max() > 1e-3


def test_several_exams_are_graded_as_each_alone(make_grader):
    grader, images = make_grader(), torch.rand(5, 3, 32, 32)
    found = ask(grader, images, [0, 3, 0, 8, 9], [1, 0, 1, 2, 0])
    alone = [ask(grader, images[[1, 4]], [3, 9]), ask(grader, images[[0, 2]], [0, 0]), ask(grader, images[[3]], [8])]
    torch.testing.assert_close(found.grade_logits, torch.cat([one.grade_logits for one in alone]), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.side, torch.cat([one.side for one in alone]), atol=1e-5, rtol=0)
    assert found.grade_logits.shape == (3, 6)


def test_the_side_is_that_of_the_picture(make_grader, symmetric):
    grader, images = make_grader(), torch.rand(3, 3, 32, 32)
    found, mirrored = ask(grader, images, [0, 1, 2]), ask(grader, images.flip(-1), [0, 1, 2])
    assert found.side.abs().min() > 0
    torch.testing.assert_close(mirrored.side, -found.side, atol=1e-6, rtol=0)
    torch.testing.assert_close(mirrored.asymmetry, found.asymmetry, atol=0, rtol=0)
    assert ask(grader, symmetric(3, 32), [0, 1, 2]).side.count_nonzero() == 0


@pytest.fixture
def make_reading(spec):
    """A grader with a reader of points, whose template knows no side."""

    def make():
        grader = replace(spec, image_size=48, landmarker=POINTS).network().eval()
        template = grader.points.exam.template
        template[3:6, 0], template[3:6, 1], template[6:, 0] = 1 - template[:3, 0], template[:3, 1], 0.5
        grader.points.exam.moved_scale[1] = 0.1
        return grader

    return make


def test_points_are_read_beside_the_picture(make_reading):
    """The answer is a mean of both readers' log-odds; a mirrored exam has the same points' grade, the other side."""
    grader, images = make_reading(), torch.rand(3, 3, 48, 48)
    found, mirrored = ask(grader, images, [0, 1, 2]), ask(grader, images.flip(-1), [0, 1, 2])
    grader.points = None
    alone = ask(grader, images, [0, 1, 2])
    log_odds = 0.2 * alone.grade_logits.log_softmax(1) + 0.8 * found.read_grade.log_softmax(1)
    torch.testing.assert_close(found.grade_logits, log_odds)
    torch.testing.assert_close(found.side, 0.2 * alone.side + 0.8 * found.read_side)
    torch.testing.assert_close(mirrored.read_grade, found.read_grade, atol=1e-6, rtol=0)
    torch.testing.assert_close(mirrored.side, -found.side, atol=1e-6, rtol=0)


def test_what_the_points_say_of_the_mirror_image_is_what_they_say_there(make_reading):
    grader, images = make_reading(), torch.rand(3, 3, 48, 48)
    found, mirrored = ask(grader, images, [0, 1, 2]).read, ask(grader, images.flip(-1), [0, 1, 2]).read
    both = found.with_mirrored()
    for said, here, there in zip(both.exam, found.exam, mirrored.exam, strict=True):
        torch.testing.assert_close(said, torch.cat([here, there]), atol=1e-6, rtol=0)


def test_without_rest_the_picture_alone_is_read(make_reading):
    grader, images = make_reading(), torch.rand(3, 3, 48, 48)
    found = ask(grader, images, [1, 2, 0], [0, 0, 1])
    grader.points = None
    alone = ask(grader, images, [1, 2, 0], [0, 0, 1])
    torch.testing.assert_close(found.grade_logits[0].softmax(0), alone.grade_logits[0].softmax(0))
    assert found.side[0] == alone.side[0] and found.side[1] != alone.side[1]


def test_without_constants_the_picture_alone_is_read(make_reading):
    grader, images = make_reading(), torch.rand(3, 3, 48, 48)
    grader.points.exam.moved_scale[1] = 1.0
    found = ask(grader, images, [0, 1, 2])
    grader.points = None
    torch.testing.assert_close(found.grade_logits.softmax(1), ask(grader, images, [0, 1, 2]).grade_logits.softmax(1))


@pytest.mark.parametrize("changes", [{"use_micro_attention": False}, {"asymmetry": "literal"}])
def test_without_compared_sides_there_is_no_side(make_grader, changes):
    found = ask(make_grader(**changes), torch.rand(2, 3, 32, 32), [0, 1])
    assert found.side is found.odd is found.signed is None
    assert (found.asymmetry is None) == ("use_micro_attention" in changes)
    assert found.grade_logits.shape == (1, 6)


def test_half_precision(make_grader):
    grader, images = make_grader(), torch.rand(2, 3, 32, 32)
    wanted = ask(grader, images, [0, 5])
    with torch.autocast("cpu", torch.bfloat16):
        mixed = ask(grader, images, [0, 5])
    half = ask(grader.bfloat16(), images.bfloat16(), [0, 5])
    for found in (mixed, half):
        torch.testing.assert_close(found.grade_logits.float(), wanted.grade_logits, atol=0.05, rtol=0)
        torch.testing.assert_close(found.side.float(), wanted.side, atol=0.05, rtol=0)
