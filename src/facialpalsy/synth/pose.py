"""Pose: one take of one patient as vertices, with the strengths that bent them.

Each action of the facial nerve is multiplied by what the palsy leaves of it. Then follows what no action asks for: the
tone at rest, the lips pulled towards the stronger side, and last the lids, since they close a share of the gap that all
the rest leaves open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from facialpalsy.clinical.actions import ACTIONS
from facialpalsy.clinical.evidence import Zone
from facialpalsy.clinical.expressions import Expression
from facialpalsy.face.side import Side
from facialpalsy.synth.eyes import close_lids, turn_eyeball
from facialpalsy.synth.face_model import FaceModel, Vertices
from facialpalsy.synth.palsy import Operation
from facialpalsy.synth.person import Patient, Take
from facialpalsy.synth.rasterise import add_shape

Sided = tuple[float, float]

_LIPS_CLOSED = {"mouthClose": 0.035}
"""The mean face shows a slit between its lips; a resting mouth is shut."""

_LID_FOLLOWS_DEGREES = 30.0


@dataclass(frozen=True, eq=False)
class Face:
    """A face as it is to be drawn.

    Attributes:
        vertices: (n, 3) centimetres in the frame of the head.
        strengths: Action unit -> strength applied on the left and on the right; for AU43 the share of the fissure that
            the lids have closed.
        wrinkles: `forehead`, `glabella`, `crow`, `nasolabial`, `nose`, `chin` -> how deep on the left and on the right:
            0 at rest, 1 at full action, below 0 (to -1) where a palsy has smoothed what is there at rest.
    """

    vertices: Vertices
    strengths: Mapping[str, Sided]
    wrinkles: Mapping[str, Sided]


def pose_face(model: FaceModel, patient: Patient, take: Take) -> Face:
    """The face of `patient` in `take`."""
    strengths = _strengths(patient, take)
    vertices = patient.neutral(model).copy()
    for name, weight in _weights(patient, take, strengths).items():
        _add(model, vertices, name, weight)
    closed = tuple(_closed_share(patient, take, side) for side in Side)
    for side, share in zip(Side, closed, strict=True):
        close_lids(model, vertices, side, share)
        turn_eyeball(model, vertices, side, _look(patient, take))
    strengths["AU43"] = (closed[0], closed[1])
    return Face(vertices, strengths, _wrinkles(patient, strengths))


def _strengths(patient: Patient, take: Take) -> dict[str, Sided]:
    palsy, found = patient.palsy, {}
    for unit, meant in take.amplitude.items():
        if ACTIONS[unit].zone is None:
            found[unit] = (meant, meant)
            continue
        left, right = (
            meant
            * palsy.unit_function(side, unit)
            * patient.asymmetry.gain(side, unit)
            * take.jitter.get((side, unit), 1.0)
            for side in Side
        )
        found[unit] = (left, right)
    pulled = tuple(involuntary_smile(patient, take, side) + _natural_smile(patient, take, side) for side in Side)
    if any(pulled):
        smile = found.get("AU12", (0.0, 0.0))
        found["AU12"] = (smile[0] + pulled[0], smile[1] + pulled[1])
    return found


def involuntary_smile(patient: Patient, take: Take, side: Side) -> float:
    """Strength of the lip corner's pull that closing the eyes or raising the brows brings on a palsied side.

    A muscle does no more against the will than it can at will.
    """
    if side not in patient.palsy.sides:
        return 0.0
    synkinesis = patient.palsy.synkinesis
    shares = {
        Expression.EYES_GENTLE: synkinesis.corner_on_closure * 0.8,
        Expression.EYES_TIGHT: synkinesis.corner_on_closure,
        Expression.BROW_RAISE: synkinesis.corner_on_brow,
    }
    share = min(shares.get(take.expression, 0.0), patient.palsy.unit_function(side, "AU12"))
    return share * _full_smile(patient)


def involuntary_closure(patient: Patient, take: Take, side: Side) -> float:
    """Share of the fissure that smiling or pursing the lips closes on a palsied side."""
    if side not in patient.palsy.sides:
        return 0.0
    synkinesis = patient.palsy.synkinesis
    shares = {
        Expression.SMILE_OPEN: synkinesis.eye_on_smile,
        Expression.SMILE_CLOSED: synkinesis.eye_on_smile * 0.8,
        Expression.PUCKER: synkinesis.eye_on_pucker,
    }
    return shares.get(take.expression, 0.0)


def _natural_smile(patient: Patient, take: Take, side: Side) -> float:
    """The corner's pull that healthy people have on one side when they close the eyes or raise the brows."""
    if take.expression not in (Expression.EYES_GENTLE, Expression.EYES_TIGHT, Expression.BROW_RAISE):
        return 0.0
    share = max(0.0, side.sign * patient.asymmetry.corner_pull)
    return share * patient.palsy.unit_function(side, "AU12") * _full_smile(patient)


