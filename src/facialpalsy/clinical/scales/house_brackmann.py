"""House-Brackmann: a software estimate of the grade (I-VI as 1-6), or the reason why the scale does not apply.

House & Brackmann 1985, Otolaryngol Head Neck Surg 93:146-7. The rule by which measures become a grade is this
project's proposal; a clinician's grade may differ. Lead with the regional FNGS 2.0 scores.
"""

from __future__ import annotations

import math
from functools import partial

from facialpalsy.clinical.evidence import ExamEvidence
from facialpalsy.clinical.scales.cases import Case, Cases, Moved, counts, midface_expression, strongest_synkinesis
from facialpalsy.clinical.scales.patterns import MOUTH_EXPRESSIONS
from facialpalsy.clinical.scales.reasons import (
    notes_on,
    why_no_synkinesis,
    why_not_at_rest,
    why_not_closed,
    why_not_moved,
)
from facialpalsy.clinical.scales.result import Finding, ScaleEstimate, Span, concluded, measured, settled
from facialpalsy.clinical.scales.thresholds import (
    BARELY_RATIO,
    CLEARLY_WEAK_RATIO,
    PALSY_RATIO,
)

NAME = "house_brackmann"
GRADE_I = "No asymmetry beyond healthy limits in this exam, as far as this rule looks."
_UNGRADED = (
    "No movement asymmetry beyond healthy limits in the zones that this rule grades; beyond them, and not graded by it"
)
_REST_ZONES = ("brow", "eye", "mouth")
_SYNKINESIS_IN = ("brow_raise", "eyes_gentle", "eyes_tight", "smile_open")


def estimate_house_brackmann(evidence: ExamEvidence, cases: Cases, pattern: str | None) -> ScaleEstimate:
    """The House-Brackmann estimate; its items are what entered it (ratios, closure and rest as 0 or 1, synkinesis 0-3).

    Withheld where `pattern` names a kind of palsy that the scale is not defined for. The midface is read from `snarl`,
    or from `smile_fold` where no snarl has a ratio; without either the grade is an interval over its best and worst
    case, since no needed capture is missing.
    """
    midface = midface_expression(evidence)
    findings = _findings(evidence, cases, midface)
    synkinesis = findings[-1].span
    span = Span(
        grade_of(cases.best, midface, math.floor(synkinesis.best)),
        grade_of(cases.worst, midface, math.ceil(synkinesis.worst)),
    )
    undefined = None if pattern is None else f"{pattern} House-Brackmann is not defined for it."
    withheld = evidence.barred or _unusable(evidence) or undefined
    notes = notes_on(evidence, ("brow_raise", midface, *MOUTH_EXPRESSIONS), ("eyes_gentle", "eyes_tight"), _REST_ZONES)
    if withheld is None and span == (1, 1):
        notes = [GRADE_I, *notes]
    elif withheld is None and span.best == 1 and (ungraded := _beyond(cases.best)):
        notes = [f"{_UNGRADED}: {', '.join(ungraded)}.", *notes]
    return concluded(NAME, evidence, [finding.item for finding in findings], span, notes, withheld)


def grade_of(case: Case, midface: str, synkinesis: int) -> int:
    """Grade 1-6 of one case by the project's rule table, worst first; what is absent counts as the case takes it.

    Args:
        case: Best or worst case.
        midface: Which movement shows the midface.
        synkinesis: 0 none to 3 severe.
    """
    unseen = Moved(case.unknown(1.0, 0.0), beyond=case.worst)
    zones = [case.moved.get(name, unseen) for name in ("brow_raise", midface, "smile_open")]
    forehead, _, mouth = zones
    # Further mouth movements can show that some zone is weak (II, III); IV to VI rest on the smile alone.
    seen = zones + [case.moved[name] for name in MOUTH_EXPRESSIONS if name in case.moved]
    tight_open = case.incomplete.get("eyes_tight", case.worst)
    if tight_open and all(zone.ratio <= zone.trace for zone in zones):
        return 6
    if tight_open and all(zone.ratio <= BARELY_RATIO for zone in zones) and _asymmetric_at_rest(case):
        return 5
    if tight_open or synkinesis == 3 or (forehead.ratio <= forehead.trace and mouth.ratio < CLEARLY_WEAK_RATIO):
        return 4
    gentle_open = case.incomplete.get("eyes_gentle", case.worst)
    if gentle_open or synkinesis == 2 or any(zone.ratio < PALSY_RATIO and zone.beyond for zone in seen):
        return 3
    if synkinesis == 1 or any(zone.beyond for zone in seen):
        return 2
    # The rule looks neither at rest nor at every movement, yet grade I has nothing beyond limits anywhere.
    return 2 if case.worst and _beyond(case) else 1


def _beyond(case: Case) -> list[str]:
    """Everything that lies beyond healthy limits."""
    return [
        *(f"rest ({zone})" for zone, beyond in case.rest_beyond.items() if beyond),
        *(name for name, moved in case.moved.items() if moved.beyond),
        *(f"synkinesis in {name}" for name, share in case.synkinesis.items() if share > 0),
    ]


def _asymmetric_at_rest(case: Case) -> bool:
    zones = dict.fromkeys(_REST_ZONES, case.worst) | dict(case.rest_beyond)
    return any(zones.values())


def _findings(evidence: ExamEvidence, cases: Cases, midface: str) -> list[Finding]:
    moved = {"forehead": "brow_raise", "midface": midface, "mouth": "smile_open"}
    closed = {"gentle_closure": "eyes_gentle", "tight_closure": "eyes_tight"}

    def ratio(expression: str) -> Span | None:
        return cases.span(lambda case: case.moved[expression].ratio if expression in case.moved else None)

    def complete(expression: str) -> Span | None:
        return cases.span(lambda case: 1 - case.incomplete[expression] if expression in case.incomplete else None)

    return [
        *(measured(f"{NAME}.{zone}", ratio(e), Span(1, 0), why_not_moved(evidence, e)) for zone, e in moved.items()),
        *(measured(f"{NAME}.{eye}", complete(e), Span(1, 0), why_not_closed(evidence, e)) for eye, e in closed.items()),
        measured(
            f"{NAME}.rest_asymmetry",
            cases.span(lambda case: float(_asymmetric_at_rest(case)) if case.rest_beyond else None),
            Span(0, 1),
            why_not_at_rest(evidence, "mouth"),
        ),
        settled(
            evidence,
            f"{NAME}.synkinesis",
            cases.span(partial(strongest_synkinesis, asked=_SYNKINESIS_IN)),
            Span(0, 3),
            why_no_synkinesis(evidence, _SYNKINESIS_IN),
        ),
    ]


def _unusable(evidence: ExamEvidence) -> str | None:
    """The needed captures that are missing or cannot be used, as one sentence."""
    faults = [] if evidence.rest else [why_not_at_rest(evidence, "mouth")]
    for name in ("brow_raise", "smile_open"):
        movement = evidence.movements.get(name)
        if movement is None or movement.ratio is None:
            faults.append(why_not_moved(evidence, name))
    for name in ("eyes_gentle", "eyes_tight"):
        closure = evidence.closures.get(name)
        if closure is None or not counts(closure):
            faults.append(why_not_closed(evidence, name))
    return f"House-Brackmann needs captures that cannot be used: {'; '.join(faults)}. Retake them." if faults else None
