"""``mimir package``: an inference module from training runs, or a module calibrated anew."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mimir_engine.errors import MimirError

#: What networks of phantoms say of the people they were trained on.
PHANTOMS = "mimir_engine.phantom.population"


def add_parser(subparsers: Any) -> None:
    """Describe the command line."""
    parser = subparsers.add_parser(
        "package", help="make an inference module of training runs, or calibrate one anew"
    )
    parser.add_argument(
        "runs", nargs="*", type=Path, metavar="RUN", help="finished runs; several make an ensemble"
    )
    parser.add_argument(
        "--recalibrate", type=Path, metavar="MODULE", help="a module instead of runs: keep weights"
    )
    parser.add_argument(
        "--calibration",
        required=True,
        type=Path,
        metavar="PATH",
        help="a cross-validation's folder, a table of raw predictions, or data not trained on",
    )
    parser.add_argument(
        "--calibrated",
        action="store_true",
        help="with --recalibrate: the table holds the module's own results, not raw predictions",
    )
    parser.add_argument(
        "--identity",
        type=Path,
        metavar="FILE",
        help="identity.json: name, population, licence and so on; without it, that of the phantoms",
    )
    parser.add_argument(
        "--images",
        type=Path,
        metavar="DATA",
        help="data set to take feature statistics from (where --calibration is one: that)",
    )
    parser.add_argument("--output", required=True, type=Path, metavar="DIR", help="of the module")
    parser.add_argument("--eight-bit", action="store_true", help="store the weights in 8 bits")
    parser.add_argument("--overwrite", action="store_true", help="replace the folder")


def run(arguments: argparse.Namespace) -> int:
    """Package or recalibrate."""
    _check(arguments)
    from mimir_engine.files.optional_packages import require

    require("network")
    from mimir_engine.training.dataset import describe_phantoms
    from mimir_engine.training.identity import read_identity
    from mimir_engine.training.package import package, recalibrate

    for folder in filter(None, (arguments.calibration, arguments.images)):
        if (folder / "projections.json").exists():
            describe_phantoms(folder)
    identity = None if arguments.identity is None else read_identity(arguments.identity)
    if arguments.recalibrate is not None:
        module = recalibrate(
            arguments.recalibrate,
            arguments.calibration,
            arguments.output,
            identity=identity,
            images=arguments.images,
            calibrated=arguments.calibrated,
            overwrite=arguments.overwrite,
        )
    else:
        module = package(
            arguments.runs,
            arguments.calibration,
            arguments.output,
            identity or _phantoms(arguments.runs),
            images=arguments.images,
            eight_bit=arguments.eight_bit,
            overwrite=arguments.overwrite,
        )
    print(f"{module.name} {module.version} written to {module.folder}")
    return 0


def _check(arguments: argparse.Namespace) -> None:
    problem = None
    if bool(arguments.runs) == (arguments.recalibrate is not None):
        problem = "give runs, or a module by --recalibrate"
    elif arguments.calibrated and arguments.recalibrate is None:
        problem = "--calibrated goes with --recalibrate"
    elif arguments.eight_bit and arguments.recalibrate is not None:
        problem = "--recalibrate leaves the weights as they are, so --eight-bit doesn't go with it"
    if problem is not None:
        raise MimirError("WRONG_USE", problem, "Try 'mimir package --help'.")


def _phantoms(runs: list[Path]) -> Any:
    """The built-in identity, for networks of phantoms alone: any other must say whose it is."""
    from mimir_engine.training.checkpoint import load_checkpoint
    from mimir_engine.training.identity import PHANTOM

    if all(load_checkpoint(run).provenance.get("population") == PHANTOMS for run in runs):
        return PHANTOM
    raise MimirError(
        "IDENTITY_MISSING",
        "only networks of phantoms have a name, a population and a licence of their own accord",
        "Give --identity FILE, see docs/modules.md.",
    )
