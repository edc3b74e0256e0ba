"""FNGS 2.0: cells, the careful eye, and the sum table of the clinical reference, section 1.2."""

import pytest

from facialpalsy.clinical.evidence import ClosureEvidence, ExamEvidence, MovementEvidence, RestEvidence
from facialpalsy.clinical.scales import grade
from facialpalsy.clinical.scales.fngs2 import fngs2_grade


def moved(ratio, z=3.0, slope=1.0, noise=None):
    return MovementEvidence(ratio, noise, z, slope)


def gap(affected, reference=0.0):
    return ClosureEvidence(affected, reference, healthy_limit=0.01, affected_open=0.1)


def items(evidence):
    return {item.name.removeprefix("fngs2."): item for item in grade(evidence)["fngs2"].items}


@pytest.mark.parametrize(
    ("total", "expected"),
    [(4, 1), (5, 2), (9, 2), (10, 3), (14, 3), (15, 4), (19, 4), (20, 5), (23, 5), (24, 6), (25, None), (27, None)],
)
def test_sum_to_grade_at_every_border(total, expected):
    assert fngs2_grade(total) == expected


@pytest.mark.parametrize(
    ("ratings", "expected"),
    [((1, 1, 1, 1, 0), 1), ((1, 1, 1, 1, 1), 2), ((3, 3, 3, 3, 2), 3), ((4, 4, 4, 4, 3), 4), ((6, 6, 6, 6, 0), 6)],
)
def test_a_rater_gives_all_items(exam, ratings, expected):
    names = ("brow", "eye", "nlf", "oral", "secondary")
    given = {f"fngs2.{name}": value for name, value in zip(names, ratings, strict=True)}
    result = grade(exam(ratings=given))["fngs2"]
    assert result.estimate == expected
    assert [item.by for item in result.items[:5]] == ["A"] * 5
    assert result.items[5].value == sum(ratings)


def test_a_sum_above_24_is_inconsistent_input(exam):
    given = {f"fngs2.{name}": 6 for name in ("brow", "eye", "nlf", "oral")} | {"fngs2.secondary": 1}
    result = grade(exam(ratings=given))["fngs2"]
    assert (result.estimate, result.interval) == (None, None)
    assert result.withheld == "Inconsistent input: the items sum to 25, and FNGS 2.0 ends at 24."


@pytest.mark.parametrize(
    ("ratio", "z", "rest_z", "score"),
    [
        (1.0, 0.0, 0.0, 1),
        (0.76, 1.9, 0.0, 1),
        (0.76, 2.0, 0.0, 2),
        (0.76, 2.0, 5.0, 2),
        (0.75, 2.0, 0.0, 3),
        (0.51, 2.0, 0.0, 3),
        (0.51, 2.0, 2.0, 4),
        (0.50, 2.0, 0.0, 4),
        (0.26, 2.0, 0.0, 4),
        (0.25, 2.0, 0.0, 5),
        (0.06, 2.0, 0.0, 5),
        (0.05, 2.0, 0.0, 6),
        (-0.3, 2.0, 0.0, 6),
    ],
)
@pytest.mark.parametrize(
    ("region", "expression", "zone"),
    [("brow", "brow_raise", "brow"), ("nlf", "snarl", "fold"), ("oral", "smile_open", "mouth")],
)
def test_cells_of_a_moving_region(exam, region, expression, zone, ratio, z, rest_z, score):
    evidence = exam(movements={expression: moved(ratio, z)}, rest={zone: RestEvidence(rest_z, 1.0)})
    assert items(evidence)[region].value == score


def test_a_low_ratio_within_known_healthy_limits_is_an_interval_from_one(exam):
    assert items(exam(movements={"smile_open": moved(0.7, 1.0)}))["oral"].interval == (1, 3)


def test_without_limits_the_ratio_decides_and_the_first_cells_stay_open(exam):
    assert items(exam(movements={"brow_raise": moved(0.8, None)}))["brow"].interval == (1, 2)
    assert items(exam(movements={"brow_raise": moved(0.4, None)}))["brow"].value == 4


@pytest.mark.parametrize(
    ("gentle", "tight", "lid", "value", "interval"),
    [
        (0.0, 0.0, 1.0, None, (1, 2)),
        (0.03, 0.0, 1.0, 3, None),
        (0.03, 0.02, 0.8, 4, None),
        (0.03, 0.02, 0.6, None, (4, 6)),
        (0.03, 0.02, 0.2, None, (5, 6)),
        (0.03, 0.02, 0.05, 6, None),
    ],
)
def test_closure_decides_the_eye_and_the_lid_only_bounds_it(exam, gentle, tight, lid, value, interval):
    movements = {"eyes_gentle": moved(0.9, None), "eyes_tight": moved(lid, 4.0)}
    found = items(exam(movements, {"eyes_gentle": gap(gentle), "eyes_tight": gap(tight)}))["eye"]
    assert (found.value, found.interval) == (value, interval)


def test_one_closure_attempt_bounds_the_eye(exam):
    assert items(exam(without=("eyes_tight",)))["eye"].value == 1
    assert items(exam(without=("eyes_gentle",)))["eye"].interval == (1, 3)
    opened = exam(closures={"eyes_gentle": gap(0.03)}, without=("eyes_tight",))
    assert items(opened)["eye"].interval == (3, 6)


def test_an_attempt_with_the_reference_eye_open_does_not_count_and_is_named(exam):
    unshut = {"eyes_gentle": gap(0.05, 0.02), "eyes_tight": gap(0.05, 0.02)}
    result = grade(exam(closures=unshut))["fngs2"]
    assert "was not shut" in {item.name: item for item in result.items}["fngs2.eye"].withheld
    assert result.interval == (1, 2)  # Sums 4 to 9.
    assert sum("eyes_gentle: the eye of the reference side was not shut" in note for note in result.notes) == 1


def test_total_palsy_is_six(total_palsy):
    result = grade(total_palsy(0.0))["fngs2"]
    assert result.estimate == 6
    assert result.items[-1].value == 24
    # The levator alone may move the lid: the eye is then 4 to 6, the sum 22 to 24.
    evidence = total_palsy(0.0)
    lid = {**evidence.movements, "eyes_tight": moved(0.5)}
    open_lid = ExamEvidence(lid, evidence.closures, evidence.rest, evidence.synkinesis, {})
    assert grade(open_lid)["fngs2"].interval == (5, 6)
    assert grade(open_lid)["fngs2"].items[-1].interval == (22, 24)


def test_a_missing_region_makes_an_interval_over_its_cells(exam):
    result = grade(exam(without=("brow_raise",)))["fngs2"]
    assert result.items[0].withheld == "brow_raise: not taken"
    # The brow may have 1 to 6, and the mouth may have been pulled along by up to 3: 4 to 12.
    assert result.items[-1].interval == (4, 12)
    assert result.interval == (1, 3)


def test_nothing_assessed_and_barred_are_withheld(exam):
    assert "No item of this scale" in grade(ExamEvidence({}, {}, {}, {}, {}))["fngs2"].withheld
    barred = grade(exam(barred="The side frame is unknown.", ratings={"fngs2.brow": 2}))
    for result in barred.values():
        assert (result.estimate, result.interval, result.withheld) == (None, None, "The side frame is unknown.")
    brow, eye = barred["fngs2"].items[:2]
    assert (brow.value, brow.by) == (2, "A")
    assert eye.withheld == "The side frame is unknown."
