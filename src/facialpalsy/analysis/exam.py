"""Exam: several captures of one person compared with rest, checked for completeness, and graded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from facialpalsy.analysis.capture import Measured, with_reasons, with_scale
from facialpalsy.analysis.evidence import CLOSED_FISSURE_IOD, exam_evidence, side_value
from facialpalsy.analysis.request import ExamHeader, Settings
from facialpalsy.assessment import Exam, Missing
from facialpalsy.clinical.evidence import Rating
from facialpalsy.clinical.expressions import Expression
from facialpalsy.clinical.norms import Norms
from facialpalsy.clinical.scales import ScaleEstimate, grade
from facialpalsy.detect import Engine
from facialpalsy.evaluation import mdc95
from facialpalsy.face import Side, SideFrame, face_frame, head_pose
from facialpalsy.measure import CLOSED_OPENNESS, MOVEMENT_FLOOR_IOD, FramedFace, Movement, Sides, movements

NEEDED = tuple(expression for expression in Expression if expression is not Expression.SMILE_CLOSED)
"""Expressions that at least one scale uses; a closed smile is no substitute for an open one."""

CLOSURES = (Expression.EYES_GENTLE, Expression.EYES_TIGHT)

# Both eyes still open by more than this share of their own fissure at rest: nobody tried to close them.
_CLOSING_SHARE = 0.5
# The iris centre lies 0.020 +- 0.004 iod above the canthal line in 52 people looking ahead (London set, neutral).
_GAZE_DOWN_IOD = -0.003
_POSE_CHANGE_DEG = 8.0
_WITHOUT_REST = dict.fromkeys(Expression, "no usable rest photo to measure the movement from")


@dataclass(frozen=True)
class ExamResult:
    """What several captures say together."""

    exam: Exam
    captures: list[Measured]
    movements: list[Movement]
    scales: dict[str, ScaleEstimate]


def assess_exam(
    captures: Sequence[Measured],
    header: ExamHeader,
    settings: Settings,
    engine: Engine | None,
    ratings: tuple[Rating, ...],
) -> ExamResult:
    """Compare the captures with rest and apply the scales.

    Args:
        captures: Measured captures of one person, in any order; those without an expression are carried along.
        header: What the user says about the exam.
        settings: Settings of the call.
        engine: Landmark engine, whose recovery slopes widen what depends on them; None for points from files.
        ratings: The clinician's items.
    """
    captures = _without_copies(captures)
    captures = [_checked_at_rest(one) if one.capture.expression is Expression.REST else one for one in captures]
    rest = _usable(captures, Expression.REST)
    if rest and rest[0].capture.scale.mm_per_iod is not None:
        scale = rest[0].capture.scale
        captures = [
            with_scale(one, scale, settings) if one.capture.scale.mm_per_iod is None else one for one in captures
        ]
    side_frame = _side_frame(captures)
    reference = header.reference_side.side if side_frame is SideFrame.SUBJECT else None
    if rest:
        captures = [_checked_against_rest(one, rest[0]) for one in captures]
    if reference is not None:
        captures = [_checked_reference_eye(one, reference, settings.norms) for one in captures]
    found = _movements(captures, reference, settings)
    missing = _missing(captures, found, reference)
    gaps = missing if rest else {**_WITHOUT_REST, **missing}
    evidence = exam_evidence(captures, found, gaps, header, side_frame, settings.norms, engine, ratings)
    exam = Exam(
        subject=header.subject,
        date=header.date,
        phase=header.phase,
        surgery=header.surgery,
        reference_side=header.reference_side,
        side_frame=side_frame,
        complete=not missing,
        missing=tuple(Missing(expression=expression, reason=reason) for expression, reason in missing.items()),
    )
    if side_frame is SideFrame.IMAGE:
        found = [_of_image(movement, header) for movement in found]
    return ExamResult(exam, list(captures), found, grade(evidence))


def _of_image(movement: Movement, header: ExamHeader) -> Movement:
    """The movement of the halves of the image; which of them the reference side is, is not known."""
    withheld = dict(movement.withheld)
    if header.reference_side.side is not None and "ratio" in withheld:
        withheld["ratio"] = "it is not known whether the pictures are mirrored, so the reference side is uncertain"
    return replace(movement.exchanged(), withheld=withheld)


def _side_frame(captures: Sequence[Measured]) -> SideFrame:
    """Subject only if every capture is: one capture of unknown mirroring makes the exam's sides unknown."""
    frames = {one.capture.side_frame for one in captures}
    return SideFrame.SUBJECT if frames == {SideFrame.SUBJECT} else SideFrame.IMAGE


