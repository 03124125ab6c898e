"""Packages that networks need and Slicer lacks: which are missing, and how they get there."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec
from typing import Optional, Protocol

REQUIREMENTS: Mapping[str, str] = {"torch": "2.1", "torchvision": "0.16", "safetensors": "0.4"}
"""Package to its least version: the engine's extra ``network``. NumPy and pydicom are Slicer's."""

PYTORCH = ("torch", "torchvision")
"""What the PyTorch extension installs, in the build that suits the computer's graphics card."""

RESTART = "Restart Slicer, then try again."


class Installer(Protocol):
    """Who asks the user and installs; in Slicer ``panel.installer.SlicerInstaller``."""

    def has_pytorch_extension(self) -> bool:
        """Whether the PyTorch extension is there."""

    def ask(self, question: str) -> bool:
        """Whether the user agrees."""

    def install_pytorch(self, torch: str, torchvision: str) -> None:
        """Install both by the PyTorch extension, of versions such as ``>=2.1``; may raise
        anything."""

    def install(self, requirements: Sequence[str]) -> None:
        """Install by pip; may raise anything."""


def missing(requirements: Mapping[str, str] = REQUIREMENTS) -> tuple[str, ...]:
    """Packages that are not there, or too old; none of them is imported."""
    importlib.invalidate_caches()  # what was installed a moment ago counts
    return tuple(name for name, least in requirements.items() if not _is_there(name, least))


def problem(requirements: Mapping[str, str] = REQUIREMENTS) -> str:
    """Why nothing can be measured, as ``CODE: what is wrong. What to do.``; empty if it can."""
    packages = missing(requirements)
    if not packages:
        return ""
    return (
        f"PACKAGES_MISSING: {_listed(packages)} {_is_or_are(packages)} not installed in Slicer."
        " Press Apply in the module MIMIR and agree to the installation."
    )


def ensure(installer: Installer, requirements: Mapping[str, str] = REQUIREMENTS) -> Optional[str]:
    """Have all packages there, with a question before anything is installed.

    Returns:
        None where all is ready, else ``CODE: what is wrong. What to do.``
    """
    packages = missing(requirements)
    if not packages:
        return None
    with_pytorch = any(name in PYTORCH for name in packages)
    if with_pytorch and not installer.has_pytorch_extension():
        return (
            "PYTORCH_EXTENSION_MISSING: MIMIR needs the extension PyTorch. Install it with the"
            f" Extensions Manager (View menu). {RESTART}"
        )
    if not installer.ask(_question(packages)):
        return (
            f"INSTALLATION_DECLINED: MIMIR can't measure without {_listed(packages)}. Press Apply"
            " again when it may be installed; looking at studies works without."
        )
    try:
        if with_pytorch:
            installer.install_pytorch(*(f">={requirements[name]}" for name in PYTORCH))
        others = [f"{name}>={requirements[name]}" for name in packages if name not in PYTORCH]
        if others:
            installer.install(others)
    except Exception as error:  # whatever pip, the network or the disk may do
        return (
            f"INSTALLATION_FAILED: {_listed(packages)} could not be installed"
            f" ({type(error).__name__}); Slicer's Python console says why. Check the internet"
            " connection and proxy, and that some 3 GB of disk are free. A computer without"
            f" internet needs these packages from one that has it: {_offline(packages)}."
        )
    if missing(requirements):
        return f"RESTART_NEEDED: {_listed(packages)} will be there after a restart. {RESTART}"
    return None


def _is_there(name: str, least: str) -> bool:
    if find_spec(name) is None:
        return False
    try:
        return _numbers(metadata.version(name)) >= _numbers(least)
    except metadata.PackageNotFoundError:  # there, but not by pip: somebody knows better
        return True


def _numbers(version: str) -> tuple[int, ...]:
    """``2.10.1+cu121`` is ``(2, 10)``: what least versions are told by."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def _question(packages: Sequence[str]) -> str:
    size = "up to 3 GB and some minutes" if "torch" in packages else "a few MB"
    return (
        f"MIMIR needs {_listed(packages)}, which {_is_or_are(packages)} not installed in Slicer"
        f" or too old ({size} to download). Install now?"
    )


def _offline(packages: Sequence[str]) -> str:
    return f"pip download {' '.join(packages)}, then PythonSlicer -m pip install *.whl"


def _is_or_are(packages: Sequence[str]) -> str:
    return "is" if len(packages) == 1 else "are"


def _listed(packages: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *others, last = packages
    return f"{', '.join(others)} and {last}" if others else last
