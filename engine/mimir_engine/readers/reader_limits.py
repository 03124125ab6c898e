"""What one study may take of memory and time."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import Optional

#: Address space of a reader in GB (10^9 bytes); a study of UK Biobank needs some 0.5 GB.
DEFAULT_MEMORY_GB = 2.0
#: Address space that Python, NumPy and pydicom need themselves, in GB.
MIN_MEMORY_GB = 0.5
MAX_MEMORY_GB = 1000.0
#: Seconds for one study; those of UK Biobank take about one.
DEFAULT_TIMEOUT_S = 600.0
MIN_TIMEOUT_S = 1.0
MAX_TIMEOUT_S = 86_400.0


@dataclass(frozen=True)
class ReaderLimits:
    """Limits for each study.

    Attributes:
        memory_gb: Address space of the reader, on Linux only; None for no limit.
        timeout_s: Time on the clock.
    """

    memory_gb: Optional[float] = DEFAULT_MEMORY_GB
    timeout_s: float = DEFAULT_TIMEOUT_S


#: The limits unless a user sets others.
DEFAULT_LIMITS = ReaderLimits()


def limits_in_force(limits: ReaderLimits) -> ReaderLimits:
    """Return which of the limits this system keeps: only Linux limits the memory of a process.

    Windows has no such call, and macOS refuses it.
    """
    return limits if sys.platform == "linux" else replace(limits, memory_gb=None)


def limit_memory(memory_gb: Optional[float]) -> None:
    """Limit the address space of this process: beyond it, allocations raise MemoryError.

    Other systems than Linux have no such limit.
    """
    if memory_gb is None or sys.platform != "linux":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = int(memory_gb * 10**9)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
