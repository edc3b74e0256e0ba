"""Bootstrap: a known interval, people as the unit, and where there is none."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from facialpalsy.errors import UsageError
from facialpalsy.evaluation.bootstrap import bootstrap_rows, bootstrap_sums
from facialpalsy.evaluation.confusion import share

PEOPLE = [f"p{number:03d}" for number in range(400)]


def tallied(values):
    return np.column_stack([np.ones(len(values)), values])


def mean(sums):
    return share(sums[..., 1], sums[..., 0])


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution():
    values = np.random.default_rng(3).normal(0.7, 0.2, 400)
    found = bootstrap_sums(tallied(values), PEOPLE, mean, draws=4000)
    reach = 1.96 * values.std() / 20
    assert found.value == pytest.approx(values.mean())
    assert (found.lower, found.upper) == pytest.approx((values.mean() - reach, values.mean() + reach), abs=0.1 * reach)
    assert (found.rows, found.people, found.reason) == (400, 400, None)


def test_rows_of_one_person_are_one_piece_of_evidence():
    values = np.random.default_rng(3).normal(0.7, 0.2, 400)
    one = bootstrap_sums(tallied(values), PEOPLE, mean)
    nine = bootstrap_sums(tallied(np.repeat(values, 9)), np.repeat(PEOPLE, 9).tolist(), mean)
    assert (nine.lower, nine.upper) == pytest.approx((one.lower, one.upper))
    assert (nine.rows, nine.people) == (3600, 400)


def test_neither_the_order_of_the_rows_nor_another_run_changes_anything():
    values = np.random.default_rng(3).normal(0.7, 0.2, 400)
    order = np.random.default_rng(4).permutation(400)
    shuffled = bootstrap_sums(tallied(values[order]), [PEOPLE[place] for place in order], mean)
    once = bootstrap_sums(tallied(values), PEOPLE, mean)
    assert once == bootstrap_sums(tallied(values), PEOPLE, mean)
    assert (shuffled.lower, shuffled.upper) == pytest.approx((once.lower, once.upper))
    assert once.lower != bootstrap_sums(tallied(values), PEOPLE, mean, seed=1).lower


def test_both_forms_agree():
    values = np.random.default_rng(3).normal(0.7, 0.2, 400)
    summed = bootstrap_sums(tallied(values), PEOPLE, mean, draws=4000)
    row_by_row = bootstrap_rows(lambda rows: float(values[rows].mean()), PEOPLE, draws=4000)
    assert row_by_row.value == pytest.approx(summed.value)
    reach = summed.upper - summed.lower
    assert (row_by_row.lower, row_by_row.upper) == pytest.approx((summed.lower, summed.upper), abs=0.05 * reach)


def test_a_correlation_of_ranks_draws_people_too():
    rng = np.random.default_rng(0)
    x = rng.normal(size=100)
    y = x + rng.normal(size=100)

    def rho(rows):
        return float(spearmanr(x[rows % 100], y[rows % 100]).statistic)

    once = bootstrap_rows(rho, PEOPLE[:100], draws=200)
    thrice = bootstrap_rows(rho, PEOPLE[:100] * 3, draws=200)
    assert once.value == pytest.approx(spearmanr(x, y).statistic)
    assert once.lower < once.value < once.upper
    assert (thrice.lower, thrice.upper) == pytest.approx((once.lower, once.upper))
    assert (thrice.rows, thrice.people) == (300, 100)


def test_rows_of_zeros_do_not_count():
    rows = np.vstack([tallied(np.linspace(0, 1, 20)), np.zeros((10, 2))])
    found = bootstrap_sums(rows, PEOPLE[:30], mean)
    assert (found.value, found.rows, found.people) == (pytest.approx(0.5), 20, 20)


def test_what_has_no_interval_says_why():
    nothing = bootstrap_sums(np.zeros((3, 2)), PEOPLE[:3], mean, undefined="nobody smiled")
    assert (nothing.value, nothing.lower, nothing.reason) == (None, None, "nobody smiled")
    assert bootstrap_sums(np.zeros((0, 2)), [], mean).value is None
    alone = bootstrap_sums(tallied(np.array([1.0, 0.0])), ["p", "p"], mean)
    assert (alone.value, alone.upper) == (0.5, None)
    assert "one person" in alone.reason
    # Of two people only one counts in a share of the second column: a quarter of the draws miss that one.
    rare = bootstrap_sums(np.array([[0.0, 1], [1, 1]]), PEOPLE[:2], lambda sums: share(sums[..., 0], sums[..., 0]))
    assert (rare.value, rare.lower) == (1, None)
    assert "of the draws" in rare.reason
    assert bootstrap_rows(lambda rows: None, PEOPLE[:2]).reason


def test_an_interval_that_misses_its_value_is_none():
    """The number of different people in a draw is lower than in the sample in nearly every draw."""
    found = bootstrap_rows(lambda rows: float(len(np.unique(rows))), PEOPLE, draws=200)
    assert (found.value, found.lower, found.upper) == (400, None, None)
    assert "calibration error" in found.reason


def test_no_error_among_few_people_is_no_certainty():
    """Of 20 people none fails; with a true share of 1 - 0.05^(1/20) = 13.9 % that happens in one of 20 samples."""
    right = bootstrap_sums(tallied(np.ones(20)), PEOPLE[:20], mean, perfect=1)
    assert (right.value, right.lower, right.upper) == (1, None, None)
    assert "13.9%" in right.reason
    always_wrong = bootstrap_sums(tallied(np.zeros(20)), PEOPLE[:20], mean, perfect=1)
    assert (always_wrong.lower, always_wrong.upper) == (0, 0)


def test_every_row_needs_its_subject():
    with pytest.raises(UsageError, match="3 rows and 2 subjects"):
        bootstrap_sums(tallied(np.ones(3)), PEOPLE[:2], mean)
