"""Grading: what the shipped grader says of an exam, or the reason why it is not asked.

A mirrored picture has the same grade and the other side, so the grade holds where the mirroring is not known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from facialpalsy.analysis.evidence import exam_evidence
from facialpalsy.analysis.exam import ExamResult
from facialpalsy.analysis.request import ExamHeader, Settings
from facialpalsy.analysis.seen import Arrays, Seen, inputs_of, provenance, seen_captures, side_in
from facialpalsy.assessment import INSIDE, Capture, Exam, FaceMaps, Grade, PhotoGrade, Probabilities
from facialpalsy.assessment import Engine as EngineModel
from facialpalsy.clinical.expressions import Expression
from facialpalsy.clinical.scales import ScaleEstimate
from facialpalsy.clinical.scales.cases import resolve
from facialpalsy.clinical.scales.patterns import pattern_of
from facialpalsy.detect import Engine
from facialpalsy.errors import AssetHashError, AssetNotInstalledError
from facialpalsy.face import ReferenceSide, Side, SideFrame
from facialpalsy.weights import GRADER, ModelCard, find_card, open_model

NEEDED = (
    Expression.REST,
    Expression.BROW_RAISE,
    Expression.EYES_GENTLE,
    Expression.EYES_TIGHT,
    Expression.SMILE_OPEN,
)
"""Expressions without which an exam has no grade: II to IV look alike at rest, and closing the eyes divides them."""

REGIONS = ("forehead", "left_eye", "right_eye", "nose", "mouth")
"""The network's region maps in their order; the eyes are the subject's own where the picture is not mirrored."""

_EXCHANGED = {"left_eye": "right_eye", "right_eye": "left_eye"}
_ROMAN = ("I", "II", "III", "IV", "V", "VI")


@dataclass(frozen=True)
class Graded:
    """What the network adds to an exam.

    Attributes:
        grade: The grade of the exam.
        captures: All captures of the exam; those that the network saw with what it says of each.
        models: The network, where it was asked.
        disagreement: A sentence where network and rule differ by more than one grade.
        maps: Capture index -> its maps.
    """

    grade: Grade
    captures: tuple[Capture, ...]
    models: tuple[EngineModel, ...] = ()
    disagreement: str | None = None
    maps: Mapping[int, FaceMaps] = field(default_factory=dict)


def grade_exam(exam: ExamResult, header: ExamHeader, settings: Settings, engine: Engine | None) -> Graded:
    """Ask the shipped network for the grade of an exam.

    Args:
        exam: The exam as the scales saw it.
        header: What the user says about it.
        settings: Settings of the call.
        engine: Landmark engine, None for points from files.
    """
    captures = tuple(one.capture for one in exam.captures)
    try:
        card = find_card(GRADER)
    except AssetNotInstalledError:
        return Graded(Grade(), captures)
    except AssetHashError as error:
        return Graded(Grade(withheld=str(error)), captures)
    seen = seen_captures(exam)
    unchecked, pattern = _pattern(exam, header, settings, engine)
    if (reason := _not_defined(header) or _incomplete(exam.exam, seen) or pattern) is not None:
        return Graded(Grade(withheld=reason, caution=card.caution), captures)
    found = open_model(GRADER).run(inputs_of(seen, card.preprocessing.size))
    side_frame = exam.exam.side_frame
    grade = _grade(found, card, side_frame, () if unchecked is None else (unchecked,))
    maps = {one.index: _maps(one, place, found, side_frame) for place, one in enumerate(seen)}
    said = {
        one.index: _said(captures[one.index], one.index, place, found, maps[one.index])
        for place, one in enumerate(seen)
    }
    return Graded(
        grade,
        tuple(said.get(index, one) for index, one in enumerate(captures)),
        (provenance(card),),
        _disagreement(grade, exam.scales["house_brackmann"]),
        maps,
    )


def mean_asymmetry(maps: FaceMaps) -> dict[str, float]:
    """Mean of the asymmetry map over the face and each region of both sides; a region that is not there is absent."""
    of, mask, asymmetry = maps.regions, maps.mask, maps.asymmetry
    assert mask is not None and asymmetry is not None  # noqa: S101  the grader gave both
    places = {
        "face": mask,
        "forehead": of["forehead"],
        "eye": np.maximum(of["left_eye"], of["right_eye"]),
        "nose": of["nose"],
        "mouth": of["mouth"],
    }
    inside = {name: place >= INSIDE for name, place in places.items()}
    return {name: round(float(asymmetry[at].mean()), 4) for name, at in inside.items() if at.any()}


def _not_defined(header: ExamHeader) -> str | None:
    """Why House-Brackmann is not defined for what the user says of the person, or None."""
    if header.reference_side in (ReferenceSide.BOTH, ReferenceSide.NONE):
        return (
            f"The reference side is stated as {header.reference_side}, but House-Brackmann grades a palsy of one side; "
            "where there is one, name the other with --reference-side left or right."
        )
    if header.surgery or header.phase == "reanimated":
        done = f"operated on ({header.surgery})" if header.surgery else "reanimated"
        return f"The face was {done}; House-Brackmann is not defined for an operated face."
    return None


def _incomplete(exam: Exam, seen: Sequence[Seen]) -> str | None:
    """Which expressions are lacking for a grade, and why; None where the exam is complete enough."""
    shown = {one.expression for one in seen}
    reasons = {one.expression: one.reason for one in exam.missing}
    lacking: dict[str, list[str]] = {}
    for expression in NEEDED:
        if expression in reasons or expression not in shown:
            reason = reasons.get(expression, "its picture is not at hand")
            lacking.setdefault(reason.rstrip(". "), []).append(expression)
    if not lacking:
        return None
    missing = "; ".join(f"{', '.join(names)} ({reason})" for reason, names in lacking.items())
    return (
        f"The network grades whole exams and needs usable captures of {', '.join(NEEDED)}. Missing: {missing}. Take "
        "them, and name each by what it shows."
    )


def _pattern(
    exam: ExamResult, header: ExamHeader, settings: Settings, engine: Engine | None
) -> tuple[str | None, str | None]:
    """Why no pattern can be told, if so, and the pattern for which House-Brackmann is not defined, if it shows one."""
    found, frame = exam.movements, exam.exam.side_frame
    evidence = exam_evidence(exam.captures, found, {}, header, frame, settings.norms, engine, ratings=())
    if (barred := evidence.barred) is not None:
        return (
            "It was not checked whether this is a palsy of both sides, of one branch or a central one, for which "
            f"House-Brackmann is not defined: {barred[0].lower()}{barred[1:]}"
        ), None
    pattern = pattern_of(evidence, resolve(evidence).best)
    return None, None if pattern is None else f"{pattern} House-Brackmann is not defined for it."


def _grade(found: Arrays, card: ModelCard, side_frame: SideFrame, notes: tuple[str, ...]) -> Grade:
    affected = float(found["side"][0])
    return Grade(
        probabilities=_probabilities(found["grade"]),
        withheld=None,
        estimate=1 + int(np.argmax(found["grade"])),
        left_affected=round(affected if side_in(side_frame, Side.LEFT) is Side.LEFT else 1 - affected, 4),
        model=card.name,
        caution=card.caution,
        notes=notes,
    )


def _probabilities(values: NDArray[np.float32]) -> Probabilities:
    one, two, three, four, five, six = (round(float(value), 4) for value in values)
    return one, two, three, four, five, six


def _maps(one: Seen, place: int, found: Arrays, side_frame: SideFrame) -> FaceMaps:
    exchanged = _EXCHANGED if side_frame is SideFrame.IMAGE else {}
    return one.face(
        regions={
            exchanged.get(name, name): region for name, region in zip(REGIONS, found["regions"][place], strict=True)
        },
        mask=found["mask"][place, 0],
        asymmetry=found["asymmetry"][place, 0],
    )


def _said(capture: Capture, index: int, place: int, found: Arrays, maps: FaceMaps) -> Capture:
    """The capture with what the network says of it, and the names of the files of its maps."""
    grade = PhotoGrade(probabilities=_probabilities(found["photo_grades"][place]), asymmetry=mean_asymmetry(maps))
    files = {kind: f"map_{kind}_{index + 1}.png" for kind in ("regions", "asymmetry")}
    return capture.model_copy(update={"grade": grade, "maps": {**capture.maps, **files}})


def _disagreement(grade: Grade, rule: ScaleEstimate) -> str | None:
    """A sentence where the network's grade lies more than one grade off the nearer end of the rule's."""
    low, high = rule.interval or (rule.estimate, rule.estimate)
    if grade.estimate is None or low is None or high is None or low - 1 <= grade.estimate <= high + 1:
        return None
    ends = " to ".join(dict.fromkeys(_ROMAN[round(end) - 1] for end in (low, high)))
    return (
        f"Network and rule differ by more than one House-Brackmann grade: {_ROMAN[grade.estimate - 1]} by the network "
        f"({grade.caution}), {ends} by the rule from the measures. Neither confirms the other."
    )
