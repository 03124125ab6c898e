"""``mimir phantom``: make synthetic bodies with known measurements."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mimir_engine.cli import DONE
from mimir_engine.cli._count_line import CountLine
from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import output_errors

#: The names in ``phantom.shift``, which is imported only when it is used.
SHIFT_NAMES = ("none", "noise", "bodies", "contrast")


def add_parser(subparsers: Any) -> None:
    """Describe the command line."""
    parser = subparsers.add_parser(
        "phantom", help="make synthetic bodies with known measurements, as scans or projections"
    )
    parser.add_argument(
        "--output",
        required=True,
        type=Path,
        metavar="DIR",
        help="output folder; existing phantoms are kept",
    )
    parser.add_argument("--count", type=int, default=1, help="number of phantoms (default: 1)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first (default: 0)")
    parser.add_argument(
        "--projections",
        action="store_true",
        help="make projections for training instead of DICOM studies",
    )
    parser.add_argument(
        "--shift",
        default="none",
        choices=SHIFT_NAMES,
        help="make projections unlike those of training, to test intervals (default: none)",
    )
    parser.add_argument(
        "--jobs", type=int, default=1, help="processes for projections (default: 1)"
    )
    parser.add_argument(
        "--light", action="store_true", help="omit the in-phase and opposed-phase series"
    )


def run(arguments: argparse.Namespace) -> int:
    """Make the phantoms."""
    fault = None
    if arguments.count < 1 or arguments.seed < 0 or arguments.jobs < 1:
        fault = "--count and --jobs must be at least 1, --seed at least 0"
    elif arguments.shift != "none" and not arguments.projections:
        fault = "--shift requires --projections"
    if fault is not None:
        raise MimirError("WRONG_USE", fault, "Try 'mimir phantom --help'.")
    output = arguments.output
    seeds = range(arguments.seed, arguments.seed + arguments.count)
    if not arguments.projections:
        return _write_studies(output, seeds, arguments.light)
    from mimir_engine.phantom.projection_folder import write_projections

    with output_errors(output):
        write_projections(output, seeds, arguments.jobs, CountLine("phantoms"), arguments.shift)
    return DONE


def _write_studies(folder: Path, seeds: range, light: bool) -> int:
    from mimir_engine.phantom.dicom_study import ALL_CONTRASTS, study_name, write_study

    for seed in seeds:
        path = folder / f"{study_name(seed)}.zip"
        with output_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.with_suffix(".truth.json").exists():  # written last
                write_study(path, seed, ("water", "fat") if light else ALL_CONTRASTS)
        print(path, flush=True)
    return DONE
