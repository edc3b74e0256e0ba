"""Evidence: the measured exam in the terms that the scales ask for, affected against reference side.

Of repeated captures, a movement is the mean (`exam.combine_repeats`), and so is rest; of attempts to close the eyes the
best one stands for the patient, since the scales ask what the patient can do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

from facialpalsy.analysis.capture import Measured
from facialpalsy.analysis.request import ExamHeader
from facialpalsy.assessment import Measure, Movement, Sides
from facialpalsy.clinical.evidence import (
    ClosureEvidence,
    ExamEvidence,
    MovementEvidence,
    Rating,
    RestEvidence,
    SynkinesisEvidence,
)
from facialpalsy.clinical.expressions import Expression
from facialpalsy.clinical.norms import Z_LIMIT, Norms
from facialpalsy.clinical.scales.cases import counts
from facialpalsy.detect import Engine
from facialpalsy.face import ReferenceSide, Side, SideFrame
from facialpalsy.measure import MOVEMENT_FLOOR_IOD

CLOSED_FISSURE_IOD = 0.025
"""A fissure up to this (about 2 mm) counts as closed where the healthy limits say nothing: the closed eyes of one
public clip measure at most 0.016 with MediaPipe. A table fitted on one's own controls replaces it."""

_TWO_SIDED_95 = 1.96

# Expression -> the movement that the scales read from it, and the region of the engine's card that it was measured in.
_PRIMARY = {
    Expression.BROW_RAISE: ("brow_elevation", "brow"),
    Expression.EYES_GENTLE: ("lid_closure", "lid"),
    Expression.EYES_TIGHT: ("lid_closure", "lid"),
    Expression.SMILE_CLOSED: ("commissure_excursion", "corner_out"),
    Expression.SMILE_OPEN: ("commissure_excursion", "corner_out"),
    Expression.SNARL: ("upper_lip_elevation", "upper_lip"),
    Expression.PUCKER: ("commissure_excursion", "corner_in"),
    Expression.LOWER_TEETH: ("lower_lip_depression", "lower_lip"),
}
# Zone at rest -> measure, region of the card, and whether the affected side being lower or wider raises the measure.
_AT_REST = {
    "brow": ("brow_to_canthus", "brow", -1),
    "eye": ("palpebral_fissure_height", "lid", +1),
    "mouth": ("commissure_height", "corner", -1),
}


def exam_evidence(
    captures: Sequence[Measured],
    movements: Sequence[Movement],
    missing: Mapping[Expression, str],
    header: ExamHeader,
    side_frame: SideFrame,
    norms: Norms,
    engine: Engine | None,
    ratings: tuple[Rating, ...],
) -> ExamEvidence:
    """What the exam shows about the affected side, which is the one that is not the reference side."""
    barred = _barred(header, side_frame)
    reference = header.reference_side.side
    if reference is None or side_frame is SideFrame.IMAGE:
        return ExamEvidence({}, {}, {}, {}, _by_name(missing), barred, ratings)
    affected = reference.other
    rests = _usable(captures, Expression.REST)
    opened = _fissure_at_rest(rests, affected)
    return ExamEvidence(
        movements=_movement_evidence(movements, affected, engine),
        closures=_closure_evidence(captures, opened, affected, engine, norms),
        rest=_rest_evidence(rests, affected, engine),
        synkinesis=_synkinesis_evidence(movements, opened, affected, engine),
        missing=_by_name(missing),
        barred=barred,
        ratings=ratings,
    )


def _by_name(missing: Mapping[Expression, str]) -> dict[str, str]:
    return {expression.value: reason for expression, reason in missing.items()}


def _barred(header: ExamHeader, side_frame: SideFrame) -> str | None:
    if header.reference_side is ReferenceSide.BOTH:
        return "Both sides were named as reference, so there is no affected side to grade."
    if header.reference_side.side is None:
        return "No reference side was named; give --reference-side left or right (the side to compare with)."
    if side_frame is SideFrame.IMAGE:
        return (
            "It is not known whether the pictures are mirrored, so left and right are uncertain; "
            "give --mirrored no or yes."
        )
    if header.phase == "reanimated":
        return "The face was reanimated; these scales are not defined for an operated face."
    if header.surgery:
        return f"The face was operated on ({header.surgery}); these scales are not defined for an operated face."
    return None


