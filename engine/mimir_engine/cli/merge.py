"""``mimir merge``: merge the results of shards into one folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from mimir_engine.cli import DONE, SOME_FAILED, say
from mimir_engine.cli._measuring import add_columns_option
from mimir_engine.cli._progress import print_event
from mimir_engine.cli._study_options import without_folders
from mimir_engine.cohort.tables.styles import STYLES
from mimir_engine.files.optional_packages import require


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "folders",
        nargs="+",
        type=Path,
        metavar="DIR",
        help="output folder of `mimir infer` or `mimir measure`, of each shard",
    )
    parser.add_argument(
        "--output", required=True, type=Path, metavar="DIR", help="new folder of all results"
    )
    parser.add_argument(
        "--modules",
        default="",
        metavar="NAME_OR_DIR[,...]",
        help="inference modules of the results (default: found by the names that they note)",
    )
    parser.add_argument(
        "--profile",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="profile that `mimir infer` was given; once per module",
    )
    parser.add_argument(
        "--parquet",
        action="store_true",
        help="also write predictions.parquet: one row per study and measurement",
    )
    add_columns_option(parser, STYLES)


def run(arguments: argparse.Namespace) -> int:
    """Merge the results."""
    if arguments.parquet:
        require("parquet")

    from mimir_engine.cohort.result_files import write_cohort, write_parquet
    from mimir_engine.cohort.scanners.batch_drift import drift_events
    from mimir_engine.cohort.shards.merge_runs import merged_runs

    modules = [name.strip() for name in arguments.modules.split(",") if name.strip()]
    output = arguments.output
    with merged_runs(arguments.folders, output, modules, arguments.profile) as (folder, cohort):
        if arguments.parquet:
            write_parquet(folder, cohort)
        command = ["mimir", *map(without_folders, arguments.argv)]
        drifts = write_cohort(folder, cohort, command, arguments.columns)
        done, failed = cohort.done, len(cohort.failures)
    say(f"{len(arguments.folders)} folders merged")
    for drift in drift_events(drifts):
        print_event({"event": "drift", **drift})
    print_event({"event": "finished", "done": done, "failed": failed, "output": str(output)})
    return SOME_FAILED if failed else DONE