def _natural_closure(patient: Patient, take: Take, side: Side) -> float:
    """Share of one fissure that smiling or pursing the lips closes in healthy people."""
    if not take.smiling and take.expression is not Expression.PUCKER:
        return 0.0
    return max(0.0, side.sign * patient.asymmetry.eye_narrowing) * patient.palsy.unit_function(side, "AU7")


def _full_smile(patient: Patient) -> float:
    return patient.motion.nominal(Expression.SMILE_OPEN)["AU12"]


def _weights(patient: Patient, take: Take, strengths: Mapping[str, Sided]) -> dict[str, float]:
    """Shape of the face model, with its side -> weight."""
    weights: dict[str, float] = defaultdict(float)
    for unit, sided in strengths.items():
        for shape, share in patient.motion.mixtures.get(unit, {}).items():
            if shape.startswith("jaw"):
                weights[shape] += share * sided[0]
            else:
                for side, strength in zip(Side, sided, strict=True):
                    weights[_named(shape, side)] += share * strength
    for side in Side:
        for shape, weight in _tone(patient, side).items():
            weights[_named(shape, side)] += weight
    sideways = patient.asymmetry.lateral.get("mouthLeft", 0.0) + _pull(patient, take, strengths)
    _add_sideways(weights, "mouth", sideways)
    _add_sideways(weights, "jaw", patient.asymmetry.lateral.get("jawLeft", 0.0))
    _follow_gaze(weights, take.gaze)
    return weights


def _named(shape: str, side: Side) -> str:
    return f"{shape}_{'L' if side is Side.LEFT else 'R'}"


def _tone(patient: Patient, side: Side) -> dict[str, float]:
    """What each shape weighs at rest on one side: nature, droop, contracture and operations."""
    palsy = patient.palsy
    tone: dict[str, float] = defaultdict(float)
    for shape, weight in (*_LIPS_CLOSED.items(), *patient.asymmetry.tone.items()):
        tone[shape] += weight if shape in _LIPS_CLOSED else side.sign * weight
    if side not in palsy.sides:
        return tone
    for zone, shapes in patient.motion.droop.items():
        if zone is Zone.MOUTH and Operation.STATIC_SLING in palsy.operations:
            continue
        for shape, weight in shapes.items():
            tone[shape] += weight * lost_tone(patient, side, zone)
    for shape, weight in patient.motion.contracture.items():
        tone[shape] += weight * palsy.contracture
    if Operation.STATIC_SLING in palsy.operations:
        tone["mouthSmile"] += 0.22
        tone["mouthStretch"] += 0.08
    return tone


_TONE_UNITS = {Zone.FOREHEAD: "AU2", Zone.EYE: "AU43", Zone.MIDFACE: "AU9", Zone.MOUTH: "AU12"}


def lost_tone(patient: Patient, side: Side, zone: Zone) -> float:
    """How far a zone sinks at rest, 0 to 1."""
    return patient.palsy.droop * (1 - patient.palsy.unit_function(side, _TONE_UNITS[zone]))


