"""Patterns: kinds of palsy for which House-Brackmann is not defined, looked for in the values as measured.

The scale grades the trunk of one facial nerve. It says nothing about both sides, a central palsy or one branch.
"""

from __future__ import annotations

from facialpalsy.clinical.evidence import ExamEvidence, MovementEvidence, Zone
from facialpalsy.clinical.scales.cases import Case
from facialpalsy.clinical.scales.thresholds import CLEARLY_WEAK_RATIO, COMPLETE_RATIO, HEALTHY_Z, SPARED_RATIO

MOUTH_EXPRESSIONS = ("smile_open", "pucker", "lower_teeth")


def undefined_pattern(evidence: ExamEvidence, measured: Case, midface: str) -> str | None:
    """Why House-Brackmann is not defined for this exam, or None.

    Args:
        evidence: The exam; `brow_raise` and `smile_open` have ratios.
        measured: Its best case, which holds the closures as measured.
        midface: Which movement shows the midface.
    """
    names = {Zone.FOREHEAD: ("brow_raise",), Zone.MIDFACE: (midface,), Zone.MOUTH: MOUTH_EXPRESSIONS}
    moved = evidence.movements
    zones = {zone: [moved[name] for name in tried if name in moved] for zone, tried in names.items()}
    return (
        _both_sides(zones, eye_open=any(measured.incomplete.values()))
        or _forehead_spared(moved["brow_raise"], moved["smile_open"])
        or _single_branch(zones, measured)
    )


def _both_sides(zones: dict[Zone, list[MovementEvidence]], *, eye_open: bool) -> str | None:
    behind = [zone for zone, tried in zones.items() if any(_unequal(m) and (m.z or 0) > 0 for m in tried)]
    ahead = [zone for zone, tried in zones.items() if any(_unequal(m) and (m.z or 0) < 0 for m in tried)]
    behind += [Zone.EYE] if eye_open else []
    for weak in behind:
        for other in ahead:
            if weak != other:
                return (
                    f"Zones are weaker on both sides: the {weak} on the affected side, the {other} on the "
                    "reference side. House-Brackmann is not defined for bilateral palsy or contracture."
                )
    return None


def _forehead_spared(forehead: MovementEvidence, mouth: MovementEvidence) -> str | None:
    if not _spared(forehead) or not _strongly_weak(mouth):
        return None
    return (
        f"The forehead is spared while the mouth moves only {mouth.ratio:.0%} of the reference side: a central or "
        "branch pattern, for which House-Brackmann is not defined."
    )


def _single_branch(zones: dict[Zone, list[MovementEvidence]], measured: Case) -> str | None:
    unequal = [zone for zone, tried in zones.items() if any(map(_unequal, tried))]
    strongly = [zone for zone, tried in zones.items() if any(map(_strongly_weak, tried))]
    if any(measured.incomplete.values()):
        unequal.append(Zone.EYE)
    if measured.incomplete.get("eyes_tight", False):
        strongly.append(Zone.EYE)
    others = [movement for zone, tried in zones.items() if zone not in unequal for movement in tried]
    if len(unequal) != 1 or unequal != strongly or any(_little(movement) for movement in others):
        return None
    return (
        f"The {unequal[0]} alone is weaker, and strongly so: a single-branch pattern, for which House-Brackmann "
        "is not defined."
    )


def _unequal(movement: MovementEvidence) -> bool:
    """Beyond noise and healthy limits; where no limits are known, clearly not a complete movement."""
    return not movement.within_noise and _beyond(movement)


def _spared(movement: MovementEvidence) -> bool:
    return not _beyond(movement) and not _little(movement)


def _little(movement: MovementEvidence) -> bool:
    return movement.ratio is not None and movement.ratio < SPARED_RATIO


def _beyond(movement: MovementEvidence) -> bool:
    if movement.z is not None:
        return abs(movement.z) > HEALTHY_Z
    return movement.ratio is not None and movement.ratio < COMPLETE_RATIO


def _strongly_weak(movement: MovementEvidence) -> bool:
    return _unequal(movement) and movement.ratio is not None and movement.ratio < CLEARLY_WEAK_RATIO
