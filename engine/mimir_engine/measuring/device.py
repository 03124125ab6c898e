"""Choose the device and the number of CPU threads that a network runs on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from mimir_engine.errors import MimirError

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose_device(name: str = "auto") -> torch.device:
    """Choose the device to run on.

    Args:
        name: ``cpu``, ``cuda`` (also ``cuda:1``), ``mps``, or ``auto``: CUDA, else Apple's MPS,
            else the CPU.

    Raises:
        MimirError: ``DEVICE_UNKNOWN`` for another name, ``DEVICE_MISSING`` if the machine or
            this build of PyTorch has no such device.
    """
    has_cuda = torch.cuda.is_available()
    has_mps = torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if has_cuda else "mps" if has_mps else "cpu")
    kind, _, index = name.partition(":")
    if kind not in DEVICES or (index and not (kind == "cuda" and index.isdecimal())):
        raise MimirError(
            "DEVICE_UNKNOWN", f"unknown device {name!r}", f"Choose one of {', '.join(DEVICES)}."
        )
    missing = (kind == "cuda" and not has_cuda) or (kind == "mps" and not has_mps)
    if missing or (index and int(index) >= torch.cuda.device_count()):
        raise MimirError(
            "DEVICE_MISSING",
            f"this machine or this build of PyTorch has no {name}",
            "Use the device 'auto' or 'cpu'.",
        )
    return torch.device(name)


@contextmanager
def cpu_threads() -> Iterator[None]:
    """Let PyTorch use all available cores inside the block, unless ``OMP_NUM_THREADS`` is set."""
    before = torch.get_num_threads()
    if not os.environ.get("OMP_NUM_THREADS", "").isdecimal():
        torch.set_num_threads(available_cores())
    try:
        yield
    finally:
        torch.set_num_threads(before)


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
