"""Choose the device and the number of CPU threads that a network runs on."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mimir_engine.errors import MimirError
from mimir_engine.readers.available_cores import available_cores

if TYPE_CHECKING:
    import torch

DEVICES = ("auto", "cpu", "cuda", "mps")
#: The library that NVIDIA's driver installs, by system.
NVIDIA_DRIVERS = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}
#: AMD's driver on Linux, where some builds of PyTorch serve its cards as ``cuda``.
AMD_DRIVER = "/dev/kfd"


def check_device_name(name: str) -> None:
    """Refuse the name of an unknown device.

    Raises:
        MimirError: ``DEVICE_UNKNOWN``.
    """
    kind, _, index = name.partition(":")
    if kind not in DEVICES or (":" in name and not (kind == "cuda" and index.isdecimal())):
        raise MimirError(
            "DEVICE_UNKNOWN", f"unknown device {name!r}", f"Choose one of {', '.join(DEVICES)}."
        )


def may_have_gpu() -> bool:
    """Return whether PyTorch could find a graphics card, without importing PyTorch.

    Without the driver of a card there is none to find. Every Mac may have one: asking the system
    about it takes about as long as PyTorch does.
    """
    if sys.platform == "darwin":
        return True
    if os.path.exists(AMD_DRIVER):
        return True
    try:
        ctypes.CDLL(NVIDIA_DRIVERS[sys.platform])
    except (KeyError, OSError):
        return False
    return True


def choose_device(name: str = "auto") -> torch.device:
    """Choose the device that PyTorch runs on.

    Args:
        name: ``cpu``, ``cuda`` (also ``cuda:1``), ``mps``, or ``auto``: CUDA, else Apple's MPS,
            else the CPU.

    Raises:
        MimirError: ``DEVICE_UNKNOWN`` for another name, ``DEVICE_MISSING`` if the machine or
            this build of PyTorch has no such device.
    """
    check_device_name(name)
    import torch

    has_cuda = torch.cuda.is_available()
    has_mps = torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if has_cuda else "mps" if has_mps else "cpu")
    kind, _, index = name.partition(":")
    missing = (kind == "cuda" and not has_cuda) or (kind == "mps" and not has_mps)
    if missing or (index and int(index) >= torch.cuda.device_count()):
        raise MimirError(
            "DEVICE_MISSING",
            f"this machine or this build of PyTorch has no {name}",
            "Use the device 'auto' or 'cpu'.",
        )
    return torch.device(name)


def thread_count() -> int:
    """Return the threads of a network on the CPU: ``OMP_NUM_THREADS``, else all available cores."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return max(int(wanted), 1) if wanted.isdecimal() else available_cores()


@contextmanager
def cpu_threads() -> Iterator[None]:
    """Let PyTorch use all available cores inside the block, unless ``OMP_NUM_THREADS`` is set."""
    import torch

    before = torch.get_num_threads()
    if not os.environ.get("OMP_NUM_THREADS", "").isdecimal():
        torch.set_num_threads(available_cores())
    try:
        yield
    finally:
        torch.set_num_threads(before)
