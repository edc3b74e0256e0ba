"""Noise: a difference within it is none in the best case and as measured in the worst, on every scale."""

from dataclasses import replace

import pytest

from facialpalsy.clinical.evidence import ClosureEvidence, MovementEvidence, RestEvidence, SynkinesisEvidence
from facialpalsy.clinical.scales import grade

CHEEK = {"sunnybrook.rest.cheek": 0}


def noisy(ratio, z):
    return MovementEvidence(ratio, z=z, within_noise=True)


def result(evidence, scale):
    found = grade(evidence)[scale]
    assert found.withheld is None
    return found.interval or found.estimate


def items(evidence, scale):
    return {item.name.removeprefix(f"{scale}."): item for item in grade(evidence)[scale].items}


@pytest.mark.parametrize("z", [3.0, None])
def test_a_movement_within_its_noise_is_an_interval_from_none(exam, z):
    evidence = exam(movements={"smile_open": noisy(0.6, z)}, ratings=CHEEK)
    assert result(evidence, "house_brackmann") == (1, 3)
    # Obvious weakness is 3; the sum 4 to 6 is grade I to II.
    assert items(evidence, "fngs2")["oral"].interval == (1, 3)
    assert result(evidence, "fngs2") == (1, 2)
    # 0.6 is an item of 3 where 5 is complete: 4 x 2 points.
    assert result(evidence, "sunnybrook") == (92, 100)
    assert items(evidence, "eface")["commissure_smile"].interval == (60, 100)
    assert any("by no more than the noise in smile_open" in note for note in grade(evidence)["fngs2"].notes)


def test_within_noise_and_limits_nothing_is_beyond_in_either_case(exam):
    evidence = exam(
        movements={"smile_open": noisy(0.95, 1.0)}, rest={"mouth": RestEvidence(1.0, 0.9, within_noise=True)}
    )
    assert result(evidence, "house_brackmann") == 1
    assert items(evidence, "sunnybrook")["rest.mouth"].value == 0


def test_a_resting_difference_within_its_noise_may_be_none(exam, total_palsy):
    evidence = exam(rest={"eye": RestEvidence(3.0, 1.25, within_noise=True)})
    assert items(evidence, "sunnybrook")["rest.eye"].interval == (0, 1)
    # 100 / 1.25 = 80.
    assert items(evidence, "eface")["palpebral_rest"].interval == (80, 100)
    severe = total_palsy(0.2)
    assert grade(severe)["house_brackmann"].estimate == 5
    unsure = {zone: replace(found, within_noise=True) for zone, found in severe.rest.items()}
    assert result(replace(severe, rest=unsure), "house_brackmann") == (4, 5)


def test_an_eye_that_stays_open_by_no_more_than_the_noise_beyond_the_other_may_be_closed(exam):
    within = ClosureEvidence(0.015, 0.005, 0.01, affected_open=0.1, within_noise=True)
    assert result(exam(closures={"eyes_gentle": within}), "house_brackmann") == (1, 3)
    both = exam(closures={"eyes_gentle": within, "eyes_tight": within}, ratings=CHEEK)
    assert result(both, "house_brackmann") == (1, 4)
    # 15 of 100 stay open in the worst case.
    assert items(both, "eface")["full_closure"].interval == (85, 100)
    assert items(both, "fngs2")["eye"].interval == (1, 4)
    note = (
        "eyes_tight: the affected eye stays open by 0.015 iod, 85% of its resting fissure closed (lagophthalmos, "
        "though by no more than the noise beyond the other eye); exposure not excluded."
    )
    assert note in grade(both)["fngs2"].notes


def test_an_involuntary_change_that_may_be_noise_counts_in_the_worst_case_only(exam):
    evidence = exam(synkinesis={"smile_open": SynkinesisEvidence(0.3, None)}, ratings=CHEEK)
    assert items(evidence, "fngs2")["secondary"].interval == (0, 2)
    assert result(evidence, "sunnybrook") == (98, 100)


def test_noise_is_no_pattern(exam):
    both = exam(movements={"smile_open": noisy(0.6, 3.0), "brow_raise": MovementEvidence(1.5, z=-3.0)})
    assert result(both, "house_brackmann") == (2, 3)
    single = exam(movements={"smile_open": noisy(0.4, 5.0)})
    assert result(single, "house_brackmann") == (1, 3)
