"""Summary: what is called beyond healthy limits, and what is said where nothing is."""

from dataclasses import replace

import pytest

from facialpalsy.assessment import (
    OVERALL,
    REGIONS,
    Asymmetry,
    Closure,
    Exam,
    Measure,
    Missing,
    Movement,
    Quality,
    Sides,
)
from facialpalsy.report.closing import eye_closure
from facialpalsy.report.summary import against_limits, region_beyond, summary

BEYOND = Asymmetry(2.5, 1.8)
SHARE = "({} of {} compared; in healthy people about 1 in 20 is, often several of one capture)"


def brow(difference: float = 0.02, noise: float | None = 0.002) -> Measure:
    """Brow height with healthy limits of 0.01 iod, so a standard deviation of 0.01 / 1.96."""
    sides = Sides(0.30, 0.30 - difference, difference)
    z = difference / (0.01 / 1.96)
    return Measure("brow_height", iod=sides, noise=noise, healthy_limits=(-0.01, 0.01), z=z)


# 1.96 noise of 0.0103 is 0.0202, more than the difference of 0.02; of 0.0102 it is 0.019992, less.
@pytest.mark.parametrize(("noise", "called"), [(0.002, True), (0.0102, True), (0.0103, False), (None, True)])
def test_a_region_within_its_noise_is_not_called_beyond_limits(assessment, capture, noise, called):
    one = capture(measures=(brow(noise=noise),), asymmetry={"brow": BEYOND, OVERALL: BEYOND})
    assert region_beyond(one, "brow") is called
    assert region_beyond(one, OVERALL) is called
    text = against_limits(assessment(one, movements=()))
    if called:
        assert text == f"Asymmetry beyond healthy limits: Rest: brow z 2.50, overall z 2.50 {SHARE.format(2, 2)}."
    else:
        assert text.startswith("No region and no movement beyond healthy limits in this exam")
        assert "without a measure beyond both its own limits and its noise: Rest: brow z 2.50, overall z 2.50." in text


def test_a_region_needs_a_measure_of_its_own(capture):
    one = capture(measures=(brow(),), asymmetry={"mouth": BEYOND, "brow": Asymmetry(1.7, 1.8)})
    assert not region_beyond(one, "mouth")
    assert not region_beyond(one, "brow")
    assert not region_beyond(one, "eye")


def test_single_measures_beyond_limits_are_not_passed_over(assessment, capture):
    within = replace(brow(0.009), name="commissure_height")
    one = capture(measures=(brow(-0.02), within), asymmetry={"brow": Asymmetry(1.0, 1.8)})
    text = against_limits(assessment(one, movements=()))
    # -0.02 is 2 x 1.96 standard deviations.
    assert text == (
        "No region and no movement beyond healthy limits in this exam (compared: Rest). Single measures are beyond "
        "theirs: Rest: Brow height above the pupil z \N{MINUS SIGN}3.9 (1 of 2 compared; "
        "in healthy people about 1 in 20 is, often several of one capture). "
        "This does not exclude a weakness."
    )


def test_repeated_takes_are_told_apart(assessment, capture):
    one = capture(measures=(brow(),), asymmetry={"brow": BEYOND})
    text = against_limits(assessment(one, one, movements=()))
    assert (
        text == f"Asymmetry beyond healthy limits: Rest (1): brow z 2.50; Rest (2): brow z 2.50 {SHARE.format(2, 2)}."
    )


def test_where_nothing_could_be_compared_the_reason_is_given(assessment, capture):
    unnamed = capture(expression=None, asymmetry={"brow": Asymmetry(None, withheld="the expression is not known")})
    text = against_limits(assessment(unnamed, movements=()))
    assert text == "Nothing could be compared with healthy limits. The expression is not known."
    turned = unnamed.model_copy(update={"quality": Quality(usable=False)})
    text = against_limits(assessment(turned, movements=()))
    assert text == "Nothing could be compared with healthy limits. No capture can be used."


