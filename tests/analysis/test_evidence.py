"""Evidence: repeated hand-made captures in the terms of the scales, and the law of the mirror."""

from dataclasses import replace

import numpy as np
import pytest

from facialpalsy.analysis.evidence import CLOSED_FISSURE_IOD, exam_evidence
from facialpalsy.analysis.exam import assess_exam
from facialpalsy.analysis.request import ExamHeader
from facialpalsy.clinical.expressions import Expression
from facialpalsy.clinical.scales.cases import resolve
from facialpalsy.detect import Engine, mediapipe_engine
from facialpalsy.detect.base import RECOVERY_REGIONS
from facialpalsy.face import ReferenceSide, Side, SideFrame
from facialpalsy.measure import Movement, Sides

E = Expression


@pytest.fixture
def evidence(hand):
    """Of captures and movements, with the right side as the reference."""

    def make(captures, movements=(), reference=ReferenceSide.RIGHT, norms=None, engine=None):
        header = ExamHeader(reference_side=reference)
        return exam_evidence(captures, movements, {}, header, SideFrame.SUBJECT, norms or hand.NORMS, engine, ())

    return make


@pytest.fixture
def of_engine(exam, hand, evidence):
    """Of a whole exam whose points an engine with these recovery slopes placed, or nobody's engine."""

    def make(recovery):
        patient = hand.Patient(
            share=0.95, gaps=dict.fromkeys((E.EYES_GENTLE, E.EYES_TIGHT), (0.0098, 0.004)), droop=0.01
        )
        captures = [hand.capture(patient.face(one).landmarks(), one) for one in (*exam.taken, E.SMILE_CLOSED)]
        moved = assess_exam(captures, ExamHeader(reference_side=ReferenceSide.RIGHT), hand.SETTINGS, None, ()).movements
        engine = None if recovery is None else Engine("file", "1", "0" * 64, "none", "nothing", recovery)
        return evidence(captures, moved, engine=engine)

    return make


def closing(hand, *gaps, expression=E.EYES_GENTLE):
    """One attempt per (affected gap, reference gap)."""
    patients = [hand.Patient(gaps={expression: gap}) for gap in gaps]
    return [hand.capture(one.face(expression).landmarks(), expression) for one in patients]


def resting(hand, droop=0.0, jitter=0.0):
    """A rest capture whose left corner hangs, and lies `jitter` iod lower and higher in two looks at it."""
    face = hand.Patient(droop=droop).face(E.REST)
    repeats = np.zeros((2, len(face.points), 2))
    repeats[:, face.indices("commissure", Side.LEFT), 1] = np.array([[jitter], [-jitter]])
    return hand.capture(face.landmarks(repeats), E.REST)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_the_attempt_in_which_the_affected_eye_closes_furthest_stands_for_the_patient(hand, evidence, order):
    captures = closing(hand, (0.05, 0.004), (0.03, 0.006), (0.04, 0.0))
    found = evidence([captures[index] for index in order]).closures["eyes_gentle"]
    assert (found.affected_gap, found.reference_gap) == (pytest.approx(0.03), pytest.approx(0.006))


def test_an_attempt_with_the_reference_eye_open_stands_for_the_patient_only_where_there_is_no_other(hand, evidence):
    # 0.02 is the healthy closed fissure of these limits.
    lazy, best = closing(hand, (0.01, 0.05), (0.03, 0.004))
    assert evidence([lazy, best]).closures["eyes_gentle"].affected_gap == pytest.approx(0.03)
    assert evidence([lazy]).closures["eyes_gentle"].reference_gap == pytest.approx(0.05)


def test_gentle_and_tight_closure_have_their_own_attempts(hand, evidence):
    captures = closing(hand, (0.05, 0.0)) + closing(hand, (0.03, 0.0), (0.01, 0.0), expression=E.EYES_TIGHT)
    found = evidence(captures).closures
    assert found["eyes_gentle"].affected_gap == pytest.approx(0.05)
    assert found["eyes_tight"].affected_gap == pytest.approx(0.01)


def test_a_closure_is_a_share_of_the_mean_fissure_at_rest(hand, evidence):
    rests = [hand.capture(hand.Face().open_eye(Side.LEFT, gap).landmarks(), E.REST) for gap in (0.10, 0.14)]
    (found,) = evidence(rests + closing(hand, (0.03, 0.0))).closures.values()
    assert found.affected_open == pytest.approx(0.12)
    assert evidence(closing(hand, (0.03, 0.0))).closures["eyes_gentle"].affected_open is None


