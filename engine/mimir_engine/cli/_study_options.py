"""Options of the commands that read many studies: which studies, and how many at once."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING

from mimir_engine.cli import wrong_use
from mimir_engine.cli._number_options import shard_of
from mimir_engine.cli._progress import print_event
from mimir_engine.cli._volume_options import names_volumes, volume_arguments, volume_sources
from mimir_engine.cohort.events import Listener
from mimir_engine.cohort.shards.shard import WHOLE
from mimir_engine.errors import MimirError
from mimir_engine.readers.available_cores import default_jobs
from mimir_engine.readers.reader_limits import (
    DEFAULT_MEMORY_GB,
    DEFAULT_TIMEOUT_S,
    MAX_MEMORY_GB,
    MAX_TIMEOUT_S,
    MIN_MEMORY_GB,
    MIN_TIMEOUT_S,
    ReaderLimits,
)
from mimir_engine.source.entry import shown_name

if TYPE_CHECKING:
    from mimir_engine.cohort.sources import NamedSource
    from mimir_engine.study.read_options import ReadOptions

#: Most studies read at once.
MAX_JOBS = 1024
#: Size of a list of studies in bytes: a path for each of 100,000 studies takes some 15 MB, the
#: paths of 1,328 files of one study some 300 KB.
MAX_LIST_BYTES = 256 * 2**20


def add_study_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that name the studies."""
    parser.add_argument(
        "source", nargs="*", help="archive (zip, tar, tar.gz), folder of studies, or DICOM file"
    )
    parser.add_argument(
        "--sources",
        metavar="FILE",
        help="file with one JSON line per study: {name, path}, {name, files}, {name, fused} or"
        " {name, water, fat}; '-' reads standard input",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=default_jobs(),
        help="number of studies read at once, about 250 MB each (default: the number of cores)",
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
        "--anonymous-names",
        action="store_true",
        help="name studies study_0001, study_0002, ... instead of after their files",
    )
    parser.add_argument(
        "--key",
        type=Path,
        metavar="FILE",
        help="with --anonymous-names: table (CSV) of the numbers and names of studies; an existing"
        " one is continued",
    )
    parser.add_argument(
        "--reconstruction",
        choices=("normalised", "raw"),
        default="normalised",
        help="images to use if the scanner stored each scan normalised and raw"
        " (default: %(default)s)",
    )


def add_output_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the folder of the results of many studies."""
    parser.add_argument(
        "--output",
        required=True,
        type=Path,
        metavar="DIR",
        help="output folder; a stopped run is resumed there",
    )


def add_shard_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that divides the studies among runs."""
    parser.add_argument(
        "--shard",
        type=shard_of,
        default=WHOLE,
        metavar="I/N",
        help="take only the studies of shard I of N, by a hash of their names; `mimir merge` joins"
        " the measurements of all shards",
    )


def chosen_studies(
    arguments: argparse.Namespace, listener: Listener = print_event
) -> Sequence[NamedSource]:
    """Find the studies that the options name; report what is passed over."""
    from mimir_engine.cohort.anonymous_names import anonymous_sources
    from mimir_engine.cohort.label_files import with_label_files
    from mimir_engine.cohort.sources import named_sources, sources_from_json

    is_anonymous = getattr(arguments, "anonymous_names", False)
    studies: Sequence[NamedSource]
    if names_volumes(arguments):
        studies = volume_sources(arguments)
    elif not arguments.source:
        studies = sources_from_json(read_lines(arguments.sources))
    else:
        found = named_sources(arguments.source)
        studies = found.studies
        for notice in found.passed_over:
            name = {"name": "a file"} if is_anonymous else {}
            listener({"event": "passed_over", **asdict(notice), **name})
    labels = getattr(arguments, "labels", None)
    if labels is not None:
        studies = with_label_files(studies, labels)
    return anonymous_sources(studies, arguments.key) if is_anonymous else studies


