"""Actions: the table of clinical.md, section 4, and what the facial nerve does not move."""

import pytest

from facialpalsy.clinical.actions import ACTIONS, LOWER_LIP_UNITS, PALSY_UNITS, Branch
from facialpalsy.clinical.evidence import Zone

# clinical.md 4: unit -> a muscle, a branch, and the zone that DESIGN and the rule of 1.1 grade it in.
TABLE = {
    "AU1": ("frontalis", Branch.TEMPORAL, Zone.FOREHEAD),
    "AU2": ("frontalis", Branch.TEMPORAL, Zone.FOREHEAD),
    "AU4": ("corrugator", Branch.TEMPORAL, Zone.FOREHEAD),
    "AU6": ("orbicularis oculi", Branch.ZYGOMATIC, Zone.EYE),
    "AU7": ("orbicularis oculi", Branch.ZYGOMATIC, Zone.EYE),
    "AU43": ("orbicularis oculi", Branch.ZYGOMATIC, Zone.EYE),
    "AU9": ("labii superioris alaeque nasi", Branch.ZYGOMATIC, Zone.MIDFACE),
    "AU10": ("levator labii superioris", Branch.BUCCAL, Zone.MIDFACE),
    "AU12": ("zygomaticus major", Branch.ZYGOMATIC, Zone.MOUTH),
    "AU14": ("buccinator", Branch.BUCCAL, Zone.MOUTH),
    "AU15": ("depressor anguli oris", Branch.MANDIBULAR, Zone.MOUTH),
    "AU16": ("depressor labii inferioris", Branch.MANDIBULAR, Zone.MOUTH),
    "AU17": ("mentalis", Branch.MANDIBULAR, Zone.MOUTH),
    "AU18": ("incisivii", Branch.BUCCAL, Zone.MOUTH),
    "AU20": ("risorius", Branch.BUCCAL, Zone.MOUTH),
    "AU25": ("depressor labii inferioris", Branch.MANDIBULAR, Zone.MOUTH),
}


@pytest.mark.parametrize("unit", TABLE)
def test_the_table(unit):
    muscle, branch, zone = TABLE[unit]
    action = ACTIONS[unit]
    assert muscle in action.muscle
    assert branch in action.branches
    assert action.zone is zone


def test_lid_raising_and_the_jaw_are_not_the_facial_nerve():
    assert {unit for unit, action in ACTIONS.items() if action.zone is None} == {"AU5", "AU26"}
    for unit, action in ACTIONS.items():
        assert bool(action.branches) == (action.zone is not None), unit


def test_the_palsy_labels_are_those_of_the_issue():
    assert [int(unit[2:]) for unit in PALSY_UNITS] == [1, 2, 4, 6, 9, 10, 12, 15, 16, 18, 25, 26, 43]
    assert all(ACTIONS[unit].zone is Zone.MOUTH for unit in LOWER_LIP_UNITS)
