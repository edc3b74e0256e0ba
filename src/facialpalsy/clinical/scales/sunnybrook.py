"""Sunnybrook: voluntary movement, resting symmetry and synkinesis in one composite 0-100, as a software estimate.

Ross, Fradet & Nedzelski 1996, Otolaryngol Head Neck Surg 114:380-6. How measures become items is this project's
proposal. Healthy people do not all reach 100 (111 of them: median 96, range 65 to 100).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace

from facialpalsy.clinical.evidence import ExamEvidence
from facialpalsy.clinical.scales.cases import Case, Cases, Moved, synkinesis_level
from facialpalsy.clinical.scales.items import SUNNYBROOK_EXPRESSIONS
from facialpalsy.clinical.scales.reasons import (
    RATER_ONLY,
    notes_on,
    why_no_synkinesis,
    why_not_at_rest,
    why_not_moved,
)
from facialpalsy.clinical.scales.result import Finding, ScaleEstimate, Span, concluded, settled, stated
from facialpalsy.clinical.scales.thresholds import MOVEMENT_STEPS, PALSY_RATIO

NAME = "sunnybrook"
HEALTHY_NOTE = (
    "Healthy people are not all at 100: a published series of 111 had a median of 96 and a range of 65 to 100."
)


def sunnybrook_composite(movement: float, rest: float, synkinesis: float) -> tuple[float, float]:
    """Composite 4 x movement - 5 x rest - synkinesis, as (held within 0 to 100, unclamped).

    Args:
        movement: Sum of the five movement items, 5 to 25.
        rest: Sum of the three resting items, 0 to 4.
        synkinesis: Sum of the five synkinesis items, 0 to 15.

    >>> sunnybrook_composite(15, 2, 5)
    (45, 45)
    """
    unclamped = 4 * movement - 5 * rest - synkinesis
    return min(100, max(0, unclamped)), unclamped


def movement_item(moved: Moved, *, worst: bool = False) -> int:
    """Movement item 1 (none) to 5 (complete); beyond healthy limits it is 4 at most.

    A difference within known healthy limits counts as none in the best case, whatever its ratio.
    """
    if moved.known_healthy and not worst:
        return 5
    by_ratio = 1 + bisect_right(MOVEMENT_STEPS, moved.ratio)
    return min(by_ratio, 4) if moved.beyond else by_ratio


def estimate_sunnybrook(evidence: ExamEvidence, cases: Cases) -> ScaleEstimate:
    """The Sunnybrook estimate: composite 0-100 with its thirteen items.

    The cheek at rest (is the nasolabial fold absent?) is not visible from landmarks, so without a rater's item the
    composite is an interval.
    """
    movement = [_movement(evidence, cases, name) for name in SUNNYBROOK_EXPRESSIONS]
    rest = [_rest(evidence, cases, name, zone) for name, zone in (("eye", "eye"), ("cheek", None), ("mouth", "mouth"))]
    synkinesis = [_synkinesis(evidence, cases, name) for name in SUNNYBROOK_EXPRESSIONS]
    groups = (movement, rest, synkinesis)
    best, best_unclamped = sunnybrook_composite(*(sum(finding.span.best for finding in group) for group in groups))
    worst, worst_unclamped = sunnybrook_composite(*(sum(finding.span.worst for finding in group) for group in groups))
    items = [finding.item for group in (rest, movement, synkinesis) for finding in group]
    notes = [HEALTHY_NOTE, *notes_on(evidence, SUNNYBROOK_EXPRESSIONS, ("eyes_gentle",), ("eye", "mouth"))]
    result = concluded(NAME, evidence, items, Span(best, worst), notes, evidence.barred)
    unclamped, _ = stated(Span(best_unclamped, worst_unclamped))
    return result if result.withheld else replace(result, unclamped=unclamped)


def _movement(evidence: ExamEvidence, cases: Cases, expression: str) -> Finding:
    def score(case: Case) -> int | None:
        moved = case.moved.get(expression)
        if moved is None:
            return None
        # Relaxing the levator lowers the lid even in total palsy, so an eye that stays open may not have moved at all.
        stays_open = expression == "eyes_gentle" and case.incomplete.get(expression, False)
        if case.worst and stays_open and moved.ratio <= PALSY_RATIO:
            return 1
        return movement_item(moved, worst=case.worst or stays_open)

    reason = why_not_moved(evidence, expression)
    return settled(evidence, f"{NAME}.movement.{expression}", cases.span(score), Span(5, 1), reason)


def _rest(evidence: ExamEvidence, cases: Cases, name: str, zone: str | None) -> Finding:
    if zone is None:
        return settled(evidence, f"{NAME}.rest.{name}", None, Span(0, 2), RATER_ONLY)
    span = cases.span(lambda case: case.rest_beyond.get(zone))
    return settled(evidence, f"{NAME}.rest.{name}", span, Span(0, 1), why_not_at_rest(evidence, zone))


def _synkinesis(evidence: ExamEvidence, cases: Cases, expression: str) -> Finding:
    span = cases.span(lambda case: synkinesis_level(case, expression))
    reason = why_no_synkinesis(evidence, [expression])
    return settled(evidence, f"{NAME}.synkinesis.{expression}", span, Span(0, 3), reason)
