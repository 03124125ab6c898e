"""Measure a cohort on the nodes of a Slurm cluster.

Starts a Dask scheduler in this process and workers as Slurm jobs, runs one command of MIMIR on
them, and ends them. Needs dask-jobqueue beside `mimir-engine[onnx,cluster]`, and a disk that all
nodes see under the same path. Use, on a login node, for 8 jobs:

    python slurm_cluster.py 8 infer /data/zips --modules phantom --output /data/results
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from dask_jobqueue import SLURMCluster

from mimir_engine.cli import main


def run(jobs: int, command: Sequence[str]) -> int:
    """Run a command on a number of Slurm jobs, and return its exit status."""
    with SLURMCluster(
        cores=8,  # of a job
        processes=2,  # workers of a job: each has its own networks, and four cores for readers
        memory="16GB",  # of a job
        walltime="12:00:00",
    ) as cluster:
        cluster.scale(jobs=jobs)
        return main([*command, "--scheduler", cluster.scheduler_address])


if __name__ == "__main__":
    sys.exit(run(int(sys.argv[1]), sys.argv[2:]))