def test_an_unusable_capture_adds_nothing(assessment, capture):
    turned = capture(quality=capture().quality.model_copy(update={"usable": False}), measures=(brow(),))
    quiet = capture(measures=(brow(0.0),), asymmetry={"brow": Asymmetry(0.5, 1.8)})
    assert not region_beyond(turned.model_copy(update={"asymmetry": {"brow": BEYOND}}), "brow")
    text = against_limits(assessment(quiet, turned, movements=(), exam=Exam()))
    assert text.startswith("No asymmetry beyond healthy limits in this exam (compared: Rest (1)).")


def quiet(capture, **changes):
    """A capture of one region, and that within its limits."""
    return capture(measures=(brow(0.0),), asymmetry={"brow": Asymmetry(0.5, 1.8)}, **changes)


def closure(left: float, right: float, expression: str = "eyes_tight") -> Closure:
    """Held to 0.025 iod, at 80 mm per iod."""
    sides = Sides(left, right, left - right)
    return Closure(
        expression=expression, iod=sides, mm=sides.times(80), limit_iod=0.025, limit_mm=2.0, limit_measured=False
    )


SUBJECT = Exam(reference_side="right", side_frame="subject")


def test_an_eye_left_open_is_said_first_and_never_passed_as_no_asymmetry(assessment, capture):
    shut = capture(expression="eyes_tight", asymmetry={}, measures=())
    text = against_limits(
        assessment(quiet(capture), shut, movements=(), closures=(closure(0.06875, 0.005),), exam=SUBJECT)
    )
    assert text == (
        "Seen without healthy limits to compare with: Tight eye closure: left open by 5.5 mm. No region and no "
        "movement beyond healthy limits in this exam (compared: Rest). Without healthy limits: Tight eye closure. "
        "This does not exclude a weakness."
    )


@pytest.mark.parametrize(("gaps", "exposed"), [((0.06875, 0.005), True), ((0.01, 0.005), False)])
def test_the_eye_closure_has_a_line_of_its_own(assessment, capture, gaps, exposed):
    both = (closure(*gaps, "eyes_gentle"), closure(*gaps))
    text = dict(summary(assessment(quiet(capture), closures=both, exam=SUBJECT)))["Eye closure"]
    assert text.count("limit of a closed eye 2.0 mm, assumed") == 2
    assert ("Exposure not excluded." in text) is exposed
    if exposed:
        assert "Tight eye closure: left 5.5 mm, right 0.4 mm; stays open: left (" in text
    else:
        assert "Tight eye closure: left 0.8 mm, right 0.4 mm; neither stays open (" in text


def test_a_closure_that_was_not_assessed_does_not_exclude_exposure(assessment, capture):
    unusable = Closure(
        expression="eyes_tight", limit_iod=0.025, limit_measured=False, withheld={"value": "Both eyes are open."}
    )
    none = "Not assessed in gentle or tight closure. Exposure not excluded."
    assert eye_closure(assessment(quiet(capture))) == none
    assert eye_closure(assessment(quiet(capture), closures=(unusable,))) == none
    gentle = closure(0.0, 0.0, "eyes_gentle")
    text = eye_closure(assessment(quiet(capture), closures=(gentle, unusable)))
    assert text.endswith("Tight eye closure: not assessed. Exposure not excluded.")


def test_an_unusable_closure_is_named_and_never_passed_as_no_asymmetry(assessment, capture):
    shut = capture(expression="eyes_tight", asymmetry={}, measures=(), quality=Quality(usable=False))
    exam = Exam(missing=(Missing(expression="eyes_tight", reason="Both eyes are open."),))
    text = against_limits(assessment(quiet(capture), shut, movements=(), exam=exam))
    assert text.startswith("No region and no movement beyond healthy limits")
    assert "Without a usable take: Tight eye closure." in text


def lower_lip(left: float, right: float, ratio: float | None) -> Movement:
    return Movement("lower_teeth", "lower_lip_depression", iod=Sides(left, right, left - right), ratio=ratio)


