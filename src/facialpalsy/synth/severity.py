"""Severity: palsies as each setting draws them, by the grade that is wanted or by the kind.

What is drawn here only aims at a grade. The grade itself is the rule's (`truth.py`), and who misses it is drawn again.
In setting `a` the zones scatter about one severity on their own; in `b` they follow an order, the forehead worst and
the eye best, as in most people whose nerve recovers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from facialpalsy.clinical.actions import ACTIONS, Branch
from facialpalsy.clinical.evidence import Zone
from facialpalsy.face.side import Side
from facialpalsy.synth.palsy import Kind, Operation, Palsy, Synkinesis

Range = tuple[float, float]


def draw_palsy(rng: np.random.Generator, style: str, kind: Kind, grade: int | None, *, operated: bool) -> Palsy:
    """A palsy.

    Args:
        rng: Source of chance.
        style: Setting, `a` or `b`.
        kind: Where it comes from.
        grade: The grade aimed at, 2 to 6; None for any.
        operated: Whether something was operated on.
    """
    side = tuple(Side)[int(rng.integers(2))]
    severity = int(rng.integers(4 if operated else 2, 7)) if grade is None else grade
    if kind is Kind.HEALTHY:
        return Palsy(lid_descent=_within(rng, (0.3, 0.6)), bell=_within(rng, (0.1, 0.9)))
    palsy = _DRAWN[style](rng, kind, side, severity)
    if not operated:
        return palsy
    chosen = sorted(rng.permutation(list(Operation))[: int(rng.integers(1, 3))].tolist())
    return replace(palsy, operations=tuple(Operation(one) for one in chosen))


def _within(rng: np.random.Generator, least_most: Range) -> float:
    return float(rng.uniform(*least_most))


# Setting a -----------------------------------------------------------------------------------------------------------

_A_FUNCTION: Mapping[int, Range] = {2: (0.76, 0.92), 3: (0.52, 0.80), 4: (0.25, 0.58), 5: (0.07, 0.22), 6: (0.0, 0.02)}
_A_DROOP: Mapping[int, Range] = {2: (0.0, 0.2), 3: (0.0, 0.4), 4: (0.1, 0.7), 5: (0.5, 1.0), 6: (0.6, 1.0)}
_A_CENTRAL: Mapping[Zone, Range] = {
    Zone.FOREHEAD: (0.85, 1.0), Zone.EYE: (0.75, 1.0), Zone.MIDFACE: (0.25, 0.7), Zone.MOUTH: (0.05, 0.45),
}  # fmt: skip


def _draw_a(rng: np.random.Generator, kind: Kind, side: Side, grade: int) -> Palsy:
    function: dict[tuple[Side, Zone], float] = {}
    sides = tuple(Side) if kind is Kind.BILATERAL else (side,)
    for one in sides:
        middle = _within(rng, _A_FUNCTION[int(rng.integers(3, 7)) if kind is Kind.BILATERAL else grade])
        for zone in Zone:
            spread = 0.06 if middle > 0.1 else middle / 2
            function[one, zone] = float(np.clip(rng.normal(middle, spread), 0, 0.97))
            if kind is Kind.CENTRAL:
                function[one, zone] = _within(rng, _A_CENTRAL[zone])
            elif kind is Kind.BRANCH:
                function[one, zone] = _within(rng, (0.0, 0.5))
        if kind is Kind.PERIPHERAL and grade in (2, 3) and rng.random() < 0.7:
            function[one, Zone.EYE] = _within(rng, (0.87, 0.97) if grade == 2 else (0.68, 0.95))
    units = [unit for unit, action in ACTIONS.items() if action.zone is not None]
    recovering = kind is Kind.PERIPHERAL and grade in (2, 3, 4)
    return Palsy(
        kind=kind,
        side=None if kind is Kind.BILATERAL else side,
        branch=tuple(Branch)[int(rng.integers(4))] if kind is Kind.BRANCH else None,
        function=function,
        scatter={(one, unit): float(rng.normal(0, 0.15)) for one in sides for unit in units},
        droop=_within(rng, _A_DROOP[grade] if kind is Kind.PERIPHERAL else (0.2, 0.8)),
        contracture=_within(rng, (0.1, 0.8)) if recovering and rng.random() < 0.25 else 0.0,
        lid_descent=_within(rng, (0.3, 0.6)),
        gentle_needs=_within(rng, (0.85, 0.91)),
        tight_needs=_within(rng, (0.65, 0.71)),
        bell=_within(rng, (0.2, 1.0)),
        synkinesis=_synkinesis_a(rng, grade) if recovering and rng.random() < 0.5 else Synkinesis(),
    )


def _synkinesis_a(rng: np.random.Generator, grade: int) -> Synkinesis:
    most = {2: 0.25, 3: 0.5, 4: 0.8}[grade]
    shares = rng.uniform(0, most, 4) * (rng.random(4) < 0.7)
    return Synkinesis(*(float(share) for share in shares))


# Setting b -----------------------------------------------------------------------------------------------------------

_B_LOSS: Mapping[int, Range] = {2: (0.08, 0.25), 3: (0.2, 0.5), 4: (0.4, 0.8), 5: (0.77, 0.95), 6: (0.985, 1.0)}
# How much more, or less, than the whole each zone has lost.
_B_ORDER: Mapping[Zone, float] = {Zone.FOREHEAD: 1.15, Zone.MOUTH: 1.0, Zone.MIDFACE: 0.9, Zone.EYE: 0.8}


def _draw_b(rng: np.random.Generator, kind: Kind, side: Side, grade: int) -> Palsy:
    sides = tuple(Side) if kind is Kind.BILATERAL else (side,)
    function: dict[tuple[Side, Zone], float] = {}
    whole = 0.0
    for one in sides:
        least, most = _B_LOSS[int(rng.integers(4, 7)) if kind is Kind.BILATERAL else grade]
        whole = least + (most - least) * float(rng.beta(2, 2))
        for zone, order in _B_ORDER.items():
            # The order fades where nearly everything is lost.
            loss = whole ** (1 / order) if whole > 0.7 else whole * order
            function[one, zone] = float(np.clip(1 - loss * rng.uniform(0.93, 1.07), 0, 1))
        if kind is Kind.CENTRAL:
            weak = float(rng.beta(2, 3)) * 0.5
            function |= {(one, Zone.FOREHEAD): _within(rng, (0.9, 1.0)), (one, Zone.EYE): _within(rng, (0.8, 1.0))}
            function |= {(one, Zone.MOUTH): weak, (one, Zone.MIDFACE): weak + _within(rng, (0.1, 0.3))}
        elif kind is Kind.BRANCH:
            lone = float(rng.beta(1, 3)) * 0.6
            function |= {(one, zone): lone for zone in Zone}
    units = [unit for unit, action in ACTIONS.items() if action.zone is not None]
    shared = float(rng.uniform(-0.1, 0.1))
    late = kind is Kind.PERIPHERAL and grade in (2, 3, 4) and rng.random() < 0.6
    drawn_together = float(rng.beta(1.5, 2))
    return Palsy(
        kind=kind,
        side=None if kind is Kind.BILATERAL else side,
        branch=tuple(Branch)[int(rng.integers(4))] if kind is Kind.BRANCH else None,
        function=function,
        scatter={(one, unit): shared + float(rng.uniform(-0.3, 0.3)) for one in sides for unit in units},
        # A face that has contracted no longer hangs.
        droop=0.0 if late else float(rng.triangular(0.2, 0.8, 1.0)) if grade >= 4 else float(rng.beta(1, 5)),
        contracture=drawn_together * 0.7 if late else 0.0,
        lid_descent=0.3 + 0.3 * float(rng.beta(2, 2)),
        gentle_needs=_within(rng, (0.83, 0.93)),
        tight_needs=_within(rng, (0.62, 0.74)),
        bell=float(rng.beta(2, 1.5)),
        synkinesis=_synkinesis_b(rng, grade, drawn_together) if late else Synkinesis(),
    )


def _synkinesis_b(rng: np.random.Generator, grade: int, severity: float) -> Synkinesis:
    """All of it grows together with the contracture."""
    most = {2: 0.22, 3: 0.6, 4: 0.9}[grade]
    eye, pucker, closing, brow = (
        float(np.clip(most * severity * factor, 0, 0.9)) for factor in rng.uniform(0.4, 1.2, 4)
    )
    return Synkinesis(eye, pucker * 0.7, closing, brow * 0.5)


_DRAWN: Mapping[str, Callable[[np.random.Generator, Kind, Side, int], Palsy]] = {"a": _draw_a, "b": _draw_b}
