"""Say how far the runs of output folders are, without disturbing them."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from mimir_engine.cohort.outcomes import LastRun, read_outcomes
from mimir_engine.cohort.output_files import PROJECTIONS_FOLDER
from mimir_engine.errors import MimirError
from mimir_engine.files.folder_lock import is_held

#: Seconds over which studies per hour are counted, back from now or from the end of the run.
RATE_WINDOW_S = 3600
#: States of a run: it works now; all is done; it ended before all was done; nothing was begun yet;
#: its ledger cannot be read; several runs of which some work, or of different states.
RUNNING, FINISHED, STOPPED, NOT_BEGUN, UNREADABLE = (
    *("running", "finished", "stopped", "not begun", "unreadable"),
)


@dataclass(frozen=True)
class RunStatus:
    """How far a run is, or several together.

    Attributes:
        folder: The output folder; empty for several together.
        state: `RUNNING`, `FINISHED`, `STOPPED`, `NOT_BEGUN` or `UNREADABLE`.
        reason: Why the ledger cannot be read; else empty.
        studies: Number of studies of the last run; None if it is not known.
        done: Number of studies with results.
        failed: Number of studies without results, by code.
        left: Number of studies that are still to be done, those that failed in an earlier run and
            are tried again included; None if it is not known.
        begun: Number of studies that are being read, or were being read when the run ended.
        studies_per_hour: Over the last hour of the last run; None if none has ended in it.
        seconds_left: At this rate; None if no run works, or the rate is not known.
        last_outcome: When the last study ended, in seconds since 1970; None if none has.
        damaged_lines: Lines of the ledger that are damaged; their studies are done again.
        disk_bytes: Size of all files in the folder, projections included.
        projection_bytes: Size of the projections.
    """

    folder: str
    state: str
    reason: str = ""
    studies: Optional[int] = None
    done: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    left: Optional[int] = None
    begun: int = 0
    studies_per_hour: Optional[float] = None
    seconds_left: Optional[float] = None
    last_outcome: Optional[int] = None
    damaged_lines: int = 0
    disk_bytes: int = 0
    projection_bytes: int = 0


def read_status(folder: Path, now: Optional[float] = None) -> RunStatus:
    """Say how far the run of an output folder is; it may work, have ended, or have been killed.

    Nothing is written, and no run is kept waiting.

    Args:
        folder: Output folder of any command that can be resumed; it need not exist yet.
        now: Seconds since 1970; by default those of the clock.
    """
    is_running, place = bool(is_held(folder)), str(folder)
    try:
        outcomes = read_outcomes(folder)
    except MimirError as error:
        if error.code != "RESULTS_MISSING":
            return RunStatus(place, UNREADABLE, error.reason)
        return RunStatus(place, RUNNING if is_running else NOT_BEGUN)
    last = outcomes.last_run
    left = last.left if last else None
    until = (time.time() if now is None else now) if is_running else None
    rate = _studies_per_hour(last, until) if last else None
    known = bool(rate and is_running and left is not None)
    return RunStatus(
        folder=place,
        state=RUNNING if is_running else STOPPED if left != 0 else FINISHED,
        studies=last.studies if last else None,
        done=len(outcomes) - sum(outcomes.codes().values()),
        failed=dict(sorted(outcomes.codes().items())),
        left=left,
        begun=len(outcomes.begun()),
        studies_per_hour=rate,
        seconds_left=left * 3600 / rate if known and rate and left is not None else None,
        last_outcome=max(last.times) if last and last.times else None,
        damaged_lines=outcomes.damaged_lines,
        disk_bytes=_size(folder),
        projection_bytes=_size(folder / PROJECTIONS_FOLDER),
    )


def together(runs: Sequence[RunStatus]) -> RunStatus:
    """Sum up several runs: the time left is that of the slowest that works."""
    states = {run.state for run in runs}
    order = (RUNNING, UNREADABLE, STOPPED, NOT_BEGUN, FINISHED)
    rates = [r.studies_per_hour for r in runs if r.state == RUNNING and r.studies_per_hour]
    failed: Counter[str] = sum((Counter(run.failed) for run in runs), Counter())
    return RunStatus(
        folder="",
        state=next(state for state in order if state in states),
        studies=_total(run.studies for run in runs),
        done=sum(run.done for run in runs),
        failed=dict(sorted(failed.items())),
        left=_total(run.left for run in runs),
        begun=sum(run.begun for run in runs),
        studies_per_hour=sum(rates) if rates else None,
        seconds_left=max((run.seconds_left or 0 for run in runs), default=0) or None,
        last_outcome=max((run.last_outcome or 0 for run in runs), default=0) or None,
        damaged_lines=sum(run.damaged_lines for run in runs),
        disk_bytes=sum(run.disk_bytes for run in runs),
        projection_bytes=sum(run.projection_bytes for run in runs),
    )


def _studies_per_hour(run: LastRun, now: Optional[float]) -> Optional[float]:
    """Return the rate over the last hour, up to now or up to the end of the last study.

    Pauses between runs do not count: only the last run is looked at.
    """
    if not run.times:
        return None
    end = max(run.times) if now is None else max(now, *run.times)
    start = max(run.began, end - RATE_WINDOW_S)
    ended = sum(time > start for time in run.times)
    return ended * 3600 / (end - start) if ended and end > start else None


def _total(numbers: Iterable[Optional[int]]) -> Optional[int]:
    """Add what is known; None if nothing is."""
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _size(folder: Path) -> int:
    """Add up the sizes of the files in a folder and below; what vanishes meanwhile has none."""
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                size += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                continue
    return size
