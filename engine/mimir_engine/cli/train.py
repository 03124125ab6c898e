"""``mimir train``: train networks on projections and targets."""

from __future__ import annotations

import argparse
from contextlib import closing
from functools import partial
from pathlib import Path

from mimir_engine.cli import DONE, wrong_use
from mimir_engine.cli import _training_options as options
from mimir_engine.cli._number_options import MAX_NETWORKS, MAX_SEED, seed_number


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    options.add_training_options(parser, start_recipes=("fine-tune",))
    parser.add_argument(
        "--start",
        metavar="MODULE",
        help="inference module that training goes on from, with --recipe fine-tune",
    )
    seeds = parser.add_mutually_exclusive_group()
    seeds.add_argument(
        "--seed", type=seed_number, default=0, help="seed of the network (default: 0)"
    )
    seeds.add_argument(
        "--seeds", metavar="N[,...]", help="train an ensemble: one network per seed, in DIR/seed-N"
    )


def run(arguments: argparse.Namespace) -> int:
    """Train, or continue runs that were stopped."""
    runs = _runs(arguments)
    if (arguments.recipe == "fine-tune") != (arguments.start is not None):
        raise wrong_use("train", "--recipe fine-tune and --start MODULE require each other")
    dataset, device = options.prepare_training(arguments)
    from mimir_engine.inference_module import find_module, module_sha256
    from mimir_engine.training.fit import fit
    from mimir_engine.training.initial_weights import with_start

    start, start_sha256 = None, ""
    if arguments.start is not None:
        start = find_module(arguments.start)
        dataset, start_sha256 = with_start(dataset, start), module_sha256(start)
    with closing(options.StepsBar(len(runs))) as bar:
        for number, (seed, folder) in enumerate(runs, start=1):
            recipe = options.chosen_recipe(arguments, seed, start_sha256)
            progress = partial(bar.show, number, folder.name if len(runs) > 1 else "")
            if not fit(dataset, folder, recipe, progress, device=device, start=start):
                raise KeyboardInterrupt
            bar.say(f"trained; see {folder}")
    return DONE


def _runs(arguments: argparse.Namespace) -> list[tuple[int, Path]]:
    """Return seed and folder of each run."""
    if arguments.seeds is None:
        return [(arguments.seed, arguments.output)]
    try:
        seeds = list(dict.fromkeys(int(seed) for seed in arguments.seeds.split(",")))
    except ValueError:
        fault = "--seeds must be a comma-separated list of integers such as 0,1,2"
        raise wrong_use("train", f"{fault}, not {arguments.seeds!r}") from None
    if len(seeds) > MAX_NETWORKS or not all(0 <= seed <= MAX_SEED for seed in seeds):
        raise wrong_use("train", f"--seeds must be up to {MAX_NETWORKS}, from 0 to {MAX_SEED:,}")
    return [(seed, arguments.output / f"seed-{seed}") for seed in seeds]
