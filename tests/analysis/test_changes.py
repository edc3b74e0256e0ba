"""Changes: two exams of one subject, each change known beforehand, and the false alarms of many without change."""

import numpy as np
import pytest

from facialpalsy.analysis.changes import changes_since, not_compared
from facialpalsy.analysis.exam import combine_repeats
from facialpalsy.analysis.request import ExamHeader
from facialpalsy.assessment import Assessment, Engine, Software
from facialpalsy.clinical.expressions import Expression
from facialpalsy.face import ReferenceSide, SideFrame
from facialpalsy.measure import Measure, Movement, Sides

E = Expression
# t(0.975, df) of printed tables.
T = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776}


@pytest.fixture
def assessment(exam, hand):
    def make(date, *, shares, droops=(0.0,), effort=(1.0,), reference=ReferenceSide.RIGHT):
        """An exam with one open smile per share and one rest per droop; `effort` scales both sides of each smile."""
        captures = [hand.capture(hand.Patient(droop=one).face(E.REST).landmarks(), E.REST) for one in droops]
        for share, tried in zip(shares, effort * len(shares) if len(effort) == 1 else effort, strict=True):
            at_rest = hand.Patient(droop=droops[0]).face(E.REST)
            face = hand.Patient(share=share, droop=droops[0]).face(E.SMILE_OPEN)
            face.points = at_rest.points + tried * (face.points - at_rest.points)
            captures.append(hand.capture(face.landmarks(), E.SMILE_OPEN))
        result = exam.assess(captures, header=ExamHeader("P7", date, reference_side=reference))
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
    # Within-exam standard deviations 0.01 and 0.005, three takes with a rest each: df = 2 + 2.
    before = assessment("2026-01-01", shares=[0.6, 0.5, 0.7], droops=(0, 0, 0))
    after = assessment("2026-03-01", shares=[0.9, 0.85, 0.95], droops=(0, 0, 0))
    one = found(changes_since(before, after), "smile_open", "commissure_excursion")
    mdc = T[4] * ((0.01**2 + 0.005**2) / 2) ** 0.5 * (1 / 3 + 1 / 3) ** 0.5
    assert one.mdc == pytest.approx(mdc, rel=1e-3)
    assert one.change == pytest.approx(0.03)
    assert one.beyond_mdc is True
    little = assessment("2026-03-01", shares=[0.72, 0.67, 0.77], droops=(0, 0, 0))
    assert found(changes_since(before, little), "smile_open", "commissure_excursion").beyond_mdc is False


def test_repeats_of_one_exam_judge_the_change_to_another_without(assessment):
    before = assessment("2026-01-01", shares=[0.6, 0.5, 0.7], droops=(0, 0, 0))
    after = assessment("2026-03-01", shares=[0.9])
    one = found(changes_since(before, after), "smile_open", "commissure_excursion")
    assert one.mdc == pytest.approx(T[2] * 0.01 * (1 / 3 + 1) ** 0.5, rel=1e-3)


def test_a_rest_that_all_takes_share_is_not_averaged_out(assessment):
    """Its variance, taken to be that of the takes, doubles theirs and stays in the mean of three: s^2 (1 / 3 + 1)."""
    before = assessment("2026-01-01", shares=[0.6, 0.5, 0.7])
    after = assessment("2026-03-01", shares=[0.9, 0.8, 1.0])
    one = found(changes_since(before, after), "smile_open", "commissure_excursion")
    assert one.mdc == pytest.approx(T[4] * 0.01 * (2 * (1 / 3 + 1)) ** 0.5, rel=1e-3)


def test_rest_is_the_mean_over_its_captures(assessment):
    before = assessment("2026-01-01", shares=[1.0], droops=(0.0,))
    after = assessment("2026-03-01", shares=[1.0], droops=(0.01, 0.03))
    one = found(changes_since(before, after), "rest", "commissure_height")
    assert (one.before, one.after) == (pytest.approx(0, abs=1e-9), pytest.approx(-0.02))
    # Standard deviation of 0.01 and 0.03, n - 1.
    assert one.mdc == pytest.approx(T[1] * 0.02 / 2**0.5 * (1 + 1 / 2) ** 0.5, rel=1e-3)
    assert one.beyond_mdc is False
    assert found(changes_since(before, after), "rest", "smile_angle").unit == "deg"


def excursion(before, after):
    return found(changes_since(before, after), "smile_open", "commissure_excursion")


def test_both_sides_and_their_ratio_stand_beside_the_difference(assessment):
    one = excursion(assessment("2026-01-01", shares=[0.6]), assessment("2026-03-01", shares=[0.8]))
    # The right corner moves by 0.08 and 0.06, which is 0.1 iod; the left by its share of that.
    assert (one.left_before, one.left_after) == (pytest.approx(0.06), pytest.approx(0.08))
    assert (one.right_before, one.right_after) == (pytest.approx(0.1), pytest.approx(0.1))
    assert (one.ratio_before, one.ratio_after) == (pytest.approx(0.6), pytest.approx(0.8))
    assert (one.reference_side, one.left_mdc, one.reference_changed) == ("right", None, None)


