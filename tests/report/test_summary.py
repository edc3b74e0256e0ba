"""Summary: what is called beyond healthy limits, and what is said where nothing is."""

from dataclasses import replace

import pytest

from facialpalsy.assessment import OVERALL, Asymmetry, Exam, Measure, Quality, Sides
from facialpalsy.report.summary import against_limits, region_beyond

BEYOND = Asymmetry(2.5, 1.8)
SHARE = "({} of {} compared; in healthy people about 1 in 20 is)"


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
        "in healthy people about 1 in 20 is). "
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
