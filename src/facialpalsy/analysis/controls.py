"""Controls: healthy limits from people without palsy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from facialpalsy.analysis.capture import YAW_LIMITS_DEG, Measured
from facialpalsy.analysis.exam import checked, no_effort
from facialpalsy.analysis.request import Settings
from facialpalsy.clinical.expressions import Expression
from facialpalsy.clinical.norms import MIN_PEOPLE, Z_LIMIT, ExpressionNorms, Norms
from facialpalsy.errors import NormsError
from facialpalsy.face import head_pose
from facialpalsy.measure import Measure, asymmetry, movements

_PERCENTILE = 95.0
# Differences this small, in iod or degrees, are the rounding of points that do not differ.
_ROUNDING = 1e-9
# About 3.5 mm: no engine reports as much of closed eyes.
_CLOSED_BOUND_IOD = 0.04


@dataclass(frozen=True)
class Controls:
    """Healthy people whose captures passed the checks of an exam.

    Attributes:
        people: Person -> captures that count; without people of whom none does.
        left_out: One sentence for each other capture.
    """

    people: Mapping[str, Sequence[Measured]]
    left_out: Sequence[str]


def checked_controls(people: Mapping[str, Sequence[Measured]], settings: Settings) -> Controls:
    """Leave out what an exam would not use, heads that are not straight, and expressions that were not made."""
    kept: dict[str, list[Measured]] = {}
    left_out = []
    for person, captures in people.items():
        captures = checked(captures, None, settings)
        rest = _first(captures, Expression.REST)
        for one in captures:
            reason = " ".join(_faults(one, rest))
            if reason:
                left_out.append(f"{one.capture.source!r}: left out: {reason}")
            else:
                kept.setdefault(person, []).append(one)
    return Controls(kept, left_out)


def _faults(one: Measured, rest: Measured | None) -> Iterator[str]:
    if not one.capture.quality.usable:
        yield from one.capture.quality.blocking
        return
    if (yaw := abs(head_pose(one.landmarks).yaw)) > (straight := YAW_LIMITS_DEG[0]):
        yield f"The head is turned by {yaw:.1f} degrees; limits are made of straight ones, up to {straight:.0f}."
    if one.capture.expression is None or rest is None or one is rest:
        return
    if (weak := no_effort(movements(rest.landmarks, one.landmarks, one.capture.expression), None)) is not None:
        yield f"Without effort: {weak}."


def fit_norms(people: Mapping[str, Sequence[Measured]], *, name: str, source: str) -> Norms:
    """Healthy limits from one exam of each of several people.

    For each expression the first usable capture of each person counts once. The spread of a difference is its root mean
    square about zero, so that a mirrored group gives the same table, and never less than the repeat noise: lips that
    are shut in everybody do not make the smallest gap a finding.

    Args:
        people: Person -> measured captures of one exam, all by one engine.
        name: Short name of the table.
        source: Who was measured, and how.

    Raises:
        NormsError: fewer than 10 people for every expression, points of several engines, or eyes that are open in
            photos of closed ones.
    """
    landmarks = [one.landmarks for captures in people.values() for one in captures]
    engines = {(one.engine, one.scheme.name) for one in landmarks}
    if len(engines) > 1:
        raise NormsError(
            f"The points come from {', '.join(sorted(' '.join(one) for one in engines))}; "
            "healthy limits hold for one engine and scheme, so fit them separately."
        )
    tables = {}
    for expression in Expression:
        taken = {
            person: one for person, captures in people.items() if (one := _first(captures, expression)) is not None
        }
        if len(taken) >= MIN_PEOPLE:
            rests = {person: _first(people[person], Expression.REST) for person in taken}
            tables[expression.value] = _fit(expression, list(taken.values()), list(rests.values()))
    if not tables:
        raise NormsError(
            f"No expression has usable captures of at least {MIN_PEOPLE} people (people found: {len(people)}); "
            "make one folder per person with photos named by expression (rest.jpg, smile_open.jpg, ...)."
        )
    engine, scheme = engines.pop()
    return Norms(name, engine, scheme, source, _closed_fissure(people), tables)


def _first(captures: Sequence[Measured], expression: Expression) -> Measured | None:
    usable = (one for one in captures if one.capture.expression is expression and one.capture.quality.usable)
    return next(usable, None)


def _fit(expression: Expression, captures: Sequence[Measured], rests: Sequence[Measured | None]) -> ExpressionNorms:
    panels = [one.capture.measures for one in captures]
    # Shut lips have no gap to differ in: any parting would be far beyond a limit made of zeros.
    left_out = {"dental_show"} if expression in (Expression.REST, Expression.SMILE_CLOSED) else set()
    spreads = _spreads(
        [
            {m.name: m.sides.difference for m in panel if m.sides is not None and m.name not in left_out}
            for panel in panels
        ],
        [{m.name: m.noise for m in panel if m.noise is not None} for panel in panels],
    )
    draft = Norms("", "", "", "", None, {expression.value: ExpressionNorms(len(captures), spreads)})
    moved, noises = [], []
    if expression is not Expression.REST:
        for one, rest in zip(captures, rests, strict=True):
            if rest is not None:
                found = movements(rest.landmarks, one.landmarks, expression)
                moved.append({m.measure: m.iod.difference for m in found if m.iod is not None})
                noises.append({m.measure: m.noise for m in found if m.noise is not None})
    return ExpressionNorms(
        people=len(captures),
        measures=spreads,
        regions=_region_limits(panels, draft, expression),
        movements=_spreads(moved, noises),
    )


def _spreads(rows: Sequence[Mapping[str, float]], noises: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Name -> root mean square difference, at least the root mean square noise, for names that ten people have.

    Times t(0.975, n) / 1.96, so that 95 % of people who were not measured lie within 1.96 of it, however few were.
    """
    from scipy.special import stdtrit

    spreads = {}
    for name in sorted({name for row in rows for name in row}):
        values = [row[name] for row in rows if name in row]
        repeat = [row[name] for row in noises if name in row] or [0.0]
        spread = max(_root_mean_square(values), _root_mean_square(repeat))
        if len(values) >= MIN_PEOPLE and spread > _ROUNDING:
            spreads[name] = spread * float(stdtrit(len(values), 0.975)) / Z_LIMIT
    return spreads


