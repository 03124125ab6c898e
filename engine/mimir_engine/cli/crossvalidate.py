"""``mimir crossvalidate``: predict every study with a network that has not seen its person."""

from __future__ import annotations

import argparse
from contextlib import closing

from mimir_engine.cli import DONE, say
from mimir_engine.cli import _training_options as options
from mimir_engine.cli._number_options import MAX_FOLDS, seed_number, whole_number


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    options.add_training_options(parser)
    parser.add_argument(
        "--folds", type=whole_number(2, MAX_FOLDS), default=5, help="number of folds (default: 5)"
    )
    parser.add_argument(
        "--seed", type=seed_number, default=0, help="seed of the networks (default: 0)"
    )
    parser.add_argument(
        "--fold-seed",
        type=seed_number,
        default=0,
        help="seed of the folds; the same seed gives the same folds for every recipe (default: 0)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Cross-validate, or continue a cross-validation that was stopped."""
    dataset, device = options.prepare_training(arguments)
    from mimir_engine.training.crossvalidate import OUT_OF_FOLD, crossvalidate
    from mimir_engine.training.fit import Progress

    output, folds = arguments.output, arguments.folds
    recipe = options.chosen_recipe(arguments, arguments.seed)

    with closing(options.StepsBar(folds)) as bar:

        def progress(fold: int, step: Progress) -> None:
            bar.show(fold, f"fold {fold}/{folds}", step)

        if not crossvalidate(dataset, output, recipe, folds, progress, arguments.fold_seed, device):
            raise KeyboardInterrupt
    say(f"{folds} folds done; see {output / OUT_OF_FOLD}")
    return DONE