def test_a_reference_side_that_tries_less_is_no_recovery(assessment):
    """The left side moves by 0.02 iod in both exams; the right by 0.1, later by 0.05, each with an SD of 0.002."""
    three = (0, 0, 0)
    before = assessment("2026-01-01", shares=[0.2 / one for one in (0.98, 1.0, 1.02)], droops=three,
                        effort=(0.98, 1.0, 1.02))  # fmt: skip
    after = assessment("2026-03-01", shares=[0.2 / one for one in (0.48, 0.5, 0.52)], droops=three,
                       effort=(0.48, 0.5, 0.52))  # fmt: skip
    one = excursion(before, after)
    assert one.beyond_mdc is True
    assert (one.left_before, one.left_after) == (pytest.approx(0.02), pytest.approx(0.02))
    assert (one.right_before, one.right_after) == (pytest.approx(0.1), pytest.approx(0.05))
    assert one.left_mdc == pytest.approx(0, abs=1e-6)
    assert one.right_mdc == pytest.approx(T[4] * 0.002 * (1 / 3 + 1 / 3) ** 0.5, rel=1e-3)
    assert one.reference_changed is True


def test_a_reference_side_within_its_own_mdc_has_not_changed(assessment):
    takes, three = (0.9, 1.0, 1.1), (0, 0, 0)
    before = assessment("2026-01-01", shares=[0.2] * 3, droops=three, effort=takes)
    after = assessment("2026-03-01", shares=[0.8] * 3, droops=three, effort=(0.85, 0.95, 1.05))
    one = excursion(before, after)
    assert one.right_mdc == pytest.approx(T[4] * 0.01 * (1 / 3 + 1 / 3) ** 0.5, rel=1e-3)
    assert one.reference_changed is False
    assert one.beyond_mdc is True


def test_a_shared_rest_counts_in_the_mdc_of_a_side_too(assessment):
    before = assessment("2026-01-01", shares=[0.6] * 3, effort=(0.9, 1.0, 1.1))
    after = assessment("2026-03-01", shares=[0.6] * 3, effort=(0.9, 1.0, 1.1))
    one = excursion(before, after)
    assert one.right_mdc == pytest.approx(T[4] * 0.01 * (2 * (1 / 3 + 1)) ** 0.5, rel=1e-3)


def test_where_the_exams_name_different_reference_sides_there_is_none(assessment):
    before = assessment("2026-01-01", shares=[0.6])
    one = excursion(before, assessment("2026-03-01", shares=[0.8], reference=ReferenceSide.LEFT))
    assert (one.reference_side, one.reference_changed, one.ratio_before, one.ratio_after) == (None,) * 4
    assert one.right_after == pytest.approx(0.1)


def test_at_rest_the_sides_and_the_mdc_of_each_are_given(assessment):
    """The left corner droops by 0.01 and by 0.03 in the later exam; the right one stays."""
    before, after = assessment("2026-01-01", shares=[]), assessment("2026-03-01", shares=[], droops=(0.01, 0.03))
    one = found(changes_since(before, after), "rest", "commissure_height")
    assert one.left_after - one.left_before == pytest.approx(-0.02)
    assert one.right_after == pytest.approx(one.right_before)
    assert one.left_mdc == pytest.approx(T[1] * 0.02 / 2**0.5 * (1 + 1 / 2) ** 0.5, rel=1e-3)
    midline = found(changes_since(before, after), "rest", "philtrum_deviation")
    assert (midline.left_before, midline.left_mdc, midline.right_after, midline.reference_changed) == (None,) * 4


@pytest.fixture
def unchanged(assessment):
    """Two exams of many movements that did not change, each (takes, rests); every take and every rest varies alike."""

    def at_rest(values, noise):
        return tuple(Measure(f"r{trial}", Sides(one, 0.0, one), noise=noise) for trial, one in enumerate(values))

    def exam_of(rng, date, trials, takes, rests, noise, scatter):
        template = assessment(date, shares=[1.0], droops=(0.0,) * rests)
        moved, resting = rng.normal(0, scatter, (trials, takes)), rng.normal(0, scatter, (trials, rests))
        # The n-th take is compared with the n-th rest, or with the last one.
        differences = moved - resting[:, np.minimum(np.arange(takes), rests - 1)]
        movements = []
        for trial, row in enumerate(differences.tolist()):
            repeats = [Movement("smile_open", f"m{trial}", Sides(one, 0.0, one), noise=noise) for one in row]
            movements.append(combine_repeats(repeats, None, shared_rest=rests < takes))
        columns = iter(resting.T.tolist())
        captures = [
            one.model_copy(update={"measures": at_rest(next(columns), noise)}) if one.expression is E.REST else one
            for one in template.captures
        ]
        return template.model_copy(update={"movements": tuple(movements), "captures": tuple(captures)})

    def make(before, after, *, trials=20_000, noise=None, scatter=1.0):
        rng = np.random.default_rng(7)
        dated = zip(("2026-01-01", "2026-03-01"), (before, after), strict=True)
        return [exam_of(rng, date, trials, *repeated, noise, scatter) for date, repeated in dated]

    return make


