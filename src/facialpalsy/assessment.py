"""Assessment: the frozen result of one analysis, and its JSON.

The hinge of the house: everything before it makes an `Assessment`, everything after it (report, tables, other programs)
knows nothing else. Schema `facialpalsy.assessment/1` is published in docs/reference/assessment.schema.json; within
version 1 fields are only added, never renamed, removed or given another meaning. Fields that this version does not know
are ignored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from facialpalsy.clinical.expressions import Expression
from facialpalsy.clinical.norms import Z_LIMIT
from facialpalsy.clinical.scales import ScaleEstimate
from facialpalsy.errors import InputNotFoundError, UsageError
from facialpalsy.face import SCHEMES, Mirrored, ReferenceSide, Side, SideFrame
from facialpalsy.measure import (
    DEFINITIONS,
    MOVEMENT_FLOOR_IOD,
    MOVEMENTS,
    OVERALL,
    REGIONS,
    Asymmetry,
    Measure,
    Movement,
    Scale,
    Sides,
)
from facialpalsy.writing import write_text

SCHEMA = "facialpalsy.assessment/1"
NOTICE = (
    "Software estimate for research and education. Not a medical device. "
    "Sudden facial weakness is an emergency: call the emergency services, do not use this software."
)
MEASURE_TITLES: Mapping[str, str] = {definition.name: definition.title for definition in DEFINITIONS}
MEASURE_REGIONS: Mapping[str, str | None] = {definition.name: definition.region for definition in DEFINITIONS}
MEASURE_UNITS: Mapping[str, str] = {definition.name: definition.unit for definition in DEFINITIONS}
MOVEMENT_EXPRESSIONS: Mapping[str, tuple[str, ...]] = {
    definition.name: definition.expressions for definition in MOVEMENTS
}
MOVEMENT_TITLES: Mapping[str, str] = {definition.name: definition.title for definition in MOVEMENTS}
INVOLUNTARY_MOVEMENTS = frozenset(definition.name for definition in MOVEMENTS if definition.involuntary)

__all__ = [
    "INVOLUNTARY_MOVEMENTS",
    "MEASURE_REGIONS",
    "MEASURE_TITLES",
    "MEASURE_UNITS",
    "MOVEMENT_EXPRESSIONS",
    "MOVEMENT_FLOOR_IOD",
    "MOVEMENT_TITLES",
    "NOTICE",
    "OVERALL",
    "REGIONS",
    "SCHEMA",
    "Z_LIMIT",
    "Assessment",
    "Asymmetry",
    "Capture",
    "Change",
    "Closure",
    "Engine",
    "Exam",
    "Face",
    "FaceMaps",
    "Failure",
    "Grade",
    "LandmarkSet",
    "Measure",
    "Missing",
    "Movement",
    "PalsyRegions",
    "Phase",
    "PhotoGrade",
    "Pose",
    "Quality",
    "Recognition",
    "RegionScore",
    "Scale",
    "ScaleEstimate",
    "Sides",
    "Software",
    "UnitPalsy",
]

Phase = Literal["flaccid", "recovering", "synkinetic", "reanimated"]
Probabilities = tuple[float, float, float, float, float, float]
"""Of House-Brackmann I to VI."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", use_enum_values=False)


class Engine(_Frozen):
    """A model that took part, with its provenance.

    `recovery`: region -> share of a known one-sided displacement that it reports.
    """

    name: str
    version: str
    sha256: str
    licence: str
    trained_on: str
    recovery: dict[str, float] = Field(default_factory=dict)


class Software(_Frozen):
    """What made the result."""

    version: str
    models: tuple[Engine, ...] = ()
    norms: str | None = None


class Missing(_Frozen):
    """An expression that the exam lacks, or that cannot be used, and why."""

    expression: Expression
    reason: str


class Exam(_Frozen):
    """What is known about the exam as a whole; everything but the side frame comes from the user."""

    subject: str | None = None
    date: str | None = None
    phase: Phase | None = None
    surgery: str | None = None
    reference_side: ReferenceSide = ReferenceSide.UNKNOWN
    side_frame: SideFrame = SideFrame.IMAGE
    complete: bool = False
    missing: tuple[Missing, ...] = ()


