"""Severity: palsies as each setting draws them, by the grade that is wanted or by the kind.

What is drawn here only aims at a grade. The grade itself is the rule's (`truth.py`), and who misses it is drawn again.
Zones differ by more than their grade does, since one grade for the whole face fits a single zone in about half of real
patients (clinical reference, section 1.1). In setting `a` they scatter about one severity on their own. In `b` the
forehead tends to be the worst and the eye the best, as in most people whose nerve recovers, and the upper face and the
lower differ together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from facialpalsy.clinical.actions import ACTIONS, Branch
from facialpalsy.clinical.evidence import Zone
from facialpalsy.face.side import Side
from facialpalsy.synth.palsy import Kind, Operation, Palsy, Synkinesis

Range = tuple[float, float]


def draw_palsy(rng: np.random.Generator, setting: str, kind: Kind, grade: int | None, *, operated: bool) -> Palsy:
    """A palsy.

    Args:
        rng: Source of chance.
        setting: Setting, `a`, `b` or `c`.
        kind: Where it comes from.
        grade: The grade aimed at, 2 to 6; None for any.
        operated: Whether something was operated on.
    """
    side = tuple(Side)[int(rng.integers(2))]
    severity = int(rng.integers(4 if operated else 2, 7)) if grade is None else grade
    if kind is Kind.HEALTHY:
        return Palsy(lid_descent=_within(rng, (0.3, 0.6)), bell=_within(rng, (0.1, 0.9)))
    palsy = _DRAWN[setting](rng, kind, side, severity)
    if not operated:
        return palsy
    chosen = sorted(rng.permutation(list(Operation))[: int(rng.integers(1, 3))].tolist())
    return replace(palsy, operations=tuple(Operation(one) for one in chosen))


def _shifted(share: float, by: float) -> float:
    """A share of function moved by `by` on the logistic scale, which leaves 0 and 1 as they are."""
    return share * math.exp(by) / (1 - share + share * math.exp(by))


def _within(rng: np.random.Generator, least_most: Range) -> float:
    return float(rng.uniform(*least_most))


# Setting a -----------------------------------------------------------------------------------------------------------

_A_FUNCTION: Mapping[int, Range] = {2: (0.80, 0.97), 3: (0.45, 0.85), 4: (0.25, 0.75), 5: (0.05, 0.2), 6: (0.0, 0.02)}
# Standard deviation between the zones of one face, on the logistic scale.
_A_ZONES: Mapping[int, float] = {2: 0.9, 3: 1.4, 4: 1.4, 5: 0.8, 6: 0.5}
# The eye decides between II, III and IV by how it closes.
_A_EYE: Mapping[int, Range] = {2: (0.86, 0.99), 3: (0.68, 0.98), 4: (0.1, 0.62)}
_A_DROOP: Mapping[int, Range] = {2: (0.0, 0.2), 3: (0.0, 0.4), 4: (0.1, 0.7), 5: (0.5, 1.0), 6: (0.6, 1.0)}
_A_CENTRAL: Mapping[Zone, Range] = {
    Zone.FOREHEAD: (0.85, 1.0), Zone.EYE: (0.75, 1.0), Zone.MIDFACE: (0.25, 0.7), Zone.MOUTH: (0.05, 0.45),
}  # fmt: skip


def _draw_a(rng: np.random.Generator, kind: Kind, side: Side, grade: int) -> Palsy:
    function: dict[tuple[Side, Zone], float] = {}
    sides = tuple(Side) if kind is Kind.BILATERAL else (side,)
    for one in sides:
        severity = int(rng.integers(3, 7)) if kind is Kind.BILATERAL else grade
        middle = _within(rng, _A_FUNCTION[severity])
        for zone in Zone:
            function[one, zone] = _shifted(middle, float(rng.normal(0, _A_ZONES[severity])))
            if kind is Kind.CENTRAL:
                function[one, zone] = _within(rng, _A_CENTRAL[zone])
            elif kind is Kind.BRANCH:
                function[one, zone] = _within(rng, (0.0, 0.5))
        if kind is Kind.PERIPHERAL and grade in _A_EYE and rng.random() < 0.8:
            function[one, Zone.EYE] = _within(rng, _A_EYE[grade])
    units = [unit for unit, action in ACTIONS.items() if action.zone is not None]
    recovering = kind is Kind.PERIPHERAL and grade in (2, 3, 4)
    return Palsy(
        kind=kind,
        side=None if kind is Kind.BILATERAL else side,
        branch=tuple(Branch)[int(rng.integers(4))] if kind is Kind.BRANCH else None,
        function=function,
        scatter={(one, unit): float(rng.normal(0, 0.32)) for one in sides for unit in units},
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

_B_LOSS: Mapping[int, Range] = {2: (0.04, 0.2), 3: (0.15, 0.55), 4: (0.3, 0.8), 5: (0.82, 0.95), 6: (0.985, 1.0)}
# How much better, or worse, than the whole each zone does, on the logistic scale.
_B_ORDER: Mapping[Zone, float] = {Zone.FOREHEAD: -0.5, Zone.EYE: 0.5, Zone.MIDFACE: 0.2, Zone.MOUTH: -0.2}
# How far up in the face it lies: what one patient's upper face has more of, the lower has less of.
_B_UP: Mapping[Zone, float] = {Zone.FOREHEAD: 1.0, Zone.EYE: 0.4, Zone.MIDFACE: -0.4, Zone.MOUTH: -1.0}
_B_TILT, _B_OWN = 0.9, 0.9


def _zones_b(rng: np.random.Generator, grade: int) -> dict[Zone, float]:
    least, most = _B_LOSS[grade]
    whole = 1 - least - (most - least) * float(rng.beta(2, 2))
    # Where nearly all or nearly nothing is left, zones have little room.
    room = {2: 0.9, 5: 0.7}.get(grade, 1.0)
    tilt = float(rng.normal(0, _B_TILT))
    return {
        zone: _shifted(whole, room * (order + tilt * _B_UP[zone] + float(rng.normal(0, _B_OWN))))
        for zone, order in _B_ORDER.items()
    }


def _draw_b(rng: np.random.Generator, kind: Kind, side: Side, grade: int) -> Palsy:
    sides = tuple(Side) if kind is Kind.BILATERAL else (side,)
    function: dict[tuple[Side, Zone], float] = {}
    for one in sides:
        zones = _zones_b(rng, int(rng.integers(4, 7)) if kind is Kind.BILATERAL else grade)
        function |= {(one, zone): share for zone, share in zones.items()}
        if kind is Kind.CENTRAL:
            weak = float(rng.beta(2, 3)) * 0.5
            function |= {(one, Zone.FOREHEAD): _within(rng, (0.9, 1.0)), (one, Zone.EYE): _within(rng, (0.8, 1.0))}
            function |= {(one, Zone.MOUTH): weak, (one, Zone.MIDFACE): weak + _within(rng, (0.1, 0.3))}
        elif kind is Kind.BRANCH:
            lone = float(rng.beta(1, 3)) * 0.6
            function |= {(one, zone): lone for zone in Zone}
    units = [unit for unit, action in ACTIONS.items() if action.zone is not None]
    shared = float(rng.normal(0, 0.15))
    late = kind is Kind.PERIPHERAL and grade in (2, 3, 4) and rng.random() < 0.6
    drawn_together = float(rng.beta(1.5, 2))
    return Palsy(
        kind=kind,
        side=None if kind is Kind.BILATERAL else side,
        branch=tuple(Branch)[int(rng.integers(4))] if kind is Kind.BRANCH else None,
        function=function,
        scatter={(one, unit): shared + float(rng.uniform(-0.52, 0.52)) for one in sides for unit in units},
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


_DRAWN: Mapping[str, Callable[[np.random.Generator, Kind, Side, int], Palsy]] = {
    "a": _draw_a,
    "b": _draw_b,
    "c": _draw_a,
}
