"""``mimir evaluate``: how good predictions are, and whether their uncertainty is true."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Optional

from mimir_engine.cli import DONE, SOME_FAILED, say
from mimir_engine.cli._count_line import CountLine
from mimir_engine.errors import MimirError

FIGURES = ("png", "pdf", "svg", "none")
MOST_RESAMPLES = 100_000


def add_parser(subparsers: Any) -> None:
    """Describe the command line."""
    parser = subparsers.add_parser(
        "evaluate", help="judge predictions against reference values: tables and figures"
    )
    parser.add_argument(
        "predictions",
        type=Path,
        help="table study,target,reference,mean,sd (CSV or Parquet), or predictions.csv",
    )
    parser.add_argument(
        "--reference", type=Path, metavar="TABLE", help="table study,target,value, if apart"
    )
    parser.add_argument(
        "--level", type=float, help="of the intervals (default: that of the table, else 0.95)"
    )
    parser.add_argument(
        "--groups", metavar="NAME[,...]", help="to judge by, e.g. sex,age (default: all there are)"
    )
    parser.add_argument("--bootstrap", type=int, default=1000, help="resamples (1000)")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap (0)")
    parser.add_argument("--figures", default="png", choices=FIGURES, help="their kind (png)")
    parser.add_argument(
        "--output", required=True, type=Path, metavar="DIR", help="of tables and figures"
    )


def run(arguments: argparse.Namespace) -> int:
    """Judge, then write tables and figures."""
    _check(arguments)
    from mimir_engine.evaluation.evaluate import evaluate
    from mimir_engine.evaluation.predictions import DEFAULT_LEVEL
    from mimir_engine.evaluation.reference_table import read_with_reference
    from mimir_engine.evaluation.subgroups import choose_groups
    from mimir_engine.evaluation.tables import write_metrics
    from mimir_engine.files.optional_packages import require

    if arguments.figures != "none":
        require("figures")
    level = arguments.level or DEFAULT_LEVEL
    predictions = read_with_reference(arguments.predictions, arguments.reference, level)
    if arguments.level and predictions.level not in (None, arguments.level):
        raise MimirError(
            "WRONG_USE",
            f"the table's intervals are of level {predictions.level:g}, not {arguments.level:g}",
            "Leave --level out.",
        )
    groups = choose_groups(predictions, _names(arguments.groups))
    evaluation = evaluate(
        predictions, groups, level, arguments.bootstrap, arguments.seed, CountLine("judged")
    )
    write_metrics(arguments.output, evaluation)
    if arguments.figures != "none":
        from mimir_engine.evaluation.figures import draw_evaluation

        folder = arguments.output / "figures"
        draw_evaluation(folder, predictions, evaluation, arguments.figures, CountLine("drawn"))
    print(arguments.output / "metrics.md", flush=True)
    if evaluation.unjudged:
        say(f"Too few pairs of reference and prediction: {', '.join(evaluation.unjudged)}")
        return SOME_FAILED
    return DONE


def _check(arguments: argparse.Namespace) -> None:
    """Refuse at once what makes no sense.

    Raises:
        MimirError: ``LEVEL_INVALID``, ``WRONG_USE``.
    """
    if arguments.level is not None and not 0.5 <= arguments.level <= 0.999:
        raise MimirError(
            "LEVEL_INVALID",
            f"an interval level of {arguments.level:g} is no use",
            "Use one from 0.5 to 0.999.",
        )
    if not 0 <= arguments.bootstrap <= MOST_RESAMPLES or arguments.seed < 0:
        raise MimirError(
            "WRONG_USE",
            f"--bootstrap goes from 0 to {MOST_RESAMPLES:,}, --seed starts at 0",
            "Try 'mimir evaluate --help'.",
        )


def _names(text: Optional[str]) -> Optional[list[str]]:
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]
