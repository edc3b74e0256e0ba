"""Changes: two dated exams of one subject side by side, with the minimal detectable change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from facialpalsy.assessment import Assessment, Capture, Change, Measure
from facialpalsy.clinical.expressions import Expression
from facialpalsy.evaluation import mdc95
from facialpalsy.face import SideFrame

Key = tuple[str, str]
Instrument = frozenset[tuple[str, str, str | None]]


@dataclass(frozen=True)
class _Value:
    """Left minus right in one exam, a mean over captures.

    Attributes:
        value: The mean.
        unit: Unit of the value.
        captures: How many it is the mean of.
        share: Variance of the mean over the variance of a single capture.
        sd: Standard deviation of a single capture by what was repeated in the exam; None without repeats.
        noise: Standard deviation of a single capture by landmark noise; None where not known.
        instrument: Scheme, engine and engine's sha256 of the landmarks.
    """

    value: float
    unit: str
    captures: int
    share: float
    sd: float | None
    noise: float | None
    instrument: Instrument


def changes_since(earlier: Assessment, later: Assessment) -> tuple[Change, ...]:
    """Change of left minus right of every measure at rest and of every movement, from `earlier` to `later`.

    For means over n1 and n2 captures MDC95 = t(0.975, df) * s * sqrt(1/n1 + 1/n2). Here s^2 is the variance of repeated
    captures within an exam, pooled over both exams with df = the sum of their (n - 1); s is at least the landmark noise
    of a single capture. A rest capture that takes of a movement share does not show in their variance, which is doubled
    for it (`exam.combine_repeats`), and is not averaged out: the exam's 1/n is then (1/n + 1) / 2. Without repeats in
    either exam the MDC is None, and whether a change exceeds it is not known.

    What cannot be followed is left out; `not_compared` says why.
    """
    if not _sides_are_known(earlier, later):
        return ()
    since = earlier.exam.date or ""
    return tuple(
        _change(key, since, before, after)
        for key, before, after in _in_both(earlier, later)
        if before.instrument == after.instrument
    )


def not_compared(earlier: Assessment, later: Assessment) -> str | None:
    """Why left minus right cannot be followed from `earlier` to `later`, wholly or in part; None where it can.

    Both exams must know the subject's sides, and a value must be measured by the same points of the same engine.
    """
    since = f"the exam of {earlier.exam.date}"
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


def _change(key: Key, since: str, before: _Value, after: _Value) -> Change:
    mdc = _detectable(before, after)
    change = after.value - before.value
    return Change(
        expression=key[0],
        name=key[1],
        since=since,
        before=before.value,
        after=after.value,
        change=change,
        unit=after.unit,
        mdc=mdc,
        beyond_mdc=None if mdc is None else abs(change) > mdc,
    )


def _detectable(before: _Value, after: _Value) -> float | None:
    repeated = [(one.captures - 1, one.sd) for one in (before, after) if one.sd is not None]
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
        found[(movement.expression, movement.measure)] = _Value(
            movement.iod.difference,
            "iod",
            takes,
            (1 / takes + 1) / 2 if is_rest_shared else 1 / takes,
            None if mdc is None or takes < 2 else mdc / (mdc95(1, takes - 1) or 1),
            None if movement.noise is None else movement.noise * takes**0.5,
            _instrument(assessment, Expression.REST, Expression(movement.expression)),
        )
    return found


def _at_rest(assessment: Assessment) -> Mapping[Key, _Value]:
    """Measures at rest: the mean over repeated rest captures."""
    columns: dict[str, list[Measure]] = {}
    for capture in _usable(assessment, Expression.REST):
        for measure in capture.measures:
            if measure.sides is not None:
                columns.setdefault(measure.name, []).append(measure)
    found = {}
    for name, measures in columns.items():
        values = [measure.sides.difference for measure in measures if measure.sides is not None]
        found[(Expression.REST.value, name)] = _Value(
            float(np.mean(values)),
            "iod" if measures[0].iod else "deg",
            len(values),
            1 / len(values),
            float(np.std(values, ddof=1)) if len(values) > 1 else None,
            _root_mean_square([measure.noise for measure in measures]),
            _instrument(assessment, Expression.REST),
        )
    return found


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
