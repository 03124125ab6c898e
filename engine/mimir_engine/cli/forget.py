"""``mimir forget``: remove people who withdrew from results that exist."""

from __future__ import annotations

import argparse
from pathlib import Path

from mimir_engine.cli import DONE, show
from mimir_engine.cli._choice_options import add_person_option, person_rule, say_all
from mimir_engine.cli._module_options import add_run_module_options
from mimir_engine.cli._name_lists import names_in
from mimir_engine.cli._progress import studies


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "folder",
        type=Path,
        metavar="DIR",
        help="output folder of `mimir infer`, `measure`, `check`, `fuse` or `project --dataset`",
    )
    parser.add_argument(
        "--exclude",
        type=Path,
        required=True,
        metavar="FILE",
        help="participants, visits or studies to remove, one per line, or a table with a column"
        " such as eid",
    )
    parser.add_argument(
        "--allow-unmatched", action="store_true", help="accept ids in the list that no study has"
    )
    add_person_option(parser)
    parser.add_argument(
        "--details",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="DIR",
        help="remove them there, too: folders of `--details`, of `mimir report`, or of"
        " `mimir check --pictures`",
    )
    add_run_module_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Remove the studies, and say what is left to be done."""
    from mimir_engine.cohort.forgetting.forget import forget
    from mimir_engine.cohort.inclusion.chosen_studies import StudyChoice

    forgotten = forget(
        arguments.folder,
        StudyChoice(exclude=arguments.exclude, allow_unmatched=arguments.allow_unmatched),
        arguments.details,
        person_rule(arguments),
        names_in(arguments.modules),
        arguments.profile,
    )
    say_all(forgotten.sentences)
    show(f"{studies(forgotten.studies)} removed from {arguments.folder}")
    return DONE