class LandmarkSet(_Frozen):
    """Landmarks in pixels of the picture after EXIF orientation and, for a mirrored capture, after un-mirroring.

    Indices name the points as if the picture were unmirrored, whatever the side frame.
    `sigma` is the standard deviation in pixels of a single detection of each point, null for a single set of points.
    `hidden` are the numbers of the points that something covers: where they lie is guessed, and nothing rests on them.
    """

    scheme: str
    engine: str
    image_size: tuple[int, int]
    points: tuple[tuple[float, float], ...]
    sigma: tuple[float, ...] | None = None
    edited: bool = False
    hidden: tuple[int, ...] = ()

    def shown(self) -> list[tuple[float, float]]:
        """The points in pixels that nothing covers, for drawing."""
        return [point for index, point in enumerate(self.points) if index not in self.hidden]

    def contours(self) -> dict[str, list[list[tuple[float, float]]]]:
        """Curve name -> polylines in pixels, the right's first, for drawing; where something covers it, one breaks."""
        scheme = SCHEMES[self.scheme]
        return {
            name: [
                [self.points[index] for index in run]
                for side in (Side.RIGHT, Side.LEFT)
                for covered, run in groupby(scheme.curve(name, side) or (), self.hidden.__contains__)
                if not covered
            ]
            for name in scheme.right_curves
        }

    def midline(self) -> list[tuple[float, float]]:
        """The named midline points in pixels, from top to chin, for drawing."""
        return [self.points[index] for index in SCHEMES[self.scheme].midline.values()]

    def canthi(self) -> tuple[tuple[float, float], ...]:
        """Right outer, right inner, left inner and left outer canthus in pixels: what the face frame hangs on."""
        scheme = SCHEMES[self.scheme]
        names = [
            ("outer_canthus", Side.RIGHT),
            ("inner_canthus", Side.RIGHT),
            ("inner_canthus", Side.LEFT),
            ("outer_canthus", Side.LEFT),
        ]
        return tuple(self.points[index] for name, side in names if (index := scheme.point(name, side)) is not None)


class Pose(_Frozen):
    """Head pose in degrees; yaw + towards the subject's left, pitch + chin down, roll + towards the left shoulder."""

    yaw: float
    pitch: float
    roll: float


class Face(_Frozen):
    """The face that was measured; `box` is x0, y0, x1, y1 in pixels."""

    box: tuple[float, float, float, float]
    detector: str
    landmarks: LandmarkSet
    pose_deg: Pose


class Quality(_Frozen):
    """Whether scales may use a capture, and every remark on it; `blocking` are the remarks that keep it from them."""

    usable: bool
    reasons: tuple[str, ...] = ()
    blocking: tuple[str, ...] = ()


class RegionScore(_Frozen):
    """How palsied one action unit on one side looks to a network in one capture, -1 to 1: mean of its heat map.

    At rest little is to be seen; `PalsyRegions` says it of the whole exam.
    """

    au: int
    side: Side
    score: float


class PhotoGrade(_Frozen):
    """What the grading network says of one capture.

    Attributes:
        probabilities: House-Brackmann I to VI by this capture alone; the grade is that of the whole exam.
        asymmetry: `face`, `forehead`, `eye`, `nose` and `mouth` -> mean of the asymmetry map (0 to 1) where the mask,
            or the map of that region of both sides, is at least 0.5; a region that is nowhere so is absent.
    """

    probabilities: Probabilities
    asymmetry: dict[str, float]


class Capture(_Frozen):
    """One photo, or one key frame of a clip.

    `maps`: kind of map -> file that `analyze --out` writes beside the assessment.
    """

    source: str
    sha256: str
    kind: Literal["photo", "frame"]
    frame: int | None = None
    time_s: float | None = None
    expression: Expression | None = None
    mirrored: Mirrored = Mirrored.UNKNOWN
    side_frame: SideFrame = SideFrame.IMAGE
    face: Face
    quality: Quality
    scale: Scale
    measures: tuple[Measure, ...]
    asymmetry: dict[str, Asymmetry]
    regions: tuple[RegionScore, ...] = ()
    maps: dict[str, str] = Field(default_factory=dict)
    grade: PhotoGrade | None = None


INSIDE = 0.5
"""Share from which a place of `FaceMaps` belongs to a region or to the face."""


