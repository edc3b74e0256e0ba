"""Exam points: the fit to a template by its law, and both sides exchanged by the mirror."""

import math

import pytest
import torch

from facialpalsy.models.exam_points import HELD, MOVED, ExamPoints, PointScale, fitted

PAIRS, MIDDLE, EXPRESSIONS = 4, 2, 3
POINTS = 2 * PAIRS + MIDDLE
REST = 0


def mirrored(points):
    """Points of the mirrored photo, in the network's order."""
    left, right, middle = points.split([PAIRS, PAIRS, MIDDLE], dim=-2)
    swapped = torch.cat([right, left, middle], dim=-2)
    return torch.stack([1 - swapped[..., 0], swapped[..., 1]], dim=-1)


@pytest.fixture
def template():
    half = torch.rand(POINTS, 2) * 0.8 + 0.1
    return (half + mirrored(half)) / 2


@pytest.fixture
def reader(template):
    network = ExamPoints(PAIRS, MIDDLE, EXPRESSIONS, hidden=8).eval()
    zero, one = torch.zeros(EXPRESSIONS, 2 * POINTS), torch.full((EXPRESSIONS, 2 * POINTS), 0.1)
    scale = torch.stack([zero, one])
    network.begin_with(PointScale(template, torch.ones(POINTS), scale, scale, torch.rand(EXPRESSIONS, MOVED + HELD)))
    return network


def read(network, points, expressions, exam=None):
    exam = torch.zeros(len(points), dtype=torch.long) if exam is None else torch.tensor(exam)
    with torch.no_grad():
        return network(points, torch.tensor(expressions), exam, int(exam.max()) + 1)


def photos(template, count):
    return template + 0.05 * torch.randn(count, POINTS, 2)


