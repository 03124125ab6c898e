"""Installing packages in Slicer: torch by the PyTorch extension, the rest by pip."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

import slicer


class SlicerInstaller:
    """Asks in a dialog and installs into Slicer's Python; see ``analysis.requirements``."""

    def has_pytorch_extension(self) -> bool:
        """Whether the PyTorch extension is there."""
        return find_spec("PyTorchUtils") is not None

    def ask(self, question: str) -> bool:
        """Whether the user agrees; self-tests, whose dialogs answer themselves, do not."""
        if slicer.app.testingEnabled():
            return False
        return bool(slicer.util.confirmYesNoDisplay(question, windowTitle="MIMIR"))

    def install_pytorch(self, torch: str, torchvision: str) -> None:
        """Install both in the build that suits this computer; takes minutes, blocks Slicer."""
        import PyTorchUtils

        with slicer.util.WaitCursor():
            PyTorchUtils.PyTorchUtilsLogic().installTorch(
                askConfirmation=False,
                torchVersionRequirement=torch,
                torchvisionVersionRequirement=torchvision,
            )

    def install(self, requirements: Sequence[str]) -> None:
        """Install by pip."""
        with slicer.util.WaitCursor():
            slicer.util.pip_install(list(requirements))
