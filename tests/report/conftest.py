"""A small hand-made assessment: every number in it is stated here, none comes from an engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from facialpalsy.assessment import (
    OVERALL,
    REGIONS,
    Assessment,
    Asymmetry,
    Capture,
    Engine,
    Exam,
    Face,
    FaceMaps,
    Grade,
    LandmarkSet,
    Measure,
    Missing,
    Movement,
    PhotoGrade,
    Pose,
    Quality,
    Scale,
    Sides,
    Software,
)
from facialpalsy.clinical.scales.result import Item, ScaleEstimate

from ..stand_in import FACE, GRID, place
from ..stand_in import REGIONS as PLACES

NO_LIMITS = "'demo' has no healthy limits for {} in snarl"


def landmarks(size: float = 100.0, left: float = 0.0) -> LandmarkSet:
    """68 points of an upright face in a square of `size`: the midline stands at its middle."""
    unit = np.random.default_rng(1).uniform(0.1, 0.9, (68, 2))
    unit[[36, 39, 42, 45]] = [(0.2, 0.4), (0.4, 0.4), (0.6, 0.4), (0.8, 0.4)]
    unit[[48, 54]] = [(0.35, 0.75), (0.65, 0.75)]
    points = [(x * size + left, y * size + left) for x, y in unit.tolist()]
    extent = int(size + 2 * left)
    return LandmarkSet(scheme="ibug68", engine="file", image_size=(extent, extent), points=tuple(points))


def measures() -> tuple[Measure, ...]:
    """One measure of each kind; 80 mm per iod."""
    brow = Sides(0.30, 0.28, 0.02)
    return (
        Measure(
            "brow_height",
            iod=brow,
            mm=brow.times(80),
            ratio=0.30 / 0.28,
            noise=0.002,
            healthy_limits=(-0.01, 0.01),
            z=3.92,
            lines={"left": ((70, 40), (70, 20)), "right": ((30, 40), (30, 20))},
        ),
        Measure("mrd1", withheld={"value": "the eye is closed, so the pupil cannot be seen"}),
        Measure(
            "commissure_height",
            iod=Sides(-0.01, 0.01, -0.02),
            mm=Sides(-0.8, 0.8, -1.6),
            noise=0.001,
            withheld={"z": NO_LIMITS.format("commissure_height")},
        ),
        Measure(
            "smile_angle",
            deg=Sides(105, 100, 5),
            ratio=1.05,
            noise=1.0,
            withheld={"z": NO_LIMITS.format("smile_angle")},
        ),
        Measure(
            "philtrum_deviation",
            iod=Sides(None, None, -0.0125),
            mm=Sides(None, None, -1.0),
            withheld={"noise": "one set of points has no repeat error", "z": NO_LIMITS.format("philtrum_deviation")},
        ),
    )


def make_capture(**changes: Any) -> Capture:
    """A capture at rest, the subject's sides known, mouth beyond and brow within healthy limits."""
    regions = {name: Asymmetry(1.0, 1.7) for name in (*REGIONS, OVERALL)} | {"mouth": Asymmetry(2.5, 1.8)}
    values: dict[str, Any] = {
        "source": "p1/rest.jpg",
        "sha256": "ab" * 32,
        "kind": "photo",
        "expression": "rest",
        "mirrored": "no",
        "side_frame": "subject",
        "face": Face(
            box=(0, 0, 100, 100), detector="file", landmarks=landmarks(), pose_deg=Pose(yaw=-1.5, pitch=12.0, roll=0.2)
        ),
        "quality": Quality(usable=True, reasons=("the head is pitched by 12 degrees",)),
        "scale": Scale(80.0, "iris", 7.4),
        "measures": measures(),
        "asymmetry": regions,
    }
    return Capture(**values | changes)


def make_assessment(*captures: Capture, **changes: Any) -> Assessment:
    """An exam with movements, scales and something missing."""
    values: dict[str, Any] = {
        "created": "2026-03-02T10:00:00+00:00",
        "software": Software(
            version="0.1.0",
            models=(
                Engine(
                    name="mesh",
                    version="1",
                    sha256="cd" * 32,
                    licence="Apache-2.0",
                    trained_on="photos",
                    recovery={"brow": 0.44},
                ),
            ),
            norms="demo",
        ),
        "exam": Exam(
            subject="P-01",
            date="2026-03-01",
            reference_side="left",
            side_frame="subject",
            missing=(
                Missing(expression="snarl", reason="not taken"),
                Missing(expression="pucker", reason="not taken"),
            ),
        ),
        "captures": captures or (make_capture(),),
        "movements": (
            Movement(
                "smile_open",
                "commissure_excursion",
                iod=Sides(0.10, 0.04, 0.06),
                mm=Sides(8.0, 3.2, 4.8),
                ratio=0.4,
                noise=0.005,
                mdc=0.02,
                z=4.1,
            ),
            Movement("brow_raise", "brow_elevation", withheld={"value": "the mesh has no brow"}),
        ),
        "scales": {
            "fngs2": ScaleEstimate(
                "fngs2",
                None,
                (2.0, 3.0),
                (
                    Item("fngs2.brow", 2.0, None, "Dr <b>A</b>", None),
                    Item("fngs2.eye", None, None, None, "eyes_tight: not taken"),
                ),
                None,
            ),
            "house_brackmann": ScaleEstimate("house_brackmann", None, None, (), "the exam is not complete"),
            "sunnybrook": ScaleEstimate("sunnybrook", 63.0, None, (), None),
        },
    }
    return Assessment(**values | changes)


CAUTION = "trained on synthetic patients, not validated on real ones"


def make_maps() -> FaceMaps:
    """A grey face with the stand-in's regions; the mouth's rows are asymmetric by one half, all else by nothing."""
    asymmetry = np.zeros((GRID, GRID), np.float32)
    asymmetry[PLACES["mouth"][0]] = 0.5
    regions = {name: place(*where) for name, where in PLACES.items()}
    return FaceMaps(np.full((448, 448, 3), 120, np.uint8), landmarks(448), regions, place(*FACE), asymmetry)


def make_graded(exam: Assessment, **changes: Any) -> Assessment:
    """The assessment with a grade of V by a network, from all its captures, the first the most asymmetric."""
    values: dict[str, Any] = {
        "probabilities": (0.01, 0.04, 0.1, 0.2, 0.6, 0.05),
        "withheld": None,
        "estimate": 5,
        "left_affected": 0.03,
        "model": "grader",
        "caution": CAUTION,
    }
    captures = tuple(
        one.model_copy(
            update={
                "grade": PhotoGrade(
                    probabilities=(0.0, 0.7, 0.3, 0.0, 0.0, 0.0),
                    asymmetry={"face": 0.5 / (index + 1), "forehead": 0.01, "mouth": 0.62},
                ),
                "maps": {kind: f"map_{kind}_{index + 1}.png" for kind in ("regions", "asymmetry")},
            }
        )
        for index, one in enumerate(exam.captures)
    )
    return exam.model_copy(update={"captures": captures, "grade": Grade(**values | changes)})


@pytest.fixture
def maps() -> Callable[[], FaceMaps]:
    return make_maps


@pytest.fixture
def graded() -> Callable[..., Assessment]:
    return make_graded


@pytest.fixture
def capture() -> Callable[..., Capture]:
    return make_capture


@pytest.fixture
def assessment() -> Callable[..., Assessment]:
    return make_assessment
