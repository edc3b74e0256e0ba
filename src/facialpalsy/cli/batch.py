"""Batch: many jobs to a folder of results, side by side, resumable, each file whole or absent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from facialpalsy.analysis import Job, Result, Settings, run_job
from facialpalsy.analysis.changes import changes_since
from facialpalsy.analysis.fingerprint import fingerprint
from facialpalsy.analysis.pipeline import FrameSink
from facialpalsy.assessment import Assessment, Capture, Failure
from facialpalsy.detect import write_landmarks
from facialpalsy.errors import FacialPalsyError
from facialpalsy.face import Mirrored
from facialpalsy.report import (
    MEASURE_COLUMNS,
    REPORT,
    measure_rows,
    write_csv,
    write_exams_csv,
    write_index,
    write_measures_csv,
    write_report,
)
from facialpalsy.writing import make_folder, remove_partial

ASSESSMENT = "assessment.json"
MEASURES = "measures.csv"


@dataclass(frozen=True)
class Outcome:
    """What became of one job; `kept` when an earlier result was still good."""

    job: Job
    assessment: Assessment | None
    failures: tuple[Failure, ...] = ()
    kept: bool = False


@dataclass
class Batch:
    """Jobs with one destination.

    Attributes:
        jobs: What to analyse.
        settings: Settings of the call.
        out: Folder of the results, or None to write nothing.
        photos: Whether report and overlays show the photos.
        resume: Whether finished results are kept.
        workers: Processes.
    """

    jobs: Sequence[Job]
    settings: Settings
    out: Path | None
    photos: bool = True
    resume: bool = False
    workers: int = 1
    _folders: dict[str, Path | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.out is not None:
            make_folder(self.out)
            remove_partial(self.out)
        for job in self.jobs:
            alone = len(self.jobs) == 1
            self._folders[job.name] = None if self.out is None else self.out if alone else self.out / job.name

    def run(self) -> Iterator[Outcome]:
        """The outcome of every job, as they are done; exams of one subject in the order of their dates."""
        chains = [[(job, self._folders[job.name]) for job in chain] for chain in _by_subject(self.jobs)]
        if self.workers == 1 or len(chains) < 2:
            for chain in chains:
                yield from _run_chain(chain, self.settings, self.photos, self.resume)
        else:
            yield from self._run_side_by_side(chains)

    def _run_side_by_side(self, chains: list[list[tuple[Job, Path | None]]]) -> Iterator[Outcome]:
        # Spawned, not forked: the landmark engine runs threads of its own.
        pool = ProcessPoolExecutor(min(self.workers, len(chains)), mp_context=get_context("spawn"))
        try:
            futures = {
                pool.submit(_collect_chain, chain, self.settings, self.photos, self.resume): chain for chain in chains
            }
            waiting = set(futures)
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    try:
                        yield from future.result()
                    except BrokenProcessPool:
                        message = "The process that worked on it died; run again with --resume and without --jobs."
                        yield from (
                            Outcome(job, None, (Failure(source=job.name, error="BrokenProcessPool", message=message),))
                            for job, _ in futures[future]
                        )
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def ordered(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Outcomes in the order of their jobs, however they came in."""
        names = [job.name for job in self.jobs]
        return sorted(outcomes, key=lambda outcome: names.index(outcome.job.name))

    def write_tables(self, outcomes: Sequence[Outcome], failures: Sequence[Failure]) -> None:
        """Tables over all jobs in place of an earlier run's; a single photo or clip has its own measures.csv."""
        if self.out is None:
            return
        results = {one.job.name: one.assessment for one in outcomes if one.assessment is not None}
        if len(self.jobs) > 1:
            write_measures_csv(self.out / MEASURES, results.values())
            write_index(self.out / "index.html", results, failures, photos=self.photos)
        exams = [results[job.name] for job in self.jobs if job.kind == "exam" and job.name in results]
        changes = [{"subject": exam.exam.subject, **change.model_dump()} for exam in exams for change in exam.changes]
        if exams:
            write_exams_csv(self.out / "exams.csv", exams)
        if changes:
            write_csv(self.out / "changes.csv", changes[0], changes)
        if failures:
            write_csv(self.out / "failures.csv", Failure.model_fields, [failure.model_dump() for failure in failures])
        for name, rows in (("exams.csv", exams), ("changes.csv", changes), ("failures.csv", failures)):
            if not rows:
                with suppress(OSError):
                    (self.out / name).unlink(missing_ok=True)


