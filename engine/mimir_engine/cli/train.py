"""``mimir train``: a network from projections and targets."""

from __future__ import annotations

import argparse
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Describe the command line."""
    subparsers.add_parser("train", help="train a network on projections and targets")


def run(arguments: argparse.Namespace) -> int:
    """Train."""
    return 0
