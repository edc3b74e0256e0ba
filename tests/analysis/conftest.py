"""Hand-made exams: the face by formula, moved feature by feature by known amounts; nothing is detected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

from facialpalsy.analysis.capture import Measured, measure_picture
from facialpalsy.analysis.exam import ExamResult, assess_exam
from facialpalsy.analysis.request import CaptureRequest, ExamHeader, Settings
from facialpalsy.assessment import Movement
from facialpalsy.clinical.expressions import Expression
from facialpalsy.clinical.norms import ExpressionNorms, Norms
from facialpalsy.detect import Detection
from facialpalsy.face import MEDIAPIPE478, Landmarks, Mirrored, ReferenceSide, Scheme, Side, mirror_landmarks

SIZE, IOD, CENTRE = 300, 100.0, np.array([150.0, 110.0])
# Of the face by formula in tests/conftest.py: at the pupil the fissure is 0.28/4 + 0.20/4 iod high, the iris 0.13 wide.
FISSURE = 0.12
MM_PER_IOD = 11.7 / 0.13
# Depth towards the camera in iod of what stands out of the plane of the eyes, to turn a head by hand.
DEPTH = {"nasion": 0.2, "bridge_upper": 0.3, "bridge_lower": 0.4, "nose_tip": 0.5, "subnasale": 0.32}

# What the reference side does: feature -> shift outwards and upwards in iod.
FULL: Mapping[Expression, Mapping[str, tuple[float, float]]] = {
    Expression.BROW_RAISE: {"brow_upper": (0.0, 0.10), "brow_lower": (0.0, 0.10)},
    Expression.SMILE_OPEN: {"commissure": (0.08, 0.06), "nasolabial_fold": (0.04, 0.03)},
    Expression.SMILE_CLOSED: {"commissure": (0.08, 0.06)},
    Expression.SNARL: {"upper_lip_outer": (0.0, 0.06), "ala": (0.0, 0.04)},
    Expression.PUCKER: {"commissure": (-0.06, 0.0)},
    Expression.LOWER_TEETH: {"lower_lip_outer": (0.0, -0.06)},
}
CLOSURES = (Expression.EYES_GENTLE, Expression.EYES_TIGHT)
TAKEN = tuple(one for one in Expression if one is not Expression.SMILE_CLOSED)


class Face:
    """The symmetric face of tests/conftest.py, to be moved feature by feature."""

    make: ClassVar[Callable[[Scheme], Landmarks]]

    def __init__(self, scheme: Scheme = MEDIAPIPE478) -> None:
        self.scheme = scheme
        self.points = (type(self).make(scheme).points - CENTRE) / IOD

    def indices(self, feature: str, side: Side) -> list[int]:
        """Points of a feature on one side, without the midline and without the corner that a lip border ends in."""
        curve = self.scheme.curve(feature, side)
        found = [self.scheme.point(feature, side)] if curve is None else list(curve)
        corner = self.scheme.point("commissure", side) if feature.startswith(("upper_lip", "lower_lip")) else None
        return [one for one in found if one is not None and one != corner and self.scheme.mirror[one] != one]

    def shift(self, feature: str, side: Side, out: float, up: float) -> Face:
        """Move a feature of one side outwards and upwards, in iod."""
        self.points[self.indices(feature, side)] += (side.sign * out, -up)
        return self

    def open_eye(self, side: Side, gap: float) -> Face:
        """Give one eye a fissure of `gap` iod."""
        for lid in ("upper_lid", "lower_lid"):
            self.points[list(self.scheme.curve(lid, side) or ()), 1] *= gap / FISSURE
        return self

    def look(self, down: float) -> Face:
        """Move both pupils downwards."""
        for side in Side:
            self.points[self.scheme.point("pupil", side)] += (0, down)
        return self

    def turn(self, degrees: float) -> Face:
        """Turn the head towards the subject's left: what stands out of the plane moves there."""
        tangent = np.tan(np.radians(degrees))
        for name, depth in DEPTH.items():
            self.points[self.scheme.midline[name], 0] += depth * tangent
        for side in Side:
            self.points[self.scheme.point("nostril", side), 0] += 0.25 * tangent
        return self

    def landmarks(self, repeats: np.ndarray | None = None) -> Landmarks:
        """In pixels of a picture of 300 x 300; `repeats` (k, n, 2) are offsets in iod."""
        pixels = CENTRE + IOD * self.points
        sets = None if repeats is None else CENTRE + IOD * (self.points + repeats - repeats.mean(axis=0))
        return Landmarks(self.scheme, pixels, (SIZE, SIZE), repeats=sets, engine="file")


@dataclass
class Placed:
    """A detector that gives the landmarks it was handed."""

    given: Landmarks

    def detect(self, _: np.ndarray) -> Detection:
        low, high = self.given.points.min(axis=0), self.given.points.max(axis=0)
        return Detection(self.given, (*map(float, low), *map(float, high)))


