"""Follow-up: what changed since the earlier exam, in words."""

from __future__ import annotations

from collections.abc import Sequence

from facialpalsy.assessment import INVOLUNTARY_MOVEMENTS, Change
from facialpalsy.report.words import DASH, expression_title, number, value_title


def from_to(before: float | None, after: float | None, decimals: int) -> str:
    """Both values, or a dash where neither is known."""
    return DASH if before is None and after is None else f"{number(before, decimals)} to {number(after, decimals)}"


def reference_remarks(changes: Sequence[Change]) -> list[str]:
    """Asked movements whose reference side itself moved less, or more, than before by more than its own MDC."""
    moved = [
        (change, *_reference(change))
        for change in changes
        if change.reference_changed and change.expression != "rest" and change.name not in INVOLUNTARY_MOVEMENTS
    ]
    less = [_named(change, before, after) for change, before, after in moved if after < before]
    more = [_named(change, before, after) for change, before, after in moved if after >= before]
    said = (
        "A change of the difference is no {} where the reference side itself moved {} than before, beyond its own MDC"
    )
    return [
        f"{said.format(verdict, how)}: {'; '.join(found)}."
        for verdict, how, found in (("recovery", "less", less), ("loss", "more", more))
        if found
    ]


def _reference(change: Change) -> tuple[float, float]:
    before, after = (
        (change.left_before, change.left_after)
        if change.reference_side == "left"
        else (change.right_before, change.right_after)
    )
    return before or 0.0, after or 0.0


def _named(change: Change, before: float, after: float) -> str:
    title = f"{expression_title(change.expression)}, {value_title(change.name).lower()}"
    return f"{title} {from_to(before, after, 3)} {change.unit}"
