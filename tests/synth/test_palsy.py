"""Palsy: what is left of an action, and on which side after mirroring."""

import math

import pytest

from facialpalsy.clinical.actions import ACTIONS, Branch
from facialpalsy.clinical.evidence import Zone
from facialpalsy.face import Side
from facialpalsy.synth.palsy import HEALTHY, Kind, Palsy


def half(**changes):
    function = {(Side.RIGHT, zone): 0.5 for zone in Zone}
    return Palsy(**{"kind": Kind.PERIPHERAL, "side": Side.RIGHT, "function": function, **changes})


def test_the_palsied_side_keeps_its_share_and_the_other_all():
    assert half().unit_function(Side.RIGHT, "AU12") == 0.5
    assert half().unit_function(Side.LEFT, "AU12") == 1.0


@pytest.mark.parametrize("unit", ["AU26", "AU5"])
def test_the_jaw_and_the_levator_always_work(unit):
    assert half(function={(Side.RIGHT, zone): 0.0 for zone in Zone}).unit_function(Side.RIGHT, unit) == 1.0


def test_scatter_is_a_power_that_leaves_health_and_total_palsy():
    scatter = {(Side.RIGHT, unit): math.log(2) for unit in ACTIONS}
    assert half(scatter=scatter).unit_function(Side.RIGHT, "AU9") == pytest.approx(0.25)
    for share in (0.0, 1.0):
        palsy = half(scatter=scatter, function={(Side.RIGHT, zone): share for zone in Zone})
        assert palsy.unit_function(Side.RIGHT, "AU9") == share


# The issue: temporal forehead; zygomatic eye and midface; buccal midface and mouth; marginal mandibular lower lip.
@pytest.mark.parametrize(
    ("branch", "weak", "spared"),
    [
        (Branch.TEMPORAL, {"AU1", "AU2"}, {"AU43", "AU12", "AU9"}),
        (Branch.ZYGOMATIC, {"AU43", "AU6", "AU9"}, {"AU1", "AU12", "AU16"}),
        (Branch.BUCCAL, {"AU9", "AU10", "AU12", "AU18"}, {"AU1", "AU43", "AU16"}),
        (Branch.MANDIBULAR, {"AU15", "AU16"}, {"AU1", "AU43", "AU9", "AU12", "AU18"}),
    ],
)
def test_one_branch(branch, weak, spared):
    palsy = half(kind=Kind.BRANCH, branch=branch)
    assert {palsy.unit_function(Side.RIGHT, unit) for unit in weak} == {0.5}
    assert {palsy.unit_function(Side.RIGHT, unit) for unit in spared} == {1.0}


def test_mirroring_twice_is_nothing():
    palsy = half(scatter={(Side.RIGHT, "AU12"): 0.1})
    assert palsy.mirrored().side is Side.LEFT
    assert palsy.mirrored().unit_function(Side.LEFT, "AU12") == palsy.unit_function(Side.RIGHT, "AU12")
    assert palsy.mirrored().mirrored() == palsy
    assert HEALTHY.mirrored() == HEALTHY
    assert HEALTHY.sides == ()
    assert Palsy(kind=Kind.BILATERAL).sides == tuple(Side)
