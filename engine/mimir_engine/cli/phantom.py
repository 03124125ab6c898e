"""``mimir phantom``: synthetic bodies of known measures, as scans or as projections."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any, Optional

from mimir_engine.cli._progress import duration
from mimir_engine.errors import MimirError

#: Those of ``phantom.shift``, which is imported only when it is used.
SHIFT_NAMES = ("none", "noise", "bodies", "contrast")


def add_parser(subparsers: Any) -> None:
    """Describe the command line."""
    parser = subparsers.add_parser(
        "phantom", help="make synthetic bodies of known measures, as scans or as projections"
    )
    parser.add_argument(
        "--output", required=True, type=Path, metavar="DIR", help="phantoms already there are kept"
    )
    parser.add_argument("--count", type=int, default=1, help="how many (1)")
    parser.add_argument("--seed", type=int, default=0, help="number of the first one (0)")
    parser.add_argument(
        "--projections", action="store_true", help="projections for training, not DICOM studies"
    )
    parser.add_argument(
        "--shift",
        default="none",
        choices=SHIFT_NAMES,
        help="projections unlike those of training, to see how intervals fail (none)",
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes for projections (1)")
    parser.add_argument(
        "--light", action="store_true", help="leave the in- and opposed-phase series out"
    )


def run(arguments: argparse.Namespace) -> int:
    """Make the phantoms."""
    if arguments.count < 1 or arguments.seed < 0 or arguments.jobs < 1:
        raise MimirError(
            "WRONG_USE", "--count and --jobs start at 1, --seed at 0", "Try 'mimir phantom --help'."
        )
    if arguments.shift != "none" and not arguments.projections:
        raise MimirError(
            "WRONG_USE", "--shift goes with --projections", "Try 'mimir phantom --help'."
        )
    seeds = range(arguments.seed, arguments.seed + arguments.count)
    if arguments.projections:
        return _projections(arguments, seeds)
    return _studies(arguments, seeds)


def _projections(arguments: argparse.Namespace, seeds: range) -> int:
    from mimir_engine.files.atomic import output_errors
    from mimir_engine.phantom.projections import write_projections

    with output_errors(arguments.output):
        write_projections(arguments.output, seeds, arguments.jobs, _Counter(), arguments.shift)
    return 0


class _Counter:
    """Shows on one line how many are made, and the time left."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._before: Optional[int] = None

    def __call__(self, done: int, total: int) -> None:
        if self._before is None:
            self._before = done
        made = done - self._before
        pace = (time.monotonic() - self._started) / made if made else 0.0
        left = f", {duration(pace * (total - done))} left" if made else ""
        end = "\n" if done == total else ""
        print(f"\r{done}/{total} phantoms{left}   ", end=end, file=sys.stderr, flush=True)


def _studies(arguments: argparse.Namespace, seeds: range) -> int:
    from mimir_engine.files.atomic import output_errors
    from mimir_engine.phantom.dicom_study import study_name, write_study

    light = {"contrasts": ("water", "fat")} if arguments.light else {}
    for seed in seeds:
        path = arguments.output / f"{study_name(seed)}.zip"
        with output_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.with_suffix(".truth.json").exists():  # written last
                write_study(path, seed, **light)
        print(path, flush=True)
    return 0
