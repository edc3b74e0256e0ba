"""Targets: pairs of both sides by hand, their scale, and the mirror."""

import math

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from facialpalsy.face import Side
from facialpalsy.training.targets import (
    COLUMNS,
    EXAM_TARGETS,
    PHOTO_TARGETS,
    Scale,
    exam_targets,
    joined,
    labels_of,
    mirrored_targets,
    photo_targets,
    zone_targets,
)


def labels(seed=0):
    """A number for every label that targets are made of."""
    random = np.random.default_rng(seed)
    return {name: float(random.uniform(0, 1)) for name in sorted(COLUMNS)}


def exchanged(values):
    """The labels of the mirrored person."""
    other = {}
    for name, value in values.items():
        stem, _, side = name.rpartition("_")
        if side in tuple(Side):
            other[f"{stem}_{Side(side).other}"] = value
        else:
            other[name] = -value  # z of left minus right
    return other


def test_a_photo_by_hand():
    pairs = photo_targets({"strength_AU12_left": 0.8, "strength_AU12_right": 0.1, "true_commissure_height_left": 0.07})
    place = PHOTO_TARGETS.index("strength_AU12")
    np.testing.assert_allclose(pairs[place], [0.8, 0.1])
    height = pairs[PHOTO_TARGETS.index("true_commissure_height")]
    assert height[0] == pytest.approx(0.7) and math.isnan(height[1])
    assert np.isnan(pairs).sum() == pairs.size - 3


def test_an_exam_by_hand():
    pairs = exam_targets(
        {
            "movement_snarl_left": 150.0,
            "movement_snarl_right": 5.0,
            "fissure_eyes_tight_left": 0.0,
            "fissure_eyes_tight_right": 0.1,
            "synkinesis_pucker_right": 0.4,
            "rest_z_mouth": 3.0,
        }
    )
    by_name = dict(zip(EXAM_TARGETS, pairs, strict=True))
    np.testing.assert_allclose(by_name["movement_snarl"], [np.log(15 + 226**0.5), np.log(0.5 + 1.25**0.5)], rtol=1e-6)
    np.testing.assert_allclose(by_name["fissure_eyes_tight"], [0, math.log(5 + math.sqrt(26))], rtol=1e-6)
    assert by_name["synkinesis_pucker"][1] == pytest.approx(math.log(4 + math.sqrt(17)))
    np.testing.assert_allclose(by_name["rest_z_mouth"], [0.5, -0.5])
    assert np.isnan(by_name["rest_z_brow"]).all()


def test_targets_of_the_mirrored_person_are_mirrored_targets():
    one, other = labels(), exchanged(labels())
    for targets in (photo_targets, exam_targets):
        mirrored = mirrored_targets(torch.from_numpy(targets(one)))
        np.testing.assert_allclose(mirrored, targets(other), atol=1e-7)


def test_the_mirror_keeps_what_is_even_and_turns_what_is_odd():
    photos = joined(photo_targets(labels(seed)) for seed in range(5))
    exams = joined(exam_targets(labels(seed)) for seed in range(5))
    scale = Scale.of(photos, exams)
    there, back = mirrored_targets(photos), mirrored_targets(exams)
    torch.testing.assert_close(scale.photo_even(there), scale.photo_even(photos))
    torch.testing.assert_close(scale.photo_odd(there), -scale.photo_odd(photos))
    torch.testing.assert_close(scale.exam_even(back), scale.exam_even(exams))
    torch.testing.assert_close(scale.exam_odd(back), -scale.exam_odd(exams))
    torch.testing.assert_close(zone_targets(there), zone_targets(photos))
    # A mirrored person is as likely as the person, so scales of both are one.
    both = Scale.of(torch.cat([photos, there]), torch.cat([exams, back]))
    torch.testing.assert_close(both.exam_mean, scale.exam_mean)
    torch.testing.assert_close(both.photo_mean, scale.photo_mean)


def test_a_scale_by_hand():
    photos = torch.full((2, len(PHOTO_TARGETS), 2), torch.nan)
    # Strengths whose scale, linear to 0.1 and logarithmic beyond, gives 1 and 0 in one photo, 2 and 5 in the other.
    photos[0, 0] = 0.1 * torch.tensor([1.0, 0.0]).sinh()
    photos[1, 0] = 0.1 * torch.tensor([2.0, 5.0]).sinh()
    exams = torch.full((1, len(EXAM_TARGETS), 2), torch.nan)
    scale = Scale.of(photos, exams)
    torch.testing.assert_close(scale.photo_mean[:, 0], torch.tensor([1.0, 3.0]))  # of 0 and 2, of 1 and 5
    torch.testing.assert_close(scale.photo_spread[:, 0], torch.tensor([1.1, 2.1]))  # 1 and 2, and the addend
    torch.testing.assert_close(scale.photo_difference[0], torch.tensor(2.1))  # of 1 and -3
    even, larger = scale.photo_even(photos), len(PHOTO_TARGETS)
    torch.testing.assert_close(even[1, [0, larger]], torch.tensor([1 / 1.1, 2 / 2.1]))
    torch.testing.assert_close(scale.photo_odd(photos)[1, 0], torch.tensor(-3 / 2.1))
    assert (scale.photo_mean[:, 1] == 0).all() and (scale.photo_spread[:, 1] == 1).all()
    assert (scale.exam_spread == 1).all()
    names = {"photo": len(PHOTO_TARGETS), "exam": len(EXAM_TARGETS)}
    for name, values in scale.to_dict().items():
        assert np.shape(values)[-1] == names[name.partition("_")[0]]


def test_of_a_pair_with_one_side_nothing_is_known():
    photos = torch.ones(3, len(PHOTO_TARGETS), 2)
    exams = torch.ones(3, len(EXAM_TARGETS), 2)
    scale = Scale.of(photos, exams)
    photos[0, 0, 1] = torch.nan
    assert scale.photo_even(photos).isnan().nonzero().tolist() == [[0, 0], [0, len(PHOTO_TARGETS)]]
    assert scale.photo_odd(photos).isnan().nonzero().tolist() == [[0, 0]]


def test_zones_say_how_unlike_their_sides_move():
    photos = torch.zeros(1, len(PHOTO_TARGETS), 2)
    photos[0, PHOTO_TARGETS.index("strength_AU2")] = torch.tensor([0.2, 0.9])
    photos[0, PHOTO_TARGETS.index("strength_AU1")] = torch.tensor([0.5, 0.1])
    photos[0, PHOTO_TARGETS.index("strength_AU12")] = torch.tensor([1.9, 0.0])
    photos[0, PHOTO_TARGETS.index("strength_AU26")] = torch.tensor([0.9, 0.0])  # no facial nerve
    torch.testing.assert_close(zone_targets(photos), torch.tensor([[0.7, 0.0, 0.0, 1.0]]))


def test_a_zone_of_unknown_strength_is_unknown():
    photos = torch.zeros(1, len(PHOTO_TARGETS), 2)
    photos[0, PHOTO_TARGETS.index("strength_AU9")] = torch.nan
    found = zone_targets(photos)[0]
    assert found.isnan().tolist() == [False, False, True, False]


def test_labels_of_a_sample_are_its_synth_targets():
    assert labels_of({"synth.movement_snarl_left": 3.0, "yfp.eyes": "StrongPalsy"}) == {"movement_snarl_left": 3.0}
