"""``mimir status``: show the progress of runs, while they run and after they ended."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mimir_engine.cli import DONE, SOME_FAILED, show
from mimir_engine.cli._progress import studies
from mimir_engine.errors import MimirError
from mimir_engine.measuring.display_text import duration

if TYPE_CHECKING:
    from mimir_engine.cohort.shards.run_status import RunStatus


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "folders",
        nargs="+",
        type=Path,
        metavar="DIR",
        help="output folder of a run, or of each shard",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, for programs")


def run(arguments: argparse.Namespace) -> int:
    """Show the progress of each run, and of all together."""
    from dataclasses import asdict

    from mimir_engine.cohort.shards.run_status import NOT_BEGUN, UNREADABLE, read_status, together

    folders = list(dict.fromkeys(arguments.folders))
    runs = [read_status(folder) for folder in folders]
    if all(run.state == NOT_BEGUN for run in runs):
        raise MimirError(
            "RESULTS_MISSING",
            f"'{folders[0]}' holds no results of MIMIR",
            "Give the output folder of a run.",
        )
    total = together(runs)
    if arguments.json:
        show(json.dumps({"runs": [asdict(run) for run in runs], "together": asdict(total)}))
    else:
        for each in runs:
            show(f"{each.folder}: {each.state}", *(f"  {line}" for line in _lines(each)))
        if len(runs) > 1:
            show(f"{len(runs)} folders together", *(f"  {line}" for line in _lines(total)))
    return SOME_FAILED if any(run.state == UNREADABLE for run in runs) else DONE


def _lines(run: RunStatus) -> Iterator[str]:
    """Yield what is known of a run."""
    if run.reason:
        yield run.reason
    if run.studies is None and not run.done:
        return
    failed = sum(run.failed.values())
    codes = f" ({', '.join(f'{code} {count}' for code, count in run.failed.items())})"
    left = "" if run.left is None else f", {run.left} left"
    knows_all = run.studies is not None and run.done + failed <= run.studies
    of = f" of {run.studies}" if knows_all else ""  # else of earlier runs with other studies
    yield f"{run.done}{of} done, {failed} failed{codes if failed else ''}{left}"
    if run.studies_per_hour:
        in_time = f"; {duration(run.seconds_left)} left" if run.seconds_left else ""
        yield f"{run.studies_per_hour:.0f} studies per hour{in_time}"
    if run.state == "stopped":
        begun = f"; {studies(run.begun)} had been begun" if run.begun else ""
        yield f"it ended before all was done{begun}: run the same command again to continue"
    if run.damaged_lines:
        yield f"damaged lines in the ledger: {run.damaged_lines}; their studies are done again"
    if run.last_outcome:
        yield f"last study ended {duration(max(time.time() - run.last_outcome, 0))} ago"
    pictures = f", projections {_size(run.projection_bytes)}" if run.projection_bytes else ""
    yield f"{_size(run.disk_bytes)} on disk{pictures}"


def _size(number: int) -> str:
    """Format a number of bytes: ``12 kB``, ``3.4 MB`` or ``5.6 GB``."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if number >= factor:
            return f"{number / factor:.1f} {unit}"
    return f"{number / 1e3:.0f} kB"
