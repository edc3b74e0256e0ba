"""Pool: every piece has its result, whatever becomes of a process; pieces are Python expressions here."""

import time

import pytest

from facialpalsy.preparation.pool import side_by_side

DEADLY = "__import__('os')._exit(9)"


def died(piece):
    return f"died of {piece}"


@pytest.mark.parametrize("workers", [1, 2])
def test_every_piece_has_its_own_result(workers):
    pieces = [f"{number} * 10" for number in range(6)]
    assert dict(side_by_side(pieces, eval, died, workers)) == {number: number * 10 for number in range(6)}


def test_a_process_that_dies_costs_the_piece_that_killed_it():
    pieces = ["1", "2", DEADLY, "4", "5"]
    found = dict(side_by_side(pieces, eval, died, 2))
    assert found == {0: 1, 1: 2, 2: died(DEADLY), 3: 4, 4: 5}


def test_an_error_of_the_work_is_raised_and_ends_the_others():
    start = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        list(side_by_side(["1 / 0", "__import__('time').sleep(60)"], eval, died, 2))
    assert time.monotonic() - start < 30
