"""Reversal: whether the palsied side of a patient moves more than the other one, which no label would explain.

Natural asymmetry can outweigh a slight palsy: a mouth that shifts sideways in a smile, or a healthy side that is itself
the weak one. Such people exist, but a grade of their palsy would be made of the wrong side; they are drawn again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from facialpalsy.clinical.expressions import Expression
from facialpalsy.clinical.scales.thresholds import HEALTHY_Z
from facialpalsy.face.side import Side
from facialpalsy.synth.face_model import FaceModel
from facialpalsy.synth.frontal import corner_excursion, frontal_measures
from facialpalsy.synth.person import Patient, plain_take
from facialpalsy.synth.pose import pose_face
from facialpalsy.synth.truth import MOVED

# Shut lids lie on each other to within some tenths of a millimetre.
_SHUT_IOD = 0.004


def reversed_somewhere(model: FaceModel, patient: Patient, labels: Mapping[str, Any]) -> bool:
    """Whether the affected side is ahead of the other.

    Beyond healthy limits in any movement, or at all in the true way of the corner in a smile, in the rise of the brow
    or in closing the eye.

    Args:
        model: The face model.
        patient: A patient with one palsied side.
        labels: The columns of `exam_truth`.
    """
    affected = patient.palsy.sides[0]
    other = affected.other
    if any(-affected.sign * labels[f"movement_z_{name}"] < -HEALTHY_Z for name in MOVED):
        return True
    for name in (Expression.EYES_GENTLE, Expression.EYES_TIGHT):
        if labels[f"fissure_{name}_{affected}"] < labels[f"fissure_{name}_{other}"] - _SHUT_IOD:
            return True
    at = tuple(Side).index(affected)
    return any(moved[at] > moved[1 - at] for moved in _moved(model, patient))


def _moved(model: FaceModel, patient: Patient) -> list[tuple[float, float]]:
    """Left and right way of the corner in both smiles, and rise of the brow."""
    rest, brows, *smiles = (
        pose_face(model, patient, plain_take(patient, one)).vertices
        for one in (Expression.REST, Expression.BROW_RAISE, Expression.SMILE_OPEN, Expression.SMILE_CLOSED)
    )
    before, after = (frontal_measures(vertices)["brow_to_canthus"] for vertices in (rest, brows))
    rise = (after[0] - before[0], after[1] - before[1])
    return [rise, *(corner_excursion(rest, smile) for smile in smiles)]
