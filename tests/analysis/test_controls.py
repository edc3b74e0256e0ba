"""Controls: limits fitted to people whose asymmetries were chosen by hand."""

import numpy as np
import pytest

from facialpalsy.analysis.controls import checked_controls, fit_norms
from facialpalsy.analysis.request import ExamHeader
from facialpalsy.clinical.expressions import Expression
from facialpalsy.errors import NormsError
from facialpalsy.face import IBUG68, Side

E = Expression
DROOPS = (0.01, -0.01, 0.02, -0.02, 0.0, 0.0, 0.01, -0.01, 0.03, -0.03)
SHARES = (0.9, 1.1, 0.8, 1.2, 1.0, 1.0, 0.9, 1.1, 0.9, 1.1)
# Of ten people: t(0.975, 10) of printed tables, over 1.96.
WIDENED = 2.22814 / 1.96


def person(hand, droop=0.0, share=1.0, expressions=(E.REST, E.SMILE_OPEN, E.EYES_GENTLE), **given):
    patient = hand.Patient(droop=droop, share=share, **given)
    return [hand.capture(patient.face(one).landmarks(), one, header=ExamHeader()) for one in expressions]


@pytest.fixture
def people(hand):
    return {f"P{n}": person(hand, droop, share) for n, (droop, share) in enumerate(zip(DROOPS, SHARES, strict=True))}


def test_a_spread_is_the_root_mean_square_difference_about_zero(people):
    norms = fit_norms(people, name="ten", source="ten people")
    rest = norms.expressions["rest"]
    assert rest.people == 10
    assert rest.measures["commissure_height"] == pytest.approx(WIDENED * np.sqrt(np.mean(np.square(DROOPS))), rel=1e-5)
    assert rest.movements == {}
    smile = norms.expressions["smile_open"]
    # The reference side moves 0.1 iod, so a share of 0.9 is a difference of -0.01.
    expected = WIDENED * 0.1 * np.sqrt(np.mean(np.square(np.array(SHARES) - 1)))
    assert smile.movements["commissure_excursion"] == pytest.approx(expected, rel=1e-2)
    assert set(norms.expressions) == {"rest", "smile_open", "eyes_gentle"}
    assert (norms.name, norms.source, norms.engine, norms.scheme) == ("ten", "ten people", "file", "mediapipe478")


def test_a_measure_that_never_differs_gets_no_limit_rather_than_zero(people):
    rest = fit_norms(people, name="ten", source="").expressions["rest"]
    assert "brow_to_canthus" not in rest.measures
    assert all(spread > 0 for spread in rest.measures.values())


def test_shut_lips_get_no_limit_of_the_gap_between_them(hand):
    people = {}
    for n in range(10):
        face = hand.Face().shift("lower_lip_inner", Side.LEFT, 0, -0.001 * n).landmarks()
        people[f"P{n}"] = [
            hand.capture(face, one, header=ExamHeader()) for one in (E.REST, E.SMILE_CLOSED, E.SMILE_OPEN)
        ]
    tables = fit_norms(people, name="n", source="").expressions
    assert "dental_show" in tables["smile_open"].measures
    for expression in ("rest", "smile_closed"):
        assert "dental_show" not in tables[expression].measures
        # No other measure of the mouth differs.
        assert "mouth" not in tables[expression].regions


def test_a_spread_is_never_less_than_the_repeat_noise(hand):
    jitter = np.random.default_rng(7).normal(0, 0.003, (6, 478, 2))
    face = hand.Face().landmarks(jitter)
    one = hand.capture(face, E.REST, header=ExamHeader())
    noise = next(measure.noise for measure in one.capture.measures if measure.name == "brow_to_canthus")
    norms = fit_norms({f"P{n}": [one] for n in range(10)}, name="still", source="")
    assert norms.expressions["rest"].measures["brow_to_canthus"] == pytest.approx(WIDENED * noise, rel=1e-5)


def test_mirrored_people_give_the_same_table(people, hand):
    twins = {name: [hand.mirrored_capture(one) for one in captures] for name, captures in people.items()}
    one, twin = fit_norms(people, name="n", source=""), fit_norms(twins, name="n", source="")
    for expression, table in one.expressions.items():
        other = twin.expressions[expression]
        for field in ("measures", "regions", "movements"):
            values, mirrored = getattr(table, field), getattr(other, field)
            # Asymmetries that are zero but for rounding are no limits of either group.
            for name in {name for name, value in values.items() if value > 1e-9}:
                assert values[name] == pytest.approx(mirrored[name], rel=1e-6), (expression, name)


def test_the_closed_fissure_is_the_95th_percentile_of_the_wider_eye(hand):
    gaps = [0.001 * n for n in range(1, 11)]
    people = {
        f"P{n}": person(hand, gaps={E.EYES_GENTLE: (gap, 0.0005)}, droop=0.01) for n, gap in enumerate(gaps)
    }  # fmt: skip
    # 0.001 to 0.010 in ten steps: position 0.95 x 9 = 8.55, between 0.009 and 0.010.
    assert fit_norms(people, name="n", source="").closed_fissure == pytest.approx(0.00955, abs=1e-9)


