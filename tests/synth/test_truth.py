"""Truth: every label follows from the patient, mirrors exactly, and the grade from the labels alone."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facialpalsy.clinical.actions import PALSY_UNITS
from facialpalsy.clinical.evidence import Zone
from facialpalsy.clinical.expressions import Expression
from facialpalsy.face import Side
from facialpalsy.measure import panel
from facialpalsy.measure.movement import movements
from facialpalsy.synth.asymmetry import SYMMETRIC, draw_asymmetry
from facialpalsy.synth.frontal import corner_excursion, frontal_landmarks, frontal_measures
from facialpalsy.synth.labels import picture_labels
from facialpalsy.synth.palsy import HEALTHY, Kind, Operation, Palsy, Synkinesis
from facialpalsy.synth.patient import Patient, draw_take, plain_take, pose_face
from facialpalsy.synth.shot import draw_shot, photograph
from facialpalsy.synth.truth import exam_truth, frame_labels, grade_from_labels


def person(palsy=HEALTHY, setting="a", seed=1, asymmetry=SYMMETRIC):
    rng = np.random.default_rng(seed)
    return Patient("p", seed, setting, rng.normal(0, 1, 100).astype(np.float32), asymmetry, palsy)


def left_palsy(share, **changes):
    zones = share if isinstance(share, dict) else dict.fromkeys(Zone, share)
    function = {(Side.LEFT, zone): value for zone, value in zones.items()}
    return Palsy(**{"kind": Kind.PERIPHERAL, "side": Side.LEFT, "function": function, **changes})


def test_frontal_measures_are_those_of_the_measuring_room(model):
    for seed in range(4):
        patient = person(left_palsy(0.3, droop=0.7), seed=seed, asymmetry=draw_asymmetry(np.random.default_rng(seed)))
        for expression in Expression:
            vertices = pose_face(model, patient, plain_take(patient, expression)).vertices
            expected = {measure.name: measure.iod for measure in panel(frontal_landmarks(vertices))}
            for name, (left, right) in frontal_measures(vertices).items():
                assert (left, right) == pytest.approx((expected[name].left, expected[name].right), abs=1e-12)


def test_the_way_of_the_corners_is_that_of_the_measuring_room(model):
    for seed in range(4):
        patient = person(left_palsy(0.3, droop=0.7), seed=seed, asymmetry=draw_asymmetry(np.random.default_rng(seed)))
        rest, smile = (
            pose_face(model, patient, plain_take(patient, one)).vertices
            for one in (Expression.REST, Expression.SMILE_OPEN)
        )
        seen = movements(frontal_landmarks(rest), frontal_landmarks(smile), "smile_open")
        iod = next(one.iod for one in seen if one.measure == "commissure_excursion")
        assert corner_excursion(rest, smile) == pytest.approx((iod.left, iod.right), abs=1e-12)


# One patient by hand for each grade of the rule of clinical.md 1.1.
@pytest.mark.parametrize(
    ("palsy", "grade"),
    [
        (HEALTHY, 1),
        (left_palsy(0.84), 2),
        (left_palsy(1.0, synkinesis=Synkinesis(eye_on_smile=0.2)), 2),
        (left_palsy({**dict.fromkeys(Zone, 1.0), Zone.MIDFACE: 0.7}), 3),
        (left_palsy({**dict.fromkeys(Zone, 0.9), Zone.EYE: 0.72}), 3),
        (left_palsy(1.0, synkinesis=Synkinesis(eye_on_smile=0.4)), 3),
        (left_palsy(0.4), 4),
        (left_palsy(1.0, synkinesis=Synkinesis(corner_on_closure=0.6)), 4),
        (left_palsy(0.2), 4),
        (left_palsy(0.2, droop=0.9), 5),
        (left_palsy(0.0), 6),
    ],
)
def test_the_rule(model, palsy, grade):
    truth = exam_truth(model, person(palsy))
    assert truth.grade == grade
    assert truth.reason is None


def test_the_grade_follows_from_a_row_that_went_through_a_file(model):
    truth = exam_truth(model, person(left_palsy(0.6, droop=0.3), asymmetry=draw_asymmetry(np.random.default_rng(3))))
    assert grade_from_labels(json.loads(json.dumps(truth.row()))) == truth.grade


@pytest.mark.parametrize(
    ("palsy", "word"),
    [
        (replace(left_palsy(0.3), kind=Kind.CENTRAL), "central"),
        (replace(left_palsy(0.3), kind=Kind.BRANCH), "single branch"),
        (Palsy(Kind.BILATERAL, function={(side, zone): 0.3 for side in Side for zone in Zone}), "both sides"),
        (replace(left_palsy(0.3), operations=(Operation.GOLD_WEIGHT,)), "gold weight"),
        (left_palsy({**dict.fromkeys(Zone, 1.0), Zone.MOUTH: 0.3}), "spared"),
    ],
)
def test_no_grade_where_the_scale_is_not_defined(model, palsy, word):
    truth = exam_truth(model, person(palsy))
    assert truth.grade is None
    assert word in truth.reason
    assert grade_from_labels(truth.row()) is None


def test_a_closure_with_the_other_eye_open_gives_no_grade(model):
    row = exam_truth(model, person(left_palsy(0.4))).row() | {"fissure_eyes_tight_right": 0.03}
    assert grade_from_labels(row) is None


def test_a_reference_side_that_does_not_move_gives_no_grade(model):
    both = {(side, zone): 0.0 for side in Side for zone in Zone}
    truth = exam_truth(model, person(Palsy(Kind.PERIPHERAL, Side.LEFT, function=both)))
    assert truth.grade is None
    assert truth.reason == "The right side, which the left one is compared with, does not move at all in brow_raise."


def test_involuntary_labels_are_what_was_rendered(model):
    synkinesis = Synkinesis(eye_on_smile=0.4, corner_on_closure=0.8)
    patient = person(left_palsy(0.3, synkinesis=synkinesis), asymmetry=replace(SYMMETRIC, corner_pull=-0.05))
    row = exam_truth(model, patient).row()
    assert row["synkinesis_smile_open_left"] == pytest.approx(0.4)
    # The corner has no more than its own function; what is natural is no synkinesis.
    assert row["synkinesis_eyes_tight_left"] == pytest.approx(0.3)
    assert row["synkinesis_eyes_gentle_left"] == pytest.approx(0.3)
    assert row["synkinesis_eyes_tight_right"] == 0


def test_palsy_labels_are_functions_below_three_quarters(model):
    row = exam_truth(
        model, person(left_palsy({Zone.FOREHEAD: 0.74, Zone.EYE: 0.76, Zone.MIDFACE: 0.5, Zone.MOUTH: 0.0}))
    ).row()
    weak = {unit for unit in PALSY_UNITS if row[f"palsy_{unit}_left"]}
    assert weak == {"AU1", "AU2", "AU4", "AU9", "AU10", "AU12", "AU15", "AU16", "AU18", "AU25", "AU26"}
    assert not any(row[f"palsy_{unit}_right"] for unit in PALSY_UNITS)
    assert row["function_AU26_left"] == 0
    assert row["function_forehead_left"] == pytest.approx(74)
    assert row["function_mouth_right"] == 100


def mirrored(row):
    """The row with every left and right exchanged; a left-minus-right changes its sign."""
    swapped = {}
    for name, value in row.items():
        other = name.replace("_left", "_*").replace("_right", "_left").replace("_*", "_right")
        signed = "_z_" in name or name == "gaze_left_deg"
        swapped[name if signed else other] = -value if signed else value
    swapped["affected_side"] = {"left": "right", "right": "left"}.get(row["affected_side"], row["affected_side"])
    return swapped


def near(row):
    """What is read from vertices carries their rounding."""
    return {name: pytest.approx(value, abs=2e-4) if isinstance(value, float) else value for name, value in row.items()}


@pytest.mark.parametrize("setting", ["a", "b", "c"])
def test_labels_of_the_mirrored_patient_are_the_mirrored_labels(model, setting):
    palsy = left_palsy(0.4, droop=0.5, synkinesis=Synkinesis(0.3, 0.1, 0.2, 0.1), scatter={(Side.LEFT, "AU12"): 0.2})
    patient = person(palsy, setting, asymmetry=draw_asymmetry(np.random.default_rng(8)))
    twin = patient.mirrored()
    truth, other = exam_truth(model, patient), exam_truth(model, twin)
    assert other.row() == near(mirrored(truth.row()))
    exact = [name for name in truth.row() if not name.startswith(("fissure", "rest_z", "grade"))]
    expected = mirrored(truth.row())
    assert {name: other.row()[name] for name in exact} == {name: expected[name] for name in exact}
    for expression in Expression:
        take = draw_take(patient, expression, 1)
        row = frame_labels(patient, take, pose_face(model, patient, take), truth)
        seen = frame_labels(twin, take.mirrored(), pose_face(model, twin, take.mirrored()), other)
        assert {k: v for k, v in seen.items() if "gaze_left" not in k} == near(
            {k: v for k, v in mirrored(row).items() if "gaze_left" not in k}
        )


def test_strengths_of_a_frame_are_what_was_meant_times_function(model):
    patient = person(left_palsy(0.5))
    take = plain_take(patient, Expression.SMILE_OPEN)
    row = frame_labels(patient, take, pose_face(model, patient, take), exam_truth(model, patient))
    assert row["strength_AU12_left"] == pytest.approx(0.5 * row["strength_AU12_right"])
    assert row["strength_AU26_left"] == row["strength_AU26_right"]
    assert row["active_AU12_right"]
    assert not row["active_AU1_right"]
    assert row["expression"] == "smile_open"


def test_closure_labels_are_fissures_of_the_vertices(model):
    patient = person(left_palsy(0.0, lid_descent=0.4))
    row = exam_truth(model, patient).row()
    assert row["fissure_eyes_tight_right"] < 0.011
    assert 0.03 < row["fissure_eyes_tight_left"] < row["fissure_rest_left"]
    assert row["fissure_eyes_tight_left"] == pytest.approx(row["fissure_eyes_gentle_left"], abs=0.01)


def test_every_column_has_its_place_in_the_documentation(model):
    patient = person(left_palsy(0.5))
    shot = draw_shot(patient, Expression.SMILE_OPEN, 0)
    row = picture_labels(photograph(model, shot), exam_truth(model, patient))
    page = (Path(__file__).parents[2] / "docs/concepts/synthetic-patients.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`(\w+)(?:_<[^`]*)?`", page.partition("## The columns")[2]))
    for name in (*row, "path", "zones"):
        stems = {name.rsplit("_", cut)[0] for cut in range(name.count("_") + 1)}
        assert stems & documented, name
