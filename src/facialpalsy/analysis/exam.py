"""Exam: several captures of one person compared with rest, checked for completeness, and graded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from facialpalsy.analysis.capture import Measured, with_reasons, with_scale
from facialpalsy.analysis.evidence import closed_limit, exam_evidence, side_value
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
_YAW_CHANGE_DEG = 8.0
# Against rest: from the first on remarked, from the second on not usable. A nod shifts what lies off the plane of the
# eyes (the mouth by about 0.25 iod times its sine) on both sides alike, which a ratio takes for movement.
_PITCH_CHANGE_DEG = (4.0, 8.0)
# What an expression of both sides does to the measured pitch while the head is still (benchmarks/pose.py): the nose,
# by which the pitch is read, moves too. Half a face moves it by less.
_OWN_PITCH_DEG = {
    Expression.BROW_RAISE: -2.5,
    Expression.SMILE_CLOSED: 3.8,
    Expression.SMILE_OPEN: 3.8,
    Expression.SNARL: -2.4,
    Expression.PUCKER: 1.3,
}
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
    side_frame = _side_frame(captures)
    reference = header.reference_side.side if side_frame is SideFrame.SUBJECT else None
    captures = checked(captures, reference, settings)
    found = _movements(captures, reference, settings)
    missing = _missing(captures, found, reference)
    gaps = missing if _usable(captures, Expression.REST) else {**_WITHOUT_REST, **missing}
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


def checked(captures: Sequence[Measured], reference: Side | None, settings: Settings) -> list[Measured]:
    """The captures of one person with what only the others tell: millimetres, remarks, and whether each can be used."""
    captures = _without_copies(captures)
    captures = [_checked_at_rest(one) if one.capture.expression is Expression.REST else one for one in captures]
    rest = _usable(captures, Expression.REST)
    if rest and rest[0].capture.scale.mm_per_iod is not None:
        scale = rest[0].capture.scale
        captures = [
            with_scale(one, scale, settings) if one.capture.scale.mm_per_iod is None else one for one in captures
        ]
    if rest:
        captures = [_checked_against_rest(one, rest[0]) for one in captures]
    if reference is not None:
        captures = [_checked_reference_eye(one, reference, settings.norms) for one in captures]
    return _checked_efforts(captures, reference, settings)


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
    if measured.capture.side_frame is not rest.capture.side_frame:
        reason = (
            "Of this photo and the one at rest only one is stated to be mirrored or not, so their sides may be "
            "exchanged: state it for both, with --mirrored no or yes or in exam.csv."
        )
        return with_reasons(measured, reason, usable=False)
    # Of the landmarks: the pose of a capture of unknown mirroring is told of the image, with the other sign.
    pose, at_rest = head_pose(measured.landmarks), head_pose(rest.landmarks)
    turned = abs(pose.yaw - at_rest.yaw)
    if turned > _YAW_CHANGE_DEG:
        measured = with_reasons(
            measured,
            f"The head is turned {turned:.0f} degrees otherwise than at rest, so movements carry a pose error.",
        )
    measured = _checked_pitch(measured, pose.pitch - at_rest.pitch)
    if measured.capture.expression in CLOSURES:
        now, opened = _openness(measured), _openness(rest)
        shares = [now[side] / opened[side] for side in now.keys() & opened.keys() if opened[side] > 0]
        if shares and min(shares) > _CLOSING_SHARE:
            reason = (
                f"Both eyes are open ({min(shares):.0%} of rest or more): retake the photo with the eyes closed; if "
                "neither can close, name both sides with --reference-side both."
            )
            return with_reasons(measured, reason, usable=False)
    return measured


def _checked_pitch(measured: Measured, change: float) -> Measured:
    own = 0.0 if measured.capture.expression is None else _OWN_PITCH_DEG.get(measured.capture.expression, 0.0)
    nodded = max(change - max(own, 0.0), min(own, 0.0) - change)
    remarked, limit = _PITCH_CHANGE_DEG
    if nodded <= remarked:
        return measured
    reason = (
        f"The head is pitched {abs(change):.0f} degrees otherwise than at rest, which looks like movement of both sides"
    )
    if nodded <= limit:
        return with_reasons(measured, f"{reason}, so ratios are less certain.")
    return with_reasons(measured, f"{reason}: retake the photo with the head as at rest.", usable=False)


def _checked_reference_eye(measured: Measured, reference: Side, norms: Norms) -> Measured:
    """Refuse a closure in which the reference eye, which can close, was left open: nothing is known of the other."""
    if measured.capture.expression not in CLOSURES:
        return measured
    limit, _ = closed_limit(norms, measured.landmarks.engine, measured.landmarks.scheme.name)
    height = next(one.iod for one in measured.capture.measures if one.name == "palpebral_fissure_height")
    if not measured.capture.quality.usable or height is None or (gap := side_value(height, reference)) <= limit:
        return measured
    scale = measured.capture.scale.mm_per_iod
    length = f"{gap:.3f} iod" if scale is None else f"{gap:.3f} iod ({gap * scale:.1f} mm)"
    reason = (
        f"The {reference} (reference) eye stays open by {length}, more than {limit:.3f} iod, so the attempt does not "
        "count: ask again and retake; if it cannot close, name both sides with --reference-side both."
    )
    return with_reasons(measured, reason, usable=False)


def _checked_efforts(captures: Sequence[Measured], reference: Side | None, settings: Settings) -> list[Measured]:
    """Refuse a take without effort beside others with: it shows nothing of the affected side, and dilutes the mean."""
    weak: dict[int, str] = {}
    for expression in Expression:
        takes = _takes(captures, expression, reference, settings)
        reasons = {id(one): no_effort(found, reference) for one, found in takes if found and found[0].iod is not None}
        if None in reasons.values():
            weak |= {key: reason for key, reason in reasons.items() if reason is not None}
    return [
        with_reasons(one, f"This take does not count beside one with effort: {weak[id(one)]}.", usable=False)
        if id(one) in weak
        else one
        for one in captures
    ]


def _openness(measured: Measured) -> dict[Side, float]:
    """Palpebral fissure height over width of each eye; empty where it cannot be measured."""
    found = {measure.name: measure.iod for measure in measured.capture.measures}
    height, width = found["palpebral_fissure_height"], found["palpebral_fissure_width"]
    if height is None or width is None or not (width.left and width.right):
        return {}
    return {side: side_value(height, side) / side_value(width, side) for side in Side}


def _takes(
    captures: Sequence[Measured], expression: Expression, reference: Side | None, settings: Settings
) -> list[tuple[Measured, list[Movement]]]:
    """Every usable capture of an expression with its movements from rest."""
    rests = _usable(captures, Expression.REST)
    if not rests or expression is Expression.REST:
        return []
    found = []
    for index, one in enumerate(_usable(captures, expression)):
        # The n-th take is compared with the n-th rest where there are several: whole exams are then repeats.
        rest = rests[min(index, len(rests) - 1)]
        moved = movements(
            rest.landmarks,
            one.landmarks,
            expression,
            reference=reference,
            mm_per_iod=rest.capture.scale.mm_per_iod,
            norms=settings.norms,
        )
        found.append((one, moved))
    return found


def _movements(captures: Sequence[Measured], reference: Side | None, settings: Settings) -> list[Movement]:
    """Movements of every expression from rest; the mean over repeated captures, with the minimal detectable change."""
    found = []
    for expression in Expression:
        runs = [moved for _, moved in _takes(captures, expression, reference, settings)]
        shared_rest = len(_usable(captures, Expression.REST)) < len(runs)
        found += [
            combine_repeats(list(repeats), reference, shared_rest=shared_rest) for repeats in zip(*runs, strict=True)
        ]
    return found


def combine_repeats(repeats: list[Movement], reference: Side | None, *, shared_rest: bool = False) -> Movement:
    """The mean of one movement over n repeated captures, with the MDC of left - right between two single takes.

    MDC95 = t(0.975, n - 1) * sqrt(2) * s, where s is the SD over the repeats, and at least the noise of one of them.
    The ratio is that of the means. Where some repeats have a ratio, the others, without effort on the reference side,
    count for nothing.

    Args:
        repeats: The movement in each capture.
        reference: Reference side of the ratios.
        shared_rest: Whether several were compared with one rest capture. Its own variation does not show in theirs and
            is taken to be as great, which doubles the variance; nor is its noise averaged out, so that the mean's is
            sqrt(rest^2 + take^2 / n), with half of a single one's variance each.
    """
    measured = [one for one in repeats if one.iod is not None]
    measured = [one for one in measured if one.ratio is not None] or measured
    if len(measured) < 2:
        return measured[0] if measured else repeats[0]
    count = len(measured)
    sides = _mean_sides([one.iod for one in measured])
    variance = float(np.var([one.iod.difference for one in measured if one.iod is not None], ddof=1))
    scores = [one.z for one in measured if one.z is not None]
    noises = [one.noise for one in measured if one.noise is not None]
    noise = float(np.sqrt(np.mean(np.square(noises)))) if noises else None
    share = (1 + 1 / count) / 2 if shared_rest else 1 / count
    spread = max(float(np.sqrt(variance * (2 if shared_rest else 1))), noise or 0.0)
    ratio = measured[0].ratio
    if ratio is not None and sides is not None and reference is not None:
        ratio = side_value(sides, reference.other) / side_value(sides, reference)
    return replace(
        measured[0],
        iod=sides,
        mm=_mean_sides([one.mm for one in measured]),
        ratio=ratio,
        noise=None if noise is None else noise * share**0.5,
        mdc=mdc95(spread, count - 1),
        z=float(np.mean(scores)) if scores else None,
        withheld={key: why for key, why in measured[0].withheld.items() if key != "mdc"},
        takes=count,
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
            if (reason := no_effort(moved, reference)) is not None:
                missing[expression] = (
                    f"{reason}; check that rest and this photo are not exchanged, or ask again and retake"
                )
    return missing


def no_effort(found: Sequence[Movement], reference: Side | None) -> str | None:
    """Why the primary movement of an expression shows too little effort, or None."""
    if not found or found[0].iod is None:
        return None
    movement, moved = found[0], found[0].iod
    if reference is not None:
        return movement.withheld["ratio"] if movement.ratio is None else None
    largest = max(moved.left or 0.0, moved.right or 0.0)
    if largest > MOVEMENT_FLOOR_IOD:
        return None
    return f"neither side moved as asked ({round(largest, 3) + 0.0:.3f} iod at most)"
