"""``mimir phantom``: make synthetic bodies with known measurements."""

from __future__ import annotations

import argparse
from contextlib import closing
from itertools import product
from pathlib import Path

from mimir_engine.cli import DONE, show, wrong_use
from mimir_engine.cli._number_options import (
    MAX_PHANTOMS,
    MAX_PROCESSES,
    MAX_REPEATS,
    seed_number,
    size_number,
    whole_number,
)
from mimir_engine.cli._progress_bar import ProgressBar, counted
from mimir_engine.files.atomic import output_errors
from mimir_engine.files.folder_lock import folder_lock
from mimir_engine.files.optional_packages import require

#: The names in ``phantom.shift``, which is imported only when it is used.
SHIFT_NAMES = (
    *("none", "noise", "bodies", "contrast", "signal", "shading", "breathing", "gain"),
    *("lean", "obese", "scoliosis", "arms", "metal", "ghosts", "varied"),
)
#: Those that population 1 can show, too.
FIRST_SHIFT_NAMES = SHIFT_NAMES[:4]


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
        help="make phantoms that differ from usual ones in one thing, to test checks and intervals"
        " (default: none)",
    )
    parser.add_argument(
        "--shift-size",
        type=size_number,
        default=1.0,
        metavar="X",
        help="size of that difference; 0.5 is half of the named one (default: 1)",
    )
    parser.add_argument(
        "--population",
        type=int,
        choices=(1, 2),
        help="1: bodies of ellipses, on which the included module was trained;"
        " 2: lifelike bodies (default: 2; with --projections: 1)",
    )
    parser.add_argument(
        "--repeat",
        type=whole_number(1, MAX_REPEATS),
        default=1,
        metavar="N",
        help="scan each body N times, as visits 2, 3, … with another position, noise and"
        " shading (default: 1)",
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
    parser.add_argument(
        "--labels",
        action="store_true",
        help="also write <name>.labels.nii.gz, the true labels of organs, muscles and fat on the"
        " grid of the stitched volumes",
    )


def run(arguments: argparse.Namespace) -> int:
    """Make the phantoms."""
    if arguments.population is None:
        arguments.population = 1 if arguments.projections else 2
    if arguments.population == 1 and arguments.shift not in FIRST_SHIFT_NAMES:
        raise wrong_use("phantom", f"--shift {arguments.shift} requires --population 2")
    if arguments.projections and arguments.repeat > 1:
        raise wrong_use("phantom", "--repeat makes scans; omit --projections")
    if arguments.projections and arguments.labels:
        raise wrong_use("phantom", "--labels belong to scans; omit --projections")
    if arguments.labels:
        require("nifti")
    seeds = range(arguments.seed, arguments.seed + arguments.count)
    write = _write_projections if arguments.projections else _write_studies
    write(arguments, seeds)
    return DONE


def _write_projections(arguments: argparse.Namespace, seeds: range) -> None:
    from mimir_engine.phantom.projection_folder import write_projections

    with output_errors(arguments.output), counted("phantom") as progress:
        write_projections(
            arguments.output,
            seeds,
            arguments.jobs,
            progress,
            arguments.shift,
            arguments.shift_size,
            arguments.population,
        )


def _write_studies(arguments: argparse.Namespace, seeds: range) -> None:
    from mimir_engine.phantom.dicom_study import (
        ALL_CONTRASTS,
        labels_path,
        study_name,
        truth_path,
        write_study,
    )

    contrasts = ("water", "fat") if arguments.light else ALL_CONTRASTS
    scans = {
        arguments.output / f"{study_name(seed, repeat)}.zip": (seed, repeat)
        for seed, repeat in product(seeds, range(arguments.repeat))
    }
    with folder_lock(arguments.output), closing(ProgressBar("phantom")) as bar:
        there = {path for path in scans if truth_path(path).exists()}  # written last
        if arguments.labels:
            there = {path for path in there if labels_path(path).exists()}
        bar.move_to(len(there), len(scans))
        for path, (seed, repeat) in scans.items():
            if path not in there:
                write_study(
                    path,
                    seed,
                    contrasts,
                    arguments.population,
                    arguments.shift,
                    arguments.shift_size,
                    repeat,
                    arguments.labels,
                )
                there.add(path)
            with bar.out_of_the_way():
                show(str(path))
            bar.move_to(len(there), len(scans))