@pytest.mark.parametrize(
    ("moved", "seen"),
    [
        (lower_lip(0.005, 0.05, 0.1), True),
        (lower_lip(0.07, 0.05, 1.4), True),
        (lower_lip(0.04, 0.05, 0.8), False),
        (lower_lip(0.06, 0.05, 1.2), False),
        # Without a reference side: the smaller over the larger, where either moved more than the floor of 0.01 iod.
        (lower_lip(0.05, 0.005, None), True),
        (lower_lip(0.008, 0.001, None), False),
    ],
)
def test_a_movement_without_limits_that_is_uneven_is_never_passed_as_no_asymmetry(assessment, capture, moved, seen):
    text = against_limits(
        assessment(
            quiet(capture),
            capture(expression="lower_teeth", asymmetry={}, measures=()),
            movements=(moved,),
            exam=SUBJECT,
        )
    )
    assert ("No asymmetry" in text) is not seen
    assert text.startswith("Seen without healthy limits to compare with: Lower teeth shown: lower lip dep") is seen
    assert "Without healthy limits: Lower teeth shown." in text


def test_the_sides_of_an_image_are_its_halves(assessment, capture):
    exam = assessment(
        quiet(capture), movements=(lower_lip(0.005, 0.05, None),), closures=(closure(0.06, 0.0),), exam=Exam()
    )
    text = against_limits(exam) + eye_closure(exam)
    assert "image left half open by 4.8 mm" in text
    assert "image left half 0.005, image right half 0.050 iod" in text
    assert "stays open: image left half" in text


def many(capture, beyond: Asymmetry):
    """Ten comparisons, in two captures, of which one is beyond."""
    calm = dict.fromkeys((*REGIONS, OVERALL), Asymmetry(0.5, 1.8))
    return (
        capture(measures=(brow(),), asymmetry={**calm, "brow": beyond}),
        capture(measures=(brow(0.0),), asymmetry=calm),
    )


def test_as_few_as_chance_gives_is_no_alarm(assessment, capture):
    text = against_limits(assessment(*many(capture, Asymmetry(1.9, 1.8)), movements=()))
    assert text == (
        "1 of 10 comparisons beyond healthy limits, no more than chance gives in healthy people: "
        "Rest (1): brow z 1.90. This does not exclude a weakness."
    )


def test_one_far_beyond_its_limit_is_no_chance(assessment, capture):
    """The largest of ten reaches 1.43 times the limit of one: 0.95^(1/10) leaves 0.9974 below, which is 2.80 SD."""
    text = against_limits(assessment(*many(capture, Asymmetry(1.8 * 1.45, 1.8)), movements=()))
    assert text.startswith("Asymmetry beyond healthy limits: Rest (1): brow z 2.61 (1 of 10 compared")
    assert "no more than chance" in against_limits(assessment(*many(capture, Asymmetry(1.8 * 1.4, 1.8)), movements=()))


def test_a_finding_keeps_what_was_seen_beside_it(assessment, capture):
    one = capture(measures=(brow(),), asymmetry={"brow": BEYOND, OVERALL: BEYOND})
    text = against_limits(assessment(one, movements=(), closures=(closure(0.06, 0.0),), exam=SUBJECT))
    assert text.startswith("Asymmetry beyond healthy limits")
    assert "Tight eye closure: left open by 4.8 mm" in text


@pytest.mark.parametrize(
    ("recovery", "shown"),
    [({"brow": 0.44, "lid": 1.0}, "may be larger than shown"), ({"brow": 1.03}, "may be larger or smaller than shown")],
)
def test_what_an_engine_reports_more_or_less_than_there_is(assessment, recovery, shown):
    made = assessment()
    (engine,) = made.software.models
    software = made.software.model_copy(update={"models": (engine.model_copy(update={"recovery": recovery}),)})
    said = dict(summary(made.model_copy(update={"software": software})))["Share reported"]
    assert said.endswith(f"(medians): the true asymmetry {shown}.")
    assert f"brow {recovery['brow']:.0%}" in said