def _pull(patient: Patient, take: Take, strengths: Mapping[str, Sided]) -> float:
    """Sideways weight of the lips, positive towards the subject's left: the stronger side has them."""
    motion = patient.motion
    pull = sum(
        share * (strengths[unit][0] - strengths[unit][1]) for unit, share in motion.pull.items() if unit in strengths
    )
    if Operation.STATIC_SLING not in patient.palsy.operations:
        lost = [lost_tone(patient, side, Zone.MOUTH) if side in patient.palsy.sides else 0.0 for side in Side]
        pull += motion.rest_pull * (lost[1] - lost[0])
    if take.smiling:
        pull += patient.asymmetry.smile_shift * motion.smile_shift
    return pull


def _add_sideways(weights: dict[str, float], part: str, weight: float) -> None:
    weights[f"{part}{'Left' if weight > 0 else 'Right'}"] += abs(weight)


def _follow_gaze(weights: dict[str, float], gaze: Sided) -> None:
    """The lids go with the eye."""
    left, up = gaze[0] / _LID_FOLLOWS_DEGREES, gaze[1] / _LID_FOLLOWS_DEGREES
    for side in Side:
        out = left * side.sign
        weights[_named("eyeLookOut" if out > 0 else "eyeLookIn", side)] += abs(out)
        weights[_named("eyeLookUp" if up > 0 else "eyeLookDown", side)] += abs(up)


def _closed_share(patient: Patient, take: Take, side: Side) -> float:
    """Share of the fissure that the lids of one side close."""
    palsy = patient.palsy
    still_open = 1 - take.blink * _closing(patient, side, palsy.gentle_needs)
    if "AU43" in take.amplitude:
        tight = take.expression is Expression.EYES_TIGHT
        still_open *= 1 - _closing(patient, side, palsy.tight_needs if tight else palsy.gentle_needs)
    still_open *= (1 - involuntary_closure(patient, take, side)) * (1 - _natural_closure(patient, take, side))
    if side in palsy.sides:
        still_open *= 1 - 0.15 * palsy.contracture
        still_open *= 0.78 if Operation.TARSORRHAPHY in palsy.operations else 1.0
        still_open *= 0.92 if Operation.GOLD_WEIGHT in palsy.operations else 1.0
    return 1 - still_open


def _closing(patient: Patient, side: Side, needs: float) -> float:
    """Share of the fissure that an attempt to close it closes: the levator's letting go, and the orbicularis on top."""
    palsy = patient.palsy
    descent = palsy.lid_descent
    if Operation.GOLD_WEIGHT in palsy.operations and side in palsy.sides:
        descent = 1 - 0.35 * (1 - descent)
    short = max(0.0, 1 - palsy.unit_function(side, "AU43") / needs)
    return 1 - (1 - descent) * float(short**patient.motion.last_part)


def _add(model: FaceModel, vertices: Vertices, name: str, weight: float) -> None:
    if weight != 0:
        shape = model.shapes[name]
        add_shape(vertices, shape.indices, shape.deltas, weight)


def _look(patient: Patient, take: Take) -> Sided:
    """Degrees towards the subject's left and up; an attempt to close the eyes rolls them up."""
    return take.gaze[0], take.gaze[1] + patient.palsy.bell * patient.motion.bell.get(take.expression, 0.0)


_SMOOTHED = {"forehead": Zone.FOREHEAD, "crow": Zone.EYE, "nasolabial": Zone.MOUTH, "glabella": Zone.FOREHEAD}


def _wrinkles(patient: Patient, strengths: Mapping[str, Sided]) -> dict[str, Sided]:
    lines = patient.motion.lines

    def depth(name: str, side: Side) -> float:
        at = 0 if side is Side.LEFT else 1
        drawn = sum(share * strengths[unit][at] for unit, share in lines[name].items() if unit in strengths)
        if side in patient.palsy.sides:
            if name in _SMOOTHED:
                drawn -= lost_tone(patient, side, _SMOOTHED[name])
            if name == "nasolabial":
                drawn += 0.5 * patient.palsy.contracture
        return float(max(-1.0, drawn))

    return {name: (depth(name, Side.LEFT), depth(name, Side.RIGHT)) for name in lines}
