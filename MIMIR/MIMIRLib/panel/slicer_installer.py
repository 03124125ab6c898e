"""Install packages in Slicer: torch with the PyTorch extension, the rest with pip."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

import slicer


class SlicerInstaller:
    """Asks in a dialog and installs into Slicer's Python; see ``engine.requirements``."""

    def has_pytorch_extension(self) -> bool:
        """Return whether the PyTorch extension is installed."""
        return find_spec("PyTorchUtils") is not None

    def ask(self, question: str) -> bool:
        """Return whether the user agrees; never in tests, where dialogs close by themselves."""
        if slicer.app.testingEnabled():
            return False
        return bool(slicer.util.confirmYesNoDisplay(question, windowTitle="MIMIR"))

    def install_pytorch(self, torch: str, torchvision: str) -> None:
        """Install both in the build that suits this computer; blocks Slicer for minutes."""
        import PyTorchUtils

        with slicer.util.WaitCursor():
            PyTorchUtils.PyTorchUtilsLogic().installTorch(
                askConfirmation=False,
                torchVersionRequirement=torch,
                torchvisionVersionRequirement=torchvision,
            )

    def install(self, requirements: Sequence[str]) -> None:
        """Install with pip."""
        with slicer.util.WaitCursor():
            slicer.util.pip_install(list(requirements))
