"""Pipeline: from what a user points at to an Assessment."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from facialpalsy import errors as errors_module
from facialpalsy.analysis.capture import Measured, Picture, measure_photo
from facialpalsy.analysis.clip import ClipReader, FrameMeasures
from facialpalsy.analysis.closure import closures
from facialpalsy.analysis.exam import assess_exam
from facialpalsy.analysis.grading import grade_exam
from facialpalsy.analysis.inputs import find_jobs
from facialpalsy.analysis.recognition import recognise_exam
from facialpalsy.analysis.request import CaptureRequest, Job, Settings, landmark_source
from facialpalsy.assessment import Assessment, FaceMaps, Failure, Software
from facialpalsy.assessment import Engine as EngineModel
from facialpalsy.clinical.evidence import Rating
from facialpalsy.clinical.expressions import Expression
from facialpalsy.clinical.norms import Norms, default_norms, read_norms
from facialpalsy.clinical.ratings import read_ratings
from facialpalsy.detect import DEFAULT_ENGINE, ENGINES, Detector, Engine, find_engine, open_detector
from facialpalsy.errors import ExamError, FacialPalsyError, UsageError, did_you_mean
from facialpalsy.face import Landmarks, Mirrored, ReferenceSide
from facialpalsy.measure import IRIS_MM
from facialpalsy.media import VIDEO_SUFFIXES

_Choice = TypeVar("_Choice", bound=StrEnum)

FrameSink = Callable[[CaptureRequest, Iterator[FrameMeasures]], None]
"""Takes a clip and its frames; must read them all."""


@dataclass(frozen=True)
class Result:
    """An assessment with what its JSON does not hold.

    Attributes:
        assessment: The result.
        pictures: Capture index -> (h, w, 3) RGB, un-mirrored.
        landmarks: Capture index -> landmarks, to be written for correction by hand.
        maps: Capture index -> what networks saw, for the captures that they were shown.
    """

    assessment: Assessment
    pictures: dict[int, Picture]
    landmarks: dict[int, Landmarks]
    maps: Mapping[int, FaceMaps] = field(default_factory=dict)


def analyze(
    path: str | Path,
    *,
    expression: str | None = None,
    order: str | None = None,
    mirrored: str = "unknown",
    reference_side: str = "unknown",
    landmarks: str | Path | None = None,
    ratings: str | Path | None = None,
    norms: str | Path | Norms | None = None,
    iris_mm: float = IRIS_MM,
    max_megapixels: float = 100.0,
    every: float | None = None,
    regions: bool = False,
) -> Assessment:
    """Analyse one photo, one clip or one exam.

    Args:
        path: A photo, a clip, or a folder that is one exam.
        expression: What the subject does, where names and `exam.csv` do not say.
        order: Name of a published order that names the photos of a folder by position, such as "meei".
        mirrored: "no", "yes" or "unknown"; with "unknown", left and right mean the image's.
        reference_side: "left", "right", "both", "none" or "unknown": the subject's side to compare with.
        landmarks: Name of a landmark engine, "own" (the default) or, once installed, another; or a landmark file
            for one picture, or a folder of them for an exam.
        ratings: A clinician's `ratings.csv`.
        norms: Healthy limits fitted by `facialpalsy norms fit`; by default those of the London set.
        iris_mm: Visible iris diameter in millimetres.
        max_megapixels: Largest picture that is decoded.
        every: Seconds between the measured frames of a clip.
        regions: Whether action units are looked at where the recogniser sees no palsy, too.

    Raises:
        FacialPalsyError: nothing could be measured; its class and message say why. For an exam, captures that fail are
            listed in `Assessment.failures` instead, as long as one can be measured.
    """
    engine, files = landmark_source(DEFAULT_ENGINE if landmarks is None else landmarks)
    if norms is None:
        norms = default_norms(engine)
    elif not isinstance(norms, Norms):
        norms = read_norms(Path(norms))
    settings = Settings(
        expression=None if expression is None else Expression.parse(expression),
        order=order,
        mirrored=_choice(Mirrored, "mirrored", mirrored),
        reference_side=_choice(ReferenceSide, "reference side", reference_side),
        landmarks=files,
        engine=engine,
        ratings=None if ratings is None else Path(ratings),
        norms=norms,
        iris_mm=iris_mm,
        max_megapixels=max_megapixels,
        every=every,
        regions_of_all=regions,
    )
    jobs, refused = find_jobs([path], settings)
    if refused:
        raise refused[0][1]
    if len(jobs) != 1:
        raise UsageError(
            f"{Path(path).name!r} holds {len(jobs)} independent inputs, and analyze() takes one; "
            "call it for each, or use the command `facialpalsy analyze` for all."
        )
    assessment = run_job(jobs[0], settings).assessment
    if not assessment.captures and assessment.failures:
        raise _as_error(assessment.failures[0])
    return assessment


def _as_error(failure: Failure) -> FacialPalsyError:
    kind = getattr(errors_module, failure.error, FacialPalsyError)
    error: FacialPalsyError = kind(failure.message)
    return error


def _choice(kind: type[_Choice], name: str, text: str) -> _Choice:
    """The member of an enumeration named `text`, or a UsageError with the allowed names."""
    try:
        return kind(text.lower())
    except ValueError:
        raise UsageError(f"Unknown {name} {text!r}. {did_you_mean(text, list(kind))}") from None


def run_job(job: Job, settings: Settings, *, frame_sink: FrameSink | None = None) -> Result:
    """Analyse one job; what fails becomes a row of `failures`.

    Args:
        job: What to analyse.
        settings: Settings of the call.
        frame_sink: Receives the frames of every clip; by default they are measured and only key frames kept.
    """
    captures, failures = measure_captures(job, settings, frame_sink=frame_sink)
    ratings: tuple[Rating, ...] = ()
    if job.ratings is not None:
        try:
            ratings = read_ratings(job.ratings)
        except FacialPalsyError as error:
            failures.append(_failure(job.ratings.name, error))
    return _result(job, captures, failures, settings, ratings)


def measure_captures(
    job: Job, settings: Settings, *, frame_sink: FrameSink | None = None
) -> tuple[list[Measured], list[Failure]]:
    """The measured captures of one job, each for itself, and the inputs that gave none."""
    captures: list[Measured] = []
    failures = list(job.failures)
    for request in job.captures:
        try:
            found, failed = _measure(request, job, settings, frame_sink)
            captures += found
            failures += failed
        except FacialPalsyError as error:
            failures.append(_failure(request.source, error))
    return captures, failures


def _failure(source: str, error: FacialPalsyError) -> Failure:
    return Failure(source=source, error=type(error).__name__, message=str(error))


def _measure(
    request: CaptureRequest, job: Job, settings: Settings, frame_sink: FrameSink | None
) -> tuple[list[Measured], list[Failure]]:
    if request.path.suffix.lower() not in VIDEO_SUFFIXES:
        return [measure_photo(request, job.header, settings, _detector(settings.engine))], []
    if request.landmarks is not None:
        raise UsageError("--landmarks works on photos; a clip is measured frame by frame with the landmark engine.")
    reader = ClipReader(request, job.header, settings, _detector(settings.engine))
    if frame_sink is not None:
        frame_sink(request, reader.frames())
    else:
        deque(reader.frames(), maxlen=0)
    captures, failures = reader.key_frames()
    if not _rest_is_its_own(request, job):
        captures = [one for one in captures if one.capture.expression is not Expression.REST]
        if not captures and not failures:
            raise ExamError(
                f"{request.path.name!r} shows no movement, and the exam has a rest capture already; "
                "name the clip's expression in exam.csv or in its file name, or film it again."
            )
    return captures, failures


def _rest_is_its_own(request: CaptureRequest, job: Job) -> bool:
    """Whether a clip's rest frame counts as rest; beside a capture that the exam names so, it is no repeat of it."""
    named = [one.expression for one in job.captures]
    return job.kind == "clip" or request.expression is Expression.REST or Expression.REST not in named