@dataclass(frozen=True)
class FaceMaps:
    """What networks saw in one capture: arrays, which are handed on beside the JSON.

    Attributes:
        picture: (size, size, 3) RGB, the aligned face.
        landmarks: Its points in pixels of that crop.
        regions: `forehead`, `left_eye`, `right_eye`, `nose`, `mouth` -> (g, g) from 0 to 1; left and right are those of
            the capture's side frame. Empty where the grader was not asked; `mask` and `asymmetry` are None then.
        mask: (g, g) from 0, background, to 1.
        asymmetry: (g, g) from 0 to 1, how much the halves of the face differ; symmetric, so it carries no side.
        palsy: (s, s) from 0 to 1, the places of the units that are palsied, each as deep as its probability, added up
            and over the exam's highest where that is above 1; None where no regions are said.
    """

    picture: NDArray[np.uint8]
    landmarks: LandmarkSet
    regions: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    mask: NDArray[np.float32] | None = None
    asymmetry: NDArray[np.float32] | None = None
    palsy: NDArray[np.float32] | None = None


class Closure(_Frozen):
    """How far each eye closes in one closure expression, in the best of its usable attempts.

    That is the one in which the affected eye closes furthest or, where no single reference side counts, the one whose
    wider eye is closed furthest. Left and right are those of the exam's side frame.

    Attributes:
        expression: `eyes_gentle` or `eyes_tight`.
        source: File of that attempt; None where none is usable. `frame` is its frame in a clip.
        iod: Palpebral fissure height left open, at least 0; `mm` is the same in millimetres.
        closed_share: Share of each eye's own fissure at rest that is closed; below 0 where it is wider than at rest.
        limit_iod: Height up to which an eye counts as closed; `limit_mm` is the same in millimetres.
        limit_measured: Whether that limit was measured on healthy people, or is assumed.
        withheld: Field name -> reason, for every field that is None; `value` when all are.
    """

    expression: Expression
    source: str | None = None
    frame: int | None = None
    iod: Sides | None = None
    mm: Sides | None = None
    closed_share: Sides | None = None
    limit_iod: float
    limit_mm: float | None = None
    limit_measured: bool
    withheld: dict[str, str] = Field(default_factory=dict)

    @property
    def open_sides(self) -> tuple[Side, ...]:
        """The sides that stay open by more than the limit."""
        height = {} if self.iod is None else {Side.LEFT: self.iod.left or 0.0, Side.RIGHT: self.iod.right or 0.0}
        return tuple(side for side, value in height.items() if value > self.limit_iod)


class Recognition(_Frozen):
    """Probability of a palsy by a network over all captures that it saw, or why there is none.

    Attributes:
        probability: Calibrated; None where withheld, as is `palsied`. A low one does not exclude a weakness.
        withheld: Why there is none.
        palsied: Whether the probability reaches `threshold`, which validation people of the training chose.
        threshold: That probability.
        captures: How many captures the network saw.
        model: Name of the network, as in `Software.models`.
        caution: What is to be said wherever the network speaks.
    """

    probability: float | None = None
    withheld: str | None = "no recognition network is installed"
    palsied: bool | None = None
    threshold: float | None = None
    captures: int = 0
    model: str | None = None
    caution: str | None = None


class UnitPalsy(_Frozen):
    """Whether one action unit of one side is palsied, by a network over all captures that it saw.

    Attributes:
        au: Number of the action unit; 26 stands for the lower lip, never for the jaw.
        action: What it does, in words.
        zone: `forehead`, `eye`, `midface` or `mouth`.
        side: Side of the exam's side frame.
        probability: That its action is below 75 % of normal.
        threshold: Probability from which it counts as palsied, which validation people of the training chose.
        palsied: Whether it does.
    """

    au: int
    action: str
    zone: str
    side: Side
    probability: float
    threshold: float
    palsied: bool


class PalsyRegions(_Frozen):
    """Which action units are palsied on which side, by a network, or why that is not said.

    Attributes:
        units: Each unit on each side; empty where withheld.
        withheld: Why there are none.
        model: Name of the network, as in `Software.models`.
        caution: What is to be said wherever the network speaks.
    """

    units: tuple[UnitPalsy, ...] = ()
    withheld: str | None = "no region network is installed"
    model: str | None = None
    caution: str | None = None


