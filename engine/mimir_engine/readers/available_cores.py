"""Count the cores that this process may use, and the readers that its memory allows."""

from __future__ import annotations

import os
from pathlib import Path

#: Memory for each reader, in bytes; a study of UK Biobank needs some 250 MB.
BYTES_PER_READER = 10**9


def available_cores() -> int:
    """Count the physical cores that this process may use, at least one.

    Two threads of one core share its arithmetic units, so a network gains nothing from the second.
    The affinity mask and a container's CPU quota (Slurm, Docker, Kubernetes) count.
    """
    if not hasattr(os, "sched_getaffinity"):  # Windows and macOS
        return os.cpu_count() or 1
    cores = {_siblings(processor) for processor in os.sched_getaffinity(0)}
    return max(1, min(len(cores), _cpu_quota()))


def _siblings(processor: int) -> str:
    """Name the physical core that a logical processor belongs to."""
    path = Path(f"/sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list")
    try:
        return path.read_text().strip()
    except OSError:
        return str(processor)


def _cpu_quota() -> int:
    """Return the CPU time, in cores, that the control group grants (version 2), rounded up."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return -(-int(quota) // int(period))
    except (OSError, ValueError):  # no control group, or "max": no limit
        return os.cpu_count() or 1


def default_jobs() -> int:
    """Return how many studies are read at once: as many as cores, if there is memory for each."""
    return max(1, min(available_cores(), _memory_bytes() // BYTES_PER_READER))


def _memory_bytes() -> int:
    """Return the memory that this process may use; where unknown, that of a small computer."""
    try:
        installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows
        installed = 8 * 10**9
    try:
        return min(installed, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):  # no control group, or "max": no limit
        return installed
