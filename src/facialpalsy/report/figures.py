"""Figures: left and right bars with the difference against healthy limits, as inline SVG.

The bars of the right side run to the left, as a face is seen from the front, so that a symmetric face makes a
symmetric figure. Colours come from the page's CSS (`currentColor` and custom properties), text stays text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from facialpalsy.assessment import Z_LIMIT, Assessment, Capture
from facialpalsy.report.page import environment
from facialpalsy.report.readings import (
    Reading,
    beyond_limits,
    movement_beyond_limits,
    movement_reading,
    readings,
)
from facialpalsy.report.words import (
    SideWords,
    amount,
    capture_title,
    graded,
    movement_title,
    number,
    quantity,
    side_words,
    value_title,
)

# Places in the figure, in its own units; text is 11 units high.
_BAR = 130.0
_VALUE = 42.0
_Z_SCALE = 14.0
_Z_SHOWN = 4.5
_ROW = 29.0
_GRADE_BAR, _GRADE_ROW = 200.0, 19.0


@dataclass(frozen=True)
class _Row:
    label: str
    reading: Reading
    z: float | None
    beyond: bool


@dataclass(frozen=True)
class _Bar:
    """One bar: its length (0 to `_BAR`), whether the value lies below zero, and the value as text."""

    length: float
    negative: bool
    text: str


def bars(capture: Capture) -> str:
    """Left and right bars of one capture's measures as inline SVG; empty where nothing was measured."""
    rows = [
        _Row(value_title(measure.name), found[-1], measure.z, beyond_limits(measure))
        for measure in capture.measures
        if (found := readings(measure, capture.scale.mm_per_iod))
    ]
    return _chart(f"Measures of both sides, {capture_title(capture)}", rows, side_words(capture.side_frame.value))


def movement_bars(assessment: Assessment) -> str:
    """Left and right bars of the exam's movements from rest as inline SVG; empty where there are none."""
    rows = [
        _Row(
            movement_title(movement),
            reading,
            movement.z,
            movement_beyond_limits(movement),
        )
        for movement in assessment.movements
        if (reading := movement_reading(movement))
    ]
    return _chart("Movement of both sides from rest", rows, side_words(assessment.exam.side_frame.value))


def grade_bars(assessment: Assessment) -> str:
    """The network's probability of each House-Brackmann grade as inline SVG, the rule's estimate shaded; or empty."""
    probabilities = assessment.grade.probabilities
    if probabilities is None:
        return ""
    rule = assessment.scales.get("house_brackmann")
    low, high = (None, None) if rule is None else rule.interval or (rule.estimate, rule.estimate)
    ruled = range(0) if low is None or high is None else range(round(low), round(high) + 1)
    rows = [
        {
            "grade": graded("house_brackmann", grade),
            "length": _GRADE_BAR * probability,
            "text": number(probability, 2),
            "estimate": grade == assessment.grade.estimate,
            "by_rule": grade in ruled,
        }
        for grade, probability in enumerate(probabilities, start=1)
    ]
    shown = ", ".join(f"{row['grade']} {row['text']}" for row in rows)
    return (
        environment()
        .get_template("grade.svg.j2")
        .render(
            title=f"Probability of each House-Brackmann grade by the network: {shown}",
            rows=rows,
            shaded="shaded: by the rule" if ruled else "",
            bar=_GRADE_BAR,
            row_height=_GRADE_ROW,
        )
    )


def _chart(title: str, rows: Sequence[_Row], words: SideWords) -> str:
    if not rows:
        return ""
    longest = _longest(row.reading for row in rows)
    lines = [
        {
            "label": row.label,
            "shown_left": _bar(row.reading, words.shown_left, longest),
            "shown_right": _bar(row.reading, words.shown_right, longest),
            "z": None if row.z is None else max(-_Z_SHOWN, min(_Z_SHOWN, row.z)) * _Z_SCALE,
            "z_text": number(row.z, 1, sign=True),
            "beyond": row.beyond,
        }
        for row in rows
    ]
    return (
        environment()
        .get_template("bars.svg.j2")
        .render(
            title=title,
            rows=lines,
            words=words,
            has_z=any(row.z is not None for row in rows),
            unit=", ".join(unit for unit in longest if unit != "deg"),
            bar=_BAR,
            value=_VALUE,
            row_height=_ROW,
            z_reach=_Z_SHOWN * _Z_SCALE,
            z_limit=Z_LIMIT * _Z_SCALE,
        )
    )


def _longest(all_readings: Iterable[Reading]) -> dict[str, float]:
    """Unit -> largest magnitude, so that bars of one unit share one scale."""
    longest: dict[str, float] = {}
    for reading in all_readings:
        values = [abs(value) for value in (reading.left, reading.right, reading.difference) if value is not None]
        longest[reading.unit] = max([longest.get(reading.unit, 0.0), *values])
    return longest


def _bar(reading: Reading, side: str, longest: dict[str, float]) -> _Bar | None:
    """The bar of one side; a midline measure has one bar, on the side towards which it deviates."""
    value = reading.left if side == "left" else reading.right
    if value is None and (reading.difference > 0) == (side == "left"):
        value = abs(reading.difference)
    if value is None:
        return None
    length = _BAR * abs(value) / (longest[reading.unit] or 1.0)
    return _Bar(length, value < 0, quantity(value, "deg") if reading.unit == "deg" else amount(value, reading.unit))
