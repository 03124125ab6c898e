"""Check and install the packages that networks need and Slicer lacks."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec
from typing import Protocol

from MIMIRLib.errors import mimir_error
from MIMIRLib.translate import tr as _

#: Package to its lowest version: the engine's extra ``network``. Slicer has NumPy and pydicom.
REQUIREMENTS: Mapping[str, str] = {"torch": "2.1", "torchvision": "0.16", "safetensors": "0.4"}
#: For reports as PDF files: the engine's extra ``report``.
PDF_REQUIREMENTS: Mapping[str, str] = {"reportlab": "4.0"}
#: Packages that the PyTorch extension installs, in the build that suits the graphics card.
PYTORCH = ("torch", "torchvision")


class Installer(Protocol):
    """Asks the user and installs packages; see ``panel.slicer_services``."""

    def has_pytorch_extension(self) -> bool:
        """Return whether the PyTorch extension is installed."""

    def ask(self, question: str) -> bool:
        """Return whether the user agrees."""

    def install_pytorch(self, torch: str, torchvision: str) -> None:
        """Install both through the PyTorch extension, in versions such as ``>=2.1``."""

    def install(self, requirements: Sequence[str]) -> None:
        """Install with pip."""


def missing(requirements: Mapping[str, str] = REQUIREMENTS) -> tuple[str, ...]:
    """Return the packages that are absent or too old, without importing any."""
    importlib.invalidate_caches()  # to see packages installed a moment ago
    return tuple(name for name, lowest in requirements.items() if not _is_present(name, lowest))


def check_installed(requirements: Mapping[str, str] = REQUIREMENTS) -> None:
    """Check that all packages are present.

    Raises:
        MimirError: ``PACKAGES_MISSING``.
    """
    packages = missing(requirements)
    if packages:
        raise mimir_error(
            "PACKAGES_MISSING",
            _("packages are not installed in Slicer: {packages}").format(
                packages=", ".join(packages)
            ),
            _("Press Apply in the module MIMIR and agree to the installation."),
        )


def install_missing(installer: Installer, requirements: Mapping[str, str] = REQUIREMENTS) -> None:
    """Install the packages that are missing, if the user agrees.

    Raises:
        MimirError: ``PYTORCH_EXTENSION_MISSING``, ``INSTALLATION_DECLINED``,
            ``INSTALLATION_FAILED``, ``RESTART_NEEDED``.
    """
    packages = missing(requirements)
    if not packages:
        return
    names = ", ".join(packages)
    with_pytorch = any(name in PYTORCH for name in packages)
    if with_pytorch and not installer.has_pytorch_extension():
        raise mimir_error(
            "PYTORCH_EXTENSION_MISSING",
            _("MIMIR needs the extension PyTorch"),
            _(
                "Install it with the Extensions Manager (View menu). Restart Slicer, then try"
                " again."
            ),
        )
    if not installer.ask(_question(packages)):
        raise mimir_error(
            "INSTALLATION_DECLINED",
            _("MIMIR cannot measure without these packages: {packages}").format(packages=names),
            _("Press Apply again to install them. You can view studies without them."),
        )
    try:
        if with_pytorch:
            installer.install_pytorch(*(f">={requirements[name]}" for name in PYTORCH))
        others = [f"{name}>={requirements[name]}" for name in packages if name not in PYTORCH]
        if others:
            installer.install(others)
    except Exception as error:  # pip, network or disk may raise anything
        raise _failed(packages, error) from error
    if missing(requirements):
        raise mimir_error(
            "RESTART_NEEDED",
            _("Slicer must restart before it can use new packages: {packages}").format(
                packages=names
            ),
            _("Restart Slicer, then try again."),
        )


def _is_present(name: str, lowest: str) -> bool:
    if find_spec(name) is None:
        return False
    try:
        return _numbers(metadata.version(name)) >= _numbers(lowest)
    except metadata.PackageNotFoundError:  # not installed by pip: the user's own choice
        return True


def _numbers(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a version: of ``2.10.1+cu121``, ``(2, 10)``."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def _question(packages: Sequence[str]) -> str:
    return _(
        "MIMIR needs packages that are not installed in Slicer or are too old: {packages}."
        " The download {size}. Install now?"
    ).format(
        packages=", ".join(packages),
        size=_("is up to 3 GB and takes some minutes") if "torch" in packages else _("is a few MB"),
    )


def _failed(packages: Sequence[str], error: Exception) -> Exception:
    return mimir_error(
        "INSTALLATION_FAILED",
        _("packages could not be installed: {packages} ({kind})").format(
            packages=", ".join(packages), kind=type(error).__name__
        ),
        _(
            "See Slicer's Python console for the cause. Check the internet connection and the"
            " proxy, and that about 3 GB of disk space are free. For a computer without internet,"
            " download the packages on another one: pip download {packages}, then PythonSlicer -m"
            " pip install *.whl."
        ).format(packages=" ".join(packages)),
    )
