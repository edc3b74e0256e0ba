"""House-Brackmann: one hand-made exam per grade and per withholding reason of the clinical reference, section 1.1."""

import pytest

from facialpalsy.clinical.evidence import (
    ClosureEvidence,
    ExamEvidence,
    MovementEvidence,
    Rating,
    RestEvidence,
    SynkinesisEvidence,
)
from facialpalsy.clinical.scales import grade


def moved(ratio, z=0.0, slope=1.0, noise=None):
    return MovementEvidence(ratio, noise, z, slope)


def gap(affected, reference=0.0, slope=1.0):
    return ClosureEvidence(affected, reference, healthy_limit=0.01, slope=slope, affected_open=0.1)


def house_brackmann(evidence):
    return grade(evidence)["house_brackmann"]


OPEN_GENTLY = {"eyes_gentle": gap(0.03)}
OPEN = {"eyes_gentle": gap(0.03), "eyes_tight": gap(0.02)}
WEAK = {"brow_raise": moved(0.6, 3.0), "snarl": moved(0.6, 3.0), "smile_open": moved(0.6, 3.0)}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 1),
        # Weak by ratio, yet within healthy limits.
        ({"movements": {"smile_open": moved(0.70, 1.9)}}, 1),
        ({"movements": {"smile_open": moved(0.85, 2.5)}}, 2),
        ({"movements": {"lower_teeth": moved(0.85, 2.5)}}, 2),
        ({"synkinesis": {"smile_open": SynkinesisEvidence(0.10, True)}}, 2),
        ({"movements": WEAK}, 3),
        ({"movements": {"pucker": moved(0.70, 2.5)}}, 3),
        ({"closures": OPEN_GENTLY}, 3),
        ({"synkinesis": {"smile_open": SynkinesisEvidence(0.25, True)}}, 3),
        ({"movements": WEAK, "closures": OPEN}, 4),
        ({"synkinesis": {"smile_open": SynkinesisEvidence(0.50, True)}}, 4),
        ({"movements": {"brow_raise": moved(0.05, 6.0), "smile_open": moved(0.49, 5.0)}}, 4),
        # The noise of the forehead's movement is larger than what it moved.
        ({"movements": {"brow_raise": moved(0.15, 6.0, noise=0.2), "smile_open": moved(0.49, 5.0)}}, 4),
        ({"movements": {"brow_raise": moved(0.15, 6.0, noise=0.1), "smile_open": moved(0.49, 5.0)}}, 3),
        # A change within healthy limits is no synkinesis, whatever its share.
        ({"synkinesis": {"smile_open": SynkinesisEvidence(0.9, False)}}, 1),
        ({"ratings": {"house_brackmann.synkinesis": 3}}, 4),
    ],
)
def test_grades_one_to_four(exam, changes, expected):
    result = house_brackmann(exam(**changes))
    assert (result.estimate, result.interval, result.withheld) == (expected, None, None)


def test_total_palsy_is_six_with_trace_five_and_with_balanced_rest_four(total_palsy):
    assert house_brackmann(total_palsy(0.05)).estimate == 6
    assert house_brackmann(total_palsy(0.25)).estimate == 5
    assert house_brackmann(total_palsy(0.25, rest_z=1.0)).estimate == 4
    assert house_brackmann(total_palsy(0.26)).estimate == 4
    # No movement needs no rest; and the lid's own movement is not looked at.
    assert house_brackmann(total_palsy(0.0, rest_z=1.0)).estimate == 6


def test_movement_within_a_large_noise_is_none_but_never_more_than_barely_perceptible(total_palsy, exam):
    def noisy(ratio):
        movements = {name: moved(ratio, 8.0, noise=0.6) for name in ("brow_raise", "snarl", "smile_open")}
        return house_brackmann(exam(movements=movements, closures=OPEN)).estimate

    assert noisy(0.25) == 6
    assert noisy(0.26) == 4


def test_grade_one_is_worded_by_what_was_seen(exam):
    result = house_brackmann(exam())
    assert result.notes[0] == "No asymmetry beyond healthy limits in this exam, as far as this rule looks."
    assert all("normal" not in note and "diagnosis" not in note for note in result.notes)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"rest": {"mouth": RestEvidence(5.0, 0.8)}}, "rest (mouth)"),
        ({"rest": {"eye": RestEvidence(-2.0, 0.8)}}, "rest (eye)"),
        ({"movements": {"eyes_tight": moved(0.8, 2.5)}}, "eyes_tight"),
        ({"movements": {"smile_fold": moved(0.8, 2.5)}}, "smile_fold"),
        ({"synkinesis": {"smile_open": SynkinesisEvidence(0.09, True)}}, "synkinesis in smile_open"),
    ],
)
def test_grade_one_is_not_certain_where_anything_lies_beyond_limits_and_names_it(exam, changes, named):
    result = house_brackmann(exam(**changes))
    assert (result.estimate, result.interval) == (None, (1, 2))
    assert "No asymmetry" not in " ".join(result.notes)
    assert result.notes[0] == (
        "No movement asymmetry beyond healthy limits in the zones that this rule grades; beyond them, and not graded "
        f"by it: {named}."
    )


