"""Options of both ``mimir train`` and ``mimir crossvalidate``: data, recipe, progress."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mimir_engine.cli import say
from mimir_engine.cli._choice_options import (
    add_choice_options,
    person_rule,
    say_all,
    study_choice,
)
from mimir_engine.cli._name_lists import names_in
from mimir_engine.cli._number_options import MAX_STEPS, whole_number
from mimir_engine.cli._progress import studies
from mimir_engine.cli._progress_bar import ProgressBar
from mimir_engine.files.optional_packages import require
from mimir_engine.measuring.display_text import duration

if TYPE_CHECKING:
    from mimir_engine.training.dataset import Dataset
    from mimir_engine.training.fit import Progress
    from mimir_engine.training.recipe import Recipe

#: Settings with which glibc keeps the memory of freed activations instead of returning it to the
#: system a thousand times per step: training is 1.5 to 2 times as fast.
TRAINING_ALLOCATOR = {
    "MALLOC_TRIM_THRESHOLD_": "20000000000",
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
    "MALLOC_TOP_PAD_": "268435456",
}


def add_training_options(
    parser: argparse.ArgumentParser, start_recipes: tuple[str, ...] = ()
) -> None:
    """Add the options for images, targets, network and optimisation.

    Args:
        parser: Receives them.
        start_recipes: Recipes that start from a module.
    """
    parser.add_argument(
        "data",
        nargs="+",
        type=Path,
        help="folders of images made by 'mimir project --dataset' or 'mimir phantom --projections'",
    )
    parser.add_argument(
        "--targets",
        action="append",
        default=[],
        type=Path,
        metavar="TABLE",
        help="table of targets (CSV or Parquet) with columns study, target, value; can be repeated",
    )
    parser.add_argument(
        "--definitions",
        type=Path,
        metavar="TABLE",
        help="table of target definitions: name, unit, ukb_field, divisor, kind, non_negative;"
        " empty cells take the published definitions",
    )
    parser.add_argument(
        "--only-targets",
        default="",
        metavar="NAME[,...]",
        help="targets to train on (default: all)",
    )
    parser.add_argument(
        "--allow-odd-values",
        action="store_true",
        help="accept targets whose values seem to have a wrong unit or two units",
    )
    add_choice_options(parser, splits_persons=True)
    parser.add_argument("--output", required=True, type=Path, metavar="DIR", help="output folder")
    parser.add_argument(
        "--recipe",
        default="published",
        choices=("published", "from-scratch", "short", *start_recipes),
        help="training settings (default: published)",
    )
    parser.add_argument(
        "--architecture", choices=("resnet18", "resnet50"), help="network (default: the recipe's)"
    )
    parser.add_argument(
        "--steps", type=whole_number(1, MAX_STEPS), help="number of steps (default: the recipe's)"
    )
    parser.add_argument(
        "--precision",
        choices=("float32", "bfloat16"),
        help="arithmetic of the network in training; bfloat16 takes half the time on recent"
        " processors and graphics cards (default: the recipe's)",
    )
    parser.add_argument(
        "--device",
        default="auto",
        choices=("auto", "cpu", "cuda", "mps"),
        help="processor or graphics card to train on (default: auto)",
    )


def prepare_training(arguments: argparse.Namespace) -> tuple[Dataset, str]:
    """Prepare this process for training; return the selected data set and device.

    The number of studies, and of those left out, is printed.
    """
    _choose_allocator(arguments.argv)
    require("network")
    from mimir_engine.measuring.device import choose_device
    from mimir_engine.training.data_selection import choose_data

    device = str(choose_device(arguments.device))
    if device == "cpu" and arguments.recipe == "published":
        say("The published recipe needs a graphics card; --recipe short suits a processor.")
    dataset = choose_data(
        arguments.data,
        arguments.targets,
        arguments.definitions,
        study_choice(arguments),
        person_rule(arguments),
        tuple(names_in(arguments.only_targets)),
        arguments.allow_odd_values,
    )
    count = len(dataset.definitions)
    targets = f"{count} target" if count == 1 else f"{count} targets"
    by = dataset.provenance["persons_known_by"]
    say(f"{studies(len(dataset))} of {dataset.provenance['persons']} persons, {targets}")
    say(f"persons are known by {by}")
    say_all(dataset.notes)
    for why, names in dataset.left_out.items():
        if names:
            say(f"{len(names)} {_REASONS[why]}, listed in studies.csv")
    return dataset, device


_REASONS = {
    "excluded": "excluded",
    "unasked": "not among those of --only",
    "unlabelled": "without any target",
    "unknown": "in the tables, but without an image",
}


def chosen_recipe(arguments: argparse.Namespace, seed: int, start_sha256: str = "") -> Recipe:
    """Build the recipe of a network; `start_sha256` is the hash of the module it starts from.

    Raises:
        MimirError: ``IMAGENET_UNAVAILABLE`` if its initial weights are not available.
    """
    from mimir_engine.training.initial_weights import imagenet_weights
    from mimir_engine.training.recipe import RECIPES

    names = ("architecture", "steps", "precision")
    changes = {name: getattr(arguments, name) for name in names}
    given: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    recipe = replace(RECIPES[arguments.recipe], seed=seed, start_sha256=start_sha256, **given)
    if recipe.start == "imagenet":
        imagenet_weights(recipe.architecture)
    return recipe


def _choose_allocator(argv: list[str]) -> None:
    """Restart this process with `TRAINING_ALLOCATOR`, which is read only at the start."""
    is_program = argv == sys.argv[1:]
    chosen = TRAINING_ALLOCATOR.keys() & os.environ.keys()
    if sys.platform == "linux" and is_program and not chosen:
        command = [sys.executable, "-m", "mimir_engine", *argv]
        os.execve(sys.executable, command, {**os.environ, **TRAINING_ALLOCATOR})


class StepsBar(ProgressBar):
    """Shows the steps of one or more runs: as one bar, or as a line for each step."""

    def __init__(self, runs: int) -> None:
        """Draw nothing yet.

        Args:
            runs: Number of runs, all of the same length.
        """
        super().__init__("step")
        self._runs = runs

    def show(self, number: int, name: str, step: Progress) -> None:
        """Show a finished step.

        Args:
            number: Number of its run, from 1 on.
            name: Name of its run; empty if there is only one.
            step: The step.
        """
        loss = f"loss {step.loss:.3f}"
        if self.is_shown:
            done, total = (number - 1) * step.steps + step.step, self._runs * step.steps
            self.move_to(done, total, ", ".join(filter(None, (name, loss))))
            return
        seconds = step.remaining_seconds(self._runs - number)
        left = "" if seconds is None else f"  {duration(seconds)} left"
        say(f"{name and f'{name}: '}step {step.step}/{step.steps}  {loss}{left}")
