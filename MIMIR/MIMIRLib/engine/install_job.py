"""Install the packages that networks need, as a job of the panel."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Optional, Protocol

from MIMIRLib.engine import requirements
from MIMIRLib.engine.pip_process import PipProcess
from MIMIRLib.engine.requirements import PYTORCH
from MIMIRLib.errors import mimir_error
from MIMIRLib.job import Job, Progress, Work
from MIMIRLib.translate import tr as _

#: A file that pip downloads, with its size.
DOWNLOADING = re.compile(r"\s*Downloading (\S+?)-\d\S* \(([^)]+)\)")
#: The line before pip copies files.
INSTALLING = "Installing collected packages"


class Installer(Protocol):
    """What an installation needs of Slicer; see ``panel.slicer_services``."""

    def has_pytorch_extension(self) -> bool:
        """Return whether the PyTorch extension is installed."""

    def ask(self, question: str) -> bool:
        """Return whether the user agrees."""

    def install_pytorch(self, torch: str, torchvision: str) -> None:
        """Install both through the PyTorch extension, in versions such as ``>=2.1``."""


class InstallJob(Job):
    """Installs the packages that a runtime lacks, if it lacks any and the user agrees.

    pip runs in a process of its own, so that Slicer stays responsive and Cancel ends it. Only the
    PyTorch extension blocks Slicer.

    Args:
        installer: Asks the user, and installs PyTorch.
        runtime: ``auto``, ``onnx`` or ``torch``; ``pdf`` for what PDF files need.
        python: By default Slicer's own Python.
    """

    def __init__(
        self, installer: Installer, runtime: str = "auto", python: Optional[str] = None
    ) -> None:
        super().__init__()
        self._installer, self._runtime, self._python = installer, runtime, python
        self._packages: Sequence[str] = ()

    def _work(self) -> Work:
        lowest = requirements.required(self._runtime)
        self._packages = packages = requirements.missing(self._runtime)
        if not packages:
            return
        with_pytorch = any(name in PYTORCH for name in packages)
        self._agree(with_pytorch)
        if with_pytorch:
            yield Progress(None, _("Installing PyTorch; Slicer does not respond for some minutes"))
            yield None  # shows the sentence
            try:
                self._installer.install_pytorch(*(f">={lowest[name]}" for name in PYTORCH))
            except Exception as error:  # pip, network or disk may raise anything
                raise self._failed(type(error).__name__) from error
        others = [f"{name}>={lowest[name]}" for name in packages if name not in PYTORCH]
        if others:
            yield from self._pip_install(others)
        if requirements.missing(self._runtime):
            raise mimir_error(
                "RESTART_NEEDED",
                _("Slicer must restart before it can use new packages: {packages}").format(
                    packages=self._names
                ),
                _("Restart Slicer, then try again."),
            )

    def _agree(self, with_pytorch: bool) -> None:
        """Check that the installation is possible and wanted."""
        if with_pytorch and not self._installer.has_pytorch_extension():
            raise mimir_error(
                "PYTORCH_EXTENSION_MISSING",
                _("PyTorch is installed with the extension PyTorch"),
                _(
                    "Install it with the Extensions Manager (View menu) and restart Slicer; or"
                    " choose ONNX Runtime in the options."
                ),
            )
        if self._installer.ask(_question(self._packages)):
            return
        if self._runtime == "pdf":
            raise mimir_error(
                "INSTALLATION_DECLINED",
                _("PDF files cannot be written without this package: {packages}").format(
                    packages=self._names
                ),
                _("Agree to the installation, or write an HTML page (.html)."),
            )
        raise mimir_error(
            "INSTALLATION_DECLINED",
            _("MIMIR cannot measure without these packages: {packages}").format(
                packages=self._names
            ),
            _("Try again and agree to the installation. You can view studies without them."),
        )

    def _pip_install(self, packages: Sequence[str]) -> Work:
        sentence = _("Installing {packages}").format(packages=self._names)
        yield Progress(None, sentence)
        with PipProcess(packages, self._python) as process:
            is_running = True
            while is_running:
                is_running = process.is_running  # asked first: no output can follow the end
                for line in process.lines():
                    self._log(line)
                    sentence = _sentence(line) or sentence
                    yield Progress(None, sentence)
                yield None
            if process.exit_code != 0:
                raise self._failed("pip")

    @property
    def _names(self) -> str:
        return ", ".join(self._packages)

    def _failed(self, kind: str) -> Exception:
        return mimir_error(
            "INSTALLATION_FAILED",
            _("packages could not be installed: {packages} ({kind})").format(
                packages=self._names, kind=kind
            ),
            _(
                "The log names the cause. Check the internet connection and the proxy, and that"
                " {size} of disk space are free. For a computer without internet, download the"
                " packages on another one: pip download {packages}, then PythonSlicer -m pip"
                " install *.whl."
            ).format(
                packages=" ".join(self._packages),
                size=_("6 GB") if "torch" in self._packages else _("200 MB"),
            ),
        )

    def _summary(self) -> str:
        if not self._packages:
            return _("All packages are installed.")
        return _("Installed: {packages}.").format(packages=self._names)

    def _cancelled_summary(self) -> str:
        return _("Cancelled. The packages are not installed, or only in part.")


def _question(packages: Sequence[str]) -> str:
    if "torch" in packages:
        size = _("The download is up to 3 GB and takes some minutes.")
    elif "onnxruntime" in packages:
        size = _("The download is about 50 MB. For an NVIDIA card, choose PyTorch in the options.")
    else:
        size = _("The download is at most 20 MB.")
    return _(
        "MIMIR needs packages that are not installed in Slicer or are too old: {packages}. {size}"
        " Install now?"
    ).format(packages=", ".join(packages), size=size)


def _sentence(line: str) -> str:
    """Return what a line of pip says to people; empty if nothing."""
    download = DOWNLOADING.match(line)
    if download is not None:
        package, size = download.groups()
        return _("Downloading {package} ({size})").format(package=package, size=size)
    return _("Copying the packages into Slicer") if line.startswith(INSTALLING) else ""
