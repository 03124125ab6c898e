"""Tell which of Slicer's own packages MIMIR's bounds leave out.

They stay as they are: Slicer's modules are made for them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata

from MIMIRLib.engine.requirements import numbers

#: Packages that Slicer brings, to their lowest versions in the engine and its extra ``report``.
LOWEST: Mapping[str, str] = {"numpy": "1.26", "pydicom": "2.4.4", "pillow": "11.3"}
#: Versions that the engine's bounds leave out above the lowest.
LEFT_OUT: Mapping[str, tuple[str, ...]] = {"pydicom": ("3.0.0", "3.0.1")}

_log = logging.getLogger(__name__)


def packages_outside_bounds() -> list[str]:
    """Return Slicer's packages outside MIMIR's bounds, such as ``pydicom 3.0.1``."""
    found = []
    for name, lowest in LOWEST.items():
        with suppress(metadata.PackageNotFoundError):
            version = metadata.version(name)
            if numbers(version) < numbers(lowest) or version in LEFT_OUT.get(name, ()):
                found.append(f"{name} {version}")
    return found


def log_packages_outside_bounds() -> None:
    """Write one line to Slicer's log if there are any."""
    packages = packages_outside_bounds()
    if packages:
        _log.info(
            "MIMIR uses Slicer's own %s; elsewhere it asks for a newer version. It does not use the"
            " parts with known faults; see docs/dependencies.md.",
            ", ".join(packages),
        )
