"""Pool: pieces of work side by side in processes; a process that dies costs the one piece that killed it."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from facialpalsy.workers import begin_worker

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def side_by_side(
    pieces: Sequence[Piece], work: Callable[[Piece], Result], died: Callable[[Piece], Result], workers: int
) -> Iterator[tuple[int, Result]]:
    """Position and result of every piece, as they are done.

    Args:
        pieces: What to work on; it is pickled.
        work: What is done with one; it is pickled.
        died: Result of a piece whose process died.
        workers: Processes; 1 works in this one.
    """
    if workers == 1 or len(pieces) == 1:
        for position, piece in enumerate(pieces):
            yield position, work(piece)
        return
    yield from _halved(list(enumerate(pieces)), work, died, workers)


def _halved(
    pieces: list[tuple[int, Piece]], work: Callable[[Piece], Result], died: Callable[[Piece], Result], workers: int
) -> Iterator[tuple[int, Result]]:
    left = yield from _in_pool(pieces, work, workers)
    if len(left) == 1:
        yield left[0][0], died(left[0][1])
    elif left:
        # Which one killed its process is not known: halves of halves find it, and the others are done.
        for part in (left[: len(left) // 2], left[len(left) // 2 :]):
            yield from _halved(part, work, died, workers)


def _in_pool(
    pieces: list[tuple[int, Piece]], work: Callable[[Piece], Result], workers: int
) -> Generator[tuple[int, Result], None, list[tuple[int, Piece]]]:
    """Yield results as they come; return the pieces that a process's death left undone, in order."""
    # Spawned, not forked: the landmark engine runs threads of its own.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(pieces)), context, begin_worker, (os.getpid(),))
    waiting = {pool.submit(work, piece): (position, piece) for position, piece in pieces}
    undone = []
    try:
        while waiting:
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                position, piece = waiting.pop(future)
                try:
                    yield position, future.result()
                except BrokenProcessPool:
                    undone.append((position, piece))
    finally:
        pool.shutdown(wait=not waiting, cancel_futures=True)
        if waiting:
            # Stopped: every file is whole or absent, so that nobody needs to wait for the pieces at work.
            for worker in multiprocessing.active_children():
                worker.terminate()
    return sorted(undone, key=lambda one: one[0])
