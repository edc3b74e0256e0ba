"""Calibration: scores worked by hand, their laws, and what is refused."""

import numpy as np
import pytest

from facialpalsy.errors import UsageError
from facialpalsy.evaluation.calibration import brier_scores, expected_calibration_error, ranked_probability_scores


def test_brier_and_ranked_probability_scores_by_hand():
    # (0.5 - 1)^2 + 0.3^2 + 0.2^2; then (0.5 - 1)^2 and (0.8 - 1)^2 over two cuts.
    assert brier_scores([[0.5, 0.3, 0.2]], [0]) == pytest.approx([0.38])
    assert ranked_probability_scores([[0.5, 0.3, 0.2]], [0]) == pytest.approx([(0.25 + 0.04) / 2])


def test_certainty_scores_nothing_or_everything():
    for truth, brier, ranked in ((0, 0, 0), (1, 2, 1 / 5), (5, 2, 1)):
        sure = [[1.0, 0, 0, 0, 0, 0]]
        assert brier_scores(sure, [truth]) == pytest.approx([brier])
        assert ranked_probability_scores(sure, [truth]) == pytest.approx([ranked])


def test_the_ranked_score_is_the_mean_brier_score_of_the_cuts():
    rng = np.random.default_rng(0)
    given, truth = rng.dirichlet(np.ones(6), 30), rng.integers(0, 6, 30)
    expected = np.zeros(30)
    for cut in range(5):
        up_to = given[:, : cut + 1].sum(1)
        expected += brier_scores(np.column_stack([up_to, 1 - up_to]), (truth > cut).astype(int)) / 2
    assert ranked_probability_scores(given, truth) == pytest.approx(expected / 5)


def test_calibration_error_by_hand():
    # Ten are 0.6 sure and five right, ten are 0.9 sure and all right: half of 0.1 and half of 0.1.
    given = [[0.6, 0.4]] * 10 + [[0.1, 0.9]] * 10
    truth = [0] * 5 + [1] * 5 + [1] * 10
    assert expected_calibration_error(given, truth) == pytest.approx(0.1)
    order = np.random.default_rng(0).permutation(20)
    assert expected_calibration_error(np.array(given)[order], np.array(truth)[order]) == pytest.approx(0.1)
    assert expected_calibration_error(np.zeros((0, 2)), np.zeros(0)) is None


def test_a_calibrated_forecast_has_a_small_error():
    rng = np.random.default_rng(0)
    given = rng.dirichlet(np.ones(6), 20000)
    truth = (given.cumsum(1) < rng.uniform(size=(20000, 1))).sum(1)
    assert expected_calibration_error(given, truth) < 0.02
    # Sharpened, it is too sure of itself.
    sharp = given**3 / (given**3).sum(1, keepdims=True)
    assert expected_calibration_error(sharp, truth) > 0.1


def test_what_are_no_probabilities_is_refused():
    for given, truth in (
        ([[0.5, 0.4]], [0]),
        ([[1.2, -0.2]], [0]),
        ([[np.nan, 1.0]], [0]),
        ([[0.5, 0.5]], [2]),
        ([[0.5, 0.5]], [-1]),
        ([[0.5, 0.5]], [0.5]),
        ([[0.5, 0.5]], [0, 1]),
        ([0.5, 0.5], [0, 1]),
    ):
        with pytest.raises(UsageError):
            brier_scores(given, truth)
