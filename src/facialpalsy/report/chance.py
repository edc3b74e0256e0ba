"""Chance: how many of several comparisons lie beyond 95 % limits in healthy people, and how far.

As if the comparisons were independent. Regions of one capture are not, so that healthy people exceed these bounds more
often than in 5 %: what keeps within them needs no finding to explain it, what exceeds them may still be chance.
"""

from __future__ import annotations

from math import comb
from statistics import NormalDist

BEYOND_SHARE = 0.05
"""Share of healthy people beyond a limit."""


def most_beyond(comparisons: int) -> int:
    """The 95 % quantile of the binomial distribution of `comparisons` that are each beyond with probability 5 %."""
    count, reached = 0, (1 - BEYOND_SHARE) ** comparisons
    while reached < 1 - BEYOND_SHARE:
        count += 1
        reached += comb(comparisons, count) * BEYOND_SHARE**count * (1 - BEYOND_SHARE) ** (comparisons - count)
    return count


def farthest_beyond(comparisons: int) -> float:
    """What the largest of `comparisons` normal deviates exceeds in 5 % of healthy people, over the limit of one."""
    each = (1 - BEYOND_SHARE) ** (1 / comparisons)
    return NormalDist().inv_cdf((1 + each) / 2) / NormalDist().inv_cdf(1 - BEYOND_SHARE / 2)