def _without_copies(captures: Sequence[Measured]) -> list[Measured]:
    """A picture that is there twice is no second take: it would make the repeat error zero."""
    seen: dict[tuple[str, int | None], str] = {}
    checked = []
    for one in captures:
        key = (one.capture.sha256, one.capture.frame)
        if one.capture.expression is not None and key in seen:
            reason = f"This is the same picture as {seen[key]!r}, not a second take: retake it or leave it out."
            one = with_reasons(one, reason, usable=False)
        else:
            seen[key] = one.capture.source
        checked.append(one)
    return checked


def _usable(captures: Sequence[Measured], expression: Expression) -> list[Measured]:
    return [one for one in captures if one.capture.expression is expression and one.capture.quality.usable]


def _checked_at_rest(measured: Measured) -> Measured:
    shut = _openness(measured)
    if shut and max(shut.values()) < CLOSED_OPENNESS:
        reason = "Both eyes are shut at rest: retake the photo with the eyes open and on the camera."
        return with_reasons(measured, reason, usable=False)
    landmarks = measured.landmarks
    face = FramedFace.of(landmarks, face_frame(landmarks))
    if landmarks.point("pupil", Side.LEFT) is None:
        return measured
    heights = [face.pupil(side)[1] - face.eye_centre(side)[1] for side in Side]
    if float(np.mean(heights)) > _GAZE_DOWN_IOD:
        reason = "The gaze is down, which lowers the lids: retake the photo with the eyes on the camera."
        return with_reasons(measured, reason, usable=False)
    return measured


def _checked_against_rest(measured: Measured, rest: Measured) -> Measured:
    """Remarks that need the rest capture: other points, turned otherwise, eyes not closed."""
    if measured is rest or measured.capture.expression is None:
        return measured
    schemes = measured.landmarks.scheme.name, rest.landmarks.scheme.name
    if schemes[0] != schemes[1]:
        reason = (
            f"Its landmarks are {schemes[0]} points and those at rest {schemes[1]} points, which cannot be compared: "
            "give one kind of points for the whole exam."
        )
        return with_reasons(measured, reason, usable=False)
    # Of the landmarks: the pose of a capture of unknown mirroring is told of the image, with the other sign.
    turned = abs(head_pose(measured.landmarks).yaw - head_pose(rest.landmarks).yaw)
    if turned > _POSE_CHANGE_DEG:
        measured = with_reasons(
            measured,
            f"The head is turned {turned:.0f} degrees otherwise than at rest, so movements carry a pose error.",
        )
    if measured.capture.expression in CLOSURES:
        now, at_rest = _openness(measured), _openness(rest)
        shares = [now[side] / at_rest[side] for side in now.keys() & at_rest.keys() if at_rest[side] > 0]
        if shares and min(shares) > _CLOSING_SHARE:
            reason = f"Both eyes are open ({min(shares):.0%} of rest or more): retake the photo with the eyes closed."
            return with_reasons(measured, reason, usable=False)
    return measured


def _checked_reference_eye(measured: Measured, reference: Side, norms: Norms) -> Measured:
    """Refuse a closure in which the reference eye, which can close, was left open: nothing is known of the other."""
    if measured.capture.expression not in CLOSURES:
        return measured
    limit = CLOSED_FISSURE_IOD if norms.closed_fissure is None else norms.closed_fissure
    height = next(one.iod for one in measured.capture.measures if one.name == "palpebral_fissure_height")
    if not measured.capture.quality.usable or height is None or (gap := side_value(height, reference)) <= limit:
        return measured
    reason = (
        f"The {reference} (reference) eye was left open by {gap:.3f} iod, more than {limit:.3f}, so the attempt does "
        "not count: ask again and retake."
    )
    return with_reasons(measured, reason, usable=False)


def _openness(measured: Measured) -> dict[Side, float]:
    """Palpebral fissure height over width of each eye; empty where it cannot be measured."""
    found = {measure.name: measure.iod for measure in measured.capture.measures}
    height, width = found["palpebral_fissure_height"], found["palpebral_fissure_width"]
    if height is None or width is None or not (width.left and width.right):
        return {}
    return {side: side_value(height, side) / side_value(width, side) for side in Side}


