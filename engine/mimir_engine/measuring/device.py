"""Choose the device and the number of CPU threads that a network runs on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from mimir_engine.errors import MimirError
from mimir_engine.readers.available_cores import available_cores

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
