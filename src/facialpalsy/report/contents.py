"""Contents: the page's tables as text cells, with every reason collected once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from facialpalsy.assessment import (
    MEASURE_TITLES,
    OVERALL,
    REGIONS,
    Assessment,
    Capture,
    Measure,
    Movement,
    Scale,
)
from facialpalsy.report.readings import beyond_limits, movement_beyond_limits, movement_reading, readings
from facialpalsy.report.summary import is_beyond, result
from facialpalsy.report.words import (
    DASH,
    SCALE_TITLES,
    SideWords,
    amount,
    capture_titles,
    item_title,
    movement_title,
    number,
    plain_reason,
    sentence,
    side_words,
)

_SCALE_SOURCES = {"iris": "the visible iris", "ruler": "a ruler", "rest capture": "the scale of the rest capture"}


class Notes:
    """Numbered reasons, each once however often it is given."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, reason: str) -> int:
        """The number of `reason`, the same for the same reason."""
        return self._numbers.setdefault(reason, len(self._numbers) + 1)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        return iter([(number, reason) for reason, number in self._numbers.items()])


@dataclass(frozen=True)
class Cell:
    """Text of one cell; `note` numbers the reason why it is withheld, `beyond` marks what exceeds its limits."""

    text: str
    note: int | None = None
    beyond: bool = False


@dataclass(frozen=True)
class Table:
    """A table whose rows begin with a heading."""

    caption: str
    head: tuple[str, ...]
    rows: list[tuple[Cell, ...]] = field(default_factory=list)


@dataclass(frozen=True)
class ScaleCard:
    """One scale: its result or why there is none, its items with who gave them, and what to know beside it."""

    title: str
    result: str
    withheld: str | None
    items: list[tuple[str, Cell, str]]
    notes: list[str]


def regions_table(assessment: Assessment, notes: Notes) -> Table | None:
    """Asymmetry per region and capture with its healthy limit; None without captures."""
    if not assessment.captures:
        return None
    caption = (
        "Root mean square z of a region's measures; 1 is typical of healthy people, the limit holds for 95 % of them."
    )
    table = Table(caption, ("Capture", *(name.capitalize() for name in (*REGIONS, OVERALL))))
    for title, capture in zip(capture_titles(assessment.captures), assessment.captures, strict=True):
        cells = [Cell(title)]
        for name in (*REGIONS, OVERALL):
            found = capture.asymmetry.get(name)
            if found is None or found.z is None:
                cells.append(
                    _absent({} if found is None or found.withheld is None else {"z": found.withheld}, "z", notes)
                )
            else:
                cells.append(
                    Cell(f"{number(found.z, 1)} (limit {number(found.healthy_limit, 1)})", beyond=is_beyond(found))
                )
        table.rows.append(tuple(cells))
    return table


def measures_table(title: str, capture: Capture, notes: Notes) -> Table:
    """Every measure of the capture called `title`, in mm where there is a scale."""
    words = side_words(capture.side_frame.value)
    head = ("Measure", "Unit", words.left, words.right, "Difference", "Ratio", "Noise (SD)", "Healthy limits", "z")
    midline = f"Midline measures are positive towards {words.left.lower()}."
    table = Table(f"{title}. {_units(capture.scale)} {_difference(words)} {midline}", head)
    table.rows.extend(_measure_row(measure, capture.scale, notes) for measure in capture.measures)
    return table


def movements_table(assessment: Assessment, notes: Notes) -> Table | None:
    """Every movement from rest; None where there are none."""
    if not assessment.movements:
        return None
    words = side_words(assessment.exam.side_frame.value)
    caption = (
        "Movement from rest along the direction of the side that moves more; "
        f"the ratio is affected over reference side. {_difference(words)}"
    )
    head = ("Movement", "Unit", words.left, words.right, "Difference", "Ratio", "Noise (SD)", "MDC (95 %)", "z")
    table = Table(caption, head)
    table.rows.extend(_movement_row(movement, notes) for movement in assessment.movements)
    return table


