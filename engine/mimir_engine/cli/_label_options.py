"""Options of label maps: which files, how labels are called, and which have columns."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from mimir_engine.cli._name_lists import names_in

if TYPE_CHECKING:
    from mimir_engine.labels.label_names import LabelNames


def add_label_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of label maps."""
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="FILE_OR_DIR",
        help="label map (NIfTI or NRRD) of the study, or a folder with one for each study, named"
        " after it: measure volume and fat fraction of each label, in labels.csv",
    )
    parser.add_argument(
        "--names",
        default="",
        metavar="FILE|vibesegmentator",
        help="names of the labels: a table (CSV) with the columns label and name, or the built-in"
        " table of VIBESegmentator (default: the names in the label map)",
    )
    add_label_columns_option(parser)


def add_label_columns_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that gives labels columns in the table of all measurements."""
    parser.add_argument(
        "--label-columns",
        nargs="?",
        const=(),
        type=_names_of_columns,
        metavar="NAME[,...]",
        help="also give these labels columns in the table of all measurements (without names: all)",
    )


def chosen_label_names(arguments: argparse.Namespace) -> LabelNames:
    """Return the names that the options give to labels.

    Raises:
        MimirError: ``LABEL_NAMES_INVALID``.
    """
    from mimir_engine.labels.label_names import label_names

    return label_names(arguments.names) if arguments.names else ()


def _names_of_columns(text: str) -> Optional[Sequence[str]]:
    names = names_in(text)
    wrong = next((name for name in names if not re.fullmatch("[a-z0-9_]+", name)), None)
    if wrong is not None or not names:
        raise argparse.ArgumentTypeError(
            f"'{text}' must be names of labels as in columns, such as liver,kidney_left"
        )
    return tuple(dict.fromkeys(names))
