"""``mimir infer``: measurements of any number of studies."""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from mimir_engine.errors import MimirError


def add_parser(subparsers: Any) -> None:
    """Describe the command line."""
    parser = subparsers.add_parser(
        "infer", help="measure studies by inference modules: CSV files with intervals"
    )
    parser.add_argument("source", nargs="*", help="zip archives, or folders of them or of DICOM")
    parser.add_argument(
        "--sources",
        metavar="FILE",
        help="JSON lines {name, path} or {name, files}; '-' reads standard input",
    )
    parser.add_argument(
        "--modules", required=True, metavar="NAME_OR_DIR[,…]", help="inference modules"
    )
    parser.add_argument("--output", required=True, type=Path, metavar="DIR")
    parser.add_argument("--level", type=float, default=0.95, help="of the intervals (0.95)")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    parser.add_argument("--jobs", type=int, default=2, help="studies read at once (2)")
    parser.add_argument(
        "--allow-unvalidated",
        action="store_true",
        help="predict also studies outside a module's validation, and flag them",
    )
    parser.add_argument(
        "--published-columns",
        action="store_true",
        help="name the columns as the published engine does, for old scripts",
    )
    parser.add_argument("--overwrite", action="store_true", help="start anew in DIR")
    parser.add_argument(
        "--events", action="store_true", help="progress as JSON lines on standard output"
    )


def run(arguments: argparse.Namespace) -> int:
    """Predict all studies and write the results."""
    from mimir_engine.cohort.infer import InferOptions, infer
    from mimir_engine.inference_module import find_modules
    from mimir_engine.report.csv_files import write_cohort

    check_level(arguments.level)
    if arguments.jobs < 1:
        raise MimirError("WRONG_USE", f"--jobs {arguments.jobs} reads nothing", "Use 1 or more.")
    sources = _sources(arguments)
    modules = find_modules(arguments.modules.split(","))
    options = InferOptions(
        arguments.level,
        arguments.device,
        arguments.allow_unvalidated,
        arguments.jobs,
        arguments.overwrite,
    )
    listener = write_event if arguments.events else tell
    cohort = infer(sources, modules, arguments.output, options, listener)
    command = ["mimir", *arguments.argv]
    write_cohort(arguments.output, cohort, command, arguments.published_columns)
    return 1 if cohort.failures else 0


def check_level(level: float) -> None:
    """Refuse an interval level that is none.

    Raises:
        MimirError: ``LEVEL_INVALID``.
    """
    if not 0.5 <= level <= 0.999:
        raise MimirError(
            "LEVEL_INVALID", f"an interval level of {level:g} is no use", "Use e.g. 0.95."
        )


def _sources(arguments: argparse.Namespace) -> list[Any]:
    from mimir_engine.cohort.sources import named_sources, sources_from_json

    if bool(arguments.source) == bool(arguments.sources):
        raise MimirError(
            "WRONG_USE", "give either SOURCE or --sources", "Try 'mimir infer --help'."
        )
    if arguments.source:
        return named_sources(arguments.source)
    if arguments.sources != "-":
        return sources_from_json(_lines_of(Path(arguments.sources)))
    lines = _Counted(sys.stdin)
    sources = sources_from_json(lines)
    if not lines.at_end:
        _end_with(sys.stdin)
    return sources


def _lines_of(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise MimirError(
            "SOURCES_INVALID", f"the list of studies '{path}' cannot be read", "Check the path."
        ) from error


class _Counted:
    """Lines of a stream, and whether its end was met."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.at_end = False

    def __iter__(self) -> Iterator[str]:
        yield from iter(self._stream.readline, "")
        self.at_end = True


def _end_with(stream: TextIO) -> None:
    """End this process when the stream closes: a parent that ended its list with an empty line
    and holds the stream open takes the engine with it, however it dies.
    """

    def wait() -> None:
        while stream.readline():
            pass
        os._exit(130)

    threading.Thread(target=wait, daemon=True).start()


def write_event(event: Mapping[str, Any]) -> None:
    """An event as one ASCII JSON line on standard output."""
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def tell(event: Mapping[str, Any]) -> None:
    """An event as a line for people, on standard error."""
    line = _told(event)
    if line:
        print("".join(c if c.isprintable() else " " for c in line), file=sys.stderr, flush=True)


def _told(event: Mapping[str, Any]) -> str:
    if event["event"] == "run" and event["already_done"]:
        return f"{event['already_done']} of {event['studies']} studies were done before"
    if event["event"] == "study":
        place = f"[{event['done']}/{event['total']}]"
        if event["state"] == "failed":
            return f"{event['code']}: {event['name']}: {event['reason']} {place}"
        return f"{event['name']} done {place}, {duration(event['seconds_left'])} left"
    if event["event"] == "finished":
        return f"{event['done']} studies done, {event['failed']} failed"
    return ""


def duration(seconds: float) -> str:
    """``45 s``, ``12 min`` or ``3 h 20 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