def _movement_evidence(
    movements: Sequence[Movement], affected: Side, engine: Engine | None
) -> dict[str, MovementEvidence]:
    found = {(one.expression, one.measure): one for one in movements}
    evidence = {}
    for expression, (name, region) in _PRIMARY.items():
        if (movement := found.get((expression, name))) is not None:
            evidence[expression.value] = _one_movement(movement, affected, _slope(engine, region))
    if (fold := found.get((Expression.SMILE_OPEN, "fold_excursion"))) is not None:
        evidence["smile_fold"] = _one_movement(fold, affected, _slope(engine, "fold"))
    return evidence


def _slope(engine: Engine | None, region: str) -> float:
    """Share of a true difference that is reported: all of it by points from files, which are the user's claim.

    An engine that was never measured in `region` may report nothing there, so the worst case has to allow for that.
    """
    return 1.0 if engine is None else engine.recovery.get(region, 0.0)


def _one_movement(movement: Movement, affected: Side, slope: float) -> MovementEvidence:
    if movement.iod is None:
        return MovementEvidence(ratio=None, slope=slope, reasons=movement.withheld)
    reference_moved = side_value(movement.iod, affected.other)
    noise_ratio = None
    if movement.noise is not None and movement.ratio is not None and reference_moved > 0:
        noise_ratio = movement.noise / reference_moved
    within_noise = _within_noise(movement.iod.difference, movement.noise)
    affected_moved = side_value(movement.iod, affected) > MOVEMENT_FLOOR_IOD and not within_noise
    return MovementEvidence(
        ratio=movement.ratio,
        noise_ratio=noise_ratio,
        z=None if movement.z is None else -affected.sign * movement.z,
        slope=slope,
        reasons=movement.withheld,
        within_noise=within_noise,
        # Two weak movements that are nearly equal say nothing about which side was named.
        reference_still=movement.ratio is None and affected_moved and (movement.z is None or abs(movement.z) > Z_LIMIT),
        reference_moved=reference_moved,
        reference_moved_mm=None if movement.mm is None else side_value(movement.mm, affected.other),
    )


def _closure_evidence(
    captures: Sequence[Measured], opened: float | None, affected: Side, engine: Engine | None, norms: Norms
) -> dict[str, ClosureEvidence]:
    """Per closure the attempt in which the affected eye closes furthest, among those that count if any does."""
    evidence = {}
    for expression in (Expression.EYES_GENTLE, Expression.EYES_TIGHT):
        attempts = [
            ClosureEvidence(
                affected_gap=max(0.0, side_value(sides, affected)),
                reference_gap=max(0.0, side_value(sides, affected.other)),
                healthy_limit=limit,
                slope=_slope(engine, "lid"),
                affected_open=opened,
                limit_measured=limit_measured,
                within_noise=_within_noise(sides.difference, fissure.noise),
                affected_gap_mm=None if fissure.mm is None else max(0.0, side_value(fissure.mm, affected)),
            )
            for one in _usable(captures, expression)
            for limit, limit_measured in [closed_limit(norms, one.landmarks.engine, one.landmarks.scheme.name)]
            for fissure, sides in _measured([one], "palpebral_fissure_height")
        ]
        if attempts:
            evidence[expression.value] = min(attempts, key=lambda one: (not counts(one), one.affected_gap))
    return evidence


