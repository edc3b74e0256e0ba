"""Chance: bounds of printed tables of the binomial and the normal distribution."""

import pytest

from facialpalsy.report.chance import farthest_beyond, most_beyond


# Of Binomial(n, 0.05): P(X <= 0) is 0.95 for 1, 0.9025 for 2; P(X <= 1) is 0.865 and P(X <= 2) 0.975 for 13.
@pytest.mark.parametrize(("comparisons", "most"), [(0, 0), (1, 0), (2, 1), (13, 2), (20, 3), (100, 9)])
def test_the_most_that_chance_puts_beyond_is_the_binomial_quantile(comparisons, most):
    assert most_beyond(comparisons) == most


def test_the_farthest_of_one_is_its_limit_and_of_many_that_of_the_largest():
    assert farthest_beyond(1) == pytest.approx(1)
    # 0.95^(1/13) = 0.996062, so 0.998031 below: 2.883 of printed tables.
    assert farthest_beyond(13) * 1.95996 == pytest.approx(2.883, abs=0.003)
