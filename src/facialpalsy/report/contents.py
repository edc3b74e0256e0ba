"""Contents: the page's tables as text cells, with every reason collected once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from facialpalsy.assessment import (
    OVERALL,
    REGIONS,
    Assessment,
    Capture,
    Measure,
    Movement,
    Scale,
    ScaleEstimate,
)
from facialpalsy.report.readings import beyond_limits, movement_beyond_limits, movement_reading, readings
from facialpalsy.report.summary import millimetres, region_beyond, result
from facialpalsy.report.words import (
    DASH,
    SCALE_TITLES,
    SideWords,
    amount,
    brief,
    capture_titles,
    graded,
    item_title,
    movement_title,
    number,
    plain_reason,
    sentence,
    side_words,
    value_title,
)

_FEW = 10  # captures, all of which fit one page


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
    """A table whose rows begin with a heading; `on_paper` says of each row whether an exam prints it."""

    caption: str
    head: tuple[str, ...]
    rows: list[tuple[Cell, ...]] = field(default_factory=list)
    on_paper: list[bool] = field(default_factory=list)

    def add(self, row: tuple[Cell, ...], *, on_paper: bool = True) -> None:
        """Append a row; paper leaves out those that hold no value."""
        self.rows.append(row)
        self.on_paper.append(on_paper and any(cell.text not in ("", DASH) for cell in row[1:]))


@dataclass(frozen=True)
class ScaleCard:
    """One scale: its result or why there is none, its items with who gave them, and what to know beside it."""

    title: str
    result: str
    withheld: str | None
    items: list[tuple[str, Cell, str]]
    notes: list[str]
    rated: list[str]


def paper_captures(captures: Sequence[Capture]) -> list[int]:
    """Indices of the captures that paper shows: all of a few, and of more one take of each expression, usable first."""
    if len(captures) <= _FEW:
        return list(range(len(captures)))
    order = sorted(range(len(captures)), key=lambda index: (not captures[index].quality.usable, index))
    chosen = {captures[index].expression or index: index for index in reversed(order)}
    return sorted(chosen.values())


def regions_table(assessment: Assessment, notes: Notes) -> Table | None:
    """Asymmetry per region and capture with its healthy limit; None without captures."""
    if not assessment.captures:
        return None
    caption = (
        "Root mean square z of a region's measures: 1 is typical of healthy people, the limit holds for 95% of them. "
        "▲ marks what is above it in a usable capture, with a measure beyond both its own limits and its noise."
    )
    table = Table(caption, ("Capture", *(name.capitalize() for name in (*REGIONS, OVERALL))))
    shown = paper_captures(assessment.captures)
    titles = capture_titles(assessment.captures)
    for index, (title, capture) in enumerate(zip(titles, assessment.captures, strict=True)):
        cells = [Cell(title)]
        for name in (*REGIONS, OVERALL):
            found = capture.asymmetry.get(name)
            if found is None or found.z is None:
                cells.append(
                    _absent({} if found is None or found.withheld is None else {"z": found.withheld}, "z", notes)
                )
            else:
                text = f"{number(found.z, 2)} (limit {number(found.healthy_limit, 2)})"
                cells.append(Cell(text, beyond=region_beyond(capture, name)))
        table.add(tuple(cells), on_paper=index in shown)
    return table


def measures_table(title: str, capture: Capture, notes: Notes) -> Table:
    """Every measure of the capture called `title`, in mm where there is a scale."""
    words = side_words(capture.side_frame.value)
    head = ("Measure", "Unit", words.left, words.right, "Difference", "Ratio", "Noise (SD)", "Healthy limits", "z")
    remarks = [
        f"{title}.",
        "" if capture.quality.usable else "Not used for any scale.",
        "" if capture.scale.mm_per_iod is None else f"mm from {millimetres(capture.scale)}.",
        _difference(words),
        f"Midline measures are positive towards {words.left.lower()}.",
    ]
    table = Table(" ".join(filter(None, remarks)), head)
    for measure in capture.measures:
        table.add(_measure_row(measure, capture.scale, notes))
    return table


def movements_table(assessment: Assessment, notes: Notes) -> Table | None:
    """Every movement from rest; None where there are none."""
    if not assessment.movements:
        return None
    words = side_words(assessment.exam.side_frame.value)
    caption = (
        "Movement from rest along the direction of the side that moves more; the ratio is affected over reference "
        f"side. {_difference(words)} MDC is the minimal detectable change between two single takes."
    )
    head = ("Movement", "Unit", words.left, words.right, "Difference", "Ratio", "Noise (SD)", "MDC (95%)", "z")
    table = Table(caption, head)
    for movement in assessment.movements:
        table.add(_movement_row(movement, notes))
    return table


def scale_cards(assessment: Assessment, notes: Notes) -> list[ScaleCard]:
    """The scales in their order; items are shown where at least one of them is known."""
    shared = _shared(assessment)
    cards = []
    for name, scale in _in_order(assessment).items():
        known = any(item.withheld is None for item in scale.items)
        items = [
            (item_title(name, item.name), _item(item.value, item.interval, item.withheld, notes), item.by or "")
            for item in scale.items
            if known
        ]
        withheld = None if scale.withheld is None or scale.withheld in shared else sentence(scale.withheld)
        own = [sentence(note) for note in scale.notes if scale.withheld is None and note not in shared]
        rated = [f"{graded(name, one.value)} by {one.rater}" for one in scale.rated]
        cards.append(ScaleCard(SCALE_TITLES[name], result(scale), withheld, items, own, rated))
    return cards


def scale_remarks(assessment: Assessment) -> list[str]:
    """What several scales say, each once, after their names."""
    every = list(_in_order(assessment))
    return [
        f"{'All scales' if names == every else ', '.join(SCALE_TITLES[name] for name in names)}: {sentence(remark)}"
        for remark, names in _shared(assessment).items()
    ]


def _in_order(assessment: Assessment) -> dict[str, ScaleEstimate]:
    return {name: assessment.scales[name] for name in SCALE_TITLES if name in assessment.scales}


def _shared(assessment: Assessment) -> dict[str, list[str]]:
    """Reason or note that more than one scale gives -> their names."""
    said: dict[str, list[str]] = {}
    for name, scale in _in_order(assessment).items():
        for remark in dict.fromkeys([scale.withheld or "", *scale.notes]):
            said.setdefault(remark, []).append(name)
    return {remark: names for remark, names in said.items() if remark and len(names) > 1}


def _item(value: float | None, interval: tuple[float, float] | None, withheld: str | None, notes: Notes) -> Cell:
    if value is not None:
        return Cell(brief(value))
    if interval is not None:
        return Cell(" to ".join(map(brief, interval)))
    return Cell(DASH, None if withheld is None else notes.number(sentence(withheld)))


def _measure_row(measure: Measure, scale: Scale, notes: Notes) -> tuple[Cell, ...]:
    title = value_title(measure.name)
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
