"""Landmark features: the measures and movements of one exam as numbers for a regression.

What the grade is read from says nothing of sides, so that the mirrored exam has the same; what the affected side is
read from changes its sign in the mirrored exam, and nothing else. What cannot be measured is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from facialpalsy.clinical.expressions import Expression
from facialpalsy.face import Landmarks
from facialpalsy.measure import MOVEMENT_FLOOR_IOD, Sides, movements, panel

Exam = Mapping[Expression, Landmarks]
"""One capture of each expression that was taken, of one person, all in one scheme."""

_CLOSURES = (Expression.EYES_GENTLE, Expression.EYES_TIGHT)
_AT_REST = f"{Expression.REST}."
_FISSURE = "palpebral_fissure_height"


def exam_sides(exam: Exam) -> dict[str, Sides]:
    """Name -> both sides of each measure at rest, of each movement from rest, and of what closing leaves open."""
    return dict([*_at_rest(exam), *_moved(exam), *_left_open(exam)])


def unsigned_features(found: Mapping[str, Sides]) -> dict[str, float]:
    """Name -> |left - right| of each measure at rest; of each movement and closure also both sides and their ratio.

    The sides are the smaller and the larger value, the ratio the smaller over the larger where the larger one is a
    movement at all; a side that is dragged across by more than the other one moves counts as -1.
    """
    features = {}
    for name, sides in found.items():
        if name.startswith(_AT_REST):
            features[name] = abs(sides.difference)
            continue
        smaller, larger = sorted((sides.left or 0.0, sides.right or 0.0))
        features |= {f"{name}.difference": larger - smaller, f"{name}.smaller": smaller, f"{name}.larger": larger}
        if larger > MOVEMENT_FLOOR_IOD:
            features[f"{name}.ratio"] = max(smaller / larger, -1.0)
    return features


def signed_features(found: Mapping[str, Sides]) -> dict[str, float]:
    """Name -> left minus right."""
    return {name: sides.difference for name, sides in found.items()}


def _at_rest(exam: Exam) -> Iterator[tuple[str, Sides]]:
    if Expression.REST in exam:
        for measure in panel(exam[Expression.REST]):
            if measure.sides is not None:
                yield _AT_REST + measure.name, measure.sides


def _moved(exam: Exam) -> Iterator[tuple[str, Sides]]:
    for expression in exam.keys() - {Expression.REST} if Expression.REST in exam else ():
        for movement in movements(exam[Expression.REST], exam[expression], expression):
            if movement.iod is not None:
                yield f"{expression}.{movement.measure}", movement.iod


def _left_open(exam: Exam) -> Iterator[tuple[str, Sides]]:
    """How much of its fissure at rest each eye leaves open when closed."""
    opened = _fissure(exam, Expression.REST)
    for expression in _CLOSURES:
        gap = _fissure(exam, expression)
        if opened is not None and gap is not None and min(opened) > 0:
            left, right = (max(0.0, now) / before for now, before in zip(gap, opened, strict=True))
            yield f"{expression}.left_open", Sides(left, right, left - right)


def _fissure(exam: Exam, expression: Expression) -> tuple[float, float] | None:
    measures = panel(exam[expression]) if expression in exam else ()
    found = [one.iod for one in measures if one.name == _FISSURE and one.iod is not None]
    return (found[0].left or 0.0, found[0].right or 0.0) if found else None
