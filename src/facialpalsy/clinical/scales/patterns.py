"""Patterns: kinds of palsy that a comparison with the reference side does not grade, in the values as measured.

House-Brackmann grades the trunk of one facial nerve. It says nothing about both sides, a central palsy or one branch;
on every other scale such a pattern is a remark.
"""

from __future__ import annotations

from facialpalsy.clinical.evidence import ExamEvidence, MovementEvidence, Zone
from facialpalsy.clinical.scales.cases import Case, midface_expression
from facialpalsy.clinical.scales.thresholds import (
    CLEARLY_WEAK_RATIO,
    COMPLETE_RATIO,
    HEALTHY_Z,
    PALSY_RATIO,
    SPARED_RATIO,
)

MOUTH_EXPRESSIONS = ("smile_open", "pucker", "lower_teeth")


def pattern_of(evidence: ExamEvidence, measured: Case) -> str | None:
    """The pattern that this exam shows, as a sentence, or None.

    Args:
        evidence: The exam; of what it lacks no pattern is made.
        measured: Its best case, which holds the closures as measured.
    """
    if evidence.barred is not None:
        return None
    names = {
        Zone.FOREHEAD: ("brow_raise",),
        Zone.MIDFACE: (midface_expression(evidence),),
        Zone.MOUTH: MOUTH_EXPRESSIONS,
    }
    moved = evidence.movements
    zones = {zone: [moved[name] for name in tried if name in moved] for zone, tried in names.items()}
    if (both := _both_sides(zones, eye_open=any(measured.incomplete.values()))) is not None:
        return both
    forehead, mouth = moved.get("brow_raise"), moved.get("smile_open")
    if forehead is None or mouth is None or forehead.ratio is None or mouth.ratio is None:
        return None
    return _forehead_spared(forehead, mouth) or _single_branch(zones, measured)


def behind(movement: MovementEvidence) -> bool:
    """Whether the affected side is the weaker one, beyond noise and healthy limits (without limits by the ratio)."""
    return not movement.within_noise and _lags(movement)


def ahead(movement: MovementEvidence) -> bool:
    """Whether the reference side is the weaker one; without limits by the ratio, or where it alone did not move."""
    if movement.within_noise:
        return False
    if movement.z is not None:
        return movement.z < -HEALTHY_Z
    return movement.reference_still or (movement.ratio or 0.0) > 1 / PALSY_RATIO


def _both_sides(zones: dict[Zone, list[MovementEvidence]], *, eye_open: bool) -> str | None:
    weaker = [zone for zone, tried in zones.items() if any(map(behind, tried))]
    stronger = [zone for zone, tried in zones.items() if any(map(ahead, tried))]
    weaker += [Zone.EYE] if eye_open else []
    for weak in weaker:
        for other in stronger:
            if weak != other:
                return (
                    f"Zones are weaker on both sides: the {weak} on the affected side, the {other} on the "
                    "reference side, as in bilateral palsy or contracture; comparing the sides understates it."
                )
    return None


def _forehead_spared(forehead: MovementEvidence, mouth: MovementEvidence) -> str | None:
    if _lags(forehead) or _little(forehead) or not _strongly_weak(mouth):
        return None
    return (
        f"The forehead is spared while the mouth moves only {mouth.ratio:.0%} of the reference side: a central or "
        "branch pattern."
    )


def _single_branch(zones: dict[Zone, list[MovementEvidence]], measured: Case) -> str | None:
    # An eye whose closure was not seen may be weak as well.
    if not {"eyes_gentle", "eyes_tight"} <= measured.incomplete.keys():
        return None
    unequal = [zone for zone, tried in zones.items() if any(behind(one) or ahead(one) for one in tried)]
    strongly = [zone for zone, tried in zones.items() if any(map(_strongly_weak, tried))]
    if any(measured.incomplete.values()):
        unequal.append(Zone.EYE)
    if measured.incomplete["eyes_tight"]:
        strongly.append(Zone.EYE)
    others = [movement for zone, tried in zones.items() if zone not in unequal for movement in tried]
    if len(unequal) != 1 or unequal != strongly or any(map(_little, others)):
        return None
    return f"The {unequal[0]} alone is weaker, and strongly so: a single-branch pattern."


def _lags(movement: MovementEvidence) -> bool:
    if movement.z is not None:
        return movement.z > HEALTHY_Z
    return movement.ratio is not None and movement.ratio < COMPLETE_RATIO


def _little(movement: MovementEvidence) -> bool:
    return movement.ratio is not None and movement.ratio < SPARED_RATIO


def _strongly_weak(movement: MovementEvidence) -> bool:
    return behind(movement) and movement.ratio is not None and movement.ratio < CLEARLY_WEAK_RATIO