def _rest_evidence(rests: Sequence[Measured], affected: Side, engine: Engine | None) -> dict[str, RestEvidence]:
    """Per zone the mean over the rest captures, whose noise is that of a mean."""
    evidence = {}
    for zone, (name, region, sign) in _AT_REST.items():
        taken = _measured(rests, name)
        if not taken:
            continue
        mean = {side: fmean(side_value(sides, side) for _, sides in taken) for side in Side}
        ratio = mean[affected] / mean[affected.other] if mean[affected.other] > 0 else None
        reasons = dict(taken[0][0].withheld)
        if ratio is None:
            reasons["ratio"] = "the reference side measures zero or less"
        scores = [measure.z for measure, _ in taken if measure.z is not None]
        noises = [measure.noise for measure, _ in taken if measure.noise is not None]
        noise = math.hypot(*noises) / len(noises) if noises else None
        evidence[zone] = RestEvidence(
            z=sign * affected.sign * fmean(scores) if scores else None,
            ratio=ratio,
            slope=_slope(engine, region),
            reasons=reasons,
            within_noise=_within_noise(mean[Side.LEFT] - mean[Side.RIGHT], noise),
        )
    return evidence


def _synkinesis_evidence(
    movements: Sequence[Movement], opened: float | None, affected: Side, engine: Engine | None
) -> dict[str, SynkinesisEvidence]:
    """Involuntary change of the affected side beyond the other's, over that region's own range of movement.

    The eye's range is its fissure at rest; the mouth's is the larger commissure excursion of the open smile, so that a
    weak smile does not inflate the share.
    """
    evidence = {}
    for movement in movements:
        if movement.measure == "lid_narrowing":
            reach, slope = opened, _slope(engine, "lid")
        elif movement.measure == "commissure_pull":
            reach, slope = _smile_reach(movements), _slope(engine, "corner_out")
        else:
            continue
        if movement.iod is None or not reach or reach <= 0:
            continue
        excess = affected.sign * movement.iod.difference
        beyond = _beyond_limits(movement, excess)
        evidence[movement.expression] = SynkinesisEvidence(max(0.0, excess) / reach, beyond, slope)
    return evidence


def _smile_reach(movements: Sequence[Movement]) -> float | None:
    for one in movements:
        if (one.expression, one.measure) == (Expression.SMILE_OPEN, "commissure_excursion") and one.iod is not None:
            return max(one.iod.left or 0.0, one.iod.right or 0.0)
    return None


def _beyond_limits(movement: Movement, excess: float) -> bool | None:
    """What lies within healthy limits is no synkinesis; None where there are none, or where it may be noise."""
    if excess <= 0 or (movement.z is not None and abs(movement.z) <= Z_LIMIT):
        return False
    return None if movement.z is None or _within_noise(excess, movement.noise) else True


def _within_noise(difference: float, noise: float | None) -> bool:
    """Whether 95 % of repeats of no difference reach as far; False where the noise is not known."""
    return noise is not None and abs(difference) <= _TWO_SIDED_95 * noise


def closed_limit(norms: Norms, engine: str, scheme: str) -> tuple[float, bool]:
    """Fissure (iod) up to which an eye counts as closed, and whether it is that of healthy people by these points."""
    if norms.closed_fissure is None or norms.reason_against(engine, scheme) is not None:
        return CLOSED_FISSURE_IOD, False
    return norms.closed_fissure, True


def side_value(sides: Sides, side: Side) -> float:
    """The value of one side of a two-sided measure."""
    value = sides.left if side is Side.LEFT else sides.right
    return 0.0 if value is None else value


def _usable(captures: Sequence[Measured], expression: Expression) -> list[Measured]:
    return [one for one in captures if one.capture.expression is expression and one.capture.quality.usable]


def _measured(captures: Sequence[Measured], name: str) -> list[tuple[Measure, Sides]]:
    """The measure of that name with its values, of every capture in which it could be measured."""
    found = [measure for one in captures for measure in one.capture.measures if measure.name == name]
    return [(measure, measure.sides) for measure in found if measure.sides is not None]


def _fissure_at_rest(rests: Sequence[Measured], side: Side) -> float | None:
    """Mean palpebral fissure height of one side, in iod."""
    values = [side_value(sides, side) for _, sides in _measured(rests, "palpebral_fissure_height")]
    return fmean(values) if values else None
