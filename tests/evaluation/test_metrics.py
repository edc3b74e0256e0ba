"""Metrics: the vectors of the clinical reference, section 6.1, and what is not defined."""

import math

import pytest

from facialpalsy.errors import UsageError
from facialpalsy.evaluation import bland_altman, cohen_kappa, exact_agreement, icc, mdc95, sem, within_one
from facialpalsy.evaluation.metrics import balanced_accuracy, macro_f1, mean_absolute_error

SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
FIRST = [1, 2, 3, 4, 5, 6, 3, 4, 2, 5]
SECOND = [1, 2, 3, 4, 5, 6, 4, 3, 3, 6]


@pytest.mark.parametrize(("form", "value"), [("ICC(2,1)", 0.2898), ("ICC(3,1)", 0.7148), ("ICC(2,k)", 0.6201)])
def test_icc_vectors(form, value):
    assert icc(SHROUT_FLEISS, form) == pytest.approx(value, abs=5e-5)


def test_icc_of_identical_raters_is_one_and_without_variance_undefined():
    assert icc([[1, 1], [2, 2], [4, 4]], "ICC(2,1)") == pytest.approx(1)
    for form in ("ICC(2,1)", "ICC(3,1)", "ICC(2,k)"):
        assert icc([[0.1, 0.1, 0.1]] * 3, form) is None


def test_icc_refuses_what_it_cannot_use():
    for data in ([1, 2, 3], [[1, 2]], [[1], [2]], [[1, math.nan], [2, 3]]):
        with pytest.raises(UsageError):
            icc(data, "ICC(2,1)")
    with pytest.raises(UsageError, match="Allowed are"):
        icc(SHROUT_FLEISS, "ICC(1,1)")


@pytest.mark.parametrize(("weights", "value"), [("none", 0.518), ("linear", 0.770), ("quadratic", 0.915)])
def test_kappa_vectors(weights, value):
    assert cohen_kappa(FIRST, SECOND, weights) == pytest.approx(value, abs=5e-4)
    assert cohen_kappa(SECOND, FIRST, weights) == pytest.approx(value, abs=5e-4)


def test_agreement_vectors():
    assert exact_agreement(FIRST, SECOND) == pytest.approx(0.60)
    assert within_one(FIRST, SECOND) == 1.0
    assert within_one([1, 1, 1, 1], [1, 2, 3, 4]) == 0.5


def test_classifier_figures_by_hand():
    # Grades 3 and 4 are taken for each other once, and a 5 for a 6.
    truth, predicted = [1, 2, 3, 3, 4, 4, 5, 5, 6], [1, 2, 3, 4, 4, 3, 5, 6, 6]
    assert balanced_accuracy(truth, predicted) == pytest.approx((1 + 1 + 0.5 + 0.5 + 0.5 + 1) / 6)
    assert macro_f1(truth, predicted) == pytest.approx((1 + 1 + 1 / 2 + 1 / 2 + 2 / 3 + 2 / 3) / 6)
    assert mean_absolute_error(truth, predicted) == pytest.approx(3 / 9)


def test_grades_that_nobody_has_do_not_count():
    # Grade 4 is named but nobody has it; grade 6 is not there at all.
    assert balanced_accuracy([1, 3], [1, 4]) == 0.5
    assert macro_f1([1, 3], [1, 4]) == pytest.approx(1 / 3)
    for figure in (balanced_accuracy, macro_f1, mean_absolute_error):
        assert figure([], []) is None


def test_kappa_bounds_and_what_is_undefined():
    assert cohen_kappa([1, 2, 3], [1, 2, 3]) == 1
    assert cohen_kappa([1, 1, 2, 2], [2, 2, 1, 1]) == -1
    assert cohen_kappa([3, 3], [3, 3]) is None
    assert cohen_kappa([], []) is None
    assert exact_agreement([], []) is None
    assert within_one([], []) is None


def test_grades_must_be_pairs_of_whole_numbers():
    for first, second in (([1, 2], [1]), ([1.5], [1]), ([math.nan], [1]), ([[1]], [[1]])):
        with pytest.raises(UsageError):
            cohen_kappa(first, second)
    with pytest.raises(UsageError, match="Allowed are none, linear, quadratic"):
        cohen_kappa([1], [1], "cubic")


def test_bland_altman_by_hand():
    # Differences 1, -1, 3: mean 1, sd 2; limits 1 -+ 3.92; middles 1.5, 3.5, 5.5 carry them with slope 4 / 8.
    found = bland_altman([2, 3, 7], [1, 4, 4])
    assert (found.n, found.bias, found.sd) == (3, 1, 2)
    assert (found.lower, found.upper) == pytest.approx((-2.92, 4.92))
    assert found.limit_error == pytest.approx(1.96 * 2)
    assert found.slope == pytest.approx(0.5)


def test_bland_altman_needs_two_pairs_and_spread_for_a_slope():
    assert bland_altman([1], [2]) is None
    assert bland_altman([1, 3], [3, 1]).slope is None


def test_sem_and_minimal_detectable_change():
    assert sem(10, 0.91) == pytest.approx(3)
    assert mdc95(3) == pytest.approx(8.3156, abs=1e-4)
    # Known from few repeats only, 1.96 becomes Student's t: 12.706, 4.303 and 2.228 of printed tables.
    for df, t in ((1, 12.706), (2, 4.303), (10, 2.228), (10**6, 1.96)):
        assert mdc95(3, df) == pytest.approx(t * 2**0.5 * 3, rel=2e-4)
    assert sem(10, None) is None
    assert mdc95(None) is None
    for sd, reliability in ((-1, 0.5), (1, 1.1), (math.nan, 0.5)):
        with pytest.raises(UsageError):
            sem(sd, reliability)
