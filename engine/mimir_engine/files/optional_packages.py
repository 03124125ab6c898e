"""Check for packages that only some commands need, before any work is done."""

from __future__ import annotations

from importlib.util import find_spec

from mimir_engine.errors import MimirError

#: For each extra of the distribution ``mimir-engine``: its purpose and its packages.
EXTRAS = {
    "network": ("networks need PyTorch", ("torch", "torchvision", "safetensors")),
    "figures": ("pictures need matplotlib", ("matplotlib",)),
    "volumes": ("NRRD volumes need pynrrd", ("nrrd",)),
    "parquet": ("Parquet files need pyarrow", ("pyarrow",)),
}


def is_installed(extra: str) -> bool:
    """Return whether all packages of an extra can be imported."""
    return all(find_spec(package) is not None for package in EXTRAS[extra][1])


def require(extra: str) -> None:
    """Refuse to continue without an extra.

    Raises:
        MimirError: ``EXTRA_MISSING``.
    """
    if not is_installed(extra):
        raise MimirError(
            "EXTRA_MISSING",
            f"{EXTRAS[extra][0]}, which is not installed",
            f"Run: pip install 'mimir-engine[{extra}]'.",
        )
