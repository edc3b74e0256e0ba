"""Augment: the mirror takes photo, regions, sides and truths together; exams keep their photos' place."""

import pytest

pytest.importorskip("torch")

import torch

from facialpalsy.face import DENSE, Side
from facialpalsy.models.roi import REGIONS
from facialpalsy.training.augment import (
    augmented,
    mirrored,
    mirrored_points,
    moved,
    other_shapes,
    plain,
    region_shares,
    resampled,
    with_photos,
)
from facialpalsy.training.exams import UNKNOWN_REGION, Numbered, join


@pytest.fixture
def batch(noise_exams):
    exams = Numbered(noise_exams(3))
    return join([exams[number] for number in range(3)])


def assert_same(one, other):
    for mine, yours in zip(one, other, strict=True):
        torch.testing.assert_close(mine, yours, equal_nan=True)


def test_mirrored_twice_is_as_before(batch):
    chosen = torch.tensor([True, False, True])
    assert_same(mirrored(mirrored(batch, chosen), chosen), batch)


def test_the_mirror_takes_all_of_a_chosen_exam(batch):
    found = mirrored(batch, torch.tensor([False, True, False]))
    mine, others = batch.exam == 1, batch.exam != 1
    assert_same(with_photos(found, others)[:5], with_photos(batch, others)[:5])
    torch.testing.assert_close(found.images[mine], batch.images[mine].flip(-1))
    torch.testing.assert_close(found.photo_truth[mine], batch.photo_truth[mine].flip(-1))
    torch.testing.assert_close(found.exam_truth[1], batch.exam_truth[1].flip(-1))
    torch.testing.assert_close(found.units[1], batch.units[1].flip(-1))
    across, down = found.centres[mine].unbind(-1)
    torch.testing.assert_close(1 - across.flip(-1), batch.centres[mine][..., 0])
    torch.testing.assert_close(down.flip(-1), batch.centres[mine][..., 1])
    assert batch.side[1] == 1 and found.side.isnan().tolist() == [True, False, False]
    assert found.side[1:].tolist() == [0, 0]
    assert_same((found.grade, found.expressions, found.number), (batch.grade, batch.expressions, batch.number))


def test_the_mirror_exchanges_the_eyes_where_they_are():
    left, right = 1 + REGIONS.index("left_eye"), 1 + REGIONS.index("right_eye")
    regions = torch.zeros(1, 4, 4, dtype=torch.uint8)
    regions[0, 1, 3], regions[0, 2, 0], regions[0, 3, 0] = left, right, 1 + REGIONS.index("mouth")
    found = mirrored(one_photo(regions), torch.tensor([True])).regions[0]
    assert found[1, 0] == right and found[2, 3] == left and found[3, 3] == 1 + REGIONS.index("mouth")
    unknown = torch.full_like(regions, UNKNOWN_REGION)
    assert (mirrored(one_photo(unknown), torch.tensor([True])).regions == UNKNOWN_REGION).all()


def one_photo(regions):
    """A batch of one exam of one photo with these regions."""
    from facialpalsy.training.exams import Batch

    zero = torch.zeros(1, dtype=torch.long)
    truth = torch.zeros(1, 1, 2)
    none, centres, points = torch.tensor([0.0]), torch.zeros(1, 1, 2, 2), torch.zeros(1, DENSE.size, 2)
    images = torch.zeros(1, 3, 8, 8)
    return Batch(images, zero, zero, regions, truth, truth, zero, none, zero, none, truth, centres, points)


def test_points_follow_their_photo():
    """Blots drawn at points are found, after any change of place, where the points are said to be."""
    torch.manual_seed(3)
    points = 0.3 + 0.4 * torch.rand(6, 1, 2)
    row, column = (torch.arange(240) + 0.5) / 240, (torch.arange(240) + 0.5) / 240
    distance = (row[:, None] - points[:, :, 1:]).square() + (column - points[:, :, :1]).square()
    images = (255 * (-distance / 2 / 0.02**2).exp()).to(torch.uint8)[:, None].expand(-1, 3, -1, -1)
    turn, zoom, shift = 0.2 * torch.randn(6), 1 + 0.2 * torch.randn(6), 0.1 * torch.randn(6, 2)
    warp = 2 * other_shapes(6, 192, torch.device("cpu"))
    seen = resampled(images, 192, turn, zoom, shift, warp)[:, 0]
    found = (seen.flatten(1) / seen.sum((1, 2))[:, None]).view_as(seen)
    place = (torch.arange(192) + 0.5) / 192
    centre = torch.stack([(found.sum(1) * place).sum(1), (found.sum(2) * place).sum(1)], 1)
    assert (centre - points[:, 0]).abs().max() > 0.05
    # A warp makes a blot uneven, so its middle lies a little beside the point.
    torch.testing.assert_close(moved(points, turn, zoom, shift, warp)[:, 0], centre, atol=0.004, rtol=0)


