"""Sunnybrook: the composite's vectors and the item rules of the clinical reference, sections 1.1 and 1.3."""

import pytest

from facialpalsy.clinical.evidence import ClosureEvidence, MovementEvidence, RestEvidence, SynkinesisEvidence
from facialpalsy.clinical.scales import grade
from facialpalsy.clinical.scales.sunnybrook import sunnybrook_composite


def sunnybrook(evidence):
    return grade(evidence)["sunnybrook"]


def items(evidence):
    return {item.name.removeprefix("sunnybrook."): item for item in sunnybrook(evidence).items}


@pytest.mark.parametrize(
    ("sums", "expected"),
    [((25, 0, 0), (100, 100)), ((5, 4, 0), (0, 0)), ((15, 2, 5), (45, 45)), ((5, 4, 15), (0, -15))],
)
def test_composite_vectors(sums, expected):
    assert sunnybrook_composite(*sums) == expected


def test_without_asymmetry_only_the_fold_at_rest_is_open(exam):
    result = sunnybrook(exam())
    assert result.interval == (90, 100)
    assert (result.estimate, result.unclamped) == (None, None)
    rated = sunnybrook(exam(ratings={"sunnybrook.rest.cheek": 0}))
    assert (rated.estimate, rated.unclamped) == (100, 100)
    assert "median of 96" in rated.notes[0]


def test_total_palsy_is_zero_and_keeps_the_unclamped_value(total_palsy):
    flaccid = sunnybrook(total_palsy(ratings={"sunnybrook.rest.cheek": 2}))
    assert (flaccid.estimate, flaccid.unclamped) == (0, 0)
    spasm = {
        f"sunnybrook.synkinesis.{name}": 3 for name in ("brow_raise", "eyes_gentle", "smile_open", "snarl", "pucker")
    }
    both = sunnybrook(total_palsy(ratings={"sunnybrook.rest.cheek": 2, **spasm}))
    assert (both.estimate, both.unclamped) == (0, -15)


def test_the_unclamped_value_is_none_where_it_is_not_one_number(exam, total_palsy):
    """Without a rater's cheek the composite before it is held is -5 to -15, and 0 in any case."""
    spasm = {
        f"sunnybrook.synkinesis.{name}": 3 for name in ("brow_raise", "eyes_gentle", "smile_open", "snarl", "pucker")
    }
    held = sunnybrook(total_palsy(ratings=spasm))
    assert (held.estimate, held.unclamped) == (0, None)
    barred = sunnybrook(exam(ratings={"sunnybrook.rest.cheek": 0}, barred="No sides."))
    assert (barred.estimate, barred.unclamped) == (None, None)


@pytest.mark.parametrize(
    ("ratio", "z", "value"),
    [
        (0.09, None, 1),
        (0.10, 3.0, 2),
        (0.39, 3.0, 2),
        (0.40, 3.0, 3),
        (0.69, None, 3),
        (0.70, None, 4),
        (0.89, None, 4),
        (0.90, 0.0, 5),
        (0.95, 2.0, 4),
        (1.20, -2.0, 4),
    ],
)
def test_movement_item_thresholds(exam, ratio, z, value):
    assert items(exam(movements={"pucker": MovementEvidence(ratio, z=z)}))["movement.pucker"].value == value


def test_a_low_ratio_within_known_healthy_limits_is_an_item_up_to_complete(exam):
    assert items(exam(movements={"smile_open": MovementEvidence(0.35, z=1.4)}))["movement.smile_open"].interval == (
        2,
        5,
    )
    # An eye that stays open has not closed completely, however alike the lids moved.
    closures = {"eyes_gentle": ClosureEvidence(0.04, 0.0, 0.01)}
    moved = {"eyes_gentle": MovementEvidence(0.8, z=1.0)}
    assert items(exam(movements=moved, closures=closures))["movement.eyes_gentle"].value == 4


def test_slope_and_unknown_limits_widen_a_movement_item(exam):
    # 1 - 0.2 / 0.5 = 0.6 is mild excursion.
    biased = items(exam(movements={"snarl": MovementEvidence(0.8, z=3.0, slope=0.5)}))["movement.snarl"]
    assert biased.interval == (3, 4)
    assert items(exam(movements={"snarl": MovementEvidence(0.95)}))["movement.snarl"].interval == (4, 5)


def test_a_lid_that_falls_while_the_eye_stays_open_may_be_the_levators_alone(exam):
    closures = {"eyes_gentle": ClosureEvidence(0.04, 0.0, 0.01)}
    found = items(exam(movements={"eyes_gentle": MovementEvidence(0.5, z=4.0)}, closures=closures))
    assert found["movement.eyes_gentle"].interval == (1, 3)


def test_resting_items_count_beyond_limits_in_either_direction(exam):
    found = items(exam(rest={"eye": RestEvidence(-2.5, 1.2), "mouth": RestEvidence(1.9, 0.9)}))
    assert (found["rest.eye"].value, found["rest.mouth"].value) == (1, 0)
    assert found["rest.cheek"].withheld == "not visible from landmarks; a rater can give it"
    assert items(exam(rest={"eye": RestEvidence(None, 0.9)}))["rest.eye"].interval == (0, 1)
    assert items(exam(without=("rest",)))["rest.eye"].withheld == "rest: not taken"


@pytest.mark.parametrize(
    ("share", "value"), [(0.09, 0), (0.10, 1), (0.24, 1), (0.25, 2), (0.49, 2), (0.50, 3), (2.0, 3)]
)
def test_synkinesis_item_thresholds(exam, share, value):
    found = items(exam(synkinesis={"pucker": SynkinesisEvidence(share, True)}))
    assert found["synkinesis.pucker"].value == value


def test_synkinesis_with_unknown_limits_or_a_biased_engine_is_an_interval(exam):
    assert items(exam(synkinesis={"snarl": SynkinesisEvidence(0.3)}))["synkinesis.snarl"].interval == (0, 2)
    halved = SynkinesisEvidence(0.15, True, slope=0.5)
    assert items(exam(synkinesis={"snarl": halved}))["synkinesis.snarl"].interval == (1, 2)


def test_a_missing_expression_leaves_its_whole_range_open(exam):
    result = sunnybrook(exam(without=("snarl",), ratings={"sunnybrook.rest.cheek": 0}))
    # Movement 1 to 5 (16 points) and synkinesis 0 to 3.
    assert result.interval == (81, 100)


def test_a_rating_replaces_the_softwares_item(exam):
    found = items(exam(ratings={"sunnybrook.movement.snarl": 2}))["movement.snarl"]
    assert (found.value, found.by) == (2, "A")
    assert items(exam())["movement.snarl"].by == "software"
