"""``mimir infer``: measure any number of studies."""

from __future__ import annotations

import argparse
from pathlib import Path

from mimir_engine.cli import DONE, SOME_FAILED
from mimir_engine.cli._progress import event_lines, print_event
from mimir_engine.cli._study_options import (
    add_repair_option,
    add_study_options,
    check_study_options,
    chosen_studies,
    read_options,
    reader_limits,
    shown_command,
)
from mimir_engine.cohort.events import Listener, engine_event
from mimir_engine.errors import MimirError
from mimir_engine.files.optional_packages import require
from mimir_engine.measuring.interval_level import DEFAULT_LEVEL, MAX_LEVEL, MIN_LEVEL, check_level


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_study_options(parser)
    add_repair_option(parser)
    parser.add_argument(
        "--modules",
        required=True,
        metavar="NAME_OR_DIR[,...]",
        help="inference modules; NAME=PREFIX puts a prefix before the column names",
    )
    parser.add_argument(
        "--output",
        required=True,
        type=Path,
        metavar="DIR",
        help="output folder; a stopped run is resumed there",
    )
    parser.add_argument(
        "--level",
        type=float,
        default=DEFAULT_LEVEL,
        help=f"level of the intervals, {MIN_LEVEL} to {MAX_LEVEL} (default: {DEFAULT_LEVEL})",
    )
    parser.add_argument(
        "--device",
        default="auto",
        choices=("auto", "cpu", "cuda", "mps"),
        help="device of the networks (default: auto)",
    )
    parser.add_argument(
        "--allow-unvalidated",
        action="store_true",
        help="also measure studies outside a module's validated range, and flag them",
    )
    parser.add_argument(
        "--published-columns",
        action="store_true",
        help="use the column names of the published engine, for existing scripts",
    )
    parser.add_argument(
        "--parquet",
        action="store_true",
        help="also write predictions.parquet: one row per study and measurement",
    )
    parser.add_argument(
        "--details",
        type=Path,
        metavar="DIR",
        help="write one folder per study: fused volumes, projection and measurements",
    )
    parser.add_argument(
        "--no-volumes",
        action="store_true",
        help="with --details: leave out the volumes, 190 MB per study",
    )
    parser.add_argument("--overwrite", action="store_true", help="discard earlier results in DIR")
    parser.add_argument(
        "--events", action="store_true", help="print progress as JSON lines on standard output"
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure all studies and write the results."""
    if not arguments.events:
        return _infer(arguments, print_event)
    with event_lines() as write_event:
        return _infer(arguments, write_event)


def _infer(arguments: argparse.Namespace, listener: Listener) -> int:
    listener(engine_event())
    check_level(arguments.level)
    if not arguments.modules.strip(", "):
        raise MimirError("WRONG_USE", "--modules names no module", "Try 'mimir modules list'.")
    check_study_options(arguments)
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
        read_options(arguments),
        StudyFolders(arguments.details, not arguments.no_volumes) if arguments.details else None,
        reader_limits(arguments),
    )
    output = arguments.output
    cohort = infer(chosen_studies(arguments, listener), modules, output, options, listener)
    if arguments.parquet:
        write_parquet(output, cohort)
    write_cohort(output, cohort, shown_command(arguments), arguments.published_columns)
    failed = len(cohort.failures)
    listener({"event": "finished", "done": cohort.done, "failed": failed, "output": str(output)})
    return SOME_FAILED if failed else DONE