def _movements(captures: Sequence[Measured], reference: Side | None, settings: Settings) -> list[Movement]:
    """Movements of every expression from rest; the mean over repeated captures, with the minimal detectable change."""
    rests = _usable(captures, Expression.REST)
    found = []
    for expression in Expression:
        taken = _usable(captures, expression)
        if expression is Expression.REST or not rests or not taken:
            continue
        # The n-th take is compared with the n-th rest where there are several: whole exams are then repeats.
        pairs = [(rests[min(index, len(rests) - 1)], one) for index, one in enumerate(taken)]
        runs = [
            movements(
                rest.landmarks,
                one.landmarks,
                expression,
                reference=reference,
                mm_per_iod=rest.capture.scale.mm_per_iod,
                norms=settings.norms,
            )
            for rest, one in pairs
        ]
        shared_rest = len(rests) < len(taken)
        found += [
            combine_repeats(list(repeats), reference, shared_rest=shared_rest) for repeats in zip(*runs, strict=True)
        ]
    return found


def combine_repeats(repeats: list[Movement], reference: Side | None, *, shared_rest: bool = False) -> Movement:
    """The mean of one movement over n repeated captures, with the MDC of left - right between two single takes.

    MDC95 = t(0.975, n - 1) * sqrt(2) * s, where s is the SD over the repeats, and at least the noise of one of them.
    The ratio is that of the means over the repeats in which it is defined, which a small movement cannot distort.

    Args:
        repeats: The movement in each capture.
        reference: Reference side of the ratios.
        shared_rest: Whether several were compared with one rest capture. Its own variation does not show in theirs and
            is taken to be as great, which doubles the variance.
    """
    measured = [one for one in repeats if one.iod is not None]
    if len(measured) < 2:
        return measured[0] if measured else repeats[0]
    variance = float(np.var([one.iod.difference for one in measured if one.iod is not None], ddof=1))
    ratios = [
        (one.ratio, side_value(one.iod, reference))
        for one in measured
        if one.ratio is not None and one.iod is not None and reference is not None
    ]
    scores = [one.z for one in measured if one.z is not None]
    withheld = {key: why for key, why in measured[0].withheld.items() if key not in ("mdc", "ratio")}
    if not ratios:
        withheld["ratio"] = measured[0].withheld.get("ratio", "undefined in every repeat")
    noises = [one.noise for one in measured if one.noise is not None]
    noise = float(np.sqrt(np.mean(np.square(noises)))) if noises else None
    spread = max(float(np.sqrt(variance * (2 if shared_rest else 1))), noise or 0.0)
    return replace(
        measured[0],
        iod=_mean_sides([one.iod for one in measured]),
        mm=_mean_sides([one.mm for one in measured]),
        ratio=float(np.average([one for one, _ in ratios], weights=[moved for _, moved in ratios])) if ratios else None,
        noise=None if noise is None else noise / float(np.sqrt(len(noises))),
        mdc=mdc95(spread, len(measured) - 1),
        z=float(np.mean(scores)) if scores else None,
        withheld=withheld,
        takes=len(measured),
    )


def _mean_sides(sides: Sequence[Sides | None]) -> Sides | None:
    known = [one for one in sides if one is not None]
    if len(known) < len(sides):
        return None
    left = float(np.mean([one.left or 0.0 for one in known]))
    right = float(np.mean([one.right or 0.0 for one in known]))
    return Sides(left, right, left - right)


def _missing(
    captures: Sequence[Measured], found: Sequence[Movement], reference: Side | None
) -> Mapping[Expression, str]:
    """Expression -> why the exam lacks it; what must be retaken while the person is still there."""
    missing: dict[Expression, str] = {}
    for expression in NEEDED:
        taken = [one for one in captures if one.capture.expression is expression]
        usable = _usable(taken, expression)
        if not taken:
            missing[expression] = "not taken"
        elif not usable:
            missing[expression] = " ".join(taken[0].capture.quality.blocking)
        else:
            moved = [one for one in found if one.expression == expression]
            if (reason := _no_effort(moved, reference)) is not None:
                missing[expression] = reason
    return missing


def _no_effort(found: Sequence[Movement], reference: Side | None) -> str | None:
    """Why the primary movement of an expression shows no effort, or None."""
    if not found or found[0].iod is None:
        return None
    movement, moved = found[0], found[0].iod
    largest = max(moved.left or 0.0, moved.right or 0.0)
    if reference is not None and movement.ratio is None:
        reason = f"no effort on the reference side: {movement.withheld.get('ratio', '')}"
    elif reference is None and largest <= MOVEMENT_FLOOR_IOD:
        reason = f"neither side moved as asked ({round(largest, 3) + 0.0:.3f} iod at most)"
    else:
        return None
    return f"{reason}; check that rest and this photo are not exchanged, or ask again and retake"
