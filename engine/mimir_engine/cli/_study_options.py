"""Options of the commands that read many studies: which studies, and how many at once."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from mimir_engine.cli import wrong_use
from mimir_engine.cli._progress import print_event
from mimir_engine.cohort.events import Listener
from mimir_engine.errors import MimirError
from mimir_engine.readers.available_cores import available_cores
from mimir_engine.readers.reader_limits import (
    DEFAULT_MEMORY_GB,
    DEFAULT_TIMEOUT_S,
    MAX_MEMORY_GB,
    MAX_TIMEOUT_S,
    MIN_MEMORY_GB,
    MIN_TIMEOUT_S,
    ReaderLimits,
)

if TYPE_CHECKING:
    from mimir_engine.cohort.sources import NamedSource

#: Most studies read at once.
MAX_JOBS = 1024


def add_study_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that name the studies."""
    parser.add_argument(
        "source", nargs="*", help="archive (zip, tar, tar.gz), folder of studies, or DICOM file"
    )
    parser.add_argument(
        "--sources",
        metavar="FILE",
        help="file with one JSON line per study: {name, path}, {name, files} or {name, fused};"
        " '-' reads standard input",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=available_cores(),
        help="number of studies read at once, about 400 MB each (default: the number of cores)",
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=DEFAULT_TIMEOUT_S,
        metavar="SECONDS",
        help="time for reading one study, on the clock (default: %(default)g)",
    )
    parser.add_argument(
        "--memory",
        type=float,
        default=DEFAULT_MEMORY_GB,
        metavar="GB",
        help="address space for reading one study, where the system can limit it"
        " (default: %(default)g)",
    )
    parser.add_argument(
        "--reconstruction",
        choices=("normalised", "raw"),
        default="normalised",
        help="images to use if the scanner stored each scan normalised and raw"
        " (default: %(default)s)",
    )


def chosen_studies(
    arguments: argparse.Namespace, listener: Listener = print_event
) -> Sequence[NamedSource]:
    """Find the studies that the options name; report what is passed over."""
    from mimir_engine.cohort.sources import named_sources, sources_from_json

    if not arguments.source:
        return sources_from_json(read_lines(arguments.sources))
    found = named_sources(arguments.source)
    for notice in found.passed_over:
        listener({"event": "passed_over", **asdict(notice)})
    return found.studies


def check_study_options(arguments: argparse.Namespace) -> None:
    """Refuse options that contradict each other, before any work."""
    _check_range(arguments, "jobs", 1, MAX_JOBS)
    _check_range(arguments, "timeout", MIN_TIMEOUT_S, MAX_TIMEOUT_S)
    _check_range(arguments, "memory", MIN_MEMORY_GB, MAX_MEMORY_GB)
    if bool(arguments.source) == bool(arguments.sources):
        raise wrong_use(arguments.command, "give either SOURCE or --sources")


def reader_limits(arguments: argparse.Namespace) -> ReaderLimits:
    """Return the limits that the options set for each study."""
    return ReaderLimits(arguments.memory, arguments.timeout)


def _check_range(
    arguments: argparse.Namespace, option: str, smallest: float, largest: float
) -> None:
    value = getattr(arguments, option)
    if not smallest <= value <= largest:  # also false for NaN
        raise wrong_use(
            arguments.command, f"--{option} must lie between {smallest:g} and {largest:g}"
        )


def read_lines(name: str) -> list[bytes]:
    """Read the lines of a file, or of standard input if the name is ``-``.

    A parent process may end its list with an empty line and keep standard input open: this process
    then ends when that closes, even if the parent crashes.
    """
    if name != "-":
        try:
            return Path(name).read_bytes().splitlines()
        except OSError as error:
            raise MimirError(
                "SOURCES_INVALID",
                f"the list of studies '{name}' cannot be read ({error.strerror})",
                "Check the path.",
            ) from error
    lines: list[bytes] = []
    for line in iter(sys.stdin.buffer.readline, b""):
        if not line.strip():
            threading.Thread(target=_end_with, args=(sys.stdin.fileno(),), daemon=True).start()
            break
        lines.append(line)
    return lines


def _end_with(descriptor: int) -> None:
    """End this process when the stream closes.

    The bare descriptor is read, because at exit Python would wait for the lock of a buffered
    stream. All work done so far is on disk, so the same command can resume it.
    """
    while os.read(descriptor, 4096):
        pass
    os._exit(130)
