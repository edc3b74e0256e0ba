"""Result: what a grading scale says about one exam, and how its items become that result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from facialpalsy.clinical.evidence import ExamEvidence

SOFTWARE = "software"


class Span(NamedTuple):
    """One quantity in the best and in the worst case for the patient."""

    best: float
    worst: float


@dataclass(frozen=True)
class Item:
    """One item of a scale; `value`, `interval` or `withheld` says its result, never two of them.

    Attributes:
        name: Dotted name, the one that `ratings.csv` uses.
        value: The item's value where it is known.
        interval: Lowest and highest value it may have, where it is known only in part.
        by: "software", the rater's name, or "median of A, B"; None where withheld.
        withheld: Why the item is not assessed.
    """

    name: str
    value: float | None
    interval: tuple[float, float] | None
    by: str | None
    withheld: str | None


@dataclass(frozen=True)
class WholeRating:
    """A clinician's own value of a whole scale: shown beside the estimate, never mixed into it."""

    rater: str
    value: float


@dataclass(frozen=True)
class ScaleEstimate:
    """Software estimate on one scale; `estimate`, `interval` or `withheld` says the result, never two of them.

    Attributes:
        name: `fngs2`, `house_brackmann`, `sunnybrook` or `eface`.
        estimate: The scale's value where everything it needs is known.
        interval: Lowest and highest value over what is not known.
        items: The items in the scale's own order.
        withheld: Why no result is given.
        notes: Sentences to show beside the result.
        unclamped: Sunnybrook only: the composite before it was held within 0 to 100, where that is one number.
        rated: What clinicians gave to the scale as a whole.
    """

    name: str
    estimate: float | None
    interval: tuple[float, float] | None
    items: tuple[Item, ...]
    withheld: str | None
    notes: tuple[str, ...] = ()
    unclamped: float | None = None
    rated: tuple[WholeRating, ...] = ()


@dataclass(frozen=True)
class Finding:
    """An item beside the span with which it enters its composite."""

    item: Item
    span: Span


def stated(span: Span) -> tuple[float | None, tuple[float, float] | None]:
    """`span` as one number or as an interval, to three digits: ends that differ by less are one number."""
    low, high = sorted(float(f"{round(end, 3):.3g}") for end in span)
    return (low, None) if low == high else (None, (low, high))


def measured(name: str, span: Span | None, full: Span, reason: str) -> Finding:
    """The item `name` as the software sees it; without a span it is not assessed and counts with its `full` span."""
    if span is None:
        return Finding(Item(name, None, None, None, reason), full)
    value, interval = stated(span)
    return Finding(Item(name, value, interval, SOFTWARE, None), span)


def settled(evidence: ExamEvidence, name: str, span: Span | None, full: Span, reason: str) -> Finding:
    """As `measured`, unless a rater gave the item: then the (median) rating stands in its place."""
    ratings = [rating for rating in evidence.ratings if rating.item == name]
    if not ratings:
        return measured(name, span, full, reason)
    value = float(median(rating.value for rating in ratings))
    raters = ", ".join(rating.rater for rating in ratings)
    by = raters if len(ratings) == 1 else f"median of {raters}"
    return Finding(Item(name, value, None, by, None), Span(value, value))


def concluded(
    name: str, evidence: ExamEvidence, items: Iterable[Item], span: Span, notes: Iterable[str], withheld: str | None
) -> ScaleEstimate:
    """The scale's result from its composite's span: a number, an interval, or the reason why there is none."""
    items = tuple(items)
    if withheld is None and all(item.withheld for item in items):
        withheld = f"No item of this scale could be assessed: {items[0].withheld}."
    value, interval = stated(span) if withheld is None else (None, None)
    rated = tuple(WholeRating(one.rater, one.value) for one in evidence.ratings if one.item == name)
    return ScaleEstimate(name, value, interval, items, withheld, tuple(notes), rated=rated)
