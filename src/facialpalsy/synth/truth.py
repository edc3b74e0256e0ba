"""Truth: what the rendered patient can do, as numbers, and the grade that the published rule gives from them alone.

Everything is read from the patient in plain takes (no chance between takes) seen straight from the front without a
camera. The grade is that of `clinical.scales` with evidence made of nothing but columns of the exam's row, so anyone
who has the table can work it out again: `grade_from_labels`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from facialpalsy.clinical.actions import ACTIONS, LOWER_LIP_UNITS, PALSY_UNITS
from facialpalsy.clinical.evidence import Zone
from facialpalsy.clinical.expressions import Expression
from facialpalsy.clinical.scales.thresholds import PALSY_RATIO
from facialpalsy.face.side import Side
from facialpalsy.synth.asymmetry import REST_SPREAD, movement_spread
from facialpalsy.synth.face_model import FaceModel
from facialpalsy.synth.frontal import frontal_measures
from facialpalsy.synth.grade import grade_from_labels as grade_from_labels
from facialpalsy.synth.grade import ungraded
from facialpalsy.synth.muscles import PRIMARY
from facialpalsy.synth.person import Patient, Take, plain_take
from facialpalsy.synth.pose import Face, involuntary_closure, involuntary_smile, pose_face

AT_REST = {"brow": "brow_to_canthus", "eye": "palpebral_fissure_height", "mouth": "commissure_height"}
"""Zone at rest -> the measure whose left-right difference says how it hangs."""

_ZONE_EXPRESSIONS = {
    Zone.FOREHEAD: (Expression.BROW_RAISE,),
    Zone.EYE: (Expression.EYES_TIGHT,),
    Zone.MIDFACE: (Expression.SNARL,),
    Zone.MOUTH: (Expression.SMILE_OPEN, Expression.PUCKER, Expression.LOWER_TEETH),
}
MOVED = ("brow_raise", "snarl", "smile_closed", "smile_open", "pucker", "lower_teeth")
"""Expressions that have a movement column."""

_ACTIVE = 0.1


@dataclass(frozen=True)
class ExamTruth:
    """The labels of one patient, the same in every frame.

    Attributes:
        labels: Column -> value; docs/concepts/synthetic-patients.md names them all. Sides are the subject's own.
        grade: House-Brackmann 1 to 6 by the published rule, or None.
        reason: Why there is no grade.
    """

    labels: Mapping[str, Any]
    grade: int | None
    reason: str | None

    def row(self) -> dict[str, Any]:
        """All columns, the grade and its reason with them."""
        return {**self.labels, "grade": self.grade, "grade_reason": self.reason}


def exam_truth(model: FaceModel, patient: Patient) -> ExamTruth:
    """The exact labels of `patient`."""
    palsy = patient.palsy
    labels: dict[str, Any] = {
        "subject": patient.subject,
        "setting": patient.setting,
        "kind": palsy.kind.value,
        "affected_side": "both" if len(palsy.sides) == 2 else palsy.side.value if palsy.side else "none",
        "branch": None if palsy.branch is None else palsy.branch.value,
        "operated": ", ".join(palsy.operations) or None,
        "droop": palsy.droop,
        "contracture": palsy.contracture,
        "lid_descent": palsy.lid_descent,
        "bell": palsy.bell,
    }
    labels |= _functions(patient) | _movements(patient) | _involuntary(patient) | _seen(model, patient)
    reason = ungraded(labels)
    return ExamTruth(labels, None if reason else grade_from_labels(labels), reason)


def frame_labels(patient: Patient, take: Take, face: Face, truth: ExamTruth) -> dict[str, Any]:
    """The row of one frame: the exam's columns, what was asked for, and how strongly each action was rendered."""
    row = truth.row() | {
        "expression": take.expression.value,
        "take": take.number,
        "effort": take.effort,
        "gaze_left_deg": take.gaze[0],
        "gaze_up_deg": take.gaze[1],
    }
    for unit in ACTIONS:
        for side, strength in zip(Side, face.strengths.get(unit, (0.0, 0.0)), strict=True):
            row[f"strength_{unit}_{side}"] = strength
            row[f"active_{unit}_{side}"] = strength > _ACTIVE
    for name, (left, right) in face.wrinkles.items():
        row |= {f"wrinkle_{name}_left": left, f"wrinkle_{name}_right": right}
    for name, (left, right) in frontal_measures(face.vertices).items():
        row |= {f"true_{name}_left": left, f"true_{name}_right": right}
    return row


def _functions(patient: Patient) -> dict[str, Any]:
    """Function in percent of each action and zone, and which actions are palsied."""
    found: dict[str, Any] = {}
    for side in Side:
        function = {unit: 100 * patient.palsy.unit_function(side, unit) for unit in ACTIONS}
        function["AU26"] = sum(function[unit] for unit in LOWER_LIP_UNITS) / len(LOWER_LIP_UNITS)
        for unit in (unit for unit, action in ACTIONS.items() if action.zone is not None or unit in PALSY_UNITS):
            found[f"function_{unit}_{side}"] = function[unit]
        for unit in PALSY_UNITS:
            found[f"palsy_{unit}_{side}"] = function[unit] < 100 * PALSY_RATIO
        for zone, expressions in _ZONE_EXPRESSIONS.items():
            shares = [sum(share * function[unit] for unit, share in PRIMARY[one].items()) for one in expressions]
            found[f"function_{zone}_{side}"] = sum(shares) / len(shares)
    return found


def _movements(patient: Patient) -> dict[str, float]:
    """Movement of each side in percent of what healthy people do on average, and z of left minus right."""
    found: dict[str, float] = {}
    for name in MOVED:
        shares = PRIMARY[Expression(name)]
        moved = {
            side: 100
            * sum(
                share * patient.palsy.unit_function(side, unit) * patient.asymmetry.gain(side, unit)
                for unit, share in shares.items()
            )
            for side in Side
        }
        found |= {f"movement_{name}_{side}": value for side, value in moved.items()}
        found[f"movement_z_{name}"] = (moved[Side.LEFT] - moved[Side.RIGHT]) / (100 * movement_spread(shares))
    return found


def _involuntary(patient: Patient) -> dict[str, float]:
    """What the palsy moves against the will in each expression, as a share of that region's own range."""
    found: dict[str, float] = {}
    smile = patient.motion.nominal(Expression.SMILE_OPEN)["AU12"]
    for expression in (one for one in Expression if one not in (Expression.REST, Expression.LOWER_TEETH)):
        take = plain_take(patient, expression)
        for side in Side:
            closure, pull = involuntary_closure(patient, take, side), involuntary_smile(patient, take, side)
            found[f"synkinesis_{expression}_{side}"] = max(closure, pull / smile)
    return found


def _seen(model: FaceModel, patient: Patient) -> dict[str, float]:
    """The fissures at rest and when closed (iod), and z of left minus right at rest."""
    found: dict[str, float] = {}
    rest = frontal_measures(pose_face(model, patient, plain_take(patient, Expression.REST)).vertices)
    for zone, name in AT_REST.items():
        found[f"rest_z_{zone}"] = (rest[name][0] - rest[name][1]) / REST_SPREAD[zone]
    for expression in (Expression.REST, Expression.EYES_GENTLE, Expression.EYES_TIGHT):
        face = pose_face(model, patient, plain_take(patient, expression))
        fissure = frontal_measures(face.vertices)["palpebral_fissure_height"]
        for side, height in zip(Side, fissure, strict=True):
            found[f"fissure_{expression}_{side}"] = height
    return found
