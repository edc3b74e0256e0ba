"""Summary: what the first page says in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from facialpalsy.assessment import (
    MEASURE_REGIONS,
    MEASURE_TITLES,
    OVERALL,
    Assessment,
    Asymmetry,
    Capture,
    ScaleEstimate,
)
from facialpalsy.report.readings import beyond_limits, movement_beyond_limits
from facialpalsy.report.words import (
    SCALE_RANGES,
    SCALE_TITLES,
    capture_title,
    capture_titles,
    expression_title,
    graded,
    movement_title,
    number,
    sentence,
)

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
    named = reference if reference != "unknown" else "not stated, so no side is taken as the one to compare with"
    return [*sentences, f"Reference side: {named}."]


def summary(assessment: Assessment) -> list[tuple[str, str]]:
    """Heading and sentence of each summary line."""
    lines = [("Against healthy limits", _against_limits(assessment))]
    ratios = [
        f"{movement_title(movement)} {number(movement.ratio, 2)}"
        for movement in assessment.movements
        if movement.ratio is not None
    ]
    if ratios:
        lines.append(("Movement, affected over reference side", "; ".join(ratios) + "."))
    scales = {SCALE_TITLES[name]: assessment.scales[name] for name in SCALE_TITLES if name in assessment.scales}
    if scales:
        given = [f"{title} {result(scale)}" for title, scale in scales.items() if scale.withheld is None]
        withheld = ", ".join(title for title, scale in scales.items() if scale.withheld is not None)
        parts = [*given, f"withheld: {withheld}"] if withheld else given
        lines.append(("Scales, software estimate", sentence("; ".join(parts))))
    return lines


def result(scale: ScaleEstimate) -> str:
    """The estimate or interval of a scale with the scale's range, or that it is withheld."""
    if scale.estimate is not None:
        found = graded(scale.name, scale.estimate)
    elif scale.interval is not None:
        found = " to ".join(graded(scale.name, value) for value in scale.interval)
    else:
        return "withheld"
    return f"{found} ({SCALE_RANGES[scale.name]})"


def flags(assessment: Assessment) -> list[tuple[str, str]]:
    """Remark and captures, each remark once."""
    grouped: dict[str, list[str]] = {}
    for title, capture in zip(capture_titles(assessment.captures), assessment.captures, strict=True):
        remarks = [sentence(reason) for reason in capture.quality.reasons]
        if not capture.quality.usable:
            remarks.append("Not used for any scale; the values are kept.")
        if capture.face.landmarks.edited:
            remarks.append("Landmarks were placed or moved by a person or another tool.")
        for remark in remarks:
            grouped.setdefault(remark, []).append(title)
    count = len(assessment.captures)
    return [
        (remark, "All captures" if len(titles) == count > 1 else ", ".join(titles))
        for remark, titles in grouped.items()
    ]


def retakes(assessment: Assessment) -> list[tuple[str, str]]:
    """Reason and expressions of what the exam lacks, each reason once."""
    grouped: dict[str, list[str]] = {}
    for missing in assessment.exam.missing:
        grouped.setdefault(missing.reason, []).append(expression_title(missing.expression))
    return [(sentence(reason), ", ".join(names)) for reason, names in grouped.items()]


def under_reporting(assessment: Assessment) -> list[str]:
    """How much of a true difference each engine reports, one sentence per engine."""
    sentences = []
    for engine in assessment.software.models:
        if engine.recovery:
            shares = ", ".join(f"{region} {share:.0%}" for region, share in engine.recovery.items())
            sentences.append(
                f"Of a known one-sided displacement simulated on photos of healthy people, {engine.name} "
                f"{engine.version} reports {shares} (medians): the true asymmetry may be larger than shown, and none "
                "beyond healthy limits does not exclude a weakness."
            )
    return sentences


def is_beyond(asymmetry: Asymmetry) -> bool:
    """Whether a region is less symmetric than in 95 % of healthy people."""
    return asymmetry.z is not None and asymmetry.healthy_limit is not None and asymmetry.z > asymmetry.healthy_limit


def region_beyond(capture: Capture, region: str) -> bool:
    """Whether a region is beyond its limit, and one of its measures beyond both its own limits and its noise."""
    found = capture.asymmetry.get(region)
    return (
        found is not None
        and is_beyond(found)
        and any(
            beyond_limits(measure)
            for measure in capture.measures
            if (of := MEASURE_REGIONS.get(measure.name)) is not None and region in (of, OVERALL)
        )
    )


def _against_limits(assessment: Assessment) -> str:
    beyond = [*_regions_beyond(assessment), *_movements_beyond(assessment)]
    if beyond:
        return f"Asymmetry beyond healthy limits: {'; '.join(beyond)}."
    compared = _compared(assessment)
    if not compared:
        return "Nothing could be compared with healthy limits; the reasons stand below the tables."
    but = _unexplained(assessment)
    none = "No region and no movement" if but else "No asymmetry"
    return " ".join(
        [
            f"{none} beyond healthy limits in this exam (compared: {'; '.join(compared)}).",
            *but,
            "This does not exclude a weakness.",
        ]
    )


def _unexplained(assessment: Assessment) -> list[str]:
    """What lies beyond some limit on the page although no region and no movement is called so."""
    usable = [capture for capture in assessment.captures if capture.quality.usable]
    measures = [(capture, measure) for capture in usable for measure in capture.measures if measure.z is not None]
    single = [
        f"{capture_title(capture)}: {MEASURE_TITLES[measure.name]} z {number(measure.z, 1, sign=True)}"
        for capture, measure in measures
        if beyond_limits(measure)
    ]
    regions = [
        _region(capture, region, found)
        for capture in usable
        for region, found in capture.asymmetry.items()
        if is_beyond(found)
    ]
    sentences = []
    if single:
        sentences.append(
            f"Single measures are beyond theirs: {'; '.join(single)} "
            f"({len(single)} of {len(measures)} compared; in healthy people about 1 in 20 is)."
        )
    if regions:
        sentences.append(
            "Above the limit of the region, but without a measure beyond both its own limits and its noise: "
            f"{'; '.join(regions)}."
        )
    return sentences


def _regions_beyond(assessment: Assessment) -> Iterator[str]:
    for capture in assessment.captures:
        if capture.quality.usable:
            for region, found in capture.asymmetry.items():
                if region_beyond(capture, region):
                    yield _region(capture, region, found)


def _region(capture: Capture, region: str, found: Asymmetry) -> str:
    return f"{capture_title(capture)}: {region} z {number(found.z, 1)} (limit {number(found.healthy_limit, 1)})"


def _movements_beyond(assessment: Assessment) -> Iterator[str]:
    for movement in assessment.movements:
        if movement_beyond_limits(movement):
            yield f"{movement_title(movement)} z {number(movement.z, 1, sign=True)}"


def _compared(assessment: Assessment) -> list[str]:
    captures = [
        capture_title(capture)
        for capture in assessment.captures
        if capture.quality.usable
        and any(
            one.z is not None and one.healthy_limit is not None
            for name, one in capture.asymmetry.items()
            if name != OVERALL
        )
    ]
    movements = [movement_title(one) for one in assessment.movements if one.z is not None]
    return list(dict.fromkeys([*captures, *movements]))
