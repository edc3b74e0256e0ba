"""Landmarks: errors by hand, what is not known, and a training that finds drawn points."""

import pytest

pytest.importorskip("torch")

import torch

from facialpalsy.face import DENSE, Side
from facialpalsy.face.alignment import CROP_CANTHUS_DISTANCE
from facialpalsy.models.landmarker import SEEN
from facialpalsy.training.augment import mirrored, plain
from facialpalsy.training.config import LandmarkTraining
from facialpalsy.training.exams import Numbered, join
from facialpalsy.training.landmarks import ORDER, SEEN_BY_HALF, WEIGHTS, fit_landmarker, landmark_losses

from .noise import POINTS

ROWS, COLUMNS = 12, 8


def joined_exams(exams):
    return plain(join([Numbered(exams)[number] for number in range(len(exams))]), 48)


def maps_at(points):
    """Heat maps (n, points, ROWS, COLUMNS) of a half that are one place each: the points must lie at such places."""
    column = (points[..., 0] / SEEN * COLUMNS - 0.5).round().long()
    row = (points[..., 1] * ROWS - 0.5).round().long()
    maps = torch.zeros(*points.shape[:2], ROWS * COLUMNS)
    return maps.scatter_(2, (row * COLUMNS + column)[..., None], 1.0).view(*points.shape[:2], ROWS, COLUMNS)


@pytest.fixture
def placed(noise_exams):
    """Two exams of two photos whose points lie in the middle of a map's places, and maps that say so."""
    batch = joined_exams(noise_exams(2))
    at = torch.randint(0, COLUMNS // 2, batch.points.shape[:2]), torch.randint(0, ROWS, batch.points.shape[:2])
    points = torch.stack([(at[0] + 0.5) / COLUMNS * SEEN, (at[1] + 0.5) / ROWS], 2)
    right = list(DENSE.right)
    left = [DENSE.mirror[one] for one in right]
    points[:, left, 0] = 1 - points[:, left, 0]
    points[:, [one for one in range(DENSE.size) if DENSE.mirror[one] == one], 0] = 0.5
    batch = batch._replace(points=points)
    seen = list(SEEN_BY_HALF)
    other = mirrored(batch, torch.ones(2, dtype=torch.bool)).points
    return batch, [maps_at(points[:, seen]), maps_at(other[:, seen])]


def test_maps_at_the_points_have_no_error_but_of_the_middle(placed):
    """The midline lies between two places of a map of eight columns of two thirds: 0.5 is no middle of one."""
    batch, maps = placed
    pairs = len(DENSE.right)
    off = abs(0.5 - 5.5 / COLUMNS * SEEN) / CROP_CANTHUS_DISTANCE
    share = (len(SEEN_BY_HALF) - pairs) / len(SEEN_BY_HALF)
    found = landmark_losses(maps, batch)
    assert found["place"] == pytest.approx(WEIGHTS["place"] * off * share, abs=1e-5)
    assert found["spread"] == pytest.approx(WEIGHTS["spread"] * off * share, abs=1e-5)
    assert found["sides"] == pytest.approx(0, abs=1e-5) and found["movement"] == pytest.approx(0, abs=1e-5)


def test_one_side_off_is_a_wrong_difference_and_both_off_is_none(placed):
    batch, maps = placed
    down = [one.roll(1, dims=2) for one in maps]
    wrapped = maps[0][..., -1, :].any()
    assert wrapped  # so a few points go up by all rows instead
    one, both = landmark_losses([down[0], maps[1]], batch), landmark_losses(maps, batch)
    assert one["sides"] > 0.1 * WEIGHTS["sides"] and one["place"] > both["place"]
    # The mean of two photos takes what both have wrong alike out of their movement.
    still = batch._replace(points=batch.points[[0, 0, 2, 2]])
    shifted = [part[[0, 0, 2, 2]] for part in down]
    assert landmark_losses(shifted, still)["movement"] == pytest.approx(0, abs=1e-5)
    assert landmark_losses([down[0], maps[1]], batch)["movement"] > 0.01


def test_unknown_points_teach_nothing(noise_exams):
    batch = joined_exams(noise_exams(2, known=False))
    maps = [torch.rand(4, len(SEEN_BY_HALF), ROWS, COLUMNS, requires_grad=True) for _ in range(2)]
    found = landmark_losses(maps, batch)
    assert all(one == 0 for one in found.values())
    sum(found.values()).backward()
    assert all(one.grad is not None and not one.grad.any() for one in maps)


def test_the_order_names_the_image_left_first():
    """The subject's right is on the left of an un-mirrored picture."""
    pairs = len(DENSE.right)
    assert sorted(ORDER) == list(range(DENSE.size))
    for name in ("outer_canthus", "commissure", "ala"):
        place = ORDER.index(DENSE.point(name, Side.RIGHT))
        assert place < pairs and ORDER[place + pairs] == DENSE.point(name, Side.LEFT)
    assert ORDER[2 * pairs :] == SEEN_BY_HALF[pairs:]


class Blots:
    """Faces of four blots, elsewhere each time: a side's points lie in its upper, dark one or its lower, bright one."""

    def __init__(self, noise, count, first):
        self.exams, self.labels = noise(count, first), noise(count, first).labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, number):
        one, points = self.exams[number], torch.full((2, DENSE.size, 2), 0.5)
        images = torch.full((2, 3, 60, 60), 120.0)
        random = torch.Generator().manual_seed(number + self.exams.first)
        place = (torch.arange(60) + 0.5) / 60
        for first, height, light in ((0, 0.35, -100.0), (1, 0.7, 120.0)):
            for side in Side:
                x = torch.rand(2, generator=random) * 0.2 + (0.6 if side is Side.LEFT else 0.2)
                y = torch.rand(2, generator=random) * 0.2 + height - 0.1
                of_side = [one if side is Side.RIGHT else DENSE.mirror[one] for one in DENSE.right]
                points[:, of_side[first::2]] = torch.stack([x, y], 1)[:, None]
                distance = (place[:, None] - y[:, None, None]).square() + (place - x[:, None, None]).square()
                images += light * (-distance[:, None] / 2 / 0.03**2).exp()
        return one._replace(images=images.clamp(0, 255).to(torch.uint8), points=points)


def test_a_training_finds_each_side_by_itself(noise_exams, tmp_path):
    """The sides are drawn independently, so who knows the mean face alone is wrong by 0.06 of the picture."""
    from facialpalsy.models.checkpoint import load_checkpoint
    from facialpalsy.models.landmarker import LandmarkerSpec

    config = LandmarkTraining(spec=POINTS, epochs=8, batch_size=8, learning_rate=0.01, ema=0.9)
    train, val = Blots(noise_exams, 64, 0), Blots(noise_exams, 12, 500)
    found = fit_landmarker(config, train, val, tmp_path, tmp_path / "logs", accelerator="cpu", devices=1)
    loaded = load_checkpoint(found.model, LandmarkerSpec)
    assert loaded.spec == POINTS and loaded.about["validation"]["by_exam"].keys() == {"place", "sides", "movement"}
    batch = joined_exams(val)
    with torch.no_grad():
        points = loaded.network(batch.images)
    for first in DENSE.right[:2]:
        at = [first, DENSE.mirror[first]]
        seen, true = points[:, [ORDER.index(one) for one in at]], batch.points[:, at]
        error = (seen - true).square().sum(2).sqrt().mean()
        alone = (true - true.mean(0)).square().sum(2).sqrt().mean()
        assert error < 0.5 * alone
