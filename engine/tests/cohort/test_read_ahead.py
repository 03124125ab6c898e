from __future__ import annotations

import threading
import time

import pytest

from mimir_engine.cohort.read_ahead import MAX_READY, read_ahead


@pytest.mark.parametrize("jobs", [1, 3])
def test_no_more_items_than_jobs_are_worked_on_at_once(jobs: int) -> None:
    lock, now, largest = threading.Lock(), 0, 0

    def slow(item: int) -> int:
        nonlocal now, largest
        with lock:
            now += 1
            largest = max(largest, now)
        time.sleep(0.01)
        with lock:
            now -= 1
        return item

    results = [result for result in read_ahead(range(24), slow, jobs) if result is not None]
    assert sorted(results) == list(range(24))
    assert largest == jobs


def test_little_is_done_ahead_of_whoever_takes_the_results() -> None:
    started: list[int] = []
    results = read_ahead(range(100), started.append, 2)
    next(results)
    time.sleep(0.2)
    assert len(started) <= MAX_READY + 2 + 1
    results.close()
    time.sleep(0.05)
    assert len(started) <= MAX_READY + 2 + 1, "what has not begun is dropped"


def test_a_slow_item_does_not_hold_up_the_others() -> None:
    others_are_taken = threading.Event()

    def work(item: int) -> int:
        assert item > 0 or others_are_taken.wait(30)
        return item

    taken: list[int] = []
    for result in read_ahead(range(8), work, 2):
        taken += [] if result is None else [result]
        if len(taken) == 7:
            others_are_taken.set()
    assert sorted(taken[:7]) == [1, 2, 3, 4, 5, 6, 7]
    assert taken[7] == 0


def test_results_are_in_order_if_the_order_counts() -> None:
    others_are_done = threading.Event()

    def work(item: int) -> int:
        assert item > 0 or others_are_done.wait(30)
        if item == 7:
            others_are_done.set()
        return item

    in_order = read_ahead(range(8), work, 2, in_order=True)
    assert [result for result in in_order if result is not None] == list(range(8))


def test_an_error_ends_it() -> None:
    def fail(item: int) -> int:
        raise OSError(item)

    with pytest.raises(OSError, match="0"):
        list(read_ahead(range(3), fail, 1))
