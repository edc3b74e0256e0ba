"""Movement: how far each side moves from rest, and the ratio of the two.

Displacements are taken in the face frame of each picture, with x counted away from the midline on both sides, so
that equal movements are equal vectors. Each side's movement is its component along the displacement of the side
that moves more: that side's value is its full excursion, and a paralysed corner that is dragged across counts as
negative movement, not as excursion. Where even that side moves against what was asked for, both count as negative.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from facialpalsy.clinical.norms import Z_LIMIT, Norms
from facialpalsy.face import Landmarks, Side, face_frame
from facialpalsy.measure.brow import DEFINITIONS as BROW
from facialpalsy.measure.eye import fissure_height
from facialpalsy.measure.geometry import FramedFace, Vector, WithheldError, height_at
from facialpalsy.measure.types import Sides

MOVEMENT_FLOOR_IOD = 0.01
"""A reference side that moves less than this (about 0.9 mm) has not moved, however small its noise."""


_TOWARDS = {
    "smile_open": np.array([0.8, 0.6]),
    "smile_closed": np.array([0.8, 0.6]),
    "pucker": np.array([-1.0, 0.0]),
}
"""Where an expression pulls the corner of the mouth: away from the midline and up."""


@dataclass(frozen=True)
class MovementDefinition:
    """How one movement is taken.

    Attributes:
        name: Name in results.
        title: Name for people.
        expressions: Expressions that it is taken in.
        place: Position (1,) or (2,) of one side of a face in iod, x away from the midline, growing with the movement.
        involuntary: Whether the expression does not ask for it: evidence of synkinesis, never a ratio.
    """

    name: str
    title: str
    expressions: tuple[str, ...]
    place: Callable[[FramedFace, Side], Vector]
    involuntary: bool = False


@dataclass(frozen=True)
class Movement:
    """One movement from rest.

    Attributes:
        expression: What the subject did.
        measure: Name of the movement.
        iod: Movement of each side, and left minus right, in iod.
        mm: The same in millimetres, or None without a scale.
        ratio: Affected over reference side; None where undefined, and where the reference side moved too little to tell
            total paralysis of the other from what healthy sides differ by.
        noise: Standard deviation of left minus right by repeat error of both captures, in iod.
        mdc: Minimal detectable change of left minus right between two single takes (95 %): t(0.975, takes - 1) sqrt(2)
            times the standard deviation of the takes (times sqrt(2) where they share one rest, which varies too), or
            the noise of a single one where that is greater.
        z: Left minus right in healthy standard deviations.
        withheld: Field name -> reason.
        takes: Number of captures of the expression that the values are the mean of.
    """

    expression: str
    measure: str
    iod: Sides | None = None
    mm: Sides | None = None
    ratio: float | None = None
    noise: float | None = None
    mdc: float | None = None
    z: float | None = None
    withheld: dict[str, str] = field(default_factory=dict)
    takes: int = 1

    def exchanged(self) -> Movement:
        """The same with left and right exchanged, as for the halves of an image instead of the subject's sides."""
        return replace(
            self,
            iod=None if self.iod is None else self.iod.exchanged(),
            mm=None if self.mm is None else self.mm.exchanged(),
            z=None if self.z is None else -self.z,
        )


def _outward(face: FramedFace, side: Side, point: Vector) -> Vector:
    return np.array([side.sign * point[0], -point[1]])


def _brow(face: FramedFace, side: Side) -> Vector:
    return np.array([BROW[1].take(face, side).value])


def _lids(face: FramedFace, side: Side) -> Vector:
    return np.array([-fissure_height(face, side).value])


def _commissure(face: FramedFace, side: Side) -> Vector:
    return _outward(face, side, face.point("commissure", side))


def _fold(face: FramedFace, side: Side) -> Vector:
    return _outward(face, side, face.curve("nasolabial_fold", side)[1:].mean(axis=0))


def _ala(face: FramedFace, side: Side) -> Vector:
    return np.array([-face.point("ala", side)[1]])


def _upper_lip(face: FramedFace, side: Side) -> Vector:
    return np.array([-height_at(face.lip("upper_lip_outer"), float(face.point("commissure", side)[0]) / 2)])


def _lower_lip(face: FramedFace, side: Side) -> Vector:
    return np.array([height_at(face.lip("lower_lip_outer"), float(face.point("commissure", side)[0]) / 2)])


MOVEMENTS: tuple[MovementDefinition, ...] = (
    MovementDefinition("brow_elevation", "Brow elevation", ("brow_raise",), _brow),
    MovementDefinition("lid_closure", "Closing of the palpebral fissure", ("eyes_gentle", "eyes_tight"), _lids),
    MovementDefinition(
        "commissure_excursion", "Commissure excursion", ("smile_open", "smile_closed", "pucker"), _commissure
    ),
    MovementDefinition("fold_excursion", "Excursion beside the nasolabial fold", ("smile_open",), _fold),
    MovementDefinition("upper_lip_elevation", "Upper lip elevation", ("snarl",), _upper_lip),
    MovementDefinition("alar_elevation", "Alar elevation", ("snarl",), _ala),
    MovementDefinition("lower_lip_depression", "Lower lip depression", ("lower_teeth",), _lower_lip),
    MovementDefinition(
        "lid_narrowing",
        "Narrowing of the eye, not asked for",
        ("smile_open", "smile_closed", "snarl", "pucker"),
        _lids,
        True,
    ),
    MovementDefinition(
        "commissure_pull",
        "Pull of the commissure, not asked for",
        ("brow_raise", "eyes_gentle", "eyes_tight"),
        _commissure,
        True,
    ),
)


