"""Network: what the page says of the shipped networks, below the measures and never without their caution."""

from __future__ import annotations

from collections.abc import Sequence

from facialpalsy.assessment import Assessment, Capture, UnitPalsy
from facialpalsy.report.contents import Cell, Table
from facialpalsy.report.summary import result
from facialpalsy.report.words import DASH, SCALE_RANGES, capture_titles, graded, number, sentence, side_words

_SCALE = "house_brackmann"
_PLACES = {"forehead": "Forehead", "eye": "Eyes", "nose": "Nose", "mouth": "Mouth", "face": "Whole face"}
_ZONES = ("forehead", "eye", "midface", "mouth")
_SHOWN = 3


def network_lines(assessment: Assessment) -> list[str]:
    """The grade with what the rule gives beside it, or why there is none, in sentences."""
    grade = assessment.grade
    if grade.estimate is None or grade.probabilities is None:
        return [f"No grade by the network. {sentence(grade.withheld or 'It was not asked')}"]
    seen = sum(capture.grade is not None for capture in assessment.captures)
    chance = number(grade.probabilities[grade.estimate - 1], 2)
    rule = assessment.scales.get(_SCALE)
    lines = [
        f"House-Brackmann {graded(_SCALE, grade.estimate)} by the network from {seen} captures together (probability "
        f"{chance}; {SCALE_RANGES[_SCALE]}).",
        f"By the rule from the measures: {'withheld' if rule is None else result(rule)}.",
    ]
    if grade.estimate == 1:
        lines.append("This does not exclude a weakness.")
    elif grade.left_affected is not None:
        words = side_words(assessment.exam.side_frame.value)
        side = "left" if grade.left_affected >= 0.5 else "right"
        chance = number(max(grade.left_affected, 1 - grade.left_affected), 2)
        lines.append(f"Affected side, given a palsy: {words.name(side).lower()} (probability {chance}).")
        if words.mark(side) and assessment.exam.reference_side.value == side:
            lines.append("That side is named as the reference side: check which side was named, and the mirroring.")
    return [*lines, *map(sentence, grade.notes)]


def recognition_lines(assessment: Assessment) -> list[str]:
    """Whether a palsy is recognised and of which actions, one sentence for each region, or why that is not said."""
    found = assessment.recognition
    if found.caution is None:  # there is no network, so nothing is expected of it
        return _regions(assessment)
    if found.probability is None:
        return [
            f"No recognition by the network. {sentence(found.withheld or 'It was not asked')}",
            *_regions(assessment),
        ]
    captures = "1 capture" if found.captures == 1 else f"{found.captures} captures together"
    called = (
        f"from {captures} (probability {number(found.probability, 2)}, called so from {number(found.threshold, 2)})"
    )
    if not found.palsied:
        first = f"No palsy is recognised {called}. This does not exclude a weakness."
    else:
        first = f"A palsy is recognised {called}."
    return [first, *_regions(assessment)]


def _regions(assessment: Assessment) -> list[str]:
    regions = assessment.regions
    if regions.caution is None:
        return []
    if regions.withheld is not None:
        return [f"Regions are not said. {sentence(regions.withheld)}"]
    words = side_words(assessment.exam.side_frame.value)
    palsied: dict[tuple[str, str], list[UnitPalsy]] = {}
    for zone in _ZONES:
        for side in ("left", "right"):
            if units := [one for one in regions.units if one.palsied and one.side == side and one.zone == zone]:
                palsied[side, zone] = units
    if not palsied:
        return ["The region network calls no action palsied. This does not exclude a weakness."]
    lines = []
    for (side, zone), units in palsied.items():
        named = ", ".join(map(_unit, units))
        lines.append(f"{words.name(side)}, {zone}, palsied by the region network: {named}.")
    return lines


def _unit(one: UnitPalsy) -> str:
    called = f"probability {number(one.probability, 2)}, called so from {number(one.threshold, 2)}"
    return f"{one.action} (AU{one.au}; {called})"


def network_table(assessment: Assessment) -> Table | None:
    """What the network says of every capture that it saw; None where it saw none."""
    if all(capture.grade is None for capture in assessment.captures):
        return None
    caption = (
        "Most probable grade by each capture alone, which says less than the exam: grades II to IV look alike at rest. "
        "Mean of the asymmetry map, 0 where both halves look alike to the network and at most 1; it has no healthy "
        "limits."
    )
    table = Table(caption, ("Capture", "Alone", "Probability", *_PLACES.values()))
    for title, capture in zip(capture_titles(assessment.captures), assessment.captures, strict=True):
        if (grade := capture.grade) is None:
            continue
        likely = max(grade.probabilities)
        means = [grade.asymmetry.get(name) for name in _PLACES]
        table.add(
            (
                Cell(title),
                Cell(graded(_SCALE, 1 + grade.probabilities.index(likely))),
                Cell(number(likely, 2)),
                *(Cell(DASH if mean is None else number(mean, 2)) for mean in means),
            )
        )
    return table


def most_asymmetric(captures: Sequence[Capture]) -> list[int]:
    """Indices of the few captures whose maps are shown, in their order.

    They are those with the highest mean asymmetry over the face or, without a grade, with the highest score of a unit.
    """

    def worth(capture: Capture) -> float:
        if capture.grade is not None:
            return capture.grade.asymmetry.get("face", 0.0)
        return max(one.score for one in capture.regions)

    mapped = {index: worth(one) for index, one in enumerate(captures) if one.maps}
    return sorted(sorted(mapped, key=lambda index: -mapped[index])[:_SHOWN])


def map_caption(title: str, capture: Capture) -> str:
    """Title of a capture, its mean asymmetry and the region with the highest."""
    means = {} if capture.grade is None else dict(capture.grade.asymmetry)
    face = means.pop("face", None)
    if not means:
        return title
    highest = max(means, key=lambda name: means[name])
    return f"{title}: mean asymmetry {number(face, 2)}, highest {_PLACES[highest].lower()} {number(means[highest], 2)}"
