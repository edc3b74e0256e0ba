"""Evidence: what one exam shows about the affected side, in the terms that the grading scales ask for.

Everything is stated for the affected side against the reference side that the user named. Lengths are in iod
(fractions of the outer-canthus distance). `None` always means "not known", and `reasons` says why by field name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Zone(StrEnum):
    """The four zones that the facial nerve's branches are graded by."""

    FOREHEAD = "forehead"
    EYE = "eye"
    MIDFACE = "midface"
    MOUTH = "mouth"


@dataclass(frozen=True)
class MovementEvidence:
    """One voluntary movement of one zone.

    Attributes:
        ratio: Movement of the affected over the reference side, in the direction of the reference side's; may be
            negative or above 1; None where undefined.
        noise_ratio: Noise of the affected side's movement over the reference movement.
        z: Left-right difference of the movement in healthy standard deviations, positive where the affected side
            moves less; None without healthy limits for this expression.
        slope: Share of a true difference that the landmark engine reports here, 1.0 when unbiased.
        reasons: Why a field is None.
        within_noise: Whether the left-right difference is within its 95 % noise, where that is known.
        reference_still: Whether the affected side moved beyond its noise although the reference side did not.
        reference_moved: Movement of the reference side, in iod; None where not measured.
        reference_moved_mm: The same in millimetres; None without a scale.
    """

    ratio: float | None
    noise_ratio: float | None = None
    z: float | None = None
    slope: float = 1.0
    reasons: Mapping[str, str] = field(default_factory=dict)
    within_noise: bool = False
    reference_still: bool = False
    reference_moved: float | None = None
    reference_moved_mm: float | None = None


@dataclass(frozen=True)
class ClosureEvidence:
    """The attempt to close the eyes, of those that were taken, in which the affected eye closes furthest.

    Attributes:
        affected_gap: Palpebral fissure height by which the affected eye stays open, in iod.
        reference_gap: The same on the other side.
        healthy_limit: Largest gap that still counts as closed, in iod.
        slope: Share of a true lid difference that the engine reports.
        affected_open: Palpebral fissure height of the affected side at rest, in iod; None without a usable rest.
        limit_measured: Whether `healthy_limit` was measured on healthy people rather than assumed.
        within_noise: Whether the difference of the gaps is within its 95 % noise, where that is known.
        affected_gap_mm: `affected_gap` in millimetres; None without a scale.
    """

    affected_gap: float
    reference_gap: float
    healthy_limit: float
    slope: float = 1.0
    affected_open: float | None = None
    limit_measured: bool = True
    within_noise: bool = False
    affected_gap_mm: float | None = None


@dataclass(frozen=True)
class RestEvidence:
    """One zone at rest, the mean over the rest captures.

    Attributes:
        z: Left-right difference at rest in healthy standard deviations; the sign is that of the affected side being
            lower (brow, mouth corner) or the eye being wider; None without healthy limits.
        ratio: The resting ratio that eFACE asks for (affected over reference), None where undefined.
        slope: Share of a true difference that the engine reports.
        reasons: Why a field is None.
        within_noise: Whether the left-right difference is within its 95 % noise, where that is known.
    """

    z: float | None
    ratio: float | None = None
    slope: float = 1.0
    reasons: Mapping[str, str] = field(default_factory=dict)
    within_noise: bool = False


@dataclass(frozen=True)
class SynkinesisEvidence:
    """Involuntary change of another region during one expression.

    Attributes:
        share: Involuntary change of the affected side beyond that of the reference side, as a share of that region's
            own voluntary movement range; 0 or more.
        beyond_limits: Whether that change lies beyond healthy limits; None without limits for this expression, and
            where it is beyond them but within its 95 % noise.
        slope: Share of a true difference that the engine reports in that other region.
    """

    share: float
    beyond_limits: bool | None = None
    slope: float = 1.0


@dataclass(frozen=True)
class Rating:
    """One item by a clinician, from `ratings.csv`."""

    item: str
    value: float
    rater: str


@dataclass(frozen=True)
class ExamEvidence:
    """All that the scales use of one exam.

    Attributes:
        movements: Expression name -> movement of the zone that the expression tests (brow_raise forehead; snarl
            midface; smile_open, smile_closed, pucker, lower_teeth mouth; eyes_gentle and eyes_tight the lid's movement;
            `smile_fold` the nasolabial fold in smile_open). Missing or unusable captures are absent.
        closures: `eyes_gentle` and `eyes_tight` where taken.
        rest: `brow`, `eye`, `fold`, `mouth` at rest; absent when there is no usable rest capture.
        synkinesis: Expression name -> involuntary change of another region.
        missing: Expression name -> why it cannot be used ("not taken", "head turned by 17 degrees", ...).
        barred: A reason why no composite scale may be given at all (side frame unknown, reference side not one side,
            operated or reanimated face), or None.
        ratings: The clinician's own items.
    """

    movements: Mapping[str, MovementEvidence]
    closures: Mapping[str, ClosureEvidence]
    rest: Mapping[str, RestEvidence]
    synkinesis: Mapping[str, SynkinesisEvidence]
    missing: Mapping[str, str]
    barred: str | None = None
    ratings: tuple[Rating, ...] = ()
