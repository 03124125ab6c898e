"""``mimir phantom``: make synthetic bodies with known measurements."""

from __future__ import annotations

import argparse
from pathlib import Path

from mimir_engine.cli import DONE, show, wrong_use
from mimir_engine.cli._number_options import MAX_PHANTOMS, MAX_PROCESSES, seed_number, whole_number
from mimir_engine.cli._progress import CountLine
from mimir_engine.files.atomic import output_errors
from mimir_engine.files.folder_lock import folder_lock

#: The names in ``phantom.shift``, which is imported only when it is used.
SHIFT_NAMES = ("none", "noise", "bodies", "contrast")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "--output",
        required=True,
        type=Path,
        metavar="DIR",
        help="output folder; existing phantoms are kept",
    )
    parser.add_argument(
        "--count",
        type=whole_number(1, MAX_PHANTOMS),
        default=1,
        help="number of phantoms (default: 1)",
    )
    parser.add_argument(
        "--seed", type=seed_number, default=0, help="seed of the first phantom (default: 0)"
    )
    parser.add_argument(
        "--projections",
        action="store_true",
        help="make projections for training instead of DICOM studies",
    )
    parser.add_argument(
        "--shift",
        default="none",
        choices=SHIFT_NAMES,
        help="with --projections: make phantoms unlike those of training, to test intervals"
        " (default: none)",
    )
    parser.add_argument(
        "--jobs",
        type=whole_number(1, MAX_PROCESSES),
        default=1,
        help="number of processes, with --projections (default: 1)",
    )
    parser.add_argument(
        "--light", action="store_true", help="omit the in-phase and opposed-phase series"
    )


def run(arguments: argparse.Namespace) -> int:
    """Make the phantoms."""
    if arguments.shift != "none" and not arguments.projections:
        raise wrong_use("phantom", "--shift requires --projections")
    seeds = range(arguments.seed, arguments.seed + arguments.count)
    write = _write_projections if arguments.projections else _write_studies
    write(arguments, seeds)
    return DONE


def _write_projections(arguments: argparse.Namespace, seeds: range) -> None:
    from mimir_engine.phantom.projection_folder import write_projections

    progress = CountLine("phantoms")
    with output_errors(arguments.output):
        write_projections(arguments.output, seeds, arguments.jobs, progress, arguments.shift)


def _write_studies(arguments: argparse.Namespace, seeds: range) -> None:
    from mimir_engine.phantom.dicom_study import ALL_CONTRASTS, study_name, write_study

    contrasts = ("water", "fat") if arguments.light else ALL_CONTRASTS
    with folder_lock(arguments.output):
        for seed in seeds:
            path = arguments.output / f"{study_name(seed)}.zip"
            if not path.with_suffix(".truth.json").exists():  # written last
                write_study(path, seed, contrasts)
            show(str(path))
