"""Changes: two exams of one subject, each change known beforehand."""

import pytest

from facialpalsy.analysis.changes import changes_since
from facialpalsy.analysis.request import ExamHeader
from facialpalsy.assessment import Assessment, Software
from facialpalsy.clinical.expressions import Expression
from facialpalsy.face import ReferenceSide, SideFrame

E = Expression


@pytest.fixture
def assessment(exam, hand):
    def make(date, *, shares, droops=(0.0,)):
        """An exam with one open smile per share and one rest per droop."""
        captures = [hand.capture(hand.Patient(droop=one).face(E.REST).landmarks(), E.REST) for one in droops]
        for share in shares:
            face = hand.Patient(share=share, droop=droops[0]).face(E.SMILE_OPEN)
            captures.append(hand.capture(face.landmarks(), E.SMILE_OPEN))
        result = exam.assess(captures, header=ExamHeader("P7", date, reference_side=ReferenceSide.RIGHT))
        return Assessment(
            software=Software(version="0"),
            exam=result.exam,
            captures=tuple(one.capture for one in result.captures),
            movements=tuple(result.movements),
        )

    return make


def found(changes, expression, name):
    return next(one for one in changes if (one.expression, one.name) == (expression, name))


def test_without_repeats_a_change_is_given_but_not_judged(assessment):
    before = assessment("2026-01-01", shares=[0.6])
    after = assessment("2026-03-01", shares=[0.8])
    one = found(changes_since(before, after), "smile_open", "commissure_excursion")
    # Left minus right goes from -0.04 to -0.02.
    assert (one.before, one.after, one.change) == (pytest.approx(-0.04), pytest.approx(-0.02), pytest.approx(0.02))
    assert (one.unit, one.since, one.mdc, one.beyond_mdc) == ("iod", "2026-01-01", None, None)


def test_the_minimal_detectable_change_is_pooled_over_both_exams(assessment):
    # Within-exam standard deviations 0.01 and 0.005.
    before = assessment("2026-01-01", shares=[0.6, 0.5, 0.7])
    after = assessment("2026-03-01", shares=[0.9, 0.85, 0.95])
    one = found(changes_since(before, after), "smile_open", "commissure_excursion")
    mdc = 1.96 * 2**0.5 * ((0.01**2 + 0.005**2) / 2) ** 0.5
    assert one.mdc == pytest.approx(mdc, rel=1e-6)
    assert one.change == pytest.approx(0.03)
    assert one.beyond_mdc is True
    little = assessment("2026-03-01", shares=[0.72, 0.67, 0.77])
    assert found(changes_since(before, little), "smile_open", "commissure_excursion").beyond_mdc is False


def test_rest_is_the_mean_over_its_captures(assessment):
    before = assessment("2026-01-01", shares=[1.0], droops=(0.0,))
    after = assessment("2026-03-01", shares=[1.0], droops=(0.01, 0.03))
    one = found(changes_since(before, after), "rest", "commissure_height")
    assert (one.before, one.after) == (pytest.approx(0, abs=1e-9), pytest.approx(-0.02))
    # Standard deviation of 0.01 and 0.03, n - 1.
    assert one.mdc == pytest.approx(1.96 * 2**0.5 * 0.02 / 2**0.5, rel=1e-6)
    assert one.beyond_mdc is False
    assert found(changes_since(before, after), "rest", "smile_angle").unit == "deg"


def test_what_only_one_exam_has_is_no_change(assessment):
    before, after = assessment("2026-01-01", shares=[]), assessment("2026-03-01", shares=[0.5])
    assert {one.expression for one in changes_since(before, after)} == {"rest"}
    assert not any(one.name == "commissure_excursion" for one in changes_since(after, before))


def test_captures_that_no_scale_uses_give_no_change(assessment, exam, hand):
    before = assessment("2026-01-01", shares=[])
    result = exam.assess([hand.capture(hand.Face().turn(20).landmarks(), E.REST)])
    captures = tuple(one.capture for one in result.captures)
    assert changes_since(before, Assessment(software=Software(version="0"), exam=result.exam, captures=captures)) == ()


def test_where_the_subjects_sides_are_not_known_there_is_no_change(assessment):
    before, after = assessment("2026-01-01", shares=[0.6]), assessment("2026-03-01", shares=[0.8])
    unknown = after.model_copy(update={"exam": after.exam.model_copy(update={"side_frame": SideFrame.IMAGE})})
    assert changes_since(before, after)
    assert changes_since(before, unknown) == changes_since(unknown, after) == ()