def false_alarms(changes, expression):
    judged = [one.beyond_mdc for one in changes if one.expression == expression]
    return sum(judged) / len(judged)


@pytest.mark.parametrize(
    ("before", "after"), [((2, 2), (2, 2)), ((3, 3), (1, 1)), ((3, 1), (3, 1)), ((3, 2), (3, 2)), ((2, 1), (3, 3))]
)
def test_without_a_change_at_most_six_in_a_hundred_are_beyond_the_mdc(unchanged, before, after):
    changes = changes_since(*unchanged(before, after))
    assert false_alarms(changes, "smile_open") <= 0.06
    if before[1] > 1:
        assert false_alarms(changes, "rest") <= 0.06
    if before[1] == before[0]:
        # By Student's t it is five in a hundred, and not far fewer.
        assert false_alarms(changes, "smile_open") >= 0.04


def test_takes_that_happen_to_agree_are_held_to_the_landmark_noise(unchanged):
    """Takes that hardly vary would make any change a finding."""
    changes = changes_since(*unchanged((2, 2), (2, 2), trials=100, noise=1.0, scatter=0.01))
    one = next(change for change in changes if change.expression == "smile_open")
    assert one.mdc == pytest.approx(T[2] * 1.0 * (1 / 2 + 1 / 2) ** 0.5, rel=1e-3)
    assert false_alarms(changes, "smile_open") == false_alarms(changes, "rest") == 0


@pytest.mark.parametrize("field", ["engine", "scheme", "sha256"])
def test_other_points_or_another_engine_give_no_change(assessment, field):
    engine = Engine(name="file", version="1", sha256="a" * 64, licence="", trained_on="")
    before, after = (
        one.model_copy(update={"software": Software(version="0", models=(engine,))})
        for one in (assessment("2026-01-01", shares=[0.6]), assessment("2026-03-01", shares=[0.8]))
    )
    assert changes_since(before, after)
    assert not_compared(before, after) is None
    if field == "sha256":
        other = engine.model_copy(update={"sha256": "b" * 64})
        after = after.model_copy(update={"software": Software(version="0", models=(other,))})
    else:
        captures = tuple(_with_points(one, **{field: "x"}) for one in after.captures)
        after = after.model_copy(update={"captures": captures})
    assert changes_since(before, after) == ()
    assert not_compared(before, after).startswith(
        "Not compared with the exam of 2026-01-01 in rest, smile_open: the land"
    )


def test_a_movement_whose_rest_alone_was_measured_otherwise_gives_no_change(assessment):
    before, after = assessment("2026-01-01", shares=[0.6]), assessment("2026-03-01", shares=[0.8])
    captures = [_with_points(one, engine="x") if one.expression is E.REST else one for one in after.captures]
    after = after.model_copy(update={"captures": tuple(captures)})
    assert changes_since(before, after) == ()
    assert "in rest, smile_open" in not_compared(before, after)


def _with_points(capture, **changes):
    points = capture.face.landmarks.model_copy(update=changes)
    return capture.model_copy(update={"face": capture.face.model_copy(update={"landmarks": points})})


def test_two_exams_of_one_date_are_not_compared(assessment):
    before, after = assessment("2026-01-01", shares=[0.6]), assessment("2026-01-01", shares=[0.8])
    assert changes_since(before, after) == ()
    assert not_compared(before, after).startswith("Not compared with another exam of the same date, 2026-01-01")


def test_what_only_one_exam_has_is_no_change(assessment):
    before, after = assessment("2026-01-01", shares=[]), assessment("2026-03-01", shares=[0.5])
    assert {one.expression for one in changes_since(before, after)} == {"rest"}
    assert not any(one.name == "commissure_excursion" for one in changes_since(after, before))


def test_captures_that_no_scale_uses_give_no_change(assessment, exam, hand):
    before = assessment("2026-01-01", shares=[])
    result = exam.assess([hand.capture(hand.Face().turn(20).landmarks(), E.REST)])
    captures = tuple(one.capture for one in result.captures)
    turned = Assessment(software=Software(version="0"), exam=result.exam, captures=captures)
    assert changes_since(before, turned) == ()
    assert not_compared(turned, before).endswith("no measure at rest and no movement was usable in both.")


def test_where_the_subjects_sides_are_not_known_there_is_no_change(assessment):
    before, after = assessment("2026-01-01", shares=[0.6]), assessment("2026-03-01", shares=[0.8])
    unknown = after.model_copy(update={"exam": after.exam.model_copy(update={"side_frame": SideFrame.IMAGE})})
    assert changes_since(before, after)
    assert changes_since(before, unknown) == changes_since(unknown, after) == ()
    assert "whether the pictures of both are mirrored" in not_compared(before, unknown)
