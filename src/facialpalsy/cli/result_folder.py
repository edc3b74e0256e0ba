"""Result folder: the files of one job, each whole or absent, never in place of a person's own work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path

from facialpalsy.analysis import Job, Result
from facialpalsy.analysis.clip import FrameMeasures
from facialpalsy.analysis.request import CaptureRequest
from facialpalsy.assessment import Assessment, Capture
from facialpalsy.detect import is_handmade, write_landmarks
from facialpalsy.errors import FacialPalsyError, OutputError
from facialpalsy.face import Mirrored
from facialpalsy.media import VIDEO_SUFFIXES
from facialpalsy.report import (
    MEASURE_COLUMNS,
    REPORT,
    measure_rows,
    overlay_name,
    write_csv,
    write_measures_csv,
    write_report,
)
from facialpalsy.writing import make_folder, remove_partial

ASSESSMENT = "assessment.json"
MEASURES = "measures.csv"


def finished(folder: Path, job: Job, mark: str) -> Assessment | None:
    """The assessment in `folder` if it was made from the same inputs and all its files are there."""
    try:
        assessment = Assessment.load(folder / ASSESSMENT)
    except FacialPalsyError:
        return None
    is_whole = all((folder / name).is_file() for name in _names(job, assessment))
    return assessment if assessment.fingerprint == mark and is_whole else None


def prepare(folder: Path, job: Job) -> None:
    """Make `folder` and remove an earlier run's results, so that none of them stands beside the new ones.

    Raises:
        OutputError: the folder cannot be written, or holds landmarks that a person moved and that the job does not use.
    """
    make_folder(folder)
    used = {request.landmarks.resolve() for request in job.captures if request.landmarks is not None}
    for path in sorted(folder.glob("landmarks_*.json")):
        if path.resolve() not in used and is_handmade(path, copies=not used):
            raise OutputError(
                f"{path.name!r} in the folder of the results was changed by hand, and this run would overwrite it; "
                "give it with --landmarks, or move it elsewhere."
            )
    clear(folder)


def clear(folder: Path) -> None:
    """Remove what `write` and `write_frames` leave in a folder; landmarks stay, they may be handmade."""
    remove_partial(folder)
    made = (ASSESSMENT, REPORT, MEASURES)
    patterns = ("overlay_*.png", "map_regions_*.png", "map_asymmetry_*.png", "map_palsy_*.png", "frames_*.csv")
    for path in (*(folder / name for name in made), *chain.from_iterable(map(folder.glob, patterns))):
        with suppress(FileNotFoundError):
            path.unlink()


def write_frames(folder: Path, job: Job, request: CaptureRequest, frames: Iterator[FrameMeasures]) -> None:
    """Write the measures of a clip as they come: the measures of the job, or, in an exam, a file of this clip."""
    rows = (
        row
        for one in frames
        for row in measure_rows(one.measures, {"name": job.name, **one.place()}, one.scale.mm_per_iod)
    )
    write_csv(folder / _frames_name(job, request), MEASURE_COLUMNS, rows)


def write(folder: Path, job: Job, result: Result, *, photos: bool) -> None:
    """Write everything but the frames of clips; the assessment is written last and stands for all."""
    assessment = result.assessment
    if job.kind != "clip":
        write_measures_csv(folder / MEASURES, {job.name: assessment})
    names = _landmark_names(assessment.captures)
    for index, landmarks in result.landmarks.items():
        unmirrored = assessment.captures[index].mirrored is Mirrored.YES
        write_landmarks(folder / names[index], landmarks, unmirrored=unmirrored)
    if assessment.captures:
        write_report(folder, assessment, result.pictures, maps=result.maps, photos=photos)
    assessment.save(folder / ASSESSMENT)


def _names(job: Job, assessment: Assessment) -> Iterator[str]:
    """The files beside the assessment of a finished job."""
    captures = assessment.captures
    if captures:
        yield from (MEASURES, REPORT, *_landmark_names(captures))
        yield from (overlay_name(index, capture) for index, capture in enumerate(captures))
        yield from chain.from_iterable(capture.maps.values() for capture in captures)
    measured = {capture.source for capture in captures}
    yield from (_frames_name(job, clip) for clip in _clips(job) if clip.source in measured)


def _clips(job: Job) -> list[CaptureRequest]:
    return [request for request in job.captures if request.path.suffix.lower() in VIDEO_SUFFIXES]


def _frames_name(job: Job, clip: CaptureRequest) -> str:
    if job.kind == "clip":
        return MEASURES
    clips = _clips(job)
    return f"frames_{_names_of([(one.source, '') for one in clips])[clips.index(clip)]}.csv"


def _landmark_names(captures: Sequence[Capture]) -> list[str]:
    """One name per capture, by which `--landmarks FOLDER` finds it."""
    parts = [(one.source, "" if one.frame is None else f"_{one.frame}") for one in captures]
    return [f"landmarks_{name}.json" for name in _names_of(parts)]


def _names_of(parts: Sequence[tuple[str, str]]) -> list[str]:
    """Of each file and ending: the file's stem and the ending; the file's whole name where these are equal."""
    stems = [f"{Path(source).stem}{ending}" for source, ending in parts]
    whole = [f"{source.replace('/', '_')}{ending}" for source, ending in parts]
    return [name if stems.count(stem) > 1 else stem for stem, name in zip(stems, whole, strict=True)]
