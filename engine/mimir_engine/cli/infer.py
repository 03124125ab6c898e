"""``mimir infer``: measurements of any number of studies."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mimir_engine.cli import DONE, SOME_FAILED
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
        help="JSON lines {name, path}, {name, files} or {name, fused}; '-' reads standard input",
    )
    parser.add_argument(
        "--modules",
        required=True,
        metavar="NAME_OR_DIR[,...]",
        help="inference modules; NAME=PREFIX puts a prefix before the names of the columns",
    )
    parser.add_argument(
        "--output",
        required=True,
        type=Path,
        metavar="DIR",
        help="folder of the results; a run that was stopped goes on there",
    )
    parser.add_argument(
        "--level", type=float, default=0.95, help="of the intervals (default: 0.95)"
    )
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    parser.add_argument(
        "--jobs", type=int, default=2, help="studies read at once, some 400 MB each (default: 2)"
    )
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
    parser.add_argument(
        "--parquet",
        action="store_true",
        help="write predictions.parquet too: a row a study and measurement",
    )
    parser.add_argument(
        "--details",
        type=Path,
        metavar="DIR",
        help="a folder a study: fused volumes, projection and measurements, as arrays and JSON",
    )
    parser.add_argument(
        "--no-volumes", action="store_true", help="leave the volumes, 190 MB a study, out of those"
    )
    parser.add_argument("--overwrite", action="store_true", help="start anew in DIR")
    parser.add_argument(
        "--events", action="store_true", help="progress as JSON lines on standard output"
    )


def run(arguments: argparse.Namespace) -> int:
    """Predict all studies and write the results."""
    from mimir_engine.cli._progress import event_lines, tell

    if not arguments.events:
        return _infer(arguments, tell)
    with event_lines() as write_event:
        return _infer(arguments, write_event)


def _infer(arguments: argparse.Namespace, listener: Any) -> int:
    from mimir_engine.cohort.events import engine_event
    from mimir_engine.files.optional_packages import require

    listener(engine_event())
    _check(arguments)
    require("network")
    if arguments.parquet:
        require("parquet")

    from mimir_engine.cohort.measure_studies import InferOptions, infer
    from mimir_engine.cohort.result_files import write_cohort, write_parquet
    from mimir_engine.cohort.study_folder import StudyFolders
    from mimir_engine.inference_module import find_modules

    modules = find_modules([name.strip() for name in arguments.modules.split(",") if name.strip()])
    options = InferOptions(
        arguments.level,
        arguments.device,
        arguments.allow_unvalidated,
        arguments.jobs,
        arguments.overwrite,
        StudyFolders(arguments.details, not arguments.no_volumes) if arguments.details else None,
    )
    output = arguments.output
    cohort = infer(_sources(arguments), modules, output, options, listener)
    if arguments.parquet:
        write_parquet(output, cohort)
    write_cohort(output, cohort, ["mimir", *arguments.argv], arguments.published_columns)
    failed = len(cohort.failures)
    listener({"event": "finished", "done": cohort.done, "failed": failed, "output": str(output)})
    return SOME_FAILED if failed else DONE


def _check(arguments: argparse.Namespace) -> None:
    """Refuse at once what makes no sense.

    Raises:
        MimirError: ``LEVEL_INVALID``, ``WRONG_USE``.
    """
    if not 0.5 <= arguments.level <= 0.999:
        raise MimirError(
            "LEVEL_INVALID",
            f"an interval level of {arguments.level:g} is no use",
            "Use one from 0.5 to 0.999.",
        )
    if arguments.jobs < 1:
        raise MimirError("WRONG_USE", f"--jobs {arguments.jobs} reads nothing", "Use 1 or more.")
    if not arguments.modules.strip(", "):
        raise MimirError("WRONG_USE", "--modules names none", "Try 'mimir modules list'.")
    if bool(arguments.source) == bool(arguments.sources):
        raise MimirError(
            "WRONG_USE", "give either SOURCE or --sources", "Try 'mimir infer --help'."
        )


def _sources(arguments: argparse.Namespace) -> list[Any]:
    from mimir_engine.cli._study_list import read_source_list
    from mimir_engine.cohort.sources import named_sources

    if arguments.source:
        return named_sources(arguments.source)
    return read_source_list(arguments.sources)