def test_grade_one_is_not_certain_where_limits_are_unknown(exam):
    assert house_brackmann(exam(rest={"mouth": RestEvidence(None, 0.9)})).interval == (1, 2)
    assert house_brackmann(exam(movements={"eyes_tight": moved(0.9, None)})).interval == (1, 2)


def test_a_forehead_that_hardly_moves_is_not_spared(exam):
    def forehead(ratio, **others):
        movements = {"brow_raise": moved(ratio, 1.9), "smile_open": moved(0.4, 5.0), **others}
        return house_brackmann(exam(movements=movements))

    # No forehead movement and a clearly weak mouth are grade IV, some are III.
    assert forehead(0.0).estimate == 4
    assert forehead(0.0, snarl=moved(0.6, 3.0)).estimate == 4
    assert forehead(0.49).estimate == 3
    assert "The forehead is spared" in forehead(0.5).withheld


def test_a_weak_mouth_within_healthy_limits_is_no_pattern(exam):
    # Healthy smiles reach it where both sides hardly move.
    assert house_brackmann(exam(movements={"smile_open": moved(0.35, 1.4)})).estimate == 1
    assert "The forehead is spared" in house_brackmann(exam(movements={"smile_open": moved(0.35, 2.0)})).withheld


def test_a_slope_under_080_widens_to_an_interval_with_both_ends(total_palsy, exam):
    # True forehead movement may be 1 - 0.44 / 0.44 = 0, so every zone may be barely moving.
    severe = total_palsy(0.1)
    severe = exam(
        movements={**severe.movements, "brow_raise": moved(0.56, 5.0, slope=0.44)},
        closures=severe.closures,
        rest=severe.rest,
    )
    assert house_brackmann(severe).interval == (4, 5)
    assert "brow_raise" in " ".join(house_brackmann(severe).notes)
    # z 1.2 / 0.5 = 2.4 is beyond limits, and 1 - 0.05 / 0.5 = 0.9 is not palsy.
    assert house_brackmann(exam(movements={"smile_open": moved(0.95, 1.2, slope=0.5)})).interval == (1, 2)
    assert house_brackmann(exam(movements={"smile_open": moved(0.95, 1.2, slope=0.8)})).estimate == 1


def test_a_lid_gap_that_the_engine_halves_may_be_incomplete_closure(exam):
    closures = {"eyes_gentle": gap(0.009, 0.005, slope=0.5), "eyes_tight": gap(0.006, 0.002, slope=0.4)}
    # 0.005 + 0.004 / 0.5 = 0.013 is open in gentle closure, 0.002 + 0.004 / 0.4 = 0.012 in tight closure.
    assert house_brackmann(exam(closures=closures)).interval == (1, 4)


def test_unknown_healthy_limits_widen_only_where_the_affected_side_is_behind(exam):
    assert house_brackmann(exam(movements={"smile_open": moved(0.9, None)})).interval == (1, 2)
    assert house_brackmann(exam(movements={"smile_open": moved(0.7, None)})).interval == (1, 3)
    behind = {name: moved(0.7, None) for name in ("brow_raise", "smile_open")}
    assert house_brackmann(exam(movements=behind)).interval == (1, 3)
    assert house_brackmann(exam(movements={"smile_open": moved(1.0, None)})).estimate == 1
    unknown = {"smile_open": SynkinesisEvidence(0.3, None)}
    assert house_brackmann(exam(synkinesis=unknown)).interval == (1, 3)


def test_an_unseen_midface_and_unseen_synkinesis_are_an_interval_not_a_guess(exam, total_palsy):
    assert house_brackmann(exam(without=("snarl",))).interval == (1, 3)
    fold = exam(without=("snarl",), movements={"smile_fold": moved(0.85, 2.5)})
    assert house_brackmann(fold).estimate == 2
    unmoved = exam(movements={"snarl": moved(None)})
    assert house_brackmann(unmoved).interval == (1, 3)
    items = {item.name: item for item in house_brackmann(unmoved).items}
    assert items["house_brackmann.midface"].withheld == "snarl: the reference side did not move more than its noise"
    bare = exam()
    unseen = ExamEvidence(bare.movements, bare.closures, bare.rest, {}, {})
    assert house_brackmann(unseen).interval == (1, 4)


