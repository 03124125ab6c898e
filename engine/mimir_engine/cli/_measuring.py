"""What commands that measure share: options of networks and results, and the run itself."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from mimir_engine.cli import DONE, SOME_FAILED
from mimir_engine.cli._choice_options import add_choice_options, person_rule, study_choice
from mimir_engine.cli._progress import event_lines, print_event
from mimir_engine.cli._study_options import (
    chosen_studies,
    read_options,
    reader_limits,
    shown_command,
)
from mimir_engine.cohort.events import Listener

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


def add_result_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is measured and written, and where."""
    add_choice_options(parser, splits_persons=False)
    parser.add_argument(
        "--output",
        required=True,
        type=Path,
        metavar="DIR",
        help="output folder; a stopped run is resumed there",
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
    """Measure with progress as lines for people, or as events."""
    if not arguments.events:
        return measure(arguments, print_event)
    with event_lines() as write_event:
        return measure(arguments, write_event)


def measure_all(
    arguments: argparse.Namespace,
    modules: Sequence[InferenceModule],
    listener: Listener,
    published_columns: bool = False,
    **options: Any,
) -> int:
    """Measure all studies and write the results.

    Args:
        arguments: The command line.
        modules: Inference modules; none for direct measurements alone.
        listener: Receives every event.
        published_columns: Use the column names of the published engine.
        options: Those of ``InferOptions`` that only one command has.
    """
    from mimir_engine.cohort.measure_studies import InferOptions, infer
    from mimir_engine.cohort.result_files import write_cohort, write_parquet
    from mimir_engine.cohort.scanners.batch_drift import drift_events
    from mimir_engine.cohort.study_folder import StudyFolders

    details, output = arguments.details, arguments.output
    chosen = InferOptions(
        jobs=arguments.jobs,
        overwrite=arguments.overwrite,
        reading=read_options(arguments),
        folders=StudyFolders(details, not arguments.no_volumes) if details else None,
        keeps_projections=not arguments.no_images,
        limits=reader_limits(arguments),
        choice=study_choice(arguments),
        persons=person_rule(arguments),
        **options,
    )
    cohort = infer(chosen_studies(arguments, listener), modules, output, chosen, listener)
    if arguments.parquet:
        write_parquet(output, cohort)
    drifts = write_cohort(output, cohort, shown_command(arguments), published_columns)
    for drift in drift_events(drifts):
        listener({"event": "drift", **drift})
    failed = len(cohort.failures)
    listener({"event": "finished", "done": cohort.done, "failed": failed, "output": str(output)})
    return SOME_FAILED if failed else DONE
