"""What one study may take of memory and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

#: Address space of a reader in GB (10^9 bytes); a study of UK Biobank needs some 0.6 GB.
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
        memory_gb: Address space of the reader, where the system can limit it (not on Windows and
            macOS); None for no limit.
        timeout_s: Time on the clock.
    """

    memory_gb: Optional[float] = DEFAULT_MEMORY_GB
    timeout_s: float = DEFAULT_TIMEOUT_S


#: The limits unless a user sets others.
DEFAULT_LIMITS = ReaderLimits()


def limit_memory(memory_gb: Optional[float]) -> None:
    """Limit the address space of this process: beyond it, allocations raise MemoryError."""
    try:
        import resource
    except ImportError:  # Windows
        return
    if memory_gb is None:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = int(memory_gb * 10**9)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    except (OSError, ValueError):  # macOS refuses it
        return