class Grade(_Frozen):
    """House-Brackmann probabilities I to VI by a network over the whole exam, or why there are none.

    Attributes:
        probabilities: Of I to VI; None where withheld, as are `estimate` and `left_affected`.
        withheld: Why there are none.
        estimate: The most probable grade, 1 to 6.
        left_affected: Probability that the affected side is the left one of the exam's side frame, given a palsy.
        model: Name of the network, as in `Software.models`.
        caution: What is to be said wherever the network speaks.
        notes: Sentences to show beside the grade.
    """

    probabilities: Probabilities | None = None
    withheld: str | None = "no grading network is installed"
    estimate: int | None = Field(default=None, ge=1, le=6)
    left_affected: float | None = None
    model: str | None = None
    caution: str | None = None
    notes: tuple[str, ...] = ()


class Change(_Frozen):
    """Change of one movement or measure since an earlier exam of the same subject.

    `before`, `after` and `change` are of left minus right; what each side did stands beside it, null for a midline
    measure. `mdc` is the minimal detectable change (95 %) by the captures repeated within the exams: t(0.975, df) * s *
    sqrt(1/n1 + 1/n2) for means over n1 and n2 captures, s pooled over both exams with df = the sum of their (n - 1);
    `left_mdc` and `right_mdc` likewise by the repeats of that side. They are null when neither exam repeats a capture;
    so is `beyond_mdc` then.

    `ratio_before` and `ratio_after` are affected over reference side for a movement, left over right for a measure.
    `reference_side` is the one that both exams name, and `reference_changed` whether it changed by more than its own
    MDC: a change of the difference is then not the affected side's alone.
    """

    expression: str
    name: str
    since: str
    before: float
    after: float
    change: float
    unit: str
    mdc: float | None = None
    beyond_mdc: bool | None = None
    left_before: float | None = None
    left_after: float | None = None
    left_mdc: float | None = None
    right_before: float | None = None
    right_after: float | None = None
    right_mdc: float | None = None
    ratio_before: float | None = None
    ratio_after: float | None = None
    reference_side: Side | None = None
    reference_changed: bool | None = None


class Failure(_Frozen):
    """An input that gave no result."""

    source: str
    error: str
    message: str


class Assessment(_Frozen):
    """The result of one analysis: a photo, a clip or an exam.

    `disagreement`: a sentence where network and rule differ by more than one House-Brackmann grade.
    `fingerprint`: equal fingerprints come from equal inputs, settings and software; null from the Python API.
    """

    schema_: Literal["facialpalsy.assessment/1"] = Field(default="facialpalsy.assessment/1", alias="schema")
    created: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    notice: str = NOTICE
    software: Software
    exam: Exam = Field(default_factory=Exam)
    captures: tuple[Capture, ...] = ()
    movements: tuple[Movement, ...] = ()
    closures: tuple[Closure, ...] = ()
    scales: dict[str, ScaleEstimate] = Field(default_factory=dict)
    recognition: Recognition = Field(default_factory=Recognition)
    regions: PalsyRegions = Field(default_factory=PalsyRegions)
    grade: Grade = Field(default_factory=Grade)
    disagreement: str | None = None
    changes: tuple[Change, ...] = ()
    changes_withheld: str | None = None
    failures: tuple[Failure, ...] = ()
    fingerprint: str | None = None

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    def to_json(self) -> str:
        """The result as JSON text."""
        return self.model_dump_json(by_alias=True, indent=1) + "\n"

    def save(self, path: Path) -> None:
        """Write `assessment.json`, whole or not at all."""
        write_text(path, self.to_json())

    @classmethod
    def load(cls, path: Path) -> Assessment:
        """Read an `assessment.json`.

        Raises:
            InputNotFoundError: no such file.
            UsageError: not an assessment of schema version 1.
        """
        if not path.is_file():
            raise InputNotFoundError(f"The assessment {path.name!r} does not exist.")
        try:
            found = cls.model_validate_json(path.read_text(encoding="utf-8"))
            if "schema_" not in found.model_fields_set:
                raise ValueError("it names no schema")
        except (ValueError, OSError) as error:
            raise UsageError(
                f"{path.name!r} is not a {SCHEMA} file ({_problem(error)}); run `facialpalsy analyze` again."
            ) from error
        return found


def _problem(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]


def json_schema() -> dict[str, Any]:
    """The published JSON Schema; like `Assessment.load` it asks for the schema's name and lets unknown fields pass."""
    schema = Assessment.model_json_schema(by_alias=True, mode="serialization")
    schema["required"] = ["schema", *schema["required"]]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA, **json.loads(json.dumps(schema))}
