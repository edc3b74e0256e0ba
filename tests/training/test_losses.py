"""Losses: each by hand on a small case, and nothing from what is not known."""

import math

import pytest

pytest.importorskip("torch")

import torch

from facialpalsy.models.registry import PRESETS
from facialpalsy.training.augment import mirrored, plain
from facialpalsy.training.config import GraderTraining
from facialpalsy.training.exams import Numbered, join
from facialpalsy.training.landmarks import WEIGHTS as LANDMARK_WEIGHTS
from facialpalsy.training.losses import WEIGHTS, Heads, asymmetry_map, binary, grader_losses, ordinal, regions, squared
from facialpalsy.training.targets import EXAM_TARGETS, PHOTO_TARGETS, Scale
from facialpalsy.training.task import class_weights

NAN = torch.nan


def test_ordinal_by_hand():
    """Even shares of six: cumulative 1/6 ... 1; truth III: 0 0 1 1 1 1, so 1 + 4 + 9 + 4 + 1 thirty-sixths."""
    assert ordinal(torch.zeros(1, 6), torch.tensor([2])) == pytest.approx(19 / 36)
    sure = torch.full((1, 6), -50.0)
    sure[0, 3] = 50
    assert ordinal(sure, torch.tensor([3])) == pytest.approx(0, abs=1e-6)
    assert ordinal(sure, torch.tensor([5])) == pytest.approx(2, abs=1e-6)


def test_squared_by_hand():
    assert squared(torch.tensor([1.0, 2.0, 9.0]), torch.tensor([0.0, 4.0, NAN])) == pytest.approx(2.5)
    assert squared(torch.ones(3), torch.full((3,), NAN)) == 0


def test_binary_by_hand():
    found = binary(torch.tensor([0.0, 50.0, math.log(3)]), torch.tensor([1.0, NAN, 0.0]))
    assert found == pytest.approx((math.log(2) + math.log(4)) / 2)
    assert binary(torch.tensor([3.0]), torch.tensor([NAN])) == 0


def test_what_is_not_known_has_a_gradient_of_zero():
    logit = torch.ones(2, requires_grad=True)
    (binary(logit, torch.full((2,), NAN)) + squared(logit, torch.full((2,), NAN))).backward()
    assert logit.grad is not None and logit.grad.tolist() == [0, 0]


def test_regions_by_hand():
    maps, face = torch.full((2, 5, 2, 2), 0.5), torch.full((2, 1, 2, 2), 0.25)
    shares, known = torch.zeros(2, 6, 2, 2), torch.tensor([True, False])
    shares[1] = NAN
    expected = (5 * math.log(2) + math.log(4 / 3)) / 6
    assert regions(maps, face, shares.nan_to_num(1), known) == pytest.approx(expected)
    shares[0, 5] = 1
    unnamed = regions(torch.rand(2, 3, 2, 2), face, shares.nan_to_num(0), known)
    assert unnamed == pytest.approx(math.log(4))


def test_the_map_by_hand():
    """The forehead is the upper left place alone: made symmetric it is half of the upper row."""
    shares = torch.zeros(1, 6, 2, 2)
    shares[0, 0, 0, 0] = 1
    maps = torch.tensor([[0.8, 0.8], [0.5, 0.5]]).view(1, 1, 2, 2)
    zones = torch.tensor([[0.3, NAN, 0.0, NAN]])
    inside, outside = asymmetry_map(maps, shares, torch.tensor([True]), zones)
    assert inside == pytest.approx((0.5**2 + 0) / 2)
    assert outside == pytest.approx((2 * (0.8 * 0.5) ** 2 + 2 * 0.5**2) / 4, rel=1) and outside > 0
    assert outside == pytest.approx((2 * 0.5 * 0.8**2 * 0.5 + 2 * 0.5**2) / 4)
    unknown = asymmetry_map(maps, shares, torch.tensor([False]), zones)
    assert unknown == (0, 0)


