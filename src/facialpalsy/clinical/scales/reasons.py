"""Reasons: why an item is not assessed and what a reader must know beside an estimate, in words."""

from __future__ import annotations

from collections.abc import Iterable

from facialpalsy.clinical.evidence import ClosureEvidence, ExamEvidence, MovementEvidence, RestEvidence
from facialpalsy.clinical.scales.cases import counts, stays_open
from facialpalsy.clinical.scales.patterns import ahead
from facialpalsy.clinical.scales.thresholds import SMALL_SMILE_IOD, UNBIASED_SLOPE

NOT_TAKEN = "not taken"
RATER_ONLY = "not visible from landmarks; a rater can give it"
EYE_NOT_SHUT = "the eye of the reference side was not shut, so this attempt does not count"


def why_not_moved(evidence: ExamEvidence, expression: str) -> str:
    """Why the movement of `expression` has no ratio."""
    movement = evidence.movements.get(expression)
    if evidence.barred is not None or movement is None:
        return _absent(evidence, expression)
    reasons = movement.reasons
    reason = reasons.get("ratio") or reasons.get("value") or "the reference side did not move more than its noise"
    return f"{expression}: {_clause(reason)}"


def why_not_closed(evidence: ExamEvidence, expression: str) -> str:
    """Why the closure attempt `expression` cannot be used."""
    closure = evidence.closures.get(expression)
    if evidence.barred is not None or closure is None:
        return _absent(evidence, expression)
    return f"{expression}: {EYE_NOT_SHUT if not counts(closure) else 'the same eye was not measured at rest'}"


def why_not_at_rest(evidence: ExamEvidence, zone: str) -> str:
    """Why `zone` is not assessed at rest."""
    resting = evidence.rest.get(zone)
    if evidence.barred is not None or not evidence.rest:
        return _absent(evidence, "rest")
    reasons = resting.reasons if resting is not None else {}
    return f"rest, {zone}: {_clause(reasons.get('ratio') or reasons.get('z') or 'not measured')}"


def why_no_synkinesis(evidence: ExamEvidence, expressions: Iterable[str]) -> str:
    """Why no involuntary movement could be looked for in `expressions`."""
    unseen = "no other region was measured against rest"
    found = [f"{name}: {_clause(evidence.missing.get(name, unseen))}" for name in expressions]
    return evidence.barred or "; ".join(found)


def notes_on(
    evidence: ExamEvidence, moved: Iterable[str], closed: Iterable[str] = (), zones: Iterable[str] = ()
) -> list[str]:
    """Sentences on what widens an estimate that uses these movements, closure attempts and zones at rest."""
    if evidence.barred is not None:
        return []
    movements = {name: evidence.movements[name] for name in moved if name in evidence.movements}
    attempts = {name: evidence.closures.get(name) for name in closed}
    closures = {name: closure for name, closure in attempts.items() if closure is not None}
    resting = {f"rest ({zone})": evidence.rest[zone] for zone in zones if zone in evidence.rest}
    seen: dict[str, MovementEvidence | RestEvidence] = {**movements, **resting}
    slopes = {name: found.slope for name, found in seen.items()}
    slopes |= {name: min(closure.slope, slopes.get(name, 1.0)) for name, closure in closures.items()}
    biased = [name for name, slope in slopes.items() if slope < UNBIASED_SLOPE]
    noisy = [name for name, found in seen.items() if found.within_noise]
    unlimited = [name for name, found in seen.items() if found.z is None and found.ratio is not None]
    notes = []
    if biased:
        notes.append(
            f"The landmark engine reports less than {UNBIASED_SLOPE:.0%} of a true difference in {', '.join(biased)}; "
            "the worst case undoes this."
        )
    if unlimited:
        notes.append(f"There are no healthy limits for {', '.join(unlimited)}; any difference may lie beyond them.")
    if noisy:
        notes.append(f"Left and right differ by no more than the noise in {', '.join(noisy)}: none in the best case.")
    return notes + [_on_closure(evidence, name, closure) for name, closure in attempts.items()]


def reference_weaker(evidence: ExamEvidence) -> str | None:
    """A remark where most movements, or most that have z, say that the reference side is the weaker one; else None."""
    if evidence.barred is not None:
        return None
    movements = evidence.movements
    scores = {name: found.z for name, found in movements.items() if found.z is not None}
    compared = [
        name for name, found in movements.items() if name in scores or found.ratio is not None or found.reference_still
    ]
    weaker = [name for name in compared if ahead(movements[name])]
    if 2 * len(weaker) <= len(compared) and 2 * len(scores.keys() & weaker) <= len(scores):
        return None
    return f"The reference side moves less than the other in {', '.join(weaker)}: check which side was named."


def small_smile(evidence: ExamEvidence) -> str | None:
    """A remark where the smile hardly moves the reference side, since both sides may then be weak; else None."""
    smile = evidence.movements.get("smile_open")
    if evidence.barred is not None or smile is None or smile.reference_moved is None:
        return None
    if smile.reference_moved >= SMALL_SMILE_IOD:
        return None
    reached = _length(smile.reference_moved, smile.reference_moved_mm)
    return (
        f"smile_open moves the reference side by {reached}, and a full smile moves healthy people by about 7 to 22 mm: "
        "little effort, or weakness of both sides, which comparing the sides cannot show."
    )


def _on_closure(evidence: ExamEvidence, name: str, closure: ClosureEvidence | None) -> str:
    """By how much the eye stays open in an attempt to close it, and whether it may be exposed even if it seems shut."""
    if closure is None or not counts(closure):
        return f"{why_not_closed(evidence, name)}; exposure not excluded."
    gap = f"{name}: the affected eye stays open by {_length(closure.affected_gap, closure.affected_gap_mm)}"
    if closure.affected_open:
        gap += f", {max(0.0, 1 - closure.affected_gap / closure.affected_open):.0%} of its resting fissure closed"
    if closure.affected_gap > closure.healthy_limit:
        noise = ", though by no more than the noise beyond the other eye" if closure.within_noise else ""
        return f"{gap} (lagophthalmos{noise}); exposure not excluded."
    doubts = []
    if closure.slope < UNBIASED_SLOPE:
        doubts.append("the landmark engine under-reports lids")
    if not closure.limit_measured:
        doubts.append("the limit of a closed eye is assumed")
    exposure = f"; exposure not excluded, since {' and '.join(doubts)}" if doubts else ""
    only = " in the best case only" if stays_open(closure, worst=True) else ""
    return f"{gap}; counts as closed{only}{exposure}."


def _length(iod: float, mm: float | None) -> str:
    return f"{iod:.3f} iod" if mm is None else f"{iod:.3f} iod ({mm:.1f} mm)"


def _absent(evidence: ExamEvidence, expression: str) -> str:
    return evidence.barred or f"{expression}: {_clause(evidence.missing.get(expression, NOT_TAKEN))}"


def _clause(reason: str) -> str:
    """A reason without its full stop, to go on with."""
    return reason.rstrip(". ")
