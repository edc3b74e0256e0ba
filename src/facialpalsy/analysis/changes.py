"""Changes: two dated exams of one subject side by side, with the minimal detectable change."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from facialpalsy.assessment import Assessment, Change, Measure, Movement
from facialpalsy.clinical.expressions import Expression
from facialpalsy.evaluation import mdc95
from facialpalsy.face import SideFrame

Key = tuple[str, str]


def changes_since(earlier: Assessment, later: Assessment) -> tuple[Change, ...]:
    """Change of left minus right of every measure at rest and of every movement, from `earlier` to `later`.

    MDC95 = 1.96 * sqrt(2) * the within-exam standard deviation of repeated captures, pooled over both exams; without
    repeats in either exam it is None, and whether a change exceeds it is then not known. Where one of the exams does
    not know the subject's sides, left minus right cannot be followed and there are no changes.
    """
    if {earlier.exam.side_frame, later.exam.side_frame} != {SideFrame.SUBJECT}:
        return ()
    since = earlier.exam.date or ""
    found = []
    for before, after in (
        (_at_rest(earlier), _at_rest(later)),
        (_moved(earlier), _moved(later)),
    ):
        for key, (value, unit, mdc) in after.items():
            if key in before:
                found.append(_change(key, since, before[key], (value, unit, mdc)))
    return tuple(found)


def _change(
    key: Key, since: str, before: tuple[float, str, float | None], after: tuple[float, str, float | None]
) -> Change:
    known = [mdc for _, _, mdc in (before, after) if mdc is not None]
    mdc = float(np.sqrt(np.mean(np.square(known)))) if known else None
    change = after[0] - before[0]
    return Change(
        expression=key[0],
        name=key[1],
        since=since,
        before=before[0],
        after=after[0],
        change=change,
        unit=after[1],
        mdc=mdc,
        beyond_mdc=None if mdc is None else abs(change) > mdc,
    )


def _moved(assessment: Assessment) -> Mapping[Key, tuple[float, str, float | None]]:
    return {
        (movement.expression, movement.measure): (movement.iod.difference, "iod", movement.mdc)
        for movement in assessment.movements
        if isinstance(movement, Movement) and movement.iod is not None
    }


def _at_rest(assessment: Assessment) -> Mapping[Key, tuple[float, str, float | None]]:
    """Measures at rest: the mean over repeated rest captures."""
    rests = [
        capture for capture in assessment.captures if capture.expression is Expression.REST and capture.quality.usable
    ]
    columns: dict[str, list[Measure]] = {}
    for capture in rests:
        for measure in capture.measures:
            if measure.sides is not None:
                columns.setdefault(measure.name, []).append(measure)
    found = {}
    for name, measures in columns.items():
        values = [measure.sides.difference for measure in measures if measure.sides is not None]
        mdc = mdc95(float(np.std(values, ddof=1))) if len(values) > 1 else None
        found[(Expression.REST.value, name)] = (float(np.mean(values)), "iod" if measures[0].iod else "deg", mdc)
    return found
