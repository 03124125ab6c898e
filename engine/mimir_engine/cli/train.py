"""``mimir train``: a network from projections and targets, and on wish an inference module."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from mimir_engine.cli.progress import duration
from mimir_engine.errors import MimirError

#: Settings under which glibc keeps the memory of freed activations instead of giving it back and
#: fetching it again a thousand times a step: training is 1.5 to 2 times as fast.
PATIENT_ALLOCATOR = {
    "MALLOC_TRIM_THRESHOLD_": "20000000000",
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
    "MALLOC_TOP_PAD_": "268435456",
}


def add_parser(subparsers: Any) -> None:
    """Describe the command line."""
    parser = subparsers.add_parser("train", help="train a network on projections and targets")
    parser.add_argument("data", type=Path, help="data set, e.g. of 'mimir phantom --projections'")
    parser.add_argument("--output", required=True, type=Path, metavar="DIR", help="of the run")
    parser.add_argument("--recipe", default="published", choices=("published", "from-scratch"))
    parser.add_argument("--steps", type=int, help="instead of the recipe's")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    parser.add_argument(
        "--held-out", type=Path, metavar="DATA", help="phantoms to scale the variances on"
    )
    parser.add_argument(
        "--module", type=Path, metavar="DIR", help="inference module to write when trained"
    )
    parser.add_argument(
        "--eight-bit", action="store_true", help="store the module's weights in 8 bits"
    )


def run(arguments: argparse.Namespace) -> int:
    """Train, or go on with a run that was stopped; then package."""
    if (arguments.module is None) != (arguments.held_out is None):
        raise MimirError(
            "WRONG_USE", "--module and --held-out go together", "Try 'mimir train --help'."
        )
    _choose_allocator(arguments.argv)
    from mimir_engine.device import choose_device
    from mimir_engine.training.fit import fit
    from mimir_engine.training.phantoms import describe_phantoms
    from mimir_engine.training.recipe import RECIPES

    for folder in filter(None, (arguments.data, arguments.held_out)):
        if (folder / "projections.json").exists():
            describe_phantoms(folder)
    recipe = replace(RECIPES[arguments.recipe], seed=arguments.seed)
    if arguments.steps is not None:
        recipe = replace(recipe, steps=arguments.steps)
    device = str(choose_device(arguments.device))
    result = fit(arguments.data, arguments.output, recipe, _tell, device=device)
    if not result.finished:
        raise KeyboardInterrupt
    return _package(arguments) if arguments.module else 0


def _choose_allocator(argv: list[str]) -> None:
    """Begin anew under the patient allocator, which is read only when a process starts."""
    is_program = argv == sys.argv[1:]
    chosen = PATIENT_ALLOCATOR.keys() & os.environ.keys()
    if sys.platform == "linux" and is_program and not chosen:
        command = [sys.executable, "-m", "mimir_engine", *argv]
        os.execve(sys.executable, command, {**os.environ, **PATIENT_ALLOCATOR})


def _tell(progress: Any) -> None:
    left = duration(progress.remaining_seconds)
    print(
        f"step {progress.step}/{progress.steps}  loss {progress.loss:.3f}  {left} left",
        file=sys.stderr,
        flush=True,
    )


def _package(arguments: argparse.Namespace) -> int:
    from mimir_engine.training.package import PHANTOM, package

    if not (arguments.data / "projections.json").exists():
        raise MimirError(
            "NOT_PHANTOMS",
            "only networks trained on phantoms can be packaged so far",
            "The run is complete; leave --module out.",
        )
    module = package(
        arguments.output,
        arguments.held_out,
        arguments.module,
        PHANTOM,
        eight_bit=arguments.eight_bit,
    )
    print(f"{module.name} {module.version} written to {module.folder}")
    return 0
