"""Closure without a measured limit: closed up to 0.025 iod in the best case, up to 0.011 (1 mm) in the worst."""

import pytest

from facialpalsy.clinical.evidence import ClosureEvidence
from facialpalsy.clinical.scales import grade

ASSUMED = 0.025
CHEEK = {"sunnybrook.rest.cheek": 0}


def closing(exam, gap, *, limit=ASSUMED, limit_measured=False, **changes):
    closure = ClosureEvidence(gap, 0.0, limit, affected_open=0.1, limit_measured=limit_measured)
    return exam(closures={"eyes_gentle": closure, "eyes_tight": closure}, **changes)


def results(evidence):
    graded = grade(evidence)
    items = {item.name: item.interval or item.value for found in graded.values() for item in found.items}
    names = ("eface.full_closure", "fngs2.eye", "house_brackmann.tight_closure")
    return (*(items[name] for name in names), graded["house_brackmann"].interval or graded["house_brackmann"].estimate)


@pytest.mark.parametrize(
    ("gap", "expected"),
    [
        (0.011, (100, 1, 1, 1)),
        # 2.1 mm are 0.023: 77 of 100 are closed, and tight closure may be incomplete.
        (0.023, ((77, 100), (1, 4), (0, 1), (1, 4))),
        (0.025, ((75, 100), (1, 4), (0, 1), (1, 4))),
    ],
)
def test_an_eye_between_the_two_assumed_limits_is_an_interval(exam, gap, expected):
    assert results(closing(exam, gap)) == expected


def test_above_both_assumed_limits_the_eye_stays_open(exam):
    assert results(closing(exam, 0.026))[:3] == (74, 4, 0)


@pytest.mark.parametrize(("gap", "expected"), [(0.025, (100, 1, 1, 1)), (0.0251, (74.9, 4, 0))])
def test_a_measured_limit_holds_in_both_cases(exam, gap, expected):
    assert results(closing(exam, gap, limit_measured=True))[: len(expected)] == expected


def test_an_assumed_limit_below_one_millimetre_holds_in_both_cases(exam):
    assert results(closing(exam, 0.0105, limit=0.01))[:3] == (89.5, 4, 0)


def test_an_eye_between_the_limits_is_said_to_count_as_closed_in_the_best_case_only(exam):
    said = "counts as closed in the best case only; exposure not excluded, since the limit of a closed eye is assumed."
    for found in grade(closing(exam, 0.023)).values():
        assert any(note.endswith(said) for note in found.notes)
    for found in grade(closing(exam, 0.011)).values():
        assert not any("best case only" in note for note in found.notes)


def test_the_reference_eye_counts_as_shut_up_to_the_larger_limit(exam):
    shut = ClosureEvidence(0.0, 0.02, ASSUMED, affected_open=0.1, limit_measured=False)
    assert grade(exam(closures={"eyes_gentle": shut, "eyes_tight": shut}))["house_brackmann"].estimate == 1
