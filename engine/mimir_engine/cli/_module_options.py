"""Options that name inference modules."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_run_module_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where the inference modules of existing results are."""
    parser.add_argument(
        "--modules",
        default="",
        metavar="NAME_OR_DIR[,...]",
        help="inference modules of the results (default: found by the names that they note)",
    )
    parser.add_argument(
        "--profile",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="profile that `mimir infer` was given; once per module",
    )
