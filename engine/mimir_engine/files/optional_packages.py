"""Check for packages that only some commands need, before any work is done."""

from __future__ import annotations

import tempfile
from importlib import import_module
from importlib.util import find_spec

from mimir_engine.errors import MimirError

#: For each extra of the distribution ``mimir-engine``: its purpose and its packages.
EXTRAS = {
    "network": ("training needs PyTorch", ("torch", "torchvision", "safetensors")),
    "onnx": ("the runtime 'onnx' needs ONNX Runtime", ("onnxruntime", "onnx", "safetensors")),
    "figures": ("pictures need matplotlib", ("matplotlib",)),
    "nifti": ("NIfTI files need nibabel", ("nibabel",)),
    "report": ("PDF files need reportlab", ("reportlab",)),
    "compressed": ("compressed images need imagecodecs", ("imagecodecs",)),
    "parquet": ("Parquet files need pyarrow", ("pyarrow",)),
    "cluster": ("--scheduler and --scheduler-file need Dask", ("distributed",)),
}


def is_installed(extra: str) -> bool:
    """Return whether all packages of an extra can be imported."""
    return all(find_spec(package) is not None for package in EXTRAS[extra][1])


def require(extra: str, purpose: str = "") -> None:
    """Refuse to continue without an extra, or with one that cannot be imported.

    Args:
        extra: One of `EXTRAS`.
        purpose: What needs it, like "training needs PyTorch", instead of the extra's own purpose.

    Raises:
        MimirError: ``EXTRA_MISSING``, ``EXTRA_BROKEN``, ``TEMPORARY_FOLDER_MISSING``.
    """
    usual_purpose, packages = EXTRAS[extra]
    purpose = purpose or usual_purpose
    if not is_installed(extra):
        raise MimirError(
            "EXTRA_MISSING",
            f"{purpose}, which is not installed",
            f"Run: pip install 'mimir-engine[{extra}]'.",
        )
    for package in packages:
        try:
            import_module(package)
        except Exception as error:  # a broken installation raises many kinds
            _check_temporary_folder()
            raise MimirError(
                "EXTRA_BROKEN",
                f"{purpose}, but {package} is installed and cannot be imported"
                f" ({type(error).__name__}: {error})",
                f"Install it again: pip install --force-reinstall 'mimir-engine[{extra}]'.",
            ) from error


def _check_temporary_folder() -> None:
    """Say so if packages cannot be imported for want of a folder for temporary files."""
    try:
        tempfile.gettempdir()
    except OSError as error:
        raise MimirError(
            "TEMPORARY_FOLDER_MISSING",
            "no folder for temporary files can be written, which some packages need",
            "Set TMPDIR (on Windows TEMP) to a folder on a disk with free space.",
        ) from error
