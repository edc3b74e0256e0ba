"""Summary: what the first page says in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from facialpalsy.assessment import (
    INVOLUNTARY_MOVEMENTS,
    MEASURE_REGIONS,
    MOVEMENT_FLOOR_IOD,
    OVERALL,
    Z_LIMIT,
    Assessment,
    Asymmetry,
    Capture,
    Movement,
    Scale,
    ScaleEstimate,
)
from facialpalsy.report.chance import farthest_beyond, most_beyond
from facialpalsy.report.closing import eye_closure, left_open
from facialpalsy.report.readings import beyond_limits, movement_beyond_limits, movement_reading
from facialpalsy.report.words import (
    SCALE_RANGES,
    SCALE_TITLES,
    amount,
    capture_titles,
    exam_order,
    expression_title,
    graded,
    movement_title,
    number,
    plain_reason,
    quantity,
    sentence,
    side_words,
    value_title,
)

_NOT_TAKEN = "not taken"
_UNEVEN_RATIO = 0.75  # a side below three quarters of the other is weak
_NAMED = 3  # movements in the first sentence
_SCALE_SOURCES = {"iris": "the visible iris", "ruler": "a ruler", "rest capture": "the scale of the rest capture"}

_MIRRORED = {
    "no": "stated as not mirrored",
    "yes": "stated as mirrored and turned back before measuring",
    "unknown": "not stated whether mirrored",
}


def sides(assessment: Assessment) -> list[str]:
    """What left and right mean in this report, and what they are compared with."""
    frames = {capture.side_frame.value for capture in assessment.captures} or {assessment.exam.side_frame.value}
    sentences = []
    if "subject" in frames:
        sentences.append("Left and right are the subject's own; the subject's right is on the left of the picture.")
    if "image" in frames:
        sentences.append(
            "Where it is not stated whether a picture is mirrored, no side of the subject is named: left and right are "
            "the halves of the image. State it with --mirrored no or yes."
        )
    counts = Counter(capture.mirrored.value for capture in assessment.captures)
    if counts:
        pictures = ", ".join(f"{count} {_MIRRORED[name]}" for name, count in sorted(counts.items()))
        sentences.append(f"Pictures: {pictures}.")
    reference = assessment.exam.reference_side.value
    if reference == "unknown":
        reference = "not stated, so no side is taken as the one to compare with"
    elif "image" in frames:
        reference += ", not used while it is not stated whether every picture is mirrored"
    return [*sentences, f"Reference side: {reference}."]


def units(assessment: Assessment) -> str:
    """What iod and mm are, and where the millimetres of the captures come from."""
    iod = "iod is the fraction of the distance between the outer corners of the eyes"
    known = {capture.scale.source: capture.scale for capture in assessment.captures if capture.scale.mm_per_iod}
    if not known:
        return f"{iod}; there are no millimetres."
    return f"{iod}; mm are taken from {' or '.join(millimetres(scale) for scale in known.values())}."


def millimetres(scale: Scale) -> str:
    """Where the millimetres of a capture come from, with their error."""
    source = _SCALE_SOURCES.get(scale.source or "", "a stated scale")
    if scale.error_percent is None:
        return source
    return f"{source} (±{scale.error_percent:.0f}%, 95%; cancels in ratios and within one person)"


def summary(assessment: Assessment) -> list[tuple[str, str]]:
    """Heading and sentence of each summary line."""
    ratios = [
        f"{movement_title(movement)} {number(movement.ratio, 2)}"
        for movement in assessment.movements
        if movement.ratio is not None
    ]
    lines = [
        ("Against healthy limits", against_limits(assessment)),
        ("Eye closure", eye_closure(assessment)),
        ("Movement, affected over reference side", "; ".join(ratios) + "." if ratios else ""),
        ("Scales, software estimate", scales(assessment)),
        *_shares_reported(assessment),
    ]
    return [(heading, text) for heading, text in lines if text]


def scales(assessment: Assessment) -> str:
    """The result of every scale in one sentence; empty where there are no scales."""
    found = {SCALE_TITLES[name]: assessment.scales[name] for name in SCALE_TITLES if name in assessment.scales}
    given = [f"{title} {result(scale)}" for title, scale in found.items() if scale.withheld is None]
    withheld = ", ".join(title for title, scale in found.items() if scale.withheld is not None)
    parts = [*given, f"withheld: {withheld}"] if withheld else given
    return sentence("; ".join(parts)) if parts else ""


def result(scale: ScaleEstimate) -> str:
    """The estimate or interval of a scale with the scale's range, or that it is withheld."""
    if scale.estimate is not None:
        found = graded(scale.name, scale.estimate)
    elif scale.interval is not None:
        found = " to ".join(graded(scale.name, value) for value in scale.interval)
    else:
        return "withheld"
    return f"{found} ({SCALE_RANGES[scale.name]})"


