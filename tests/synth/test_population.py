"""Population: who is drawn, how often, and always the same."""

from collections import Counter

import numpy as np
import pytest

from facialpalsy.clinical.actions import PALSY_UNITS
from facialpalsy.clinical.evidence import Zone
from facialpalsy.clinical.expressions import Expression
from facialpalsy.errors import SyntheticPatientError
from facialpalsy.face import Side
from facialpalsy.measure.movement import movements
from facialpalsy.synth.frontal import frontal_landmarks
from facialpalsy.synth.muscles import MOTIONS, PRIMARY
from facialpalsy.synth.palsy import Kind
from facialpalsy.synth.patient import Patient, draw_patient, draw_patients, draw_take, plain_take, pose_face
from facialpalsy.synth.truth import exam_truth, grade_from_labels
from facialpalsy.synth.varied import varied


@pytest.mark.parametrize("setting", ["a", "b", "c"])
def test_grades_are_balanced_and_follow_from_the_labels(model, setting):
    rows = [exam_truth(model, patient).row() for patient in draw_patients(24, 3, setting)]
    assert Counter(row["grade"] for row in rows) == dict.fromkeys(range(1, 7), 4)
    assert [grade_from_labels(row) for row in rows] == [row["grade"] for row in rows]
    assert {row["affected_side"] for row in rows} == {"left", "right", "none"}


def test_given_prevalence_and_palsies_without_a_grade(model):
    patients = list(draw_patients(20, 4, "a", prevalence={1: 3.0, 6: 1.0}, others=0.4))
    truths = [exam_truth(model, patient) for patient in patients]
    assert Counter(truth.grade for truth in truths) == {1: 9, 6: 3, None: 8}
    others = [patient.palsy for patient, truth in zip(patients, truths, strict=True) if truth.grade is None]
    assert Counter(palsy.kind for palsy in others if not palsy.operations) == {
        Kind.BILATERAL: 2, Kind.CENTRAL: 2, Kind.BRANCH: 2,
    }  # fmt: skip
    assert sum(bool(palsy.operations) for palsy in others) == 2
    assert len({patient.subject for patient in patients}) == 20


def test_the_same_arguments_give_the_same_person(model):
    one, other = (draw_patient("p7", 9, setting="b", grade=4) for _ in range(2))
    assert np.array_equal(one.identity, other.identity)
    assert one.palsy == other.palsy
    assert one.asymmetry.gains == other.asymmetry.gains
    assert exam_truth(model, one) == exam_truth(model, other)
    stranger = draw_patient("p8", 9, setting="b", grade=4)
    assert not np.array_equal(one.identity, stranger.identity)


def test_healthy_people_lie_beyond_the_limits_as_often_as_designed(model):
    people = [draw_patient(f"h{i}", 5, setting="ab"[i % 2], kind=Kind.HEALTHY) for i in range(120)]
    rows = [exam_truth(model, one).row() for one in people]
    names = [name for name in rows[0] if "_z_" in name]
    beyond = np.mean([[abs(row[name]) > 1.96 for name in names] for row in rows])
    # 5 % by design; over 1,080 values that are not all independent.
    assert 0.03 < beyond < 0.08


def test_takes_differ_but_repeat():
    patient = Patient("p", 1, "a", np.zeros(100, np.float32))
    first, again, second = (draw_take(patient, Expression.SMILE_OPEN, number) for number in (0, 0, 1))
    assert first.amplitude == again.amplitude
    assert first.jitter == again.jitter
    assert first.amplitude != second.amplitude
    assert first.gaze != second.gaze


@pytest.mark.parametrize("setting", ["a", "b", "c"])
def test_every_expression_asks_for_what_it_is_judged_by(setting):
    for expression, shares in PRIMARY.items():
        assert sum(shares.values()) == pytest.approx(1)
        assert set(shares) <= set(MOTIONS[setting].recipes[expression])
    assert set(MOTIONS[setting].recipes) == set(Expression)


def test_the_settings_differ(model):
    a, b = MOTIONS["a"], MOTIONS["b"]
    asked = [one for one in Expression if one is not Expression.REST]
    assert all(a.recipes[one] != b.recipes[one] for one in asked)
    for name in ("droop", "contracture", "pull", "rest_pull", "bell", "last_part", "lines"):
        assert getattr(a, name) != getattr(b, name)

    def moved(setting, expression):
        person = Patient("p", 1, setting, np.zeros(100, np.float32))
        rest, face = (pose_face(model, person, plain_take(person, one)) for one in (Expression.REST, expression))
        return (face.vertices - rest.vertices).ravel()

    both = [(moved("a", one), moved("b", one)) for one in asked]
    cosine = [one @ other / np.linalg.norm(one) / np.linalg.norm(other) for one, other in both]
    # The same movement, since the law is anatomy's, but not the same way of making it.
    assert max(cosine) < 0.97
    assert sum(one < 0.95 for one in cosine) > len(asked) / 2
    assert min(cosine) > 0.85


