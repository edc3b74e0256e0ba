"""eFACE: fifteen items and the automatic total of ten of them, as a software estimate.

Banks et al. 2015 for the items; the formulas follow auto-eFACE (doi 10.1097/PRS.0000000000007572) with its signs
corrected: the reference side is the healthy one everywhere, a reference side that did not move leaves the item
undefined instead of 0, and one final formula holds for all resting items. Healthy people do not reach 100.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean

from facialpalsy.clinical.evidence import ExamEvidence
from facialpalsy.clinical.scales.cases import Case, Cases
from facialpalsy.clinical.scales.items import EFACE_DYNAMIC, EFACE_STATIC, EFACE_SYNKINESIS
from facialpalsy.clinical.scales.reasons import (
    RATER_ONLY,
    notes_on,
    why_no_synkinesis,
    why_not_at_rest,
    why_not_closed,
    why_not_moved,
)
from facialpalsy.clinical.scales.result import Finding, ScaleEstimate, Span, concluded, settled

NAME = "eface"
TOTAL_OF = (
    *EFACE_STATIC, "brow_elevation", "gentle_closure", "full_closure", "commissure_smile", "lower_lip", "ocular",
)  # fmt: skip
"""The ten items whose mean is the total of auto-eFACE (4 static, 5 dynamic, 1 synkinesis)."""
_NOTES = (
    f"The total is the mean of {', '.join(TOTAL_OF)}; the other items stand beside it.",
    "Healthy people do not reach 100: automatic totals of healthy faces averaged 94 in the published validation.",
)
_MOVED = {"brow_elevation": "brow_raise", "commissure_smile": "smile_open", "lower_lip": "lower_teeth"}
_CLOSED = {"gentle_closure": "eyes_gentle", "full_closure": "eyes_tight"}
_RESTING = {"brow_rest": "brow", "palpebral_rest": "eye", "commissure_rest": "mouth"}
_INVOLUNTARY = {"ocular": ("smile_open", "pucker"), "midfacial": ("brow_raise", "eyes_gentle", "eyes_tight")}


def static_score(value: float) -> float:
    """Score 0-100 of a bipolar resting item (0 to 200, 100 balanced): 100 - |100 - value|."""
    return 100 - abs(100 - value)


def estimate_eface(evidence: ExamEvidence, cases: Cases) -> ScaleEstimate:
    """The eFACE estimate: total 0-100 with all fifteen items.

    Static items are given on their own bipolar scale (0 to 200; below 100 flaccid, above 100 tight), and enter the
    total by `static_score`. Depth and orientation of the nasolabial fold, mentalis and platysma are a rater's only.
    """
    findings = {name: _finding(evidence, cases, name) for name in (*EFACE_STATIC, *EFACE_DYNAMIC, *EFACE_SYNKINESIS)}
    spans = [
        Span(*map(static_score, findings[name].span)) if name in EFACE_STATIC else findings[name].span
        for name in TOTAL_OF
    ]
    total = Span(fmean(span.best for span in spans), fmean(span.worst for span in spans))
    notes = [*_NOTES, *notes_on(evidence, _MOVED.values(), _CLOSED.values())]
    return concluded(NAME, evidence, [finding.item for finding in findings.values()], total, notes, evidence.barred)


def _finding(evidence: ExamEvidence, cases: Cases, name: str) -> Finding:
    score: Callable[[Case], float | None]
    if name in _RESTING:
        reason, score = why_not_at_rest(evidence, _RESTING[name]), lambda case: _resting(case, _RESTING[name])
    elif name in _MOVED:
        reason, score = why_not_moved(evidence, _MOVED[name]), lambda case: _moving(case, _MOVED[name])
    elif name in _CLOSED:
        reason, score = why_not_closed(evidence, _CLOSED[name]), lambda case: _percent(case.closed.get(_CLOSED[name]))
    elif name in _INVOLUNTARY:
        reason = why_no_synkinesis(evidence, _INVOLUNTARY[name])
        score = lambda case: _quiet(case, _INVOLUNTARY[name])  # noqa: E731
    else:
        reason, score = RATER_ONLY, lambda _: None
    return settled(evidence, f"{NAME}.{name}", cases.span(score), Span(100, 0), reason)


def _resting(case: Case, zone: str) -> float | None:
    """Bipolar value 0-200; the fissure is inverted, so that a wide eye is below 100 as every flaccid sign is."""
    ratio = case.rest_ratio.get(zone)
    if ratio is None:
        return None
    if zone == "eye":
        return min(200.0, 100 / ratio) if ratio > 0 else 200.0
    return min(200.0, max(0.0, 100 * ratio))


def _moving(case: Case, expression: str) -> float | None:
    moved = case.moved.get(expression)
    return None if moved is None else _percent(moved.ratio)


def _quiet(case: Case, expressions: tuple[str, ...]) -> float | None:
    """100 without involuntary change in `expressions`, less by the strongest of them."""
    shares = [case.synkinesis[name] for name in expressions if name in case.synkinesis]
    return _percent(1 - max(shares)) if shares else None


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * min(1.0, max(0.0, share))
