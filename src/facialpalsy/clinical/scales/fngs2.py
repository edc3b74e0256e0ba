"""FNGS 2.0: regional scores 1-6, secondary movement 0-3, and the grade of their sum, as a software estimate.

Vrabec et al. 2009, Otolaryngol Head Neck Surg 140:445-50. Its cells are percentages of the healthy side, so it is the
scale that suits photo measurement best. How measures become cells is this project's proposal.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from facialpalsy.clinical.evidence import ExamEvidence
from facialpalsy.clinical.scales.cases import Case, Cases, Moved, midface_expression, strongest_synkinesis
from facialpalsy.clinical.scales.items import SUNNYBROOK_EXPRESSIONS
from facialpalsy.clinical.scales.reasons import notes_on, why_no_synkinesis, why_not_closed, why_not_moved
from facialpalsy.clinical.scales.result import ScaleEstimate, Span, concluded, measured, settled
from facialpalsy.clinical.scales.thresholds import BARELY_RATIO, CLEARLY_WEAK_RATIO, PALSY_RATIO

NAME = "fngs2"
# Largest sum of each grade I-VI.
_SUMS = (4, 9, 14, 19, 23, 24)
_LARGEST_SUM = _SUMS[-1]


def fngs2_grade(total: int) -> int | None:
    """Grade 1-6 of the sum of all five items (4 to 24); None for a sum above 24, which the scale does not have."""
    return next((grade for grade, largest in enumerate(_SUMS, start=1) if total <= largest), None)


def estimate_fngs2(evidence: ExamEvidence, cases: Cases) -> ScaleEstimate:
    """The FNGS 2.0 estimate: grade 1-6, with the regional items, `secondary` and their sum `fngs2.total`.

    The nasolabial fold is read from `snarl` or else `smile_fold`, the oral region from `smile_open`.
    """
    fold = midface_expression(evidence)
    scores: dict[str, tuple[Callable[[Case], float | None], Span, str]] = {
        "brow": (lambda case: _region(case, "brow_raise", "brow"), Span(1, 6), why_not_moved(evidence, "brow_raise")),
        "eye": (eye_score, Span(1, 6), why_not_closed(evidence, "eyes_tight")),
        "nlf": (lambda case: _region(case, fold, "fold"), Span(1, 6), why_not_moved(evidence, fold)),
        "oral": (lambda case: _region(case, "smile_open", "mouth"), Span(1, 6), why_not_moved(evidence, "smile_open")),
        "secondary": (
            partial(strongest_synkinesis, asked=SUNNYBROOK_EXPRESSIONS),
            Span(0, 3),
            why_no_synkinesis(evidence, SUNNYBROOK_EXPRESSIONS),
        ),
    }
    findings = [
        settled(evidence, f"{NAME}.{name}", cases.span(score), full, reason)
        for name, (score, full, reason) in scores.items()
    ]
    # A median of two raters may be a half; the sum may then be either neighbour.
    best = math.floor(sum(finding.span.best for finding in findings))
    worst = math.ceil(sum(finding.span.worst for finding in findings))
    items = [finding.item for finding in findings]
    notes = notes_on(
        evidence,
        ("brow_raise", "eyes_gentle", "eyes_tight", fold, "smile_open"),
        ("eyes_gentle", "eyes_tight"),
        ("brow", "fold", "mouth"),
    )
    lowest = fngs2_grade(best)
    if lowest is None:
        inconsistent = f"Inconsistent input: the items sum to {best}, and FNGS 2.0 ends at {_LARGEST_SUM}."
        return concluded(NAME, evidence, items, Span(0, 0), notes, evidence.barred or inconsistent)
    # Sums above 24 contradict themselves, so the worst consistent case ends there.
    worst = min(worst, _LARGEST_SUM)
    if any(item.withheld is None for item in items):
        items.append(measured(f"{NAME}.total", Span(best, worst), Span(best, worst), "").item)
    grades = Span(lowest, fngs2_grade(worst) or len(_SUMS))
    return concluded(NAME, evidence, items, grades, notes, evidence.barred)


def region_score(moved: Moved, *, asymmetric_at_rest: bool, worst: bool = False) -> int:
    """Score 1-6 of a moving region (brow, nasolabial fold, oral).

    A difference within known healthy limits counts as none in the best case, whatever its ratio; the ratio rules in
    the worst. Asymmetry at rest turns obvious weakness (3) into 4, as the cells of 3 ask for resting symmetry.
    """
    if moved.known_healthy and not worst:
        return 1
    if moved.ratio <= moved.trace:
        return 6
    if moved.ratio <= BARELY_RATIO:
        return 5
    if moved.ratio > PALSY_RATIO:
        return 2 if moved.beyond else 1
    return 4 if moved.ratio <= CLEARLY_WEAK_RATIO or asymmetric_at_rest else 3


def eye_score(case: Case) -> int | None:
    """Score 1-6 of the eye: closure decides 1 to 4, the lid's movement only bounds what lies beyond.

    Relaxing the levator (CN III) lowers the lid even in total palsy, so the lid's ratio is an upper bound of what the
    facial nerve does. An eye that stays open in tight closure is 4 at least; it is 5 or 6 at least where even that
    bound is barely a movement, and may be 6 at worst unless the lid moves more than `PALSY_RATIO`. Tight closure
    alone is 3, gentle closure 1 or 2 by the lid's difference. Of an attempt that was not seen each case takes its own.
    """
    gentle, tight = case.incomplete.get("eyes_gentle"), case.incomplete.get("eyes_tight")
    if gentle is None and tight is None:
        return None
    # Whoever closes the eye gently can close it tightly.
    if tight if tight is not None else gentle and case.worst:
        return _open_eye(case)
    if gentle if gentle is not None else case.worst:
        return 3
    lid = case.moved.get("eyes_gentle", Moved(1.0, beyond=case.worst))
    if lid.known_healthy and not case.worst:
        return 1
    return 1 if lid.ratio > PALSY_RATIO and not lid.beyond else 2


def _open_eye(case: Case) -> int:
    lid = case.moved.get("eyes_tight", Moved(case.unknown(1.0, 0.0), beyond=True))
    if case.worst:
        return 4 if lid.ratio > PALSY_RATIO else 6
    if lid.ratio <= lid.trace:
        return 6
    return 5 if lid.ratio <= BARELY_RATIO else 4


def _region(case: Case, expression: str, zone: str) -> int | None:
    moved = case.moved.get(expression)
    asymmetric = case.rest_beyond.get(zone, case.worst)
    return None if moved is None else region_score(moved, asymmetric_at_rest=asymmetric, worst=case.worst)