def _result(
    job: Job, captures: list[Measured], failures: list[Failure], settings: Settings, ratings: tuple[Rating, ...]
) -> Result:
    named = {one.landmarks.engine for one in captures}
    engines = [find_engine(name) for name in ENGINES if name in named]
    engine = _least(engines)
    result = assess_exam(captures, job.header, settings, engine, ratings)
    graded = grade_exam(result, job.header, settings, engine)
    recognised = recognise_exam(result, graded.captures, graded.maps, regions_of_all=settings.regions_of_all)
    software = Software(
        version=version("facialpalsy"),
        models=(*(EngineModel(**vars(one)) for one in engines), *recognised.models, *graded.models),
        norms=f"{settings.norms.name}: {settings.norms.source}",
    )
    assessment = Assessment(
        software=software,
        exam=result.exam,
        captures=recognised.captures,
        movements=tuple(result.movements),
        closures=closures(recognised.captures, result.exam, settings.norms),
        scales=result.scales,
        recognition=recognised.recognition,
        regions=recognised.regions,
        grade=graded.grade,
        disagreement=graded.disagreement,
        failures=tuple(failures),
    )
    pictures = {index: one.picture for index, one in enumerate(result.captures) if one.picture is not None}
    landmarks = {index: one.landmarks for index, one in enumerate(result.captures)}
    return Result(assessment, pictures, landmarks, recognised.maps)


def _least(engines: Sequence[Engine]) -> Engine | None:
    """The engine of an exam; of several, whose points were read from files, what all of them are known to report."""
    if len(engines) < 2:
        return engines[0] if engines else None
    regions = set.intersection(*(set(engine.recovery) for engine in engines))
    return replace(engines[0], recovery={name: min(engine.recovery[name] for engine in engines) for name in regions})


@cache
def _detector(engine: str) -> Detector:
    return open_detector(engine)
