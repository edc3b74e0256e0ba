"""Request: what is to be analysed, and with which settings."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from facialpalsy.assessment import Failure, Phase
from facialpalsy.clinical.expressions import Expression
from facialpalsy.clinical.norms import Norms, default_norms
from facialpalsy.detect import DEFAULT_ENGINE, ENGINES, check_installed, find_engine
from facialpalsy.errors import InputNotFoundError, UsageError, did_you_mean
from facialpalsy.face import Mirrored, ReferenceSide
from facialpalsy.measure import IRIS_MM


@dataclass(frozen=True)
class Settings:
    """Settings that hold for every input of one call.

    Attributes:
        expression: What the subject does in all inputs, where names and tables do not say.
        order: Name of a published order (`clinical.expressions.ORDERS`) that names a folder's captures by position.
        mirrored: Whether pictures are mirrored, where no table says.
        reference_side: The side to compare with, where no table says.
        landmarks: A landmark file for one picture, or a folder of such files named like the pictures; None to detect.
        engine: Name of the landmark engine that detects.
        ratings: A clinician's `ratings.csv`; None for the one in the exam's folder, if any.
        norms: Healthy limits.
        iris_mm: Visible iris diameter in millimetres.
        max_megapixels: Largest picture that is decoded.
        every: Seconds between the measured frames of a clip; None for all frames.
        regions_of_all: Whether the region network is asked of exams that the recogniser sees no palsy in, too.
    """

    expression: Expression | None = None
    order: str | None = None
    mirrored: Mirrored = Mirrored.UNKNOWN
    reference_side: ReferenceSide = ReferenceSide.UNKNOWN
    landmarks: Path | None = None
    engine: str = DEFAULT_ENGINE
    ratings: Path | None = None
    norms: Norms = field(default_factory=default_norms)
    iris_mm: float = IRIS_MM
    max_megapixels: float = 100.0
    every: float | None = None
    regions_of_all: bool = False

    def __post_init__(self) -> None:
        find_engine(self.engine)
        if not 5 <= self.iris_mm <= 20:
            raise UsageError(
                f"An iris of {self.iris_mm} mm was given; allowed are 5 to 20 mm, and 11.7 mm is the mean."
            )
        if not 0 < self.max_megapixels < math.inf:
            raise UsageError(f"The picture limit must be above 0 megapixels, but {self.max_megapixels} was given.")
        if self.every is not None and not 0 < self.every < math.inf:
            raise UsageError(f"--every must be a number of seconds above 0, but {self.every} was given.")


def landmark_source(given: str | Path) -> tuple[str, Path | None]:
    """The engine that detects, and the landmark file or folder that is read instead of detecting, if that was given.

    Args:
        given: Name of an engine, or a path; a name wins over a file that is called so.

    Raises:
        UsageError: neither an engine nor a path that exists.
        InputNotFoundError: a file that does not exist, by its ending.
        AssetNotInstalledError: the engine is not installed.
        AssetHashError: the engine's file is damaged.
    """
    if given in ENGINES:
        check_installed(str(given))
        return str(given), None
    path = Path(given)
    if not path.exists():
        if path.suffix:
            raise InputNotFoundError(f"The landmark file {path.name!r} does not exist; check --landmarks.")
        raise UsageError(
            f"Unknown landmark engine {str(given)!r}. {did_you_mean(str(given), ENGINES)} "
            "A landmark file or a folder of them is allowed too."
        )
    return DEFAULT_ENGINE, path


@dataclass(frozen=True)
class CaptureRequest:
    """One picture or clip of an exam.

    Attributes:
        path: The file.
        source: How results name it: its path below the root that the user gave.
        expression: What the subject does, or None where it is not known.
        mirrored: Whether it is mirrored.
        landmarks: Its landmark file, or None to detect.
    """

    path: Path
    source: str
    expression: Expression | None
    mirrored: Mirrored
    landmarks: Path | None = None


@dataclass(frozen=True)
class ExamHeader:
    """What the user says about an exam as a whole; see `assessment.Exam`."""

    subject: str | None = None
    date: str | None = None
    phase: Phase | None = None
    surgery: str | None = None
    reference_side: ReferenceSide = ReferenceSide.UNKNOWN
    iris_mm: float | None = None
    ruler_mm: float | None = None


@dataclass(frozen=True)
class Job:
    """One unit of work, which gives one assessment.

    Attributes:
        name: Unique among the jobs of a call; the folder of its results.
        kind: A single photo, a clip, or an exam of several captures.
        captures: What to read.
        header: What the user says about it.
        ratings: The clinician's items, or None.
        failures: Rows of an exam's table that could not be used.
    """

    name: str
    kind: Literal["photo", "clip", "exam"]
    captures: tuple[CaptureRequest, ...]
    header: ExamHeader = field(default_factory=ExamHeader)
    ratings: Path | None = None
    failures: tuple[Failure, ...] = ()
