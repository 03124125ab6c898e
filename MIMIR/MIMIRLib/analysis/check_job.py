"""Check the images of studies before anything is measured, with the engine's ``mimir check``."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Optional, Union

from MIMIRLib.analysis.request import StudyRequest
from MIMIRLib.analysis.scan_job import ScanJob, ScanOutcome
from MIMIRLib.analysis.study_outcome import StudyOutcome
from MIMIRLib.engine.process import Event, not_started
from MIMIRLib.job import Work


class CheckJob(ScanJob):
    """Checks the images of studies that were scanned; one that would be refused stays so.

    Args:
        studies: As for ``ScanJob``.
        known: Their scans by key; a study that was checked and is unchanged is not checked again.
        scratch: Folder for temporary files; by default the system's.
    """

    command: ClassVar[str] = "check"

    def __init__(
        self,
        studies: Iterable[Union[StudyRequest, StudyOutcome]],
        known: Mapping[str, ScanOutcome],
        scratch: Optional[Path] = None,
    ) -> None:
        super().__init__(studies, known)
        self._scratch = scratch

    def _follow(
        self, started: Mapping[str, tuple[StudyRequest, Any]], options: Sequence[str]
    ) -> Work:
        try:
            folder = tempfile.TemporaryDirectory(prefix="mimir-", dir=self._scratch)
        except OSError as error:
            raise not_started(error) from error
        with folder as pictures:  # one study at a time leaves the computer to Slicer
            yield from super()._follow(started, [f"--pictures={pictures}", "--jobs=1"])

    def _is_enough(self, known: ScanOutcome) -> bool:
        return known.is_checked or not known.is_readable

    def _outcome(self, event: Event, key: str) -> ScanOutcome:
        return replace(
            self._known.get(key, ScanOutcome(key)),
            findings=tuple(event["findings"]),
            code=event["code"],
            reason=event["reason"],
            is_checked=True,
            picture=Path(event["picture"]).read_bytes() if event["picture"] else b"",
        )