def test_a_person_counts_once_and_by_the_first_usable_capture(hand):
    turned = hand.capture(hand.Patient(droop=0.5).face(E.REST).turn(25).landmarks(), E.REST, header=ExamHeader())
    people = {f"P{n}": [turned, *person(hand, 0.01), *person(hand, 0.3)] for n in range(10)}
    rest = fit_norms(people, name="n", source="").expressions["rest"]
    assert rest.people == 10
    assert rest.measures["commissure_height"] == pytest.approx(WIDENED * 0.01, rel=1e-5)


def test_nine_people_are_too_few(people, hand):
    people.pop("P9")
    with pytest.raises(
        NormsError, match=r"No expression has usable captures of at least 10 people \(people found: 9\)"
    ):
        fit_norms(people, name="n", source="")


def test_an_expression_that_only_nine_people_have_gets_no_limits(people, hand):
    people["P0"] = person(hand, expressions=(E.REST,), droop=0.01)
    norms = fit_norms(people, name="n", source="")
    assert set(norms.expressions) == {"rest"}
    assert norms.closed_fissure is None


def test_points_of_two_schemes_are_refused(people, hand):
    people["P0"] = person(hand, scheme=IBUG68)
    with pytest.raises(NormsError, match="file ibug68, file mediapipe478"):
        fit_norms(people, name="n", source="")


def test_regions_hold_the_95th_percentile_of_root_mean_square_z(hand):
    # Only the brow of the left side is raised, by 0.001 to 0.010: brow_height and brow_to_canthus differ alike.
    lifts = [0.001 * n for n in range(1, 11)]
    people = {}
    for n, lift in enumerate(lifts):
        face = hand.Face().shift("brow_upper", Side.LEFT, 0, lift)
        people[f"P{n}"] = [hand.capture(face.landmarks(), E.REST, header=ExamHeader())]
    regions = fit_norms(people, name="n", source="").expressions["rest"].regions
    spread = WIDENED * np.sqrt(np.mean(np.square(lifts)))
    assert regions["brow"] == pytest.approx(0.00955 / spread, rel=1e-5)


def test_controls_that_an_exam_would_not_use_are_left_out_and_named(people, hand):
    def taken(face, expression, name):
        return hand.capture(face.landmarks(), expression, header=ExamHeader(), name=name)

    good = dict(people)
    people["P0"] = [*people["P0"][:2], taken(hand.Face(), E.EYES_GENTLE, "P0/eyes_gentle.png")]
    people["P1"] = [taken(hand.Face().look(down=0.03), E.REST, "P1/rest.png"), *people["P1"][1:]]
    people["P5"] = [people["P5"][0], taken(hand.Face(), E.SMILE_OPEN, "P5/smile_open.png"), people["P5"][2]]
    people["P3"] = [*people["P3"], taken(hand.Face().turn(10), E.SNARL, "P3/snarl.png")]
    people["P4"] = [taken(hand.Face().turn(25), E.REST, "P4/rest.png")]
    controls = checked_controls(people, hand.SETTINGS)
    for name, words in (
        ("P0/eyes_gentle.png", "Both eyes are open (100% of rest or more)"),
        ("P1/rest.png", "The gaze is down"),
        ("P5/smile_open.png", "Without effort: neither side moved as asked"),
        ("P3/snarl.png", "The head is turned by"),
        ("P4/rest.png", "values are kept, but no scale uses them"),
    ):
        (line,) = [one for one in controls.left_out if one.startswith(repr(name))]
        assert words in line
    assert len(controls.left_out) == 5
    assert {name: len(captures) for name, captures in controls.people.items()} == {
        name: 2 if name in ("P0", "P1", "P5") else 3 for name in people if name != "P4"
    }
    assert checked_controls(good, hand.SETTINGS).left_out == []


def test_one_open_eye_among_ten_does_not_set_what_counts_as_closed(hand):
    people = {f"P{n}": person(hand, gaps={E.EYES_GENTLE: (0.01, 0.01)}) for n in range(11)}
    people["P4"] = person(hand, gaps={E.EYES_GENTLE: (0.12, 0.12)})
    with pytest.raises(NormsError, match=r"up to 0.065 iod, and eyes open by more than 0.04 .* photos of P4, and"):
        fit_norms(people, name="n", source="")
    controls = checked_controls(people, hand.SETTINGS)
    # Of the symmetric people no measure differs, so there are limits of nothing but the closed eye.
    assert fit_norms(controls.people, name="n", source="").closed_fissure == pytest.approx(0.01)


def test_a_closed_eye_that_no_engine_reports_is_refused_with_the_persons_named(hand):
    # Half of the fissure of 0.12 iod at rest is closed, so that the photos pass; the 95th percentile is 0.045.
    people = {f"P{n}": person(hand, gaps={E.EYES_GENTLE: (0.045 if n in (2, 5) else 0.01, 0.01)}) for n in range(10)}
    assert checked_controls(people, hand.SETTINGS).left_out == []
    with pytest.raises(NormsError, match=r"closure photos of P2, P5, and take out those with open eyes\."):
        fit_norms(people, name="n", source="")
