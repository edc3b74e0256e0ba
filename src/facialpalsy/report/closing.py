"""Closing: how far the eyes close, in sentences."""

from __future__ import annotations

from facialpalsy.assessment import Assessment, Closure
from facialpalsy.report.words import expression_title, quantity, side_words

_CLOSURES = ("eyes_gentle", "eyes_tight")


def eye_closure(assessment: Assessment) -> str:
    """What each closure leaves open, and whether exposure is excluded; empty without captures."""
    if not assessment.captures:
        return ""
    found = {closure.expression.value: closure for closure in assessment.closures if closure.iod is not None}
    said = [
        _told(found[name], assessment) if name in found else f"{expression_title(name)}: not assessed."
        for name in _CLOSURES
    ]
    if len(found) < len(_CLOSURES) or any(closure.open_sides for closure in found.values()):
        said.append("Exposure not excluded.")
    return " ".join(said if found else ["Not assessed in gentle or tight closure.", "Exposure not excluded."])


def left_open(closure: Closure, side_frame: str) -> str:
    """The sides that stay open, each by how much; empty where none does."""
    words = side_words(side_frame)
    return ", ".join(f"{words.name(side).lower()} open by {_gap(closure, side)}" for side in closure.open_sides)


def _told(closure: Closure, assessment: Assessment) -> str:
    words = side_words(assessment.exam.side_frame.value)
    gaps = ", ".join(f"{words.name(side).lower()} {_gap(closure, side)}" for side in ("left", "right"))
    limit = quantity(closure.limit_iod, "iod") if closure.limit_mm is None else quantity(closure.limit_mm, "mm")
    source = "measured on healthy people" if closure.limit_measured else "assumed"
    beyond = " and ".join(words.name(side).lower() for side in closure.open_sides)
    verdict = f"stays open: {beyond}" if beyond else "neither stays open"
    return f"{expression_title(closure.expression)}: {gaps}; {verdict} (limit of a closed eye {limit}, {source})."


def _gap(closure: Closure, side: str) -> str:
    sides, unit = (closure.iod, "iod") if closure.mm is None else (closure.mm, "mm")
    return quantity(None if sides is None else sides.left if side == "left" else sides.right, unit)
