"""``mimir merge``: merge the results of shards into one folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from mimir_engine.cli import DONE, SOME_FAILED, say, wrong_use
from mimir_engine.cli._label_options import add_label_columns_option
from mimir_engine.cli._measuring import add_columns_option
from mimir_engine.cli._module_options import add_run_module_options
from mimir_engine.cli._name_lists import names_in
from mimir_engine.cli._progress import print_event
from mimir_engine.cli._study_options import without_folders
from mimir_engine.cohort.tables.styles import PUBLISHED, STYLES
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
    add_run_module_options(parser)
    parser.add_argument(
        "--parquet",
        action="store_true",
        help="also write predictions.parquet: one row per study and measurement",
    )
    add_columns_option(parser, STYLES)
    add_label_columns_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Merge the results."""
    if arguments.parquet:
        require("parquet")

    from mimir_engine.cohort.result_files import write_cohort, write_parquet
    from mimir_engine.cohort.scanners.batch_drift import drift_events
    from mimir_engine.cohort.shards.merge_runs import merged_runs

    modules, output = names_in(arguments.modules), arguments.output
    with merged_runs(arguments.folders, output, modules, arguments.profile) as (folder, cohort):
        if arguments.columns == PUBLISHED and not cohort.modules:
            raise wrong_use("merge", "direct measurements have no published columns")
        if arguments.parquet:
            write_parquet(folder, cohort)
        command = ["mimir", *map(without_folders, arguments.argv)]
        styles = arguments.columns, arguments.label_columns
        drifts = write_cohort(folder, cohort, command, *styles)
        done, failed = cohort.done, len(cohort.failures)
    say(f"{len(arguments.folders)} folders merged")
    for drift in drift_events(drifts):
        print_event({"event": "drift", **drift})
    print_event({"event": "finished", "done": done, "failed": failed, "output": str(output)})
    return SOME_FAILED if failed else DONE
