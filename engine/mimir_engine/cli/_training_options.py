"""What `mimir train` and `mimir crossvalidate` have in common: data, recipe, memory, progress."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from mimir_engine.cli import say
from mimir_engine.cli._progress import duration, studies

#: Settings under which glibc keeps the memory of freed activations instead of giving it back and
#: fetching it again a thousand times a step: training is 1.5 to 2 times as fast.
PATIENT_ALLOCATOR = {
    "MALLOC_TRIM_THRESHOLD_": "20000000000",
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
    "MALLOC_TOP_PAD_": "268435456",
}


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Describe what to learn from."""
    parser.add_argument(
        "data",
        type=Path,
        help="folder of 'mimir project --dataset' or of 'mimir phantom --projections'",
    )
    parser.add_argument(
        "--targets",
        action="append",
        default=[],
        type=Path,
        metavar="TABLE",
        help="CSV or Parquet with study, target, value; may be given again",
    )
    parser.add_argument(
        "--definitions",
        type=Path,
        metavar="TABLE",
        help="what targets are: name, unit, ukb_field, divisor, kind, non_negative;"
        " what it lacks is as published",
    )
    parser.add_argument(
        "--only", default="", metavar="NAME[,...]", help="targets to learn (all that are known)"
    )
    parser.add_argument(
        "--exclude",
        type=Path,
        metavar="FILE",
        help="who withdrew or is not to be used: a participant or study on each line",
    )
    parser.add_argument("--output", required=True, type=Path, metavar="DIR", help="of the run")


def add_recipe_options(parser: argparse.ArgumentParser) -> None:
    """Describe how to learn."""
    parser.add_argument(
        "--recipe", default="published", choices=("published", "from-scratch", "short")
    )
    parser.add_argument(
        "--architecture", choices=("resnet18", "resnet50"), help="instead of the recipe's"
    )
    parser.add_argument("--steps", type=int, help="instead of the recipe's")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))


def chosen_dataset(arguments: argparse.Namespace) -> Any:
    """The data set that the options ask for; what it leaves out is said."""
    from mimir_engine.training.data_selection import DataChoice, chosen_data
    from mimir_engine.training.dataset import describe_phantoms

    if (arguments.data / "projections.json").exists():
        describe_phantoms(arguments.data)
    only = tuple(name.strip() for name in arguments.only.split(",") if name.strip())
    choice = DataChoice(tuple(arguments.targets), arguments.definitions, arguments.exclude, only)
    dataset = chosen_data(arguments.data, choice)
    count = len(dataset.definitions)
    say(f"{studies(len(dataset))}, {count} target{'' if count == 1 else 's'}")
    for why, names in dataset.left_out.items():
        if names:
            say(f"{len(names)} {_REASONS[why]}, listed in studies.csv")
    return dataset


_REASONS = {
    "excluded": "excluded",
    "unlabelled": "without any target",
    "unknown": "named by the tables, but without an image",
}


def chosen_recipe(arguments: argparse.Namespace, seed: int, run_dir: Path) -> Any:
    """The recipe that the options ask for, if need be without ImageNet's weights.

    `run_dir`: where a run of it may have begun.
    """
    from mimir_engine.training.imagenet import with_obtainable_start
    from mimir_engine.training.recipe import RECIPES

    changes = {"architecture": arguments.architecture, "steps": arguments.steps}
    given = {name: value for name, value in changes.items() if value is not None}
    asked = replace(RECIPES[arguments.recipe], seed=seed, **given)
    recipe = with_obtainable_start(asked, run_dir)
    if recipe != asked:
        say("ImageNet's weights can't be had: training starts from random ones, and says so.")
    return recipe


def choose_allocator(argv: list[str]) -> None:
    """Begin anew under the patient allocator, which is read only when a process starts."""
    is_program = argv == sys.argv[1:]
    chosen = PATIENT_ALLOCATOR.keys() & os.environ.keys()
    if sys.platform == "linux" and is_program and not chosen:
        command = [sys.executable, "-m", "mimir_engine", *argv]
        os.execve(sys.executable, command, {**os.environ, **PATIENT_ALLOCATOR})


def step_line(progress: Any, remaining_seconds: float) -> str:
    """How far a run is, and how long all that was asked for takes from here."""
    left = duration(remaining_seconds)
    return f"step {progress.step}/{progress.steps}  loss {progress.loss:.3f}  {left} left"