@pytest.mark.parametrize("name", ["rest", "brow_raise", "eyes_gentle", "eyes_tight", "smile_open"])
def test_withheld_without_a_needed_capture(exam, name):
    result = house_brackmann(exam(without=(name,), missing={name: "head turned by 17 degrees"}))
    assert result.estimate is None
    assert result.interval is None
    assert f"{name}: head turned by 17 degrees" in result.withheld
    assert f"{name}: not taken" in house_brackmann(exam(without=(name,))).withheld


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"closures": {"eyes_tight": gap(0.05, reference=0.02)}}, "eyes_tight: the eye of the reference side was not"),
        (
            {"movements": {"smile_open": MovementEvidence(None, reasons={"ratio": "no effort on the left"})}},
            "smile_open: no effort on the left",
        ),
        ({"movements": {"brow_raise": moved(None)}}, "brow_raise: the reference side did not move"),
        ({"barred": "The side frame is unknown."}, "The side frame is unknown."),
        ({"barred": "The face was reanimated."}, "The face was reanimated."),
        (
            {"movements": {"smile_open": moved(0.6, 3.0), "brow_raise": moved(1.5, -3.0)}},
            "on both sides: the mouth on the affected side, the forehead on the reference",
        ),
        ({"closures": OPEN, "movements": {"snarl": moved(1.5, -3.0)}}, "on both sides: the eye on the affected side"),
        ({"movements": {"smile_open": moved(0.4, 5.0), "snarl": moved(0.6, 3.0)}}, "The forehead is spared"),
        ({"movements": {"smile_open": moved(0.4, 5.0), "brow_raise": moved(0.95, None)}}, "The forehead is spared"),
        ({"movements": {"brow_raise": moved(0.4, 5.0)}}, "The forehead alone is weaker"),
        ({"movements": {"lower_teeth": moved(0.4, 5.0)}}, "The mouth alone is weaker"),
        ({"closures": OPEN}, "The eye alone is weaker"),
    ],
)
def test_withheld_with_the_reason(exam, changes, reason):
    result = house_brackmann(exam(**changes))
    assert (result.estimate, result.interval) == (None, None)
    assert reason in result.withheld


def test_reasons_come_in_the_order_of_the_rule(exam):
    both = {"smile_open": moved(0.3, 6.0), "snarl": moved(1.5, -3.0)}
    assert house_brackmann(exam(movements=both, barred="No sides.")).withheld == "No sides."
    assert house_brackmann(exam(without=("brow_raise",), barred="No sides.")).withheld == "No sides."
    assert "brow_raise: not taken" in house_brackmann(exam(movements=both, without=("brow_raise",))).withheld
    # A spared forehead as well, but both sides come first.
    assert "both sides" in house_brackmann(exam(movements=both)).withheld


def test_a_weak_forehead_with_a_weak_mouth_is_no_pattern_without_limits(exam):
    movements = {"brow_raise": moved(0.5, None), "smile_open": moved(0.4, 5.0)}
    assert house_brackmann(exam(movements=movements)).estimate == 3


def test_weakness_of_the_reference_side_alone_counts_as_asymmetry(exam):
    assert house_brackmann(exam(movements={"smile_open": moved(1.4, -2.5)})).estimate == 2


def test_ratings_of_the_whole_scale_stand_beside_and_are_never_mixed_in(exam):
    result = house_brackmann(exam(ratings={"house_brackmann": 4}))
    assert result.estimate == 1
    assert [(one.rater, one.value) for one in result.rated] == [("A", 4)]


def test_several_raters_count_by_their_median_and_are_named(exam):
    bare = exam()
    ratings = tuple(Rating("house_brackmann.synkinesis", value, rater) for value, rater in ((1, "A"), (2, "B")))
    evidence = ExamEvidence(bare.movements, bare.closures, bare.rest, bare.synkinesis, {}, ratings=ratings)
    result = house_brackmann(evidence)
    item = result.items[-1]
    assert (item.value, item.by) == (1.5, "median of A, B")
    assert result.interval == (2, 3)


def test_rest_without_any_value_may_be_asymmetric_in_the_worst_case(total_palsy, exam):
    severe = total_palsy(0.2)
    unseen = {zone: RestEvidence(None, None) for zone in ("brow", "eye", "fold", "mouth")}
    assert house_brackmann(exam(severe.movements, severe.closures, unseen)).interval == (4, 5)
