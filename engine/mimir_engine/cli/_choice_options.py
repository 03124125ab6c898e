"""Options that say which studies are used, and which of them are of one person."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mimir_engine.cli import say

if TYPE_CHECKING:
    from mimir_engine.cohort.inclusion.chosen_studies import StudyChoice
    from mimir_engine.cohort.inclusion.persons import PersonRule


def add_choice_options(parser: argparse.ArgumentParser, splits_persons: bool) -> None:
    """Add the options.

    Args:
        parser: Parser of a command.
        splits_persons: The command splits or counts persons, so it must know them.
    """
    ids = "participants, visits or studies, one per line, or a table with a column such as eid"
    parser.add_argument(
        "--exclude", type=Path, metavar="FILE", help=f"leave these out, e.g. withdrawn: {ids}"
    )
    parser.add_argument("--only", type=Path, metavar="FILE", help=f"use only these: {ids}")
    parser.add_argument(
        "--allow-unmatched",
        action="store_true",
        help="accept ids in these lists that no study has",
    )
    add_person_option(parser)
    if splits_persons:
        parser.add_argument(
            "--each-its-own-person",
            action="store_true",
            help="nobody was scanned twice: studies whose names do not tell the person are persons"
            " of their own",
        )


def add_person_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that says which studies are of one person."""
    parser.add_argument(
        "--person-pattern",
        default="",
        metavar="REGEX",
        help="regular expression for names other than UK Biobank's; its first group is the person,"
        r" e.g. '^(.+)_v\d+$'",
    )


def study_choice(arguments: argparse.Namespace) -> StudyChoice:
    """Return the lists of ids."""
    from mimir_engine.cohort.inclusion.chosen_studies import StudyChoice

    return StudyChoice(arguments.exclude, arguments.only, arguments.allow_unmatched)


def person_rule(arguments: argparse.Namespace) -> PersonRule:
    """Return how persons are known."""
    from mimir_engine.cohort.inclusion.persons import PersonRule

    each = getattr(arguments, "each_its_own_person", False)
    return PersonRule(arguments.person_pattern, each)


def say_all(sentences: Iterable[str]) -> None:
    """Print sentences, one per line."""
    for sentence in sentences:
        say(sentence)