@dataclass(frozen=True)
class Patient:
    """One side moves a share of what the other does.

    Attributes:
        share: Share of the reference side's movement, for all expressions or by expression.
        gaps: Fissure left open on the affected and on the reference side, by closure.
        droop: How far the affected corner of the mouth hangs in every capture, in iod.
        involuntary: Expression -> share of the affected eye's fissure that narrows although nobody asked.
        affected: The affected side.
    """

    share: float | Mapping[Expression, float] = 1.0
    gaps: Mapping[Expression, tuple[float, float]] = field(default_factory=dict)
    droop: float = 0.0
    involuntary: Mapping[Expression, float] = field(default_factory=dict)
    affected: Side = Side.LEFT
    scheme: Scheme = MEDIAPIPE478

    def face(self, expression: Expression) -> Face:
        face = Face(self.scheme).shift("commissure", self.affected, 0.0, -self.droop)
        share = self.share if isinstance(self.share, float) else self.share.get(expression, 1.0)
        for feature, (out, up) in FULL.get(expression, {}).items():
            face.shift(feature, self.affected.other, out, up)
            face.shift(feature, self.affected, share * out, share * up)
        if expression in CLOSURES:
            affected, reference = self.gaps.get(expression, (0.004, 0.004))
            face.open_eye(self.affected, affected).open_eye(self.affected.other, reference)
        if expression in self.involuntary:
            face.open_eye(self.affected, FISSURE * (1 - self.involuntary[expression]))
        return face


# Spread 0.004: a movement of 0.1 that lacks a tenth is 2.5 standard deviations off, one of 0.06 just 1.5.
SPREAD = 0.004
_MOVEMENTS = {
    Expression.BROW_RAISE: ("brow_elevation", "commissure_pull"),
    Expression.EYES_GENTLE: ("lid_closure", "commissure_pull"),
    Expression.EYES_TIGHT: ("lid_closure", "commissure_pull"),
    Expression.SMILE_CLOSED: ("commissure_excursion", "lid_narrowing"),
    Expression.SMILE_OPEN: ("commissure_excursion", "fold_excursion", "lid_narrowing"),
    Expression.SNARL: ("upper_lip_elevation", "alar_elevation", "lid_narrowing"),
    Expression.PUCKER: ("commissure_excursion", "lid_narrowing"),
    Expression.LOWER_TEETH: ("lower_lip_depression",),
}
NORMS = Norms(
    name="hand",
    engine="file",
    scheme="mediapipe478",
    source="limits chosen by hand",
    closed_fissure=0.02,
    expressions={
        "rest": ExpressionNorms(
            10, {"brow_to_canthus": 0.01, "palpebral_fissure_height": 0.01, "commissure_height": 0.01}
        ),
        **{one.value: ExpressionNorms(10, movements=dict.fromkeys(names, SPREAD)) for one, names in _MOVEMENTS.items()},
    },
)
SETTINGS = Settings(mirrored=Mirrored.NO, norms=NORMS)
HEADER = ExamHeader(reference_side=ReferenceSide.RIGHT)

# Every take is a file of its own: a copy of a picture is no second take.
_FILES = count()


def capture(
    landmarks: Landmarks,
    expression: Expression | None,
    *,
    mirrored: Mirrored = Mirrored.NO,
    header: ExamHeader = HEADER,
    settings: Settings = SETTINGS,
    name: str | None = None,
) -> Measured:
    """One measured capture of given points, through the pipeline's own code."""
    source = name or f"{expression}.png"
    request = CaptureRequest(path=None, source=source, expression=expression, mirrored=mirrored)
    picture = np.zeros((SIZE, SIZE, 3), np.uint8)
    return measure_picture(picture, f"{next(_FILES):064x}", request, header, settings, Placed(landmarks))


@dataclass(frozen=True)
class ExamMaker:
    """Makes whole exams of a `Patient`."""

    taken = TAKEN

    def captures(
        self, patient: Patient | None = None, *, without: tuple[Expression, ...] = (), **given
    ) -> list[Measured]:
        patient = patient or Patient()
        return [capture(patient.face(one).landmarks(), one, **given) for one in TAKEN if one not in without]

    def assess(
        self,
        captures: list[Measured],
        header: ExamHeader = HEADER,
        settings: Settings = SETTINGS,
        engine=None,
        ratings=(),
    ) -> ExamResult:
        return assess_exam(captures, header, settings, engine, ratings)

    def __call__(self, patient: Patient | None = None, **given) -> ExamResult:
        return self.assess(self.captures(patient), **given)


def movement(result: ExamResult, expression: Expression, name: str) -> Movement:
    """The one movement of that name."""
    return next(one for one in result.movements if (one.expression, one.measure) == (expression, name))


def mirrored_capture(one: Measured, settings: Settings = SETTINGS) -> Measured:
    """The capture of the mirrored face."""
    return capture(mirror_landmarks(one.landmarks), one.capture.expression, settings=settings)


@pytest.fixture(scope="session")
def hand(make_face):
    """The names of this file, for tests that build on them."""
    Face.make = staticmethod(make_face)
    names = (Face, Patient, Placed, capture, movement, mirrored_capture)
    return SimpleNamespace(
        **{one.__name__: one for one in names}, MM_PER_IOD=MM_PER_IOD, NORMS=NORMS, SETTINGS=SETTINGS
    )


@pytest.fixture(scope="session")
def exam(hand) -> ExamMaker:
    return ExamMaker()