def test_the_mirror_names_points_anew(batch):
    outer = {side: DENSE.point("outer_canthus", side) for side in Side}
    found = mirrored_points(batch.points)
    torch.testing.assert_close(found[:, outer[Side.LEFT], 0], 1 - batch.points[:, outer[Side.RIGHT], 0])
    torch.testing.assert_close(found[:, outer[Side.LEFT], 1], batch.points[:, outer[Side.RIGHT], 1])
    torch.testing.assert_close(mirrored_points(found), batch.points)
    chosen = torch.tensor([False, True, False])
    taken = mirrored(batch, chosen).points
    torch.testing.assert_close(taken[batch.exam == 1], found[batch.exam == 1])
    torch.testing.assert_close(taken[batch.exam != 1], batch.points[batch.exam != 1])


def test_points_that_nobody_knows_stay_unknown(noise_exams):
    exams = Numbered(noise_exams(2, known=False))
    assert augmented(join([exams[0], exams[1]]), 32, uneven=True).points.isnan().all()


def test_an_exam_never_loses_its_last_photo(noise_exams):
    exams = Numbered(noise_exams(40, photos=1))
    batch = join([exams[number] for number in range(40)])
    torch.manual_seed(0)
    found = augmented(batch, 32)
    assert found.exam.tolist() == list(range(40))


def test_most_photos_are_kept_with_what_is_known_of_them(noise_exams):
    exams = Numbered(noise_exams(30, photos=9))
    batch = join([exams[number] for number in range(30)])
    torch.manual_seed(0)
    found = augmented(batch, 32)
    assert 0.8 < len(found.images) / len(batch.images) < 0.95
    assert len(found.expressions) == len(found.exam) == len(found.regions) == len(found.photo_truth)
    assert found.images.shape[1:] == (3, 32, 32) and found.images.isfinite().all()
    assert len(found.grade) == 30


def test_another_shape_is_as_symmetric_as_the_face():
    torch.manual_seed(0)
    warp = other_shapes(3, 32, torch.device("cpu"))
    assert warp.abs().max() > 0.02
    torch.testing.assert_close(warp.flip(2) * torch.tensor([-1, 1]), warp)
    half = torch.randint(0, 256, (3, 3, 32, 16), dtype=torch.uint8)
    still = torch.zeros(3), torch.ones(3), torch.zeros(3, 2)
    found = resampled(torch.cat([half, half.flip(-1)], -1), 32, *still, warp)
    torch.testing.assert_close(found, found.flip(-1), atol=1e-4, rtol=0)
    assert (found - resampled(torch.cat([half, half.flip(-1)], -1), 32, *still, None)).abs().max() > 0.1


def test_parts_of_exams_go_down_to_single_photos(noise_exams):
    exams = Numbered(noise_exams(2, photos=6))
    batch = join([exams[0], exams[1]])
    torch.manual_seed(0)
    counts = torch.stack([augmented(batch, 16, partial=True).exam.bincount(minlength=2) for _ in range(300)])
    assert set(counts.unique().tolist()) == {1, 2, 3, 4, 5, 6}
    # The share that is dropped is any from 0 to 1, so each number of photos is about as frequent as another.
    assert 3 < counts.float().mean() < 4


def test_the_same_seed_gives_the_same_variant(batch):
    torch.manual_seed(3)
    one = augmented(batch, 32)
    torch.manual_seed(3)
    assert_same(one, augmented(batch, 32))


def test_as_it_is_at_its_own_size_is_the_photo(batch):
    torch.testing.assert_close(plain(batch, 40).images, batch.images / 255, atol=1e-5, rtol=0)


def test_a_quarter_turn_and_a_shift_by_hand():
    photo = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
    photo[0, :, 0, 3] = 255  # top right
    turned = resampled(photo, 4, torch.tensor([torch.pi / 2]), torch.ones(1), torch.zeros(1, 2), None)
    assert turned[0, 0, 0, 0] == pytest.approx(1, abs=1e-4)  # seen at the top left
    shifted = resampled(photo, 4, torch.zeros(1), torch.ones(1), torch.tensor([[0.5, 0.0]]), None)
    # One pixel of four to the left; beyond the photo its border goes on.
    expected = torch.zeros(3, 4, 4)
    expected[:, 0, 2:] = 1
    torch.testing.assert_close(shifted[0], expected, atol=1e-4, rtol=0)


def test_shares_of_regions_by_hand():
    regions = torch.zeros(2, 4, 4, dtype=torch.uint8)
    regions[0, :2, :2] = 1
    regions[0, 3, 3] = 5
    regions[1] = UNKNOWN_REGION
    shares, known = region_shares(regions, 2)
    assert known.tolist() == [True, False]
    torch.testing.assert_close(shares[0, 0], torch.tensor([[1.0, 0.0], [0.0, 0.0]]))
    torch.testing.assert_close(shares[0, 4], torch.tensor([[0.0, 0.0], [0.0, 0.25]]))
    torch.testing.assert_close(shares[0, 5], torch.tensor([[1.0, 0.0], [0.0, 0.25]]))
