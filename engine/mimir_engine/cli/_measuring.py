"""What commands that measure share: options of networks and results, and the run itself."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from mimir_engine.cli import DONE, SOME_FAILED
from mimir_engine.cli._choice_options import add_choice_options, person_rule, study_choice
from mimir_engine.cli._cluster_options import add_cluster_options, chosen_cluster
from mimir_engine.cli._progress import event_lines, shown_events
from mimir_engine.cli._study_options import (
    add_output_option,
    chosen_studies,
    read_options,
    reader_limits,
    shown_command,
)
from mimir_engine.cohort.events import Listener
from mimir_engine.cohort.tables.styles import LONG, PUBLISHED, SHORT
from mimir_engine.measuring.interval_level import DEFAULT_LEVEL

if TYPE_CHECKING:
    from mimir_engine.inference_module import InferenceModule


def add_runtime_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that says what runs the networks."""
    parser.add_argument(
        "--runtime",
        default="auto",
        choices=("auto", "onnx", "torch"),
        help="what runs the networks: ONNX Runtime (on the processor) or PyTorch (default: auto:"
        " PyTorch on a graphics card, else ONNX Runtime where it is installed, else PyTorch)",
    )


def add_columns_option(parser: argparse.ArgumentParser, styles: Sequence[str]) -> None:
    """Add the option that says how the table names its columns; the first style is the default."""
    words = {
        LONG: "long (with units)",
        SHORT: "short (valid in R and Stata)",
        PUBLISHED: "published (those of the published engine, for existing scripts)",
    }
    parser.add_argument(
        "--columns",
        default=styles[0],
        choices=styles,
        help=f"names of the table's columns: {', '.join(words[style] for style in styles)}"
        f" (default: {styles[0]})",
    )


def add_result_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is measured and written, and where."""
    add_choice_options(parser, splits_persons=False)
    add_cluster_options(parser)
    add_output_option(parser)
    parser.add_argument(
        "--parquet",
        action="store_true",
        help="also write predictions.parquet: one row per study and measurement",
    )
    parser.add_argument(
        "--details",
        type=Path,
        metavar="DIR",
        help="write one folder per study: fused volumes, projection, parts of the body and"
        " measurements",
    )
    parser.add_argument(
        "--no-volumes",
        action="store_true",
        help="with --details: leave out the volumes, 200 MB per study",
    )
    parser.add_argument(
        "--no-images",
        action="store_true",
        help="do not keep the projection of each study, 110 KB, in DIR/projections",
    )
    parser.add_argument("--overwrite", action="store_true", help="discard earlier results in DIR")
    parser.add_argument(
        "--events", action="store_true", help="print progress as JSON lines on standard output"
    )


def with_listener(
    arguments: argparse.Namespace, measure: Callable[[argparse.Namespace, Listener], int]
) -> int:
    """Measure with progress for people, or as events."""
    with event_lines() if arguments.events else shown_events() as listener:
        return measure(arguments, listener)


def measure_all(
    arguments: argparse.Namespace,
    modules: Sequence[InferenceModule],
    listener: Listener,
    **options: Any,
) -> int:
    """Measure all studies and write the results.

    Args:
        arguments: The command line.
        modules: Inference modules; none for direct measurements alone.
        listener: Receives every event.
        options: Those of ``InferOptions`` that only one command has.
    """
    from mimir_engine.cohort.measure_studies import InferOptions, infer
    from mimir_engine.cohort.result_files import write_cohort, write_parquet
    from mimir_engine.cohort.scanners.batch_drift import drift_events
    from mimir_engine.cohort.study_folder import StudyFolders
    from mimir_engine.cohort.tables.columns import table_columns

    details, output = arguments.details, arguments.output
    level = options.get("level", DEFAULT_LEVEL)
    labels = arguments.label_columns
    table_columns(modules, level, arguments.columns, labels or ())  # refused before any work
    chosen = InferOptions(
        jobs=arguments.jobs,
        overwrite=arguments.overwrite,
        reading=read_options(arguments),
        folders=StudyFolders(details, not arguments.no_volumes) if details else None,
        keeps_projections=not arguments.no_images,
        limits=reader_limits(arguments),
        choice=study_choice(arguments),
        persons=person_rule(arguments),
        shard=arguments.shard,
        **options,
    )
    cluster = chosen_cluster(arguments, getattr(arguments, "profile", ()))
    studies = chosen_studies(arguments, listener)
    cohort = infer(studies, modules, output, chosen, listener, cluster)
    if arguments.parquet:
        write_parquet(output, cohort)
    drifts = write_cohort(output, cohort, shown_command(arguments), arguments.columns, labels)
    for drift in drift_events(drifts):
        listener({"event": "drift", **drift})
    failed = len(cohort.failures)
    listener({"event": "finished", "done": cohort.done, "failed": failed, "output": str(output)})
    return SOME_FAILED if failed else DONE
