"""Closure: how far each eye closes, by the best of the usable attempts, since it tells what the person can do."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from facialpalsy.analysis.evidence import closed_limit, side_value
from facialpalsy.analysis.exam import CLOSURES
from facialpalsy.assessment import Capture, Closure, Exam, Measure, Sides
from facialpalsy.clinical.expressions import Expression
from facialpalsy.clinical.norms import Norms
from facialpalsy.face import Side, SideFrame


def closures(captures: Sequence[Capture], exam: Exam, norms: Norms) -> tuple[Closure, ...]:
    """One entry per closure expression that was taken.

    Args:
        captures: Every capture of the exam, checked.
        exam: Names the reference side and what left and right mean.
        norms: Healthy limits, which may hold that of a closed eye.
    """
    taken = {one: [capture for capture in captures if capture.expression is one] for one in CLOSURES}
    opened = _fissure_at_rest(captures, exam.side_frame)
    return tuple(
        _closure(expression, attempts, opened, exam, norms) for expression, attempts in taken.items() if attempts
    )


def _closure(
    expression: Expression, attempts: Sequence[Capture], opened: Sides | None, exam: Exam, norms: Norms
) -> Closure:
    points = attempts[0].face.landmarks
    limit, limit_measured = closed_limit(norms, points.engine, points.scheme)
    reference = exam.reference_side.side if exam.side_frame is SideFrame.SUBJECT else None
    weighed = list(Side) if reference is None else [reference.other]
    measured = [(one, _left_open(one, exam.side_frame)) for one in attempts if one.quality.usable]
    known = [(one, sides) for one, sides in measured if sides is not None]
    if not known:
        return Closure(
            expression=expression,
            limit_iod=limit,
            limit_measured=limit_measured,
            withheld={"value": _reason(attempts)},
        )
    best, gap = min(known, key=lambda one: max(side_value(one[1], side) for side in weighed))
    scale, withheld = best.scale, {}
    if scale.mm_per_iod is None:
        withheld["mm"] = scale.withheld or "the capture has no scale"
    if opened is None:
        withheld["closed_share"] = "no usable rest photo shows both eyes open"
    return Closure(
        expression=expression,
        source=best.source,
        frame=best.frame,
        iod=gap,
        mm=None if scale.mm_per_iod is None else gap.times(scale.mm_per_iod),
        closed_share=None if opened is None else _closed_share(gap, opened),
        limit_iod=limit,
        limit_mm=None if scale.mm_per_iod is None else limit * scale.mm_per_iod,
        limit_measured=limit_measured,
        withheld=withheld,
    )


def _reason(attempts: Sequence[Capture]) -> str:
    unusable = [one for one in attempts if not one.quality.usable]
    if unusable:
        return " ".join(unusable[0].quality.blocking)
    return _fissure(attempts[0]).withheld.get("value", "the palpebral fissure could not be measured")


def _fissure(capture: Capture) -> Measure:
    return next(one for one in capture.measures if one.name == "palpebral_fissure_height")


def _fissure_sides(capture: Capture, side_frame: SideFrame) -> Sides | None:
    """Palpebral fissure height in the exam's frame, for which a capture that knows its sides may be exchanged."""
    sides = _fissure(capture).iod
    return sides if sides is None or capture.side_frame is side_frame else sides.exchanged()


def _left_open(capture: Capture, side_frame: SideFrame) -> Sides | None:
    """As `_fissure_sides`; lids that cross leave nothing open."""
    sides = _fissure_sides(capture, side_frame)
    return None if sides is None else _sides(*(max(0.0, side_value(sides, side)) for side in Side))


def _fissure_at_rest(captures: Sequence[Capture], side_frame: SideFrame) -> Sides | None:
    rests = [one for one in captures if one.expression is Expression.REST and one.quality.usable]
    found = [sides for one in rests if (sides := _fissure_sides(one, side_frame)) is not None]
    mean = [fmean(side_value(sides, side) for sides in found) for side in Side] if found else []
    return _sides(*mean) if mean and min(mean) > 0 else None


def _closed_share(gap: Sides, opened: Sides) -> Sides:
    return _sides(*(1 - side_value(gap, side) / side_value(opened, side) for side in Side))


def _sides(left: float, right: float) -> Sides:
    return Sides(left, right, left - right)
