"""Types of options that are whole numbers within limits; argparse reports all others."""

from __future__ import annotations

import argparse
from typing import Callable

from mimir_engine.cohort.shards.shard import MAX_SHARDS, Shard

#: Largest seed: it fits into every generator of random numbers.
MAX_SEED = 2**31 - 1
#: Number of phantoms, as many as there are seeds for training; their images have 200 GB.
MAX_PHANTOMS = 1_000_000
#: Number of processes; large computers have some hundred processors.
MAX_PROCESSES = 1024
#: Steps of a training run; the published recipe has 10,000.
MAX_STEPS = 10_000_000
#: Number of folds, each of which is a training run.
MAX_FOLDS = 1000
#: Networks of an ensemble, each of which is a training run.
MAX_NETWORKS = 100
#: Size of a difference from usual phantoms, in units of the named one.
MAX_SIZE = 4.0
#: Scans of one phantom: visits 2 to 9 in UK Biobank's form.
MAX_REPEATS = 8
#: Characters of a wrong value that a message shows.
MAX_SHOWN = 40


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return a type for ``add_argument`` that accepts whole numbers from ``low`` to ``high``.

    Examples:
        >>> whole_number(1, 1000)("12")
        12
    """

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:  # also more digits than Python converts
            number = low - 1
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(
                f"must be a whole number from {low:,} to {high:,}, not {text[:MAX_SHOWN]!r}"
            )
        return number

    return read


def size_number(text: str) -> float:
    """Read the size of a difference, above 0 to ``MAX_SIZE``; a type for ``add_argument``."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.0 < number <= MAX_SIZE:
        raise argparse.ArgumentTypeError(
            f"must be a number above 0, up to {MAX_SIZE:g}, not {text[:MAX_SHOWN]!r}"
        )
    return number


def shard_of(text: str) -> Shard:
    """Read a shard, as ``2/10``; a type for ``add_argument``."""
    try:
        return Shard.parse(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be I/N, as 2/10: shard I of N, from 1/N to N/N with N up to {MAX_SHARDS:,},"
            f" not {text[:MAX_SHOWN]!r}"
        ) from None


#: Type of a seed.
seed_number = whole_number(0, MAX_SEED)