def test_without_a_healthy_closed_fissure_its_limit_is_assumed(hand, evidence):
    captures = closing(hand, (0.03, 0.0))
    assert evidence(captures).closures["eyes_gentle"].healthy_limit == 0.02
    found = evidence(captures, norms=replace(hand.NORMS, closed_fissure=None)).closures["eyes_gentle"]
    assert (found.healthy_limit, found.limit_measured) == (CLOSED_FISSURE_IOD, False)
    of_others = evidence(captures, norms=replace(hand.NORMS, engine="mediapipe")).closures["eyes_gentle"]
    assert (of_others.healthy_limit, of_others.limit_measured) == (CLOSED_FISSURE_IOD, False)


@pytest.mark.parametrize(("jitter", "within"), [(0.008, False), (0.011, True)])
def test_gaps_that_differ_by_no_more_than_their_noise_are_said(hand, evidence, jitter, within):
    """The gaps differ by 0.03; the left one by -+ jitter, a deviation of sqrt(2) jitter: 1.96 of it reach 0.0277 j."""
    face = hand.Face().open_eye(Side.LEFT, 0.03).open_eye(Side.RIGHT, 0.0)
    repeats = np.zeros((2, len(face.points), 2))
    lid = [index for index in face.indices("upper_lid", Side.LEFT) if face.points[index, 1] < 0]
    repeats[:, lid, 1] = np.array([[jitter], [-jitter]])
    (found,) = evidence([hand.capture(face.landmarks(repeats), E.EYES_TIGHT)]).closures.values()
    assert found.within_noise is within


def test_rest_is_the_mean_over_its_captures(hand, evidence):
    # The corner hangs by 0.01, 0.03 and 0.02: mean 0.02, two healthy standard deviations of 0.01.
    rest = evidence([resting(hand, droop) for droop in (0.01, 0.03, 0.02)]).rest
    assert rest["mouth"].z == pytest.approx(2, abs=1e-6)
    one = evidence([resting(hand, 0.02)]).rest["mouth"]
    assert rest["mouth"].ratio == pytest.approx(one.ratio, abs=1e-6)
    assert rest["brow"].z == pytest.approx(0, abs=1e-6)


def test_a_rest_capture_that_cannot_be_used_does_not_count(hand, evidence):
    turned = hand.capture(hand.Patient(droop=0.5).face(E.REST).turn(25).landmarks(), E.REST)
    assert evidence([turned, resting(hand, 0.02)]).rest["mouth"].z == pytest.approx(2, abs=1e-6)
    assert evidence([turned]).rest == {}


def test_the_noise_of_rest_falls_with_the_number_of_captures(hand, evidence):
    """Noise sqrt(2) x 0.01: 1.96 of it is 0.0277 for one capture, and 0.0196 for the mean of two."""
    assert evidence([resting(hand, 0.025, 0.01)]).rest["mouth"].within_noise
    assert not evidence([resting(hand, 0.025, 0.01)] * 2).rest["mouth"].within_noise
    assert evidence([resting(hand, 0.019, 0.01)] * 2).rest["mouth"].within_noise


@pytest.mark.parametrize(
    ("excess", "noise", "z", "beyond"),
    [
        (0.02, None, 5.0, True),
        (0.02, 0.01, 5.0, True),
        # 1.96 x 0.0103 = 0.0202: it may be noise.
        (0.02, 0.0103, 5.0, None),
        (0.02, None, None, None),
        (0.02, 0.0103, None, None),
        (0.02, 0.0103, 1.9, False),
        # The reference eye narrows more.
        (-0.02, None, -5.0, False),
    ],
)
def test_an_involuntary_change_within_its_noise_or_without_limits_is_open(hand, evidence, excess, noise, z, beyond):
    narrowing = Movement("smile_open", "lid_narrowing", iod=Sides(0.02 + excess, 0.02, excess), noise=noise, z=z)
    found = evidence([resting(hand)], [narrowing]).synkinesis["smile_open"]
    assert found.beyond_limits is beyond
    # Over the fissure of 0.12 at rest.
    assert found.share == pytest.approx(max(0.0, excess) / 0.12)


@pytest.mark.parametrize(("left", "noise", "still"), [(0.1, None, True), (0.1, 0.06, False), (0.009, None, False)])
def test_a_reference_side_that_did_not_move_while_the_other_did_is_said(evidence, left, noise, still):
    raised = Movement("brow_raise", "brow_elevation", iod=Sides(left, 0.001, left - 0.001), noise=noise)
    assert evidence([], [raised]).movements["brow_raise"].reference_still is still
    assert not evidence([], [replace(raised, ratio=0.9)]).movements["brow_raise"].reference_still