def moved(points, turn, zoom, shift):
    turned = torch.tensor([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    return zoom * points @ turned.T + torch.tensor(shift)


def test_a_turned_scaled_and_shifted_template_is_fitted_back(template):
    other = moved(template, 0.4, 1.7, (0.3, -0.2))[None]
    torch.testing.assert_close(fitted(other, template, torch.rand(POINTS))[0], template, atol=1e-5, rtol=0)


def test_points_without_weight_do_not_count_in_the_fit(template):
    weight = torch.ones(POINTS)
    weight[2] = 0
    other = moved(template, -0.2, 0.8, (0.1, 0.1))
    other[2] += 0.3
    found = fitted(other[None], template, weight)[0]
    kept = [one for one in range(POINTS) if one != 2]
    torch.testing.assert_close(found[kept], template[kept], atol=1e-5, rtol=0)
    # The other goes where the fit takes it: 0.3 both ways, turned back and scaled by 1 / 0.8.
    assert torch.linalg.norm(found[2] - template[2]).item() == pytest.approx(0.3 * 2**0.5 / 0.8, abs=1e-5)


def test_the_mirror_exchanges_the_sides(reader, template):
    points = photos(template, 4)
    found, other = read(reader, points, [0, 1, 1, 2]), read(reader, mirrored(points), [0, 1, 1, 2])
    torch.testing.assert_close(other.even, found.even, atol=1e-6, rtol=0)
    torch.testing.assert_close(other.odd, -found.odd, atol=1e-6, rtol=0)
    torch.testing.assert_close(other.numbers, found.numbers.flip(-1), atol=1e-6, rtol=0)
    assert (found.numbers[..., 0] - found.numbers[..., 1]).abs().max() > 1e-3


def test_the_mirror_exchanges_the_sides_where_no_points_were_ever_known(template):
    """A reader that was not given the constants of any people, as when it trains on photos without points."""
    network, points = ExamPoints(PAIRS, MIDDLE, EXPRESSIONS, hidden=8).eval(), photos(template, 3)
    found, other = read(network, points, [0, 1, 2]), read(network, mirrored(points), [0, 1, 2])
    torch.testing.assert_close(other.even, found.even, atol=1e-6, rtol=0)
    torch.testing.assert_close(other.odd, -found.odd, atol=1e-6, rtol=0)


def test_a_symmetric_exam_has_no_side(reader, template):
    points = photos(template, 3)
    found = read(reader, (points + mirrored(points)) / 2, [0, 1, 2])
    torch.testing.assert_close(found.odd, torch.zeros_like(found.odd), atol=1e-6, rtol=0)
    torch.testing.assert_close(found.numbers[..., 0], found.numbers[..., 1], atol=1e-6, rtol=0)


def test_how_a_photo_was_cut_does_not_matter(reader, template):
    points = photos(template, 3)
    found = read(reader, points, [0, 1, 2])
    cut = torch.stack([moved(points[0], 0.1, 1.1, (0.1, 0)), moved(points[1], -0.1, 0.9, (0, 0)), points[2]])
    torch.testing.assert_close(read(reader, cut, [0, 1, 2]).numbers, found.numbers, atol=1e-5, rtol=0)


def test_movement_is_what_differs_from_rest(reader, template):
    """What a face looks like changes what is held, and never what moved."""
    reader.steadiness.fill_(1e-9)
    reader.steadiness[[0, 4, 8]] = 1  # so that the others do not turn the face
    shape, points = torch.zeros(POINTS, 2), template.expand(3, -1, -1) + 0.02 * torch.randn(3, POINTS, 2)
    shape[1], shape[7] = torch.tensor([0.04, -0.02]), torch.tensor([0.01, 0.03])
    points[:, [0, 4, 8]] = template[[0, 4, 8]]
    found, other = read(reader, points, [0, 1, 2]).numbers, read(reader, points + shape, [0, 1, 2]).numbers
    torch.testing.assert_close(other[:, :, :MOVED], found[:, :, :MOVED], atol=1e-6, rtol=0)
    assert (other[:, :, MOVED:] - found[:, :, MOVED:]).abs().max() > 1e-4


def compared(network, left, right):
    """How far the right side leads and how alike they are, of pairs that move so far (expressions, PAIRS, 2)."""
    still = torch.zeros(1, EXPRESSIONS, MIDDLE, 2)
    across = torch.tensor([-1.0, 1.0])
    moved = torch.cat([left[None], right[None] * across, still], 2)
    turned = torch.cat([right[None], left[None] * across, still], 2)
    with torch.no_grad():
        return network.compare(moved, turned)


def test_sides_are_compared_however_far_and_whichever_way_they_move(reader):
    way = torch.randn(EXPRESSIONS, PAIRS, 2)
    for size in (1.0, 10.0):
        lead, alike = compared(reader, size * way, 0.5 * size * way)
        # (1/4 - 1) / (1/4 + 1) and 2 * 1/2 / (1/4 + 1), times 4, but for what counts as still.
        torch.testing.assert_close(lead, torch.full_like(lead, -2.4), atol=0.05, rtol=0)
        torch.testing.assert_close(alike, torch.full_like(alike, 3.2), atol=0.05, rtol=0)
    lead, alike = compared(reader, way, -way)
    torch.testing.assert_close(lead, torch.zeros_like(lead), atol=1e-5, rtol=0)
    torch.testing.assert_close(alike, torch.full_like(alike, -4.0), atol=0.05, rtol=0)


def test_sides_that_do_not_move_are_neither_ahead_nor_alike(reader):
    none = torch.zeros(EXPRESSIONS, PAIRS, 2)
    assert all((one == 0).all() for one in compared(reader, none, none))


def test_without_rest_nothing_is_known(reader, template):
    found = read(reader, photos(template, 5), [1, 2, 0, 1, 2], [0, 0, 1, 1, 1])
    assert found.known.tolist() == [False, True]
    assert not found.numbers[0].any() and found.numbers[1].any()


def test_what_an_exam_lacks_has_no_numbers(reader, template):
    found = read(reader, photos(template, 2), [0, 2])
    assert not found.numbers[0, 1].any() and found.numbers[0, [0, 2]].any()


def test_every_parameter_has_a_gradient(reader, template):
    found = reader(photos(template, 3), torch.arange(3), torch.zeros(3, dtype=torch.long), 1)
    (found.even.sum() + (found.odd**2).sum()).backward()
    # At rest nothing has moved, and one of three expressions is rest: those weights have no gradient there.
    for name, one in reader.named_parameters():
        assert one.grad is not None and one.grad.any(), name