def _by_subject(jobs: Sequence[Job]) -> list[list[Job]]:
    """Jobs in chains: dated exams of one subject in order, everything else alone."""
    chains: dict[str, list[Job]] = {}
    for job in jobs:
        dated = job.kind == "exam" and job.header.subject and job.header.date
        chains.setdefault(f"subject {job.header.subject}" if dated else f"job {job.name}", []).append(job)
    return [sorted(chain, key=lambda job: job.header.date or "") for chain in chains.values()]


def _collect_chain(
    chain: list[tuple[Job, Path | None]], settings: Settings, photos: bool, resume: bool
) -> list[Outcome]:
    return list(_run_chain(chain, settings, photos, resume))


def _run_chain(
    chain: list[tuple[Job, Path | None]], settings: Settings, photos: bool, resume: bool
) -> Iterator[Outcome]:
    earlier: Assessment | None = None
    for job, folder in chain:
        try:
            outcome = _run_one(job, folder, settings, earlier, photos=photos, resume=resume)
        except FacialPalsyError as error:
            failure = Failure(source=job.name, error=type(error).__name__, message=str(error))
            outcome = Outcome(job, None, (failure,))
        if outcome.assessment is not None and outcome.assessment.captures:
            earlier = outcome.assessment
        yield outcome


def _run_one(
    job: Job, folder: Path | None, settings: Settings, earlier: Assessment | None, *, photos: bool, resume: bool
) -> Outcome:
    mark = fingerprint(job, settings, photos=photos, earlier=earlier)
    if resume and folder is not None and (kept := _finished(folder, mark)) is not None:
        return Outcome(job, kept, kept.failures, kept=True)
    if folder is not None:
        make_folder(folder)
        _clear(folder)
    result = run_job(job, settings, frame_sink=None if folder is None else _frame_sink(folder))
    assessment = result.assessment.model_copy(
        update={
            "fingerprint": mark,
            "changes": () if earlier is None else changes_since(earlier, result.assessment),
        }
    )
    if folder is not None:
        _write(folder, job, Result(assessment, result.pictures, result.landmarks), photos=photos)
    return Outcome(job, assessment, assessment.failures)


def _clear(folder: Path) -> None:
    """Remove an earlier run's results, so that none of them stands beside the new ones; landmarks may be handmade."""
    remove_partial(folder)
    for path in (folder / ASSESSMENT, folder / REPORT, *folder.glob("overlay_*.png")):
        with suppress(FileNotFoundError):
            path.unlink()


def _finished(folder: Path, mark: str) -> Assessment | None:
    """The assessment already in `folder` if it was made from the same inputs; written last, it stands for all."""
    try:
        assessment = Assessment.load(folder / ASSESSMENT)
    except FacialPalsyError:
        return None
    return assessment if assessment.fingerprint == mark else None


def _frame_sink(folder: Path) -> FrameSink:
    return lambda frames: write_csv(
        folder / MEASURES,
        MEASURE_COLUMNS,
        (row for one in frames for row in measure_rows(one.measures, one.place(), one.scale.mm_per_iod)),
    )


def _write(folder: Path, job: Job, result: Result, *, photos: bool) -> None:
    assessment = result.assessment
    if job.kind != "clip":
        write_measures_csv(folder / MEASURES, [assessment])
    names = _landmark_names(assessment.captures)
    for index, landmarks in result.landmarks.items():
        unmirrored = assessment.captures[index].mirrored is Mirrored.YES
        write_landmarks(folder / f"landmarks_{names[index]}.json", landmarks, unmirrored=unmirrored)
    if assessment.captures:
        write_report(folder, assessment, result.pictures, photos=photos)
    assessment.save(folder / ASSESSMENT)


def _landmark_names(captures: Sequence[Capture]) -> list[str]:
    """The stem of each capture's file, by which `--landmarks FOLDER` finds it; its whole name where stems are equal."""
    frames = ["" if one.frame is None else f"_{one.frame}" for one in captures]
    stems = [f"{Path(one.source).stem}{frame}" for one, frame in zip(captures, frames, strict=True)]
    whole = [f"{one.source.replace('/', '_')}{frame}" for one, frame in zip(captures, frames, strict=True)]
    return [name if stems.count(stem) > 1 else stem for stem, name in zip(stems, whole, strict=True)]