def shown_command(arguments: argparse.Namespace) -> list[str]:
    """Return the command line without the folders of its paths, nor the names of hidden studies."""
    hidden = {arguments.sources, str(arguments.key), str(getattr(arguments, "volume_table", None))}
    if arguments.anonymous_names:
        labels = str(getattr(arguments, "labels", None))
        hidden |= {*arguments.source, *volume_arguments(arguments), labels, f"--labels={labels}"}
    shard = str(getattr(arguments, "shard", ""))
    kept = {shard, f"--shard={shard}"}
    return [
        "mimir",
        *(
            "..." if text in hidden else text if text in kept else without_folders(text)
            for text in arguments.argv
        ),
    ]


def without_folders(argument: str) -> str:
    """Return an argument with the last part of each path in it."""
    is_option = argument.startswith("--")
    option, equals, value = argument.partition("=") if is_option else ("", "", argument)
    return option + equals + ",".join(shown_name(part) for part in value.split(","))


def check_study_options(arguments: argparse.Namespace) -> None:
    """Refuse options that contradict each other, before any work."""
    _check_range(arguments, "jobs", 1, MAX_JOBS)
    _check_range(arguments, "timeout", MIN_TIMEOUT_S, MAX_TIMEOUT_S)
    _check_range(arguments, "memory", MIN_MEMORY_GB, MAX_MEMORY_GB)
    given = (arguments.source, arguments.sources, names_volumes(arguments))
    if sum(map(bool, given)) != 1:
        others = ", --water and --fat, or --volumes" if hasattr(arguments, "water") else ""
        either = "either SOURCE or --sources" if not others else "one of SOURCE, --sources"
        raise wrong_use(arguments.command, f"give {either}{others}")
    if arguments.key and not arguments.anonymous_names:
        raise wrong_use(arguments.command, "--key requires --anonymous-names")


def add_repair_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that exchanges water and fat back."""
    parser.add_argument(
        "--swap-repair",
        action="store_true",
        help="exchange water and fat back where they are certain to be exchanged, and flag it;"
        " otherwise such a study is refused",
    )


def add_site_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that scales the water signal of one scanner."""
    parser.add_argument(
        "--site",
        type=Path,
        metavar="FILE",
        help="file of `mimir harmonise`: scale the water signal of its scanner in the fat"
        " fraction, and flag it",
    )


def read_options(arguments: argparse.Namespace) -> ReadOptions:
    """Return how studies are read."""
    from mimir_engine.study.read_options import ReadOptions
    from mimir_engine.study.site import read_site

    site = getattr(arguments, "site", None)
    return ReadOptions(
        arguments.reconstruction, arguments.swap_repair, None if site is None else read_site(site)
    )


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

    Raises:
        MimirError: ``SOURCES_INVALID``.
    """
    try:
        if name == "-":
            lines = _lines_of(sys.stdin.buffer, ends_with_empty_line=True)
            if lines and not lines[-1].strip():
                threading.Thread(target=_end_with, args=(sys.stdin.fileno(),), daemon=True).start()
            return lines
        with open(name, "rb") as file:
            return _lines_of(file)
    except (OSError, ValueError) as error:
        place = "from standard input" if name == "-" else f"'{Path(name).name}'"
        raise MimirError(
            "SOURCES_INVALID",
            f"the list of studies {place} cannot be read"
            f" ({getattr(error, 'strerror', None) or 'it has no valid name'})",
            "Check the path.",
        ) from error


def _lines_of(file: IO[bytes], ends_with_empty_line: bool = False) -> list[bytes]:
    lines: list[bytes] = []
    left = MAX_LIST_BYTES
    while line := file.readline(left + 1):
        left -= len(line)
        if left < 0:
            raise MimirError(
                "SOURCES_INVALID",
                f"the list of studies has more than {MAX_LIST_BYTES >> 20} MB",
                "Give fewer studies at a time.",
            )
        lines.append(line)
        if ends_with_empty_line and not line.strip():
            break
    return lines


def _end_with(descriptor: int) -> None:
    """End this process when the stream closes.

    The bare descriptor is read, because at exit Python would wait for the lock of a buffered
    stream. All work done so far is on disk, so the same command can resume it. Readers end by
    themselves, but one that hangs does not.
    """
    from mimir_engine.readers.reader_process import end_readers

    while os.read(descriptor, 4096):
        pass
    end_readers()
    os._exit(130)
