"""Changes: two dated exams of one subject side by side, with the minimal detectable change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from facialpalsy.assessment import Assessment, Capture, Change, LandmarkSet, Measure, Sides
from facialpalsy.clinical.expressions import Expression
from facialpalsy.evaluation import mdc95
from facialpalsy.face import SCHEMES, Landmarks, Side, SideFrame
from facialpalsy.measure import movements

Key = tuple[str, str]
Instrument = frozenset[tuple[str, str, str | None]]


Part = Callable[[Sides], float | None]
_DIFFERENCE: Part = attrgetter("difference")


@dataclass(frozen=True)
class _Value:
    """Both sides and left minus right in one exam, a mean over captures.

    Attributes:
        mean: The mean.
        ratio: Ratio of the sides; None where undefined.
        unit: Unit of the values.
        captures: How many they are the mean of.
        share: Variance of the mean over the variance of a single capture.
        sd: Standard deviation of a single capture by what was repeated in the exam; None without repeats.
        noise: Standard deviation of left minus right in a single capture by landmark noise; None where not known.
        instrument: Scheme, engine and engine's sha256 of the landmarks.
    """

    mean: Sides
    ratio: float | None
    unit: str
    captures: int
    share: float
    sd: Sides | None
    noise: float | None
    instrument: Instrument


def changes_since(earlier: Assessment, later: Assessment) -> tuple[Change, ...]:
    """Change of left minus right of every measure at rest and of every movement, from `earlier` to `later`.

    For means over n1 and n2 captures MDC95 = t(0.975, df) * s * sqrt(1/n1 + 1/n2). Here s^2 is the variance of repeated
    captures within an exam, pooled over both exams with df = the sum of their (n - 1); s is at least the landmark noise
    of a single capture. A rest capture that takes of a movement share does not show in their variance, which is doubled
    for it (`exam.combine_repeats`), and is not averaged out: the exam's 1/n is then (1/n + 1) / 2. Without repeats in
    either exam the MDC is None, and whether a change exceeds it is not known. The MDC of a single side is that
    formula on the repeats of the side.

    What cannot be followed is left out; `not_compared` says why.
    """
    if not _sides_are_known(earlier, later) or earlier.exam.date == later.exam.date:
        return ()
    since = earlier.exam.date or ""
    named = {one.exam.reference_side for one in (earlier, later)}
    reference = named.pop().side if len(named) == 1 else None
    return tuple(
        _change(key, since, before, after, reference)
        for key, before, after in _in_both(earlier, later)
        if before.instrument == after.instrument
    )


def not_compared(earlier: Assessment, later: Assessment) -> str | None:
    """Why left minus right cannot be followed from `earlier` to `later`, wholly or in part; None where it can.

    Both exams must know the subject's sides, and a value must be measured by the same points of the same engine.
    """
    since = f"the exam of {earlier.exam.date}"
    if earlier.exam.date == later.exam.date:
        return f"Not compared with another exam of the same date, {later.exam.date}: which came first is not known."
    if not _sides_are_known(earlier, later):
        return (
            f"Not compared with {since}: it is not known whether the pictures of both are mirrored; state it with "
            "--mirrored no or yes, or in exam.csv."
        )
    shared = list(_in_both(earlier, later))
    if not shared:
        return f"Not compared with {since}: no measure at rest and no movement was usable in both."
    others = sorted({key[0] for key, before, after in shared if before.instrument != after.instrument})
    if others:
        return (
            f"Not compared with {since} in {', '.join(others)}: the landmarks of the two are not of the same engine "
            "and scheme; measure both exams in the same way."
        )
    return None


def _sides_are_known(*exams: Assessment) -> bool:
    return all(one.exam.side_frame is SideFrame.SUBJECT for one in exams)


def _in_both(earlier: Assessment, later: Assessment) -> Iterator[tuple[Key, _Value, _Value]]:
    for values in (_at_rest, _moved):
        before, after = values(earlier), values(later)
        yield from ((key, before[key], value) for key, value in after.items() if key in before)


def _change(key: Key, since: str, before: _Value, after: _Value, reference: Side | None) -> Change:
    mdc = _detectable(before, after, _DIFFERENCE)
    change = after.mean.difference - before.mean.difference
    side_mdc = {side: _detectable(before, after, attrgetter(side.value)) for side in Side}
    # A movement's ratio is of the affected over the reference side, whichever that was.
    has_ratios = reference is not None or key[0] == Expression.REST
    return Change(
        expression=key[0],
        name=key[1],
        since=since,
        before=before.mean.difference,
        after=after.mean.difference,
        change=change,
        unit=after.unit,
        mdc=mdc,
        beyond_mdc=None if mdc is None else abs(change) > mdc,
        left_before=before.mean.left,
        left_after=after.mean.left,
        left_mdc=side_mdc[Side.LEFT],
        right_before=before.mean.right,
        right_after=after.mean.right,
        right_mdc=side_mdc[Side.RIGHT],
        ratio_before=before.ratio if has_ratios else None,
        ratio_after=after.ratio if has_ratios else None,
        reference_side=reference,
        reference_changed=None if reference is None else _changed(before, after, reference, side_mdc[reference]),
    )


def _changed(before: _Value, after: _Value, side: Side, mdc: float | None) -> bool | None:
    part: Part = attrgetter(side.value)
    first, second = part(before.mean), part(after.mean)
    return None if mdc is None or first is None or second is None else abs(second - first) > mdc


def _detectable(before: _Value, after: _Value, part: Part) -> float | None:
    """MDC of one part of the values; a single side is held to the noise of left minus right, its own is not kept."""
    spreads = [(one.captures - 1, part(one.sd)) for one in (before, after) if one.sd is not None]
    repeated = [(freedom, sd) for freedom, sd in spreads if sd is not None]
    if not repeated:
        return None
    df = sum(freedom for freedom, _ in repeated)
    variance = sum(freedom * sd**2 for freedom, sd in repeated) / df
    noise = _root_mean_square([one.noise for one in (before, after)]) or 0.0
    # The mean of the two shares, because mdc95 itself counts two values.
    return mdc95(max(variance**0.5, noise) * ((before.share + after.share) / 2) ** 0.5, df)


def _moved(assessment: Assessment) -> Mapping[Key, _Value]:
    """Movements: the mean over repeated takes."""
    found = {}
    for movement in assessment.movements:
        if movement.iod is None:
            continue
        takes, mdc = movement.takes, movement.mdc
        is_rest_shared = len(_usable(assessment, Expression.REST)) < takes
        share = (1 / takes + 1) / 2 if is_rest_shared else 1 / takes
        sd = None
        if mdc is not None and takes > 1:
            left, right = _side_spreads(assessment, movement.expression, movement.measure, takes, is_rest_shared)
            sd = Sides(left, right, mdc / (mdc95(1, takes - 1) or 1))
        found[(movement.expression, movement.measure)] = _Value(
            movement.iod,
            movement.ratio,
            "iod",
            takes,
            share,
            sd,
            None if movement.noise is None else movement.noise / share**0.5,
            _instrument(assessment, Expression.REST, Expression(movement.expression)),
        )
    return found


def _side_spreads(
    assessment: Assessment, expression: str, name: str, takes: int, is_rest_shared: bool
) -> tuple[float | None, float | None]:
    """Standard deviation of a single take of the left and of the right side, from the landmarks of the takes.

    Takes and rests are paired, and a shared rest counted, as in `exam`. None where a take was left out there.
    """
    rests, taken = _usable(assessment, Expression.REST), _usable(assessment, Expression(expression))
    if not rests or len(taken) != takes:
        return None, None
    found = [
        one.iod
        for index, capture in enumerate(taken)
        for one in movements(_points(rests[min(index, len(rests) - 1)]), _points(capture), expression)
        if one.measure == name and one.iod is not None
    ]
    if len(found) != takes:
        return None, None
    spread = _spread(found)
    factor = 2**0.5 if is_rest_shared else 1.0
    return spread.left and spread.left * factor, spread.right and spread.right * factor


def _points(capture: Capture) -> Landmarks:
    found: LandmarkSet = capture.face.landmarks
    return Landmarks(SCHEMES[found.scheme], np.array(found.points), found.image_size, engine=found.engine)


def _at_rest(assessment: Assessment) -> Mapping[Key, _Value]:
    """Measures at rest: the mean over repeated rest captures."""
    columns: dict[str, list[Measure]] = {}
    for capture in _usable(assessment, Expression.REST):
        for measure in capture.measures:
            if measure.sides is not None:
                columns.setdefault(measure.name, []).append(measure)
    found = {}
    for name, measures in columns.items():
        values = [measure.sides for measure in measures if measure.sides is not None]
        mean = _over(values, lambda column: float(np.mean(column)))
        found[(Expression.REST.value, name)] = _Value(
            mean,
            None if measures[0].ratio is None else mean.ratio(),
            "iod" if measures[0].iod else "deg",
            len(values),
            1 / len(values),
            _spread(values) if len(values) > 1 else None,
            _root_mean_square([measure.noise for measure in measures]),
            _instrument(assessment, Expression.REST),
        )
    return found


def _spread(values: Sequence[Sides]) -> Sides:
    """Standard deviation over repeats of left, right and their difference."""
    return _over(values, lambda column: float(np.std(column, ddof=1)))


def _over(values: Sequence[Sides], reduce: Callable[[list[float]], float]) -> Sides:
    """Left, right and difference each reduced; a midline measure has only the difference."""
    left = [one.left for one in values if one.left is not None]
    right = [one.right for one in values if one.right is not None]
    return Sides(
        reduce(left) if left else None, reduce(right) if right else None, reduce([one.difference for one in values])
    )


def _root_mean_square(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.sqrt(np.mean(np.square(known)))) if known else None


def _usable(assessment: Assessment, *expressions: Expression) -> list[Capture]:
    return [one for one in assessment.captures if one.expression in expressions and one.quality.usable]


def _instrument(assessment: Assessment, *expressions: Expression) -> Instrument:
    """What measured the usable captures of these expressions."""
    sha256 = {engine.name: engine.sha256 for engine in assessment.software.models}
    points = [capture.face.landmarks for capture in _usable(assessment, *expressions)]
    return frozenset((one.scheme, one.engine, sha256.get(one.engine)) for one in points)