def quality(assessment: Assessment) -> list[tuple[str, str]]:
    """Heading and sentence of what to take again and of every remark on a capture, each once."""
    return [*_retakes(assessment), *_remarks(assessment)]


def _retakes(assessment: Assessment) -> Iterator[tuple[str, str]]:
    grouped: dict[str, list[str]] = {}
    for missing in assessment.exam.missing:
        grouped.setdefault(missing.reason, []).append(expression_title(missing.expression))
    for reason, names in grouped.items():
        if reason == _NOT_TAKEN:
            yield "Not taken", f"{', '.join(names)}."
        else:
            yield f"Retake {', '.join(names)}", sentence(reason)


def _remarks(assessment: Assessment) -> Iterator[tuple[str, str]]:
    grouped: dict[str, list[str]] = {}
    retaken = {missing.expression: missing.reason for missing in assessment.exam.missing}
    for title, capture in zip(capture_titles(assessment.captures), assessment.captures, strict=True):
        said = "" if capture.expression is None else retaken.get(capture.expression, "")
        remarks = [sentence(reason) for reason in capture.quality.reasons if reason not in said]
        if not capture.quality.usable:
            remarks.append("Not used for any scale; the values are kept.")
        for remark in remarks:
            grouped.setdefault(remark, []).append(title)
    for remark, titles in grouped.items():
        yield "All captures" if len(titles) == len(assessment.captures) > 1 else ", ".join(titles), remark


def _shares_reported(assessment: Assessment) -> Iterator[tuple[str, str]]:
    """How much of a true difference each engine reports."""
    for engine in assessment.software.models:
        if engine.recovery:
            shares = ", ".join(f"{region.replace('_', ' ')} {share:.0%}" for region, share in engine.recovery.items())
            than_shown = "larger or smaller" if max(engine.recovery.values()) > 1 else "larger"
            yield (
                "Share reported",
                f"Of a difference simulated on photos of healthy people, {engine.name} {engine.version} reports "
                f"{shares} (medians): the true asymmetry may be {than_shown} than shown.",
            )


def region_beyond(capture: Capture, region: str) -> bool:
    """Whether a usable capture's region is above its limit, and a measure of it beyond both its own and its noise."""
    return (
        capture.quality.usable
        and _above_limit(capture.asymmetry.get(region))
        and any(
            beyond_limits(measure)
            for measure in capture.measures
            if (of := MEASURE_REGIONS.get(measure.name)) is not None and region in (of, OVERALL)
        )
    )


def _has_limit(found: Asymmetry) -> bool:
    return found.z is not None and found.healthy_limit is not None


def _above_limit(found: Asymmetry | None) -> bool:
    if found is None or found.z is None or found.healthy_limit is None:
        return False
    return found.z > found.healthy_limit


