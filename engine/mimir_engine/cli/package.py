"""``mimir package``: make an inference module from training runs, or recalibrate one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mimir_engine.cli import DONE, show, wrong_use
from mimir_engine.cli._choice_options import (
    add_choice_options,
    person_rule,
    say_all,
    study_choice,
)
from mimir_engine.errors import MimirError
from mimir_engine.files.optional_packages import require

#: Population in the provenance of networks of phantoms.
PHANTOMS = "mimir_engine.phantom.population"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "runs",
        nargs="*",
        type=Path,
        metavar="RUN",
        help="folders of finished training runs; several make an ensemble",
    )
    parser.add_argument(
        "--recalibrate",
        metavar="MODULE",
        help="inference module to calibrate again, instead of packaging runs",
    )
    parser.add_argument(
        "--calibration",
        action="append",
        required=True,
        type=Path,
        metavar="PATH",
        help="folder of a cross-validation, table of raw predictions, or data set that no network"
        " was trained on; data sets can be repeated",
    )
    parser.add_argument(
        "--calibrated",
        action="store_true",
        help="with --recalibrate: the table holds results of `mimir infer`, not raw predictions",
    )
    parser.add_argument(
        "--identity",
        type=Path,
        metavar="FILE",
        help="identity.json: name, population, licence and so on (networks of phantoms need none)",
    )
    parser.add_argument(
        "--images",
        type=Path,
        metavar="DATA",
        help="data set for the scan profile (default: that of --calibration, if it is one)",
    )
    parser.add_argument(
        "--direct",
        type=Path,
        metavar="FILE",
        help="direct measurements of the studies of --calibration (measurements.csv of `mimir"
        " measure`): later estimates that do not go with the images are flagged",
    )
    parser.add_argument(
        "--keep-worthless",
        action="store_true",
        help="keep targets whose estimates may be no better than the mean (R² may be 0)",
    )
    add_choice_options(parser, splits_persons=True)
    parser.add_argument("--output", required=True, type=Path, metavar="DIR", help="output folder")
    parser.add_argument("--eight-bit", action="store_true", help="store the weights in 8 bits")
    parser.add_argument("--overwrite", action="store_true", help="replace the output folder")


def run(arguments: argparse.Namespace) -> int:
    """Package or recalibrate."""
    _check(arguments)
    require("network")
    from mimir_engine.training.identity import read_identity
    from mimir_engine.training.package import package, recalibrate

    identity = None if arguments.identity is None else read_identity(arguments.identity)
    paths = arguments.calibration, arguments.output
    options = {
        "images": arguments.images,
        "direct": arguments.direct,
        "overwrite": arguments.overwrite,
        "choice": study_choice(arguments),
        "persons": person_rule(arguments),
    }
    if arguments.recalibrate is not None:
        options |= {"identity": identity, "calibrated": arguments.calibrated}
        module = recalibrate(arguments.recalibrate, *paths, **options)
    else:
        identity = identity or _phantom_identity(arguments.runs)
        options |= {"eight_bit": arguments.eight_bit, "keep_worthless": arguments.keep_worthless}
        module = package(arguments.runs, *paths, identity, **options)
    say_all(module.provenance.get("notes", ()))
    show(f"{module.name} {module.version} written to {module.folder}")
    return DONE


def _check(arguments: argparse.Namespace) -> None:
    fault = None
    if bool(arguments.runs) == (arguments.recalibrate is not None):
        fault = "give either runs or --recalibrate MODULE"
    elif arguments.calibrated and arguments.recalibrate is None:
        fault = "--calibrated requires --recalibrate"
    elif arguments.eight_bit and arguments.recalibrate is not None:
        fault = "--eight-bit has no effect with --recalibrate, which keeps the weights"
    elif arguments.keep_worthless and arguments.recalibrate is not None:
        fault = "--keep-worthless has no effect with --recalibrate, which keeps all targets"
    if fault is not None:
        raise wrong_use("package", fault)


def _phantom_identity(runs: list[Path]) -> Any:
    """Return the built-in identity of phantom networks; others need --identity."""
    from mimir_engine.phantom.population import POPULATIONS
    from mimir_engine.training.checkpoint import load_checkpoint
    from mimir_engine.training.identity import PHANTOM

    facts = [load_checkpoint(run).provenance for run in runs]
    parts = [part for run in facts for part in run.get("parts", (run,))]
    if {part.get("population") for part in parts} <= set(POPULATIONS.values()):
        return PHANTOM
    raise MimirError(
        "IDENTITY_MISSING",
        "only networks of phantoms have a built-in identity",
        "Give --identity FILE; see docs/modules.md.",
    )
