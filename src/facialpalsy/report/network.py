"""Network: what the page says of the grading network, below the measures and never without its caution."""

from __future__ import annotations

from collections.abc import Sequence

from facialpalsy.assessment import Assessment, Capture
from facialpalsy.report.contents import Cell, Table
from facialpalsy.report.summary import result
from facialpalsy.report.words import DASH, SCALE_RANGES, capture_titles, graded, number, sentence, side_words

_SCALE = "house_brackmann"
_PLACES = {"forehead": "Forehead", "eye": "Eyes", "nose": "Nose", "mouth": "Mouth", "face": "Whole face"}
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
    """Indices of the few captures whose maps are shown: those with the highest mean over the face, in their order."""
    means = {index: one.grade.asymmetry.get("face", 0.0) for index, one in enumerate(captures) if one.grade is not None}
    return sorted(sorted(means, key=lambda index: -means[index])[:_SHOWN])


def map_caption(title: str, capture: Capture) -> str:
    """Title of a capture, its mean asymmetry and the region with the highest."""
    means = {} if capture.grade is None else dict(capture.grade.asymmetry)
    face = means.pop("face", None)
    if not means:
        return title
    highest = max(means, key=lambda name: means[name])
    return f"{title}: mean asymmetry {number(face, 2)}, highest {_PLACES[highest].lower()} {number(means[highest], 2)}"
