"""Batch: many jobs to a folder of results, side by side and resumable."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from facialpalsy.analysis import Job, Settings, run_job
from facialpalsy.analysis.changes import changes_since, not_compared
from facialpalsy.analysis.fingerprint import fingerprint
from facialpalsy.assessment import Assessment, Failure
from facialpalsy.cli import result_folder
from facialpalsy.errors import FacialPalsyError
from facialpalsy.report import write_csv, write_exams_csv, write_index, write_measures_csv
from facialpalsy.workers import begin_worker
from facialpalsy.writing import make_folder, remove_partial

_INDEX = "index.html"
_FAILURES = ("name", *Failure.model_fields)

_Chain = list[tuple[Job, Path | None]]
"""Jobs to be done one after the other, each with the folder of its results."""


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
        alone = len(self.jobs) == 1
        if self.out is not None:
            make_folder(self.out)
            remove_partial(self.out)
        for job in self.jobs:
            self._folders[job.name] = None if self.out is None else self.out if alone else self.out / job.name

    def run(self) -> Iterator[Outcome]:
        """The outcome of every job, as they are done; exams of one subject in the order of their dates."""
        chains = [[(job, self._folders[job.name]) for job in chain] for chain in _by_subject(self.jobs)]
        if self.workers == 1 or len(chains) < 2:
            for chain in chains:
                yield from _run_chain(chain, self.settings, self.photos, self.resume)
        else:
            yield from self._run_side_by_side(chains)

    def _run_side_by_side(self, chains: list[_Chain]) -> Iterator[Outcome]:
        left = yield from self._run_in_pool(chains)
        if len(left) == 1:
            message = "The process that worked on it died, mostly for lack of memory: make the picture or clip smaller."
            for job, _ in left[0]:
                yield Outcome(job, None, (Failure(source=job.name, error="BrokenProcessPool", message=message),))
        elif left:
            # Which one killed its process is not known: halves of halves find it, and the others are done.
            for part in (left[: len(left) // 2], left[len(left) // 2 :]):
                yield from self._run_side_by_side(part)

    def _run_in_pool(self, chains: list[_Chain]) -> Generator[Outcome, None, list[_Chain]]:
        """Yield outcomes as they come; return the chains that a process's death left undone."""
        # Spawned, not forked: the landmark engine runs threads of its own.
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(min(self.workers, len(chains)), context, begin_worker, (os.getpid(),))
        futures = {
            pool.submit(_collect_chain, chain, self.settings, self.photos, self.resume): chain for chain in chains
        }
        waiting = set(futures)
        undone = []
        try:
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    try:
                        yield from future.result()
                    except BrokenProcessPool:
                        undone.append(futures[future])
        finally:
            pool.shutdown(wait=not waiting, cancel_futures=True)
            if waiting:
                # Stopped: every file is whole or absent, so that nobody needs to wait for the jobs at work.
                for worker in multiprocessing.active_children():
                    worker.terminate()
        return [chain for chain in chains if chain in undone]

    def ordered(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Outcomes in the order of their jobs, however they came in."""
        names = [job.name for job in self.jobs]
        return sorted(outcomes, key=lambda outcome: names.index(outcome.job.name))

    def write_tables(self, outcomes: Sequence[Outcome], refused: Sequence[Failure]) -> None:
        """Tables and overview of all jobs in place of an earlier run's; a single job has its own page and measures.

        Args:
            outcomes: What became of the jobs.
            refused: Inputs that gave no job.
        """
        if self.out is None:
            return
        results = {one.job.name: one.assessment for one in outcomes if one.assessment is not None}
        failures: list[tuple[str | None, Failure]] = [(None, one) for one in refused]
        failures += [(outcome.job.name, one) for outcome in outcomes for one in outcome.failures]
        if len(self.jobs) > 1:
            if (self.out / result_folder.ASSESSMENT).is_file():
                result_folder.clear(self.out)
            write_measures_csv(self.out / result_folder.MEASURES, results)
            write_index(self.out / _INDEX, results, [one for _, one in failures], photos=self.photos)
        exams = {job.name: results[job.name] for job in self.jobs if job.kind == "exam" and job.name in results}
        changes = [
            {"subject": exam.exam.subject, **change.model_dump()} for exam in exams.values() for change in exam.changes
        ]
        if exams:
            write_exams_csv(self.out / "exams.csv", exams)
        if changes:
            write_csv(self.out / "changes.csv", changes[0], changes)
        if failures:
            rows = [{"name": name, **failure.model_dump()} for name, failure in failures]
            write_csv(self.out / "failures.csv", _FAILURES, rows)
        for name, is_written in (
            (_INDEX, len(self.jobs) > 1),
            ("exams.csv", exams),
            ("changes.csv", changes),
            ("failures.csv", failures),
        ):
            if not is_written:
                with suppress(OSError):
                    (self.out / name).unlink(missing_ok=True)


def _by_subject(jobs: Sequence[Job]) -> list[list[Job]]:
    """Jobs in chains: dated exams of one subject in order, everything else alone."""
    chains: dict[str, list[Job]] = {}
    for job in jobs:
        dated = job.kind == "exam" and job.header.subject and job.header.date
        chains.setdefault(f"subject {job.header.subject}" if dated else f"job {job.name}", []).append(job)
    return [sorted(chain, key=lambda job: job.header.date or "") for chain in chains.values()]


def _collect_chain(chain: _Chain, settings: Settings, photos: bool, resume: bool) -> list[Outcome]:
    return list(_run_chain(chain, settings, photos, resume))


def _run_chain(chain: _Chain, settings: Settings, photos: bool, resume: bool) -> Iterator[Outcome]:
    earlier: Assessment | None = None
    for job, folder in chain:
        try:
            outcome = _run_one(job, folder, settings, earlier, photos=photos, resume=resume)
        except Exception as error:  # noqa: BLE001  one job never stops the others
            outcome = Outcome(job, None, (_failure(job, error),))
        if outcome.assessment is not None and outcome.assessment.captures:
            earlier = outcome.assessment
        yield outcome


def _run_one(
    job: Job, folder: Path | None, settings: Settings, earlier: Assessment | None, *, photos: bool, resume: bool
) -> Outcome:
    mark = fingerprint(job, settings, photos=photos, earlier=earlier)
    if resume and folder is not None and (kept := result_folder.finished(folder, job, mark)) is not None:
        return Outcome(job, kept, kept.failures, kept=True)
    if folder is not None:
        result_folder.prepare(folder, job)
    frame_sink = None if folder is None else partial(result_folder.write_frames, folder, job)
    result = run_job(job, settings, frame_sink=frame_sink)
    assessment = result.assessment.model_copy(
        update={
            "fingerprint": mark,
            "changes": () if earlier is None else changes_since(earlier, result.assessment),
            "changes_withheld": None if earlier is None else not_compared(earlier, result.assessment),
        }
    )
    if folder is not None:
        result_folder.write(folder, job, replace(result, assessment=assessment), photos=photos)
    return Outcome(job, assessment, assessment.failures)


def _failure(job: Job, error: Exception) -> Failure:
    message = str(error)
    if isinstance(error, OSError):
        message = f"The system refused a file ({error.strerror}); check the input and the folder of the results."
    elif not isinstance(error, FacialPalsyError):
        message = f"This is a fault of facialpalsy, not of the input ({error}); please report it with the input's kind."
    return Failure(source=job.name, error=type(error).__name__, message=message)
