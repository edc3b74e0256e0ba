"""Run: detect, align and crop every sample of a corpus once, keep what is done, and leave out nothing.

As in ViTAU (Gao et al. 2025) every face is found, aligned by its landmarks and cut out at 256 x 256 pixels; the
engine is the caller's, dlib's among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from facialpalsy.datasets.sample import Sample
from facialpalsy.detect import Detector, Engine, OwnDetector
from facialpalsy.errors import EmptyFolderError, UsageError
from facialpalsy.face import Landmarks
from facialpalsy.preparation.cache import Cache, content_key
from facialpalsy.preparation.pool import side_by_side
from facialpalsy.preparation.prepared import Prepared, write_prepared
from facialpalsy.preparation.work import Work, died
from facialpalsy.writing import make_folder, remove_partial

SIZE = 256
SIZE_LIMITS = (32, 1024)


@dataclass(frozen=True)
class Finished:
    """What became of a corpus.

    Attributes:
        rows: Number of samples in the table.
        failures: Rows without a crop.
    """

    rows: int
    failures: tuple[Prepared, ...]


def prepare(
    samples: Iterable[Sample],
    out: Path,
    *,
    sizes: Sequence[int] = (SIZE,),
    jobs: int = 1,
    make_detector: Callable[[], Detector] = OwnDetector,
    on_done: Callable[[int], None] = lambda _: None,
) -> Finished:
    """Write crops and table of `samples` to `out`; what an earlier run has made of the same contents is kept.

    Args:
        samples: Pictures and frames of clips; rows follow their order, with the frames of a clip together.
        out: Folder of `crops/` and `prepared.parquet`; made if it does not exist.
        sizes: Sides of the square crops in pixels; landmarks and quality are those of the first.
        jobs: Processes.
        make_detector: Makes the detector, once per process; a function of a module, so that processes can have it.
        on_done: Called with the number of samples that are finished since the last call.

    Raises:
        UsageError: a size is not from 32 to 1024, or `jobs` is below 1.
        EmptyFolderError: there is no sample.
        OutputError: `out` cannot be written.
    """
    sizes = tuple(dict.fromkeys(sizes))
    _require(sizes, jobs)
    files = _by_file(samples)
    if not files:
        raise EmptyFolderError("There is no sample to prepare; `facialpalsy data check` says what the folder holds.")
    remove_partial(make_folder(out))
    Cache(out).remove_partial()
    done = side_by_side(files, Work(Cache(out), sizes, make_detector), died, jobs)
    count = 0
    failures: list[Prepared] = []

    def counted() -> Iterator[Prepared]:
        nonlocal count
        for row in _in_order(_reported(done, on_done)):
            count += 1
            failures.extend([row] if row.failure is not None else [])
            yield row

    write_prepared(out, counted(), sizes)
    return Finished(count, tuple(failures))


def found_landmarks(row: Prepared, folder: Path, engine: Engine) -> Landmarks | None:
    """The landmarks of a row in the pixels of its picture, un-mirrored where it was; None where no face was found.

    Args:
        row: Of a table that `prepare` wrote.
        folder: The folder that it was written to.
        engine: The engine that it was written with.
    """
    if row.sha256 is None or row.failure is not None:
        return None
    record = Cache(folder).read(content_key(row.sha256, row.frame, row.unmirrored, engine))
    return None if record is None else record.landmarks


def _by_file(samples: Iterable[Sample]) -> list[list[Sample]]:
    files: dict[tuple[Path, bool], list[Sample]] = {}
    for sample in samples:
        files.setdefault((sample.path, sample.frame is None), []).append(sample)
    return list(files.values())


def _reported(
    results: Iterable[tuple[int, list[Prepared]]], on_done: Callable[[int], None]
) -> Iterator[tuple[int, list[Prepared]]]:
    for position, rows in results:
        on_done(len(rows))
        yield position, rows


def _in_order(results: Iterable[tuple[int, list[Prepared]]]) -> Iterator[Prepared]:
    """Rows in the order of their files, which finish in any order."""
    early: dict[int, list[Prepared]] = {}
    due = 0
    for position, rows in results:
        early[position] = rows
        while due in early:
            yield from early.pop(due)
            due += 1


def _require(sizes: Sequence[int], jobs: int) -> None:
    least, most = SIZE_LIMITS
    for size in sizes or (0,):
        if not least <= size <= most:
            raise UsageError(f"The size {size} was asked for; a crop is {least} to {most} pixels wide, usually 256.")
    if jobs < 1:
        raise UsageError(f"{jobs} jobs were asked for; at least 1 is needed.")