def _root_mean_square(values: Sequence[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _region_limits(panels: Sequence[Sequence[Measure]], draft: Norms, expression: Expression) -> dict[str, float]:
    spreads = draft.expressions[expression.value].measures
    scored: dict[str, list[float]] = {}
    for panel in panels:
        with_z = [
            Measure(m.name, z=m.sides.difference / spreads[m.name])
            for m in panel
            if m.sides is not None and m.name in spreads
        ]
        for region, value in asymmetry(with_z, draft, expression).items():
            if value.z is not None:
                scored.setdefault(region, []).append(value.z)
    return {
        region: float(np.percentile(values, _PERCENTILE))
        for region, values in scored.items()
        if len(values) >= MIN_PEOPLE
    }


def _closed_fissure(people: Mapping[str, Sequence[Measured]]) -> float | None:
    """95th percentile of the wider fissure of healthy closed eyes, or None without ten people."""
    widest: dict[str, float] = {}
    for person, captures in people.items():
        closed = _first(captures, Expression.EYES_GENTLE) or _first(captures, Expression.EYES_TIGHT)
        fissure = None
        if closed is not None:
            fissure = next((m.iod for m in closed.capture.measures if m.name == "palpebral_fissure_height"), None)
        if fissure is not None:
            widest[person] = max(fissure.left or 0.0, fissure.right or 0.0)
    if len(widest) < MIN_PEOPLE:
        return None
    limit = float(np.percentile(list(widest.values()), _PERCENTILE))
    if limit > _CLOSED_BOUND_IOD:
        names = ", ".join(person for person, gap in widest.items() if gap > _CLOSED_BOUND_IOD)
        raise NormsError(
            f"Closed eyes would measure up to {limit:.3f} iod, and eyes open by more than {_CLOSED_BOUND_IOD} are not "
            f"closed: look at the closure photos of {names}, and take out those with open eyes."
        )
    return limit
