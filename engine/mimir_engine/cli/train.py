"""``mimir train``: train networks on projections and targets."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from mimir_engine.cli import DONE, say
from mimir_engine.cli._training_options import (
    add_training_options,
    chosen_recipe,
    prepare_training,
    show_step,
)
from mimir_engine.errors import MimirError


def add_parser(subparsers: Any) -> None:
    """Describe the command line."""
    parser = subparsers.add_parser("train", help="train a network on projections and targets")
    add_training_options(parser)
    seeds = parser.add_mutually_exclusive_group()
    seeds.add_argument("--seed", type=int, default=0, help="seed of the network (default: 0)")
    seeds.add_argument(
        "--seeds",
        metavar="N[,...]",
        help="train an ensemble: one network per seed, in DIR/seed-N",
    )


def run(arguments: argparse.Namespace) -> int:
    """Train, or continue runs that were stopped."""
    runs = _runs(arguments)
    dataset, device = prepare_training(arguments)
    from mimir_engine.training.fit import fit

    for number, (seed, folder) in enumerate(runs, start=1):
        recipe = chosen_recipe(arguments, seed, folder)
        name = f"{folder.name}: " if len(runs) > 1 else ""
        progress = partial(show_step, name, len(runs) - number)
        if not fit(dataset, folder, recipe, progress, device=device):
            raise KeyboardInterrupt
        say(f"trained; see {folder}")
    return DONE


def _runs(arguments: argparse.Namespace) -> list[tuple[int, Path]]:
    """Return seed and folder of each run."""
    if arguments.seeds is None:
        return [(arguments.seed, arguments.output)]
    try:
        seeds = list(dict.fromkeys(int(seed) for seed in arguments.seeds.split(",")))
    except ValueError:
        raise MimirError(
            "WRONG_USE",
            f"--seeds must be a comma-separated list of integers, not {arguments.seeds!r}",
            "Write --seeds 0,1,2.",
        ) from None
    return [(seed, arguments.output / f"seed-{seed}") for seed in seeds]