def test_class_weights_by_hand(noise_exams):
    labels = noise_exams(8).labels  # grades 1 2 3 4 5 6 1 2
    weights = class_weights([one.grade - 1 for one in labels], 6)
    assert weights.tolist() == pytest.approx([8 / 12, 8 / 12, 8 / 6, 8 / 6, 8 / 6, 8 / 6])
    assert torch.stack([weights[label.grade - 1] for label in labels]).mean() == pytest.approx(1)
    assert class_weights([one.grade - 1 for one in labels[:2]], 6).tolist() == pytest.approx([1, 1, 1, 1, 1, 1])


def losses_of(config, batch):
    torch.manual_seed(0)
    network = config.spec.network()
    heads = Heads(network)
    roi = network.trunk.roi
    scale = Scale.of(batch.photo_truth, batch.exam_truth)
    batch = plain(batch, config.spec.image_size)
    output = network(batch.images, batch.expressions, batch.exam, len(batch.grade))
    prior = None if roi is None else roi.facial_prior
    return grader_losses(output, batch, heads, scale, prior, config), [*network.parameters(), *heads.parameters()]


def joined_exams(exams):
    return join([Numbered(exams)[number] for number in range(len(exams))])


def test_all_losses_reach_all_weights(noise_exams, training):
    found, weights = losses_of(training(points=True), joined_exams(noise_exams(3)))
    assert found.keys() == WEIGHTS.keys() | LANDMARK_WEIGHTS.keys()
    torch.stack(list(found.values())).sum().backward()
    assert all(one.grad is not None and one.grad.isfinite().all() for one in weights)


def test_exams_of_unknown_truth_teach_the_grade_alone(noise_exams, training):
    found, weights = losses_of(training(), joined_exams(noise_exams(1, known=False)))
    assert {name for name, loss in found.items() if loss != 0} == {"grade", "photo_grade", "ordinal"}
    torch.stack(list(found.values())).sum().backward()
    assert all(one.grad is not None and one.grad.isfinite().all() for one in weights)


def test_the_plain_network_has_the_losses_it_can_have(noise_exams, training):
    from dataclasses import replace

    spec = replace(training().spec, use_micro_attention=False, use_roi_module=False)
    found, _ = losses_of(training(spec=spec, loss="cross_entropy"), joined_exams(noise_exams(2)))
    assert found.keys() == {"grade", "photo_grade", "photo_even", "exam_even"}


def test_side_and_differences_do_not_tell_a_mirrored_exam_from_the_exam(noise_exams, training):
    """What is read by odd numbers turns with its truth, and the map is symmetric: these losses are the same."""
    batch = joined_exams(noise_exams(3))
    one, _ = losses_of(training(), batch)
    other, _ = losses_of(training(), mirrored(batch, torch.ones(3, dtype=torch.bool)))
    for name in ("side", "photo_odd", "exam_odd", "map", "map_outside"):
        torch.testing.assert_close(one[name], other[name], atol=1e-5, rtol=1e-4)


def test_the_targets_are_as_many_as_the_heads_say():
    heads = Heads(PRESETS["tiny"].network())
    assert heads.photo_even.out_features == 2 * heads.photo_odd.out_features == 2 * len(PHOTO_TARGETS)
    assert heads.exam_even.out_features == 2 * heads.exam_odd.out_features == 2 * len(EXAM_TARGETS)


def test_settings_travel_as_plain_values():
    config = GraderTraining(epochs=7, class_weights=True)
    assert GraderTraining.from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"schedule": "cosin"}, "Did you mean 'cosine'"),
        ({"loss": "mse"}, "cross_entropy, emd"),
        ({"precision": "16"}, "bf16-mixed"),
        ({"epochs": 0}, "at least 1"),
        ({"ema": 1.0}, "below 1"),
        ({"learning_rate": 0.0}, "above 0"),
    ],
)
def test_impossible_settings_are_refused(wrong, says):
    from facialpalsy.errors import UsageError

    with pytest.raises(UsageError, match=says):
        GraderTraining(**wrong)