def scale_cards(assessment: Assessment, notes: Notes) -> list[ScaleCard]:
    """The scales in their order; items are shown where at least one of them is known."""
    cards = []
    for name in (one for one in SCALE_TITLES if one in assessment.scales):
        scale = assessment.scales[name]
        known = any(item.withheld is None for item in scale.items)
        items = [
            (item_title(name, item.name), _item(item.value, item.interval, item.withheld, notes), item.by or "")
            for item in scale.items
            if known
        ]
        withheld = None if scale.withheld is None else sentence(scale.withheld)
        cards.append(
            ScaleCard(SCALE_TITLES[name], result(scale), withheld, items, [sentence(note) for note in scale.notes])
        )
    return cards


def _item(value: float | None, interval: tuple[float, float] | None, withheld: str | None, notes: Notes) -> Cell:
    if value is not None:
        return Cell(f"{value:.3g}")
    if interval is not None:
        return Cell(" to ".join(f"{end:.3g}" for end in interval))
    return Cell(DASH, None if withheld is None else notes.number(sentence(withheld)))


def _measure_row(measure: Measure, scale: Scale, notes: Notes) -> tuple[Cell, ...]:
    title = MEASURE_TITLES.get(measure.name, measure.name)
    found = readings(measure, scale.mm_per_iod)
    if not found:
        return (Cell(title, _note(measure.withheld, "value", notes)), *[Cell(DASH)] * 8)
    reading, beyond = found[-1], beyond_limits(measure)
    limits = (
        DASH if reading.limits is None else " to ".join(amount(end, reading.unit, sign=True) for end in reading.limits)
    )
    return (
        Cell(title),
        Cell(reading.unit, _note(measure.withheld, "mm", notes)),
        Cell("" if reading.left is None else amount(reading.left, reading.unit)),
        Cell("" if reading.right is None else amount(reading.right, reading.unit)),
        Cell(amount(reading.difference, reading.unit, sign=True)),
        _value(measure.ratio, number(measure.ratio, 2), measure.withheld, "ratio", notes),
        _value(reading.noise, amount(reading.noise, reading.unit, finer=True), measure.withheld, "noise", notes),
        Cell(limits),
        _value(measure.z, number(measure.z, 1, sign=True), measure.withheld, "z", notes, beyond=beyond),
    )


def _movement_row(movement: Movement, notes: Notes) -> tuple[Cell, ...]:
    title = movement_title(movement)
    reading = movement_reading(movement)
    if reading is None:
        return (Cell(title, _note(movement.withheld, "value", notes)), *[Cell(DASH)] * 8)
    unit, withheld = reading.unit, movement.withheld
    return (
        Cell(title),
        Cell(unit),
        Cell(amount(reading.left, unit)),
        Cell(amount(reading.right, unit)),
        Cell(amount(reading.difference, unit, sign=True)),
        _value(movement.ratio, number(movement.ratio, 2), withheld, "ratio", notes),
        _value(reading.noise, amount(reading.noise, unit, finer=True), withheld, "noise", notes),
        _value(reading.mdc, amount(reading.mdc, unit, finer=True), withheld, "mdc", notes),
        _value(
            movement.z, number(movement.z, 1, sign=True), withheld, "z", notes, beyond=movement_beyond_limits(movement)
        ),
    )


def _value(
    value: float | None, text: str, withheld: Mapping[str, str], name: str, notes: Notes, *, beyond: bool = False
) -> Cell:
    return _absent(withheld, name, notes) if value is None else Cell(text, beyond=beyond)


def _absent(withheld: Mapping[str, str], name: str, notes: Notes) -> Cell:
    """A dash with the reason's number, or an empty cell where no value is expected."""
    note = _note(withheld, name, notes)
    return Cell("" if note is None else DASH, note)


def _note(withheld: Mapping[str, str], name: str, notes: Notes) -> int | None:
    return notes.number(plain_reason(withheld[name])) if name in withheld else None


def _difference(words: SideWords) -> str:
    return f"Difference is {words.left.lower()} minus {words.right.lower()}."


def _units(scale: Scale) -> str:
    if scale.mm_per_iod is None:
        return "iod is the fraction of the outer-canthus distance."
    error = (
        ""
        if scale.error_percent is None
        else f", ±{scale.error_percent:.0f} % (95 %; cancels in ratios and within one person)"
    )
    return f"mm from {_SCALE_SOURCES.get(scale.source or '', 'a stated scale')}{error}."