def test_a_movement_that_could_not_be_measured_keeps_its_reason(evidence):
    lost = Movement("brow_raise", "brow_elevation", withheld={"value": "the curve does not reach"})
    found = evidence([], [lost]).movements["brow_raise"]
    assert (found.ratio, found.within_noise, found.reasons["value"]) == (None, False, "the curve does not reach")


# What each movement, zone at rest and involuntary movement is a displacement of.
REGIONS = {
    "movements": {
        "brow_raise": "brow",
        "eyes_gentle": "lid",
        "eyes_tight": "lid",
        "smile_closed": "corner_out",
        "smile_open": "corner_out",
        "smile_fold": "fold",
        "snarl": "upper_lip",
        "pucker": "corner_in",
        "lower_teeth": "lower_lip",
    },
    "closures": {"eyes_gentle": "lid", "eyes_tight": "lid"},
    "rest": {"brow": "brow", "eye": "lid", "mouth": "corner"},
    "synkinesis": {
        **dict.fromkeys(("smile_open", "smile_closed", "snarl", "pucker"), "lid"),
        **dict.fromkeys(("brow_raise", "eyes_gentle", "eyes_tight"), "corner_out"),
    },
}


@pytest.mark.parametrize("part", list(REGIONS))
def test_each_part_of_the_evidence_has_the_slope_of_its_own_region(of_engine, part):
    recovery = {region: (place + 1) / 100 for place, region in enumerate(RECOVERY_REGIONS)}
    found = {name: one.slope for name, one in getattr(of_engine(recovery), part).items()}
    assert found == {name: recovery[region] for name, region in REGIONS[part].items()}


def test_points_from_files_are_taken_as_unbiased(of_engine):
    found = of_engine(None)
    assert {one.slope for part in REGIONS for one in getattr(found, part).values()} == {1.0}


def test_where_an_engine_was_never_measured_any_lag_may_be_total_palsy(of_engine):
    known = resolve(of_engine(dict.fromkeys(RECOVERY_REGIONS, 1.0)))
    unknown = resolve(of_engine({}))
    # Every movement lags by 5 %, the lids' by (0.0098 - 0.004) / (0.12 - 0.004).
    assert [moved.ratio for moved in known.worst.moved.values()] == pytest.approx([0.95] * 9, abs=0.01)
    assert {moved.ratio for moved in unknown.worst.moved.values()} == {0.0}
    assert unknown.worst.incomplete == {"eyes_gentle": True, "eyes_tight": True}
    assert unknown.best == known.best


def test_the_shipped_engine_is_measured_in_every_region_that_the_scales_read(of_engine):
    found = of_engine(mediapipe_engine().recovery)
    assert all(one.slope > 0 for part in REGIONS for one in getattr(found, part).values())


@pytest.mark.parametrize("seed", [1, 2])
def test_mirroring_the_captures_and_naming_the_other_side_gives_the_same_evidence(exam, hand, seed):
    rng = np.random.default_rng(seed)
    captures = []
    for take in range(2):
        gaps = {E.EYES_GENTLE: (0.03 + 0.01 * take, 0.004), E.EYES_TIGHT: (0.02 - 0.01 * take, 0.004)}
        patient = hand.Patient(share=0.6, gaps=gaps, droop=0.02, involuntary={E.PUCKER: 0.2})
        for one in exam.taken:
            jitter = rng.normal(0, 0.002, (4, 478, 2))
            captures.append(hand.capture(patient.face(one).landmarks(jitter), one))

    def found(captures, side):
        header = ExamHeader(reference_side=side)
        moved = assess_exam(captures, header, hand.SETTINGS, None, ()).movements
        return exam_evidence(captures, moved, {}, header, SideFrame.SUBJECT, hand.NORMS, None, ())

    one = found(captures, ReferenceSide.RIGHT)
    twin = found([hand.mirrored_capture(capture) for capture in captures], ReferenceSide.LEFT)
    assert [len(part) for part in (one.movements, one.closures, one.rest, one.synkinesis)] == [8, 2, 3, 6]
    for name in ("movements", "closures", "rest", "synkinesis"):
        ours, theirs = getattr(one, name), getattr(twin, name)
        assert ours.keys() == theirs.keys()
        for key, value in ours.items():
            numbers, others = vars(value), vars(theirs[key])
            for field in numbers.keys() - {"reasons"}:
                expected = others[field]
                if isinstance(expected, float):
                    expected = pytest.approx(expected, abs=1e-6)
                assert numbers[field] == expected, (name, key, field)
