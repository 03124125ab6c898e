"""Add an inference module to the user's own."""

from __future__ import annotations

from pathlib import Path

from MIMIRLib.engine.process import EngineProcess
from MIMIRLib.job import Job, Progress, Work
from MIMIRLib.translate import tr as _


class AddModuleJob(Job):
    """Copies an inference module, checks it, and converts it from the published layout if needed.

    The engine does this in its own process: a copy may be large.

    Attributes:
        source: A folder or a zip archive.
    """

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = str(Path(source).expanduser().absolute())

    @property
    def needs_packages(self) -> bool:
        """True if it failed for want of packages: the published layout needs safetensors."""
        return getattr(self.error, "code", "") == "EXTRA_MISSING"

    def _work(self) -> Work:
        yield Progress(None, _("Adding the inference module: copying and checking its files"))
        with EngineProcess(["modules", "add", self.source]) as process:
            while process.is_running:
                yield None
            if process.exit_code != 0:
                raise process.failure()
            for line in process.log_lines():
                self._log(line)

    def _summary(self) -> str:
        return self.log[-1]

    def _cancelled_summary(self) -> str:
        return _("Cancelled. No inference module was added.")
