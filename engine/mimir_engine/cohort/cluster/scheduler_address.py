"""The address of a Dask scheduler: as given, or from the file that it writes."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from urllib.parse import urlsplit

from mimir_engine.errors import MimirError
from mimir_engine.files.regular_file import open_regular

#: Bytes of a scheduler's file; it also lists the workers.
MAX_FILE_BYTES = 64 << 20
#: Addresses of the same process, and of a socket between encrypted ends.
_SAFE_SCHEMES = ("inproc", "tls", "wss")


def full_address(address: str) -> str:
    """Return an address with its protocol.

    >>> full_address("127.0.0.1:8786")
    'tcp://127.0.0.1:8786'
    """
    return address if "://" in address else f"tcp://{address}"


def address_in(path: Path) -> str:
    """Read the address from the file of ``dask scheduler --scheduler-file``.

    Raises:
        MimirError: ``SCHEDULER_FILE_INVALID``.
    """
    try:
        with open_regular(path) as file:
            address = json.loads(file.read(MAX_FILE_BYTES))["address"]
        if not isinstance(address, str):
            raise TypeError("it names no address")
    except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
        raise MimirError(
            "SCHEDULER_FILE_INVALID",
            f"{path.name} cannot be read as the file of a scheduler ({type(error).__name__})",
            "Give the file of `dask scheduler --scheduler-file`, once the scheduler runs.",
        ) from error
    return full_address(address)


def notices(address: str, workers: int) -> list[str]:
    """Return what a user should know of a scheduler.

    >>> notices("tls://10.0.0.7:8786", 2)
    []
    """
    found = [] if workers else ["The scheduler has no workers yet: studies wait for them."]
    if not _is_safe(address):
        found.append(
            f"Anyone who reaches {address} can run code on its workers: use it only in a"
            " closed network, or use tls:// (docs/cluster.md)."
        )
    return found


def _is_safe(address: str) -> bool:
    """Return whether no other machine reaches the scheduler, or only one with a certificate."""
    parts = urlsplit(address)
    if parts.scheme in _SAFE_SCHEMES or parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
