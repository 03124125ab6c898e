"""Options of the commands that can work on a Dask cluster."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from mimir_engine.cli import wrong_use
from mimir_engine.files.optional_packages import require

if TYPE_CHECKING:
    from mimir_engine.cohort.cluster.dask_cluster import DaskCluster


def add_cluster_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a scheduler."""
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="work on the workers of this Dask scheduler, such as tcp://127.0.0.1:8786; --jobs"
        " has no effect then",
    )
    parser.add_argument(
        "--scheduler-file",
        type=Path,
        metavar="FILE",
        help="the same, by the file that `dask scheduler --scheduler-file` writes",
    )


def chosen_cluster(
    arguments: argparse.Namespace, profiles: Sequence[Path] = ()
) -> Optional[DaskCluster]:
    """Return the cluster that the options name; None for this machine.

    Raises:
        MimirError: ``WRONG_USE``, ``EXTRA_MISSING``, ``SCHEDULER_FILE_INVALID``.
    """
    if not arguments.scheduler and not arguments.scheduler_file:
        return None
    if arguments.scheduler and arguments.scheduler_file:
        raise wrong_use(arguments.command, "give either --scheduler or --scheduler-file")
    require("cluster")
    from mimir_engine.cohort.cluster.dask_cluster import DaskCluster
    from mimir_engine.cohort.cluster.scheduler_address import address_in, full_address

    if arguments.scheduler_file:
        return DaskCluster(address_in(arguments.scheduler_file), profiles)
    return DaskCluster(full_address(arguments.scheduler), profiles)
