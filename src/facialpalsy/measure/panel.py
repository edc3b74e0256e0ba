"""Panel: every measure of one face, as defined in docs/reference/measures.md."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from facialpalsy.clinical.norms import Z_LIMIT, Norms
from facialpalsy.face import Landmarks, Side, face_frame, head_pose
from facialpalsy.measure import brow, eye, midface, mouth
from facialpalsy.measure.geometry import FramedFace, Vector, WithheldError
from facialpalsy.measure.scale import Scale, iris_scale
from facialpalsy.measure.types import RATIO_UNDEFINED, Definition, Measure, Sides, Taken

STRAIGHT_YAW_DEG = 5.0
"""Up to this turn a head counts as straight. Healthy limits do not hold beyond it: turning moves the mouth off the
middle of the canthi and shortens one side, which puts exactly symmetric faces outside them."""

DEFINITIONS: tuple[Definition, ...] = (
    *brow.DEFINITIONS,
    *eye.DEFINITIONS,
    *midface.DEFINITIONS,
    *mouth.DEFINITIONS,
)


def panel(
    landmarks: Landmarks, *, scale: Scale | None = None, norms: Norms | None = None, expression: str | None = None
) -> list[Measure]:
    """All measures of one face.

    Args:
        landmarks: Points of the unmirrored picture, in either scheme.
        scale: Millimetres; by default from the visible iris.
        norms: Healthy limits; without them z is withheld.
        expression: What the subject did, to choose among the limits.

    Returns:
        One `Measure` per definition, in a fixed order; what cannot be measured is None with a reason.

    Raises:
        LandmarkFileError, SwappedSidesError: the points make no face frame.
    """
    scale = scale or iris_scale(landmarks)
    face = _framed(landmarks)
    repeats = [] if landmarks.repeats is None else [_framed(landmarks.single(points)) for points in landmarks.repeats]
    measures = [_measure(definition, face, repeats, scale) for definition in DEFINITIONS]
    return [_with_limits(measure, landmarks, norms, expression) for measure in measures]


def _framed(landmarks: Landmarks) -> FramedFace:
    return FramedFace.of(landmarks, face_frame(landmarks))


def _measure(definition: Definition, face: FramedFace, repeats: list[FramedFace], scale: Scale) -> Measure:
    try:
        taken, sides = _read(definition, face)
    except WithheldError as reason:
        return Measure(definition.name, withheld={"value": str(reason)})
    withheld = {}
    noise = _noise(definition, repeats)
    if noise is None:
        withheld["noise"] = "one set of points has no repeat error"
    ratio = None
    if not definition.midline and not definition.signed:
        ratio = sides.ratio()
        if ratio is None:
            withheld["ratio"] = RATIO_UNDEFINED
    lines = {name: _in_pixels(face, one.line) for name, one in taken.items()}
    if definition.unit == "deg":
        return Measure(definition.name, deg=sides, ratio=ratio, noise=noise, withheld=withheld, lines=lines)
    mm = None if scale.mm_per_iod is None else sides.times(scale.mm_per_iod)
    if mm is None:
        withheld["mm"] = scale.withheld or "no scale"
    return Measure(definition.name, iod=sides, mm=mm, ratio=ratio, noise=noise, withheld=withheld, lines=lines)


def _read(definition: Definition, face: FramedFace) -> tuple[dict[str, Taken], Sides]:
    if definition.midline:
        taken = definition.take(face, Side.LEFT)
        return {"midline": taken}, Sides(None, None, taken.value)
    left, right = definition.take(face, Side.LEFT), definition.take(face, Side.RIGHT)
    return {"left": left, "right": right}, Sides(left.value, right.value, left.value - right.value)


def _noise(definition: Definition, repeats: list[FramedFace]) -> float | None:
    differences = []
    for face in repeats:
        try:
            differences.append(_read(definition, face)[1].difference)
        except WithheldError:
            continue
    return float(np.std(differences, ddof=1)) if len(differences) > 1 else None


def _in_pixels(face: FramedFace, line: Vector) -> tuple[tuple[float, float], tuple[float, float]]:
    (x0, y0), (x1, y1) = face.frame.to_pixels(line).tolist()
    return (x0, y0), (x1, y1)


def _with_limits(measure: Measure, landmarks: Landmarks, norms: Norms | None, expression: str | None) -> Measure:
    if measure.sides is None:
        return measure
    reason = None
    if norms is None:
        reason = "no healthy limits were given"
    elif expression is None:
        reason = "the expression is not known"
    else:
        reason = norms.reason_against(landmarks.engine, landmarks.scheme.name)
        if reason is None and measure.name not in getattr(norms.expressions.get(expression), "measures", {}):
            reason = f"'{norms.name}' has no healthy limits for {measure.name} in {expression}"
        elif reason is None and (yaw := abs(head_pose(landmarks).yaw)) > STRAIGHT_YAW_DEG:
            reason = f"healthy limits were measured with the head straight, and it is turned by {yaw:.1f} degrees"
    if reason is not None or norms is None or expression is None:
        return replace(measure, withheld={**measure.withheld, "z": reason or ""})
    spread = norms.expressions[expression].measures[measure.name]
    limit = Z_LIMIT * spread
    return replace(measure, healthy_limits=(-limit, limit), z=measure.sides.difference / spread)
