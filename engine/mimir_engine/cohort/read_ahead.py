"""Do slow work for each item in a few threads, ahead of whoever takes the results."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from itertools import islice
from typing import Callable, Optional, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Seconds after which None is yielded if no result is ready.
POLL_S = 1.0
#: Results that wait to be taken while the next are made, at most.
MAX_READY = 8
#: The same if they must be taken in order, and may wait for a slow one.
MAX_READY_IN_ORDER = 64


def read_ahead(
    items: Iterable[Item], read: Callable[[Item], Result], jobs: int, in_order: bool = False
) -> Generator[Optional[Result], None, None]:
    """Yield the result of each item as it is ready, and None now and then while none is.

    Args:
        items: The items; taken as they are needed.
        read: The work, done in threads; an error ends the generator.
        jobs: Items worked on at once.
        in_order: Yield the results in the order of the items.
    """
    upcoming = iter(items)
    most = jobs + (MAX_READY_IN_ORDER if in_order else MAX_READY)
    threads = ThreadPoolExecutor(jobs)
    try:
        waiting = [threads.submit(read, item) for item in islice(upcoming, most)]
        while waiting:
            done, _ = wait(waiting[:1] if in_order else waiting, POLL_S, FIRST_COMPLETED)
            if not done:
                yield None
            for future in [future for future in waiting if future in done]:
                waiting.remove(future)
                waiting += [threads.submit(read, item) for item in islice(upcoming, 1)]
                yield future.result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)  # the work may hang: do not wait for it
