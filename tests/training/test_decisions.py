"""Decisions: calibration and figures of made-up validation people."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from facialpalsy.training.decisions import binary_figures, calibration, even_threshold

TRUTH = np.array([False, False, False, True, True])


def test_one_class_chooses_nothing():
    for truth in (np.zeros(3, bool), np.ones(3, bool)):
        values = np.array([0.2, 0.4, 0.9])
        assert calibration(values, truth) == (1.0, 0.0)
        assert binary_figures(values, truth)["mean_class_acc"] is None


def test_calibration_undoes_overconfidence():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 20000)
    truth = rng.random(20000) < 1 / (1 + np.exp(-(logits - 1)))
    slope, intercept = calibration(3 * logits, truth)
    as_often = -1 + np.log((~truth).sum() / truth.sum())  # as it would be of as many of either class
    assert slope == pytest.approx(1 / 3, abs=0.02) and intercept == pytest.approx(as_often, abs=0.08)


def test_how_many_of_each_class_there_are_does_not_count():
    """One half lies where both errors weigh alike: in the middle of two classes of the same spread."""
    rng = np.random.default_rng(1)
    logits = np.concatenate([rng.normal(1, 2, 20000), rng.normal(4, 2, 2000)])
    slope, intercept = calibration(logits, np.arange(22000) >= 20000)
    assert -intercept / slope == pytest.approx(2.5, abs=0.1)
    threshold = even_threshold(1 / (1 + np.exp(-logits)), np.arange(22000) >= 20000)
    assert threshold == pytest.approx(1 / (1 + np.exp(-2.5)), abs=0.01)


def test_a_threshold_of_what_tells_nothing_or_everything():
    assert even_threshold(np.array([0.2, 0.4]), np.array([True, True])) == 0.5
    assert even_threshold(np.array([0.9, 0.8, 0.7, 0.2, 0.1]), TRUTH) == 0.5
    assert 0.1 < even_threshold(np.array([0.0, 0.0, 0.1, 1.0, 1.0]), TRUTH) < 1


def test_calibration_stays_finite_and_never_turns_around():
    slope, _ = calibration(np.array([-9.0, -8, -7, 8, 9]), TRUTH)
    assert np.isfinite(slope) and slope > 0
    assert calibration(np.array([9.0, 8, 7, -8, -9]), TRUTH) == (0, 0)


def test_figures_by_hand():
    found = binary_figures(np.array([0.1, 0.6, 0.2, 0.8, 0.4]), TRUTH)
    assert found["acc"] == pytest.approx(3 / 5)
    assert found["mean_class_acc"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert found["auc"] == pytest.approx(5 / 6)
    expected = -np.mean(np.log([0.9, 0.4, 0.8, 0.8, 0.4]))
    assert found["loss"] == pytest.approx(expected)