def test_in_c_everyone_moves_in_a_way_of_their_own():
    one, other = (Patient(name, 1, "c", np.zeros(100, np.float32)).motion for name in ("p", "q"))
    assert all(one.mixtures[unit] != other.mixtures[unit] for unit in MOTIONS["a"].mixtures)
    assert all(set(shapes) <= set(one.mixtures[unit]) for unit, shapes in MOTIONS["a"].mixtures.items())
    assert varied(MOTIONS["a"], np.random.default_rng(1)) == varied(MOTIONS["a"], np.random.default_rng(1))
    assert one.recipes != other.recipes and one.droop != other.droop and one.bell != other.bell


@pytest.mark.parametrize("setting", ["a", "b", "c"])
def test_the_palsied_side_is_never_ahead(model, setting):
    for number in range(30):
        patient = draw_patient(f"p{number}", 6, setting=setting, grade=2 + number % 5)
        side = patient.palsy.side
        row = exam_truth(model, patient).row()
        assert all(-side.sign * row[name] > -1.96 for name in row if name.startswith("movement_z_"))
        seen = {
            one: frontal_landmarks(pose_face(model, patient, plain_take(patient, one)).vertices) for one in Expression
        }
        for expression, name in [
            (Expression.BROW_RAISE, "brow_elevation"),
            (Expression.SMILE_OPEN, "commissure_excursion"),
            (Expression.SMILE_CLOSED, "commissure_excursion"),
        ]:
            found = movements(seen[Expression.REST], seen[expression], expression)
            iod = next(one.iod for one in found if one.measure == name)
            assert side.sign * iod.difference <= 0
        for name in ("fissure_eyes_gentle", "fissure_eyes_tight"):
            assert row[f"{name}_{side}"] >= row[f"{name}_{side.other}"] - 0.004


@pytest.mark.parametrize("setting", ["a", "b", "c"])
def test_zones_and_actions_of_one_patient_differ(model, setting):
    people = [draw_patient(f"p{number}", 7, setting=setting, grade=3 + number % 2) for number in range(40)]
    rows = [(one.palsy.side, exam_truth(model, one).row()) for one in people]
    zones = np.array([[row[f"function_{zone}_{side}"] for zone in Zone] for side, row in rows])
    assert np.median(np.ptp(zones, axis=1)) > 25
    weak = np.array([[row[f"palsy_{unit}_{side}"] for unit in PALSY_UNITS] for side, row in rows])
    assert np.mean(weak.all(axis=1) | ~weak.any(axis=1)) < 0.5
    assert np.corrcoef(zones[:, 0], zones[:, 3])[0, 1] < 0.5


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"setting": "d"}, "allowed are a, b and c"),
        ({"setting": "a", "grade": 7}, "allowed are 1 to 6"),
        ({"setting": "a", "grade": 0}, "allowed are 1 to 6"),
        ({"setting": "a", "grade": 3, "kind": Kind.CENTRAL}, "central"),
        ({"setting": "a", "grade": 3, "operated": True}, "operated"),
        ({"setting": "a", "kind": Kind.HEALTHY, "operated": True}, "healthy"),
    ],
)
def test_patients_that_cannot_be(arguments, word):
    with pytest.raises(SyntheticPatientError, match=word):
        draw_patient("p", 1, **arguments)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"prevalence": {0: 1.0}}, "grade 0"),
        ({"prevalence": {1: -1.0}}, "weight"),
        ({"prevalence": {1: float("nan")}}, "weight"),
        ({"prevalence": {1: 0.0}}, "All weights"),
        ({"others": 1.5}, "share"),
    ],
)
def test_proportions_that_cannot_be(arguments, word):
    with pytest.raises(SyntheticPatientError, match=word):
        list(draw_patients(3, 1, "a", **arguments))


def test_both_sides_are_palsied_equally_often(model):
    sides = Counter(draw_patient(f"p{i}", 2, setting="a", grade=6).palsy.side for i in range(60))
    assert min(sides[side] for side in Side) > 18