def against_limits(assessment: Assessment) -> str:
    """What of the usable captures and movements is beyond healthy limits, or what was compared with them.

    What is seen without a limit to compare with, and what could not be compared, is named: it is never passed over.
    """
    usable = [
        (title, capture)
        for title, capture in zip(capture_titles(assessment.captures), assessment.captures, strict=True)
        if capture.quality.usable
    ]
    verdicts = {
        title: [region_beyond(capture, name) for name, one in capture.asymmetry.items() if _has_limit(one)]
        for title, capture in usable
    }
    moved = [movement for movement in assessment.movements if movement.z is not None]
    called = [*chain.from_iterable(verdicts.values()), *map(movement_beyond_limits, moved)]
    seen = _seen(assessment)
    if not called:
        return " ".join([*seen, f"Nothing could be compared with healthy limits. {_why_not_compared(usable)}"])
    untold = _not_compared(assessment, [one for one in usable if verdicts[one[0]]], moved)
    if any(called):
        beyond = "; ".join([*_regions_where(region_beyond, usable), *_movements_beyond(moved)])
        if _is_chance(called, usable, moved):
            chance = (
                f"{sum(called)} of {len(called)} comparisons beyond healthy limits, no more than chance gives in "
                f"healthy people: {beyond}."
            )
            return " ".join([*seen, chance, *untold, "This does not exclude a weakness."])
        found = f"Asymmetry beyond healthy limits: {beyond} {_share(sum(called), len(called))}."
        return " ".join([found, *seen, *untold])
    unusable = _taken_in_vain(assessment)
    compared = [title for title, capture in usable if verdicts[title] and capture.expression not in unusable]
    judged = sum(movement.expression not in unusable for movement in moved)
    if judged:
        compared.append(f"{judged} movement{'' if judged == 1 else 's'}")
    but = _unexplained(usable)
    none = "No region and no movement" if but or seen or unusable else "No asymmetry"
    return " ".join(
        [
            *seen,
            f"{none} beyond healthy limits in this exam (compared: {', '.join(compared) or 'nothing usable'}).",
            *but,
            *untold,
            "This does not exclude a weakness.",
        ]
    )


def _seen(assessment: Assessment) -> list[str]:
    """Eyes left open, and movements without healthy limits in which one side is behind the other, the worst first."""
    frame = assessment.exam.side_frame.value
    opened = {one.expression.value: text for one in assessment.closures if (text := left_open(one, frame))}
    found = [f"{expression_title(expression)}: {text}" for expression, text in opened.items()]
    uneven = [
        movement
        for movement in sorted(assessment.movements, key=_balance)
        if _is_uneven(movement) and not (movement.measure == "lid_closure" and movement.expression in opened)
    ]
    words = side_words(frame)
    for reading, movement in [(movement_reading(one), one) for one in uneven[:_NAMED]]:
        if reading is not None:
            sides = f"{words.left.lower()} {amount(reading.left, reading.unit)}, {words.right.lower()} "
            within = "" if reading.exceeds_noise else ", within its repeat error"
            found.append(f"{movement_title(movement)} {sides}{quantity(reading.right, reading.unit)}{within}")
    if len(uneven) > _NAMED:
        found.append(f"and {len(uneven) - _NAMED} more of the movements")
    return [f"Seen without healthy limits to compare with: {'; '.join(found)}."] if found else []


def _balance(movement: Movement) -> float:
    """The smaller over the larger side; 1 where neither moved."""
    small, large = (0.0, 0.0) if movement.iod is None else sorted([movement.iod.left or 0.0, movement.iod.right or 0.0])
    return small / large if large > 0 else 1.0


def _is_uneven(movement: Movement) -> bool:
    if movement.z is not None or movement.iod is None or movement.measure in INVOLUNTARY_MOVEMENTS:
        return False
    if movement.ratio is not None:
        return not _UNEVEN_RATIO <= movement.ratio <= 1 / _UNEVEN_RATIO
    moved = max(movement.iod.left or 0.0, movement.iod.right or 0.0)
    return moved > MOVEMENT_FLOOR_IOD and _balance(movement) < _UNEVEN_RATIO


