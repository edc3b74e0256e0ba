"""Noise: a difference within it is none in the best case and as measured in the worst, on every scale."""

from dataclasses import replace

import pytest

from facialpalsy.clinical.evidence import MovementEvidence, RestEvidence
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


def test_noise_is_no_pattern(exam):
    both = exam(movements={"smile_open": noisy(0.6, 3.0), "brow_raise": MovementEvidence(1.5, z=-3.0)})
    assert result(both, "house_brackmann") == (2, 3)
    single = exam(movements={"smile_open": noisy(0.4, 5.0)})
    assert result(single, "house_brackmann") == (1, 3)