def movements(
    rest: Landmarks,
    moved: Landmarks,
    expression: str,
    *,
    reference: Side | None = None,
    mm_per_iod: float | None = None,
    norms: Norms | None = None,
) -> list[Movement]:
    """Every movement that `expression` is taken for, from the rest capture to this one.

    Args:
        rest: Landmarks at rest.
        moved: Landmarks of the same person during the expression, in the same scheme.
        expression: Name of the expression.
        reference: Reference side of the ratio; without one the ratio is withheld.
        mm_per_iod: Scale of the exam.
        norms: Healthy limits.
    """
    found = []
    for definition in MOVEMENTS:
        if expression in definition.expressions:
            spread, reason = _healthy_spread(definition.name, moved, expression, norms)
            movement = _movement(definition, rest, moved, expression, reference, spread)
            if movement.iod is not None and mm_per_iod is not None:
                movement = replace(movement, mm=movement.iod.times(mm_per_iod))
            if movement.iod is not None and spread is not None:
                movement = replace(movement, z=movement.iod.difference / spread)
            elif movement.iod is not None:
                movement.withheld["z"] = reason
            found.append(movement)
    return found


def _movement(
    definition: MovementDefinition,
    rest: Landmarks,
    moved: Landmarks,
    expression: str,
    reference: Side | None,
    spread: float | None,
) -> Movement:
    try:
        before, after = _places(definition, rest), _places(definition, moved)
    except WithheldError as reason:
        return Movement(expression, definition.name, withheld={"value": str(reason)})
    shift = {side: after[side].mean(axis=0) - before[side].mean(axis=0) for side in Side}
    length = {side: float(np.linalg.norm(shift[side])) for side in Side}
    larger = max(Side, key=lambda side: length[side])
    if length[larger] == 0:
        direction = np.zeros_like(shift[larger])
    elif len(shift[larger]) == 1:
        direction = np.ones(1)
    else:
        direction = shift[larger] / length[larger]
        # Against what was asked for, it counts as negative: as when rest and smile are exchanged.
        if not definition.involuntary and direction @ _TOWARDS[expression] < 0:
            direction = -direction
    left, right = float(shift[Side.LEFT] @ direction), float(shift[Side.RIGHT] @ direction)
    noise = {side: _noise(before[side] @ direction, after[side] @ direction) for side in Side}
    gap = _noise(
        (before[Side.LEFT] - before[Side.RIGHT]) @ direction, (after[Side.LEFT] - after[Side.RIGHT]) @ direction
    )
    movement = Movement(expression, definition.name, iod=Sides(left, right, left - right), noise=gap)
    if gap is None:
        movement.withheld["noise"] = "one set of points has no repeat error"
    movement.withheld["mdc"] = "no capture of this expression was repeated"
    if definition.involuntary:
        movement.withheld["ratio"] = "a movement that was not asked for has no ratio"
        return movement
    return _with_ratio(movement, reference, noise, Z_LIMIT * (spread or 0.0))


def _with_ratio(
    movement: Movement, reference: Side | None, noise: dict[Side, float | None], healthy_limit: float
) -> Movement:
    if reference is None or movement.iod is None:
        movement.withheld["ratio"] = "no reference side was named (--reference-side left or right)"
        return movement
    value = {Side.LEFT: movement.iod.left or 0.0, Side.RIGHT: movement.iod.right or 0.0}
    threshold = max(1.96 * (noise[reference] or 0.0), MOVEMENT_FLOOR_IOD)
    moved = f"the {reference} (reference) side moved {round(value[reference], 3) + 0.0:.3f} iod"
    if value[reference] <= threshold:
        movement.withheld["ratio"] = (
            f"no effort on the reference side: {moved}, not more than its noise of {threshold:.3f}"
        )
        return movement
    if value[reference] <= healthy_limit:
        movement.withheld["ratio"] = (
            f"effort too small to judge: {moved}, and healthy sides differ by up to {healthy_limit:.3f}"
        )
        return movement
    return replace(movement, ratio=value[reference.other] / value[reference])


def _places(definition: MovementDefinition, landmarks: Landmarks) -> dict[Side, Vector]:
    """Side -> (k, d) positions over the repeats, or (1, d) without them."""
    sets = [landmarks.points] if landmarks.repeats is None else list(landmarks.repeats)
    faces = [FramedFace.of(single, face_frame(single)) for single in map(landmarks.single, sets)]
    return {side: np.stack([definition.place(face, side) for face in faces]) for side in Side}


def _noise(before: Vector, after: Vector) -> float | None:
    if len(before) < 2 or len(after) < 2:
        return None
    return float(np.hypot(before.std(ddof=1), after.std(ddof=1)))


def _healthy_spread(name: str, landmarks: Landmarks, expression: str, norms: Norms | None) -> tuple[float | None, str]:
    """Healthy standard deviation of left minus right of one movement, or None and why there is none."""
    if norms is None:
        return None, "no healthy limits were given"
    reason = norms.reason_against(landmarks.engine, landmarks.scheme.name)
    table = norms.expressions.get(expression)
    if reason is None and table is not None and name in table.movements:
        return table.movements[name], ""
    return None, reason or f"'{norms.name}' has no healthy limits for this movement in {expression}"