def _taken_in_vain(assessment: Assessment) -> list[str]:
    """Expressions that were captured, but in no usable take."""
    taken = {capture.expression for capture in assessment.captures}
    return [one.expression for one in assessment.exam.missing if one.expression in taken and one.reason != _NOT_TAKEN]


def _not_compared(
    assessment: Assessment, compared: Sequence[tuple[str, Capture]], moved: Sequence[Movement]
) -> list[str]:
    """What was captured and has no healthy limits, and what has no usable take."""
    unusable = sorted(_taken_in_vain(assessment), key=exam_order)
    told = {*unusable, *(capture.expression for _, capture in compared), *(movement.expression for movement in moved)}
    taken = {capture.expression for capture in assessment.captures if capture.expression is not None}
    without = sorted(taken - told, key=exam_order)
    return [
        f"{heading}: {', '.join(map(expression_title, names))}."
        for heading, names in (("Without healthy limits", without), ("Without a usable take", unusable))
        if names
    ]


def _is_chance(called: Sequence[bool], usable: Sequence[tuple[str, Capture]], moved: Sequence[Movement]) -> bool:
    """Whether neither the number of comparisons beyond their limits nor the farthest of them exceeds chance."""
    farthest = max(
        [
            *(
                one.z / one.healthy_limit
                for _, capture in usable
                for name, one in capture.asymmetry.items()
                if one.z is not None and one.healthy_limit and region_beyond(capture, name)
            ),
            *(abs(one.z) / Z_LIMIT for one in moved if one.z is not None and movement_beyond_limits(one)),
        ]
    )
    return sum(called) <= most_beyond(len(called)) and farthest <= farthest_beyond(len(called))


def _share(beyond: int, compared: int) -> str:
    """How many comparisons a finding is one of: with many, some lie beyond in everybody, and seldom one alone."""
    return f"({beyond} of {compared} compared; in healthy people about 1 in 20 is, often several of one capture)"


def _why_not_compared(usable: Sequence[tuple[str, Capture]]) -> str:
    """The reason that most regions share."""
    reasons = Counter(
        plain_reason(found.withheld)
        for _, capture in usable
        for region, found in capture.asymmetry.items()
        if found.withheld and region != OVERALL
    )
    return reasons.most_common(1)[0][0] if reasons else "No capture can be used."


def _unexplained(usable: Sequence[tuple[str, Capture]]) -> list[str]:
    """What lies beyond some limit on the page although no region and no movement is called so."""
    measures = [(title, measure) for title, capture in usable for measure in capture.measures if measure.z is not None]
    single = [
        f"{title}: {value_title(measure.name)} z {number(measure.z, 1, sign=True)}"
        for title, measure in measures
        if beyond_limits(measure)
    ]
    regions = list(_regions_where(lambda capture, region: _above_limit(capture.asymmetry.get(region)), usable))
    sentences = []
    if single:
        sentences.append(
            f"Single measures are beyond theirs: {'; '.join(single)} {_share(len(single), len(measures))}."
        )
    if regions:
        sentences.append(
            "Above the limit of the region, but without a measure beyond both its own limits and its noise: "
            f"{'; '.join(regions)}."
        )
    return sentences


def _regions_where(holds: Callable[[Capture, str], bool], captures: Sequence[tuple[str, Capture]]) -> Iterator[str]:
    for title, capture in captures:
        found = [
            f"{region} z {number(one.z, 2)}" for region, one in capture.asymmetry.items() if holds(capture, region)
        ]
        if found:
            yield f"{title}: {', '.join(found)}"


def _movements_beyond(movements: Sequence[Movement]) -> Iterator[str]:
    for movement in movements:
        if movement_beyond_limits(movement):
            yield f"{movement_title(movement)} z {number(movement.z, 1, sign=True)}"
