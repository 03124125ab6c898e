"""``mimir drift``: compare a batch of scans with another one, or with those of a module."""

from __future__ import annotations

import argparse
from pathlib import Path

from mimir_engine.cli import DONE, say, show, wrong_use
from mimir_engine.cli._choice_options import (
    add_choice_options,
    person_rule,
    say_all,
    study_choice,
)

#: File of the figure.
FIGURE = "drift.png"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "folders",
        nargs="+",
        type=Path,
        metavar="DIR",
        help="folders of results or images with scan_numbers.csv: the reference and the batch, or"
        " with --module the batch alone",
    )
    parser.add_argument("--module", metavar="NAME", help="inference module as the reference")
    parser.add_argument(
        "--output", required=True, type=Path, metavar="DIR", help="folder of table and figure"
    )
    add_choice_options(parser, splits_persons=False)


def run(arguments: argparse.Namespace) -> int:
    """Compare, then write table and figure."""
    if len(arguments.folders) != (1 if arguments.module else 2):
        raise wrong_use("drift", "give a reference and a batch, or a batch and --module")
    from mimir_engine.cohort.scanners.batch_drift import DRIFT_FILE, MEANING, write_drift
    from mimir_engine.cohort.scanners.chosen_scans import choose_scans
    from mimir_engine.cohort.scanners.drift import find_drift, reference_of_scans
    from mimir_engine.cohort.scanners.scan_number_table import read_numbers_of
    from mimir_engine.files.folder_lock import folder_lock
    from mimir_engine.files.optional_packages import is_installed
    from mimir_engine.inference_module import find_module
    from mimir_engine.inference_module.module_reference import require_reference
    from mimir_engine.measuring.flags import BATCH_DRIFTED

    tables = [read_numbers_of(folder) for folder in arguments.folders]
    (*before, batch), said = choose_scans(tables, study_choice(arguments), person_rule(arguments))
    say_all(said)
    if arguments.module:
        name, reference = arguments.module, require_reference(find_module(arguments.module))
    else:
        name, reference = arguments.folders[0].name, reference_of_scans(before[0])
    groups = find_drift(reference, batch)
    with folder_lock(arguments.output):
        write_drift(arguments.output / DRIFT_FILE, {name: groups})
        if is_installed("figures"):
            from mimir_engine.evaluation.drift_figure import draw_drift

            draw_drift(arguments.output / FIGURE, groups)
    for group in groups:
        say(f"{BATCH_DRIFTED}: {group.sentence}" if group.has_drifted else group.sentence)
    if any(group.has_drifted for group in groups):
        say(MEANING)
    show(str(arguments.output / DRIFT_FILE))
    return DONE
