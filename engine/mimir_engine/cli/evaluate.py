"""``mimir evaluate``: evaluate predictions against reference values, or results with each other."""

from __future__ import annotations

import argparse
from pathlib import Path

from mimir_engine.cli import DONE, SOME_FAILED, say, show
from mimir_engine.cli._choice_options import (
    add_choice_options,
    person_rule,
    say_all,
    study_choice,
)
from mimir_engine.cli._name_lists import names_in
from mimir_engine.cli._number_options import seed_number, whole_number
from mimir_engine.cli._progress_bar import counted
from mimir_engine.errors import MimirError
from mimir_engine.measuring.interval_level import DEFAULT_LEVEL, check_level

FIGURES = ("png", "pdf", "svg", "none")
MAX_RESAMPLES = 100_000


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "predictions",
        type=Path,
        help="table with the columns study, target, reference, mean, sd (CSV or Parquet), or"
        " predictions.csv of 'mimir infer'; with --compare also an output folder",
    )
    parser.add_argument(
        "--reference", type=Path, metavar="TABLE", help="reference table: study, target, value"
    )
    parser.add_argument(
        "--compare",
        action="append",
        type=names_in,
        metavar="A,B",
        help="compare results of the same studies instead: names of two columns without unit, e.g."
        " liverFat,label_liver_core_fat_fraction, or 'all' for all that give the same quantity"
        " (may be repeated)",
    )
    parser.add_argument(
        "--level", type=float, help="interval level (default: the table's, or 0.95)"
    )
    parser.add_argument(
        "--groups",
        metavar="NAME[,...]",
        help="groups to evaluate by, e.g. sex,age (default: all)",
    )
    parser.add_argument(
        "--bootstrap",
        type=whole_number(0, MAX_RESAMPLES),
        default=1000,
        help="number of resamples (default: 1000)",
    )
    parser.add_argument(
        "--seed", type=seed_number, default=0, help="seed of the bootstrap (default: 0)"
    )
    parser.add_argument(
        "--figures", default="png", choices=FIGURES, help="file type (default: png)"
    )
    add_choice_options(parser, splits_persons=True)
    parser.add_argument("--output", required=True, type=Path, metavar="DIR", help="output folder")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, then write tables and figures."""
    if arguments.level is not None:
        check_level(arguments.level)
    if arguments.compare and arguments.reference:
        what = "--compare and --reference do not go together"
        raise MimirError("WRONG_USE", what, "Leave one of them out.")
    from mimir_engine.evaluation.chosen_predictions import choose_predictions
    from mimir_engine.evaluation.comparison import read_comparison
    from mimir_engine.evaluation.evaluate import evaluate
    from mimir_engine.evaluation.missing_references import without_missing_codes
    from mimir_engine.evaluation.reference_table import read_with_reference
    from mimir_engine.evaluation.subgroups import choose_groups
    from mimir_engine.evaluation.tables import write_metrics
    from mimir_engine.files.folder_lock import folder_lock
    from mimir_engine.files.leftovers import sweep_leftovers
    from mimir_engine.files.optional_packages import require

    if arguments.figures != "none":
        require("figures")
    level = arguments.level or DEFAULT_LEVEL
    compared: tuple[str, ...] = ()
    if arguments.compare:
        comparison = read_comparison(arguments.predictions, arguments.compare)
        predictions, compared = comparison.predictions, comparison.notes
    else:
        predictions = read_with_reference(arguments.predictions, arguments.reference, level)
    if arguments.level and predictions.level not in (None, arguments.level):
        raise MimirError(
            "WRONG_USE",
            f"the table's interval level is {predictions.level:g}, not {arguments.level:g}",
            "Leave --level out.",
        )
    predictions, record, sentences = choose_predictions(
        predictions, study_choice(arguments), person_rule(arguments)
    )
    if not compared:
        predictions, left_out = without_missing_codes(predictions)
        sentences += left_out
    say_all(sentences)
    asked = None if arguments.groups is None else names_in(arguments.groups)
    groups = choose_groups(predictions, asked)
    with folder_lock(arguments.output):
        with counted("target") as progress:
            evaluation = evaluate(
                predictions, groups, level, arguments.bootstrap, arguments.seed, progress
            )
        notes = (f"Persons are known by {record['persons_known_by']}.", *sentences)
        write_metrics(arguments.output, evaluation, notes, compared)
        if arguments.figures != "none":
            from mimir_engine.evaluation.figures import draw_evaluation

            folder = arguments.output / "figures"
            sweep_leftovers(folder)
            with counted("figure") as progress:
                draw_evaluation(folder, predictions, evaluation, arguments.figures, progress)
    show(str(arguments.output / "metrics.md"))
    if evaluation.unevaluated:
        say(f"Too few pairs of reference and prediction: {', '.join(evaluation.unevaluated)}")
        return SOME_FAILED
    return DONE
