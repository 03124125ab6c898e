"""Check which packages networks need and Slicer lacks.

Networks need one of two: ONNX Runtime, which is small, or PyTorch, which also uses graphics cards.
Slicer has NumPy, pydicom and Pillow; see `slicer_packages`.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Mapping
from importlib import metadata
from importlib.util import find_spec

from MIMIRLib.errors import mimir_error
from MIMIRLib.translate import tr as _

#: Packages to their lowest versions: the engine's extra ``onnx``.
ONNX: Mapping[str, str] = {
    "onnxruntime": "1.19",
    "onnx": "1.21" if sys.version_info >= (3, 10) else "1.19.1",
    "safetensors": "0.4",
}
#: The engine's extra ``network``.
TORCH: Mapping[str, str] = {"torch": "2.1", "torchvision": "0.16", "safetensors": "0.4"}
#: For reports as PDF files: the engine's extra ``report``.
PDF: Mapping[str, str] = {"reportlab": "4.0.4"}
#: For compressed images: the engine's extra ``compressed``. Its releases need this NumPy, by the
#: lowest Python; Slicer's own must stay as it is.
DECODER = "imagecodecs"
DECODER_NUMPY: Mapping[tuple[int, int], str] = {(3, 12): "2.1", (3, 11): "2.0", (3, 9): "1.0"}
#: Packages that the PyTorch extension installs, in the build that suits the graphics card.
PYTORCH = ("torch", "torchvision")


def required(runtime: str = "auto") -> Mapping[str, str]:
    """Return what a runtime needs: packages to their lowest versions.

    Without a choice, PyTorch is used if it is installed; otherwise ONNX Runtime is to be.

    Args:
        runtime: ``auto``, ``onnx`` or ``torch``; ``pdf`` for what PDF files need.
    """
    if runtime == "pdf":
        return PDF
    if runtime == "auto" and _lacking(ONNX) and not set(PYTORCH) & {*_lacking(TORCH)}:
        return TORCH
    return TORCH if runtime == "torch" else ONNX


def missing(runtime: str = "auto") -> tuple[str, ...]:
    """Return the packages that are absent or too old, without importing any."""
    importlib.invalidate_caches()  # to see packages installed a moment ago
    return _lacking(required(runtime))


def check_installed(runtime: str = "auto") -> None:
    """Check that all packages of a runtime are present.

    Raises:
        MimirError: ``PACKAGES_MISSING``.
    """
    packages = missing(runtime)
    if packages:
        raise mimir_error(
            "PACKAGES_MISSING",
            _("packages are not installed in Slicer: {packages}").format(
                packages=", ".join(packages)
            ),
            _("Press Apply in the module MIMIR and agree to the installation."),
        )


def decoder_command() -> str:
    """Return what installs the decoder of compressed images and keeps NumPy; empty if none can."""
    lowest = next(numpy for python, numpy in DECODER_NUMPY.items() if sys.version_info >= python)
    if not _is_present("numpy", lowest):
        return ""
    return f'slicer.util.pip_install("{DECODER} numpy=={metadata.version("numpy")}")'


def _lacking(requirements: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name, lowest in requirements.items() if not _is_present(name, lowest))


def _is_present(name: str, lowest: str) -> bool:
    if find_spec(name) is None:
        return False
    try:
        return numbers(metadata.version(name)) >= numbers(lowest)
    except metadata.PackageNotFoundError:  # not installed by pip: the user's own choice
        return True


def numbers(version: str) -> tuple[int, ...]:
    """Return the first three numbers of a version: of ``2.10+cu121``, ``(2, 10, 0)``."""
    release = re.match(r"[\d.]*", version)
    found = [int(number) for number in re.findall(r"\d+", release[0] if release else "")]
    return tuple([*found, 0, 0, 0][:3])
