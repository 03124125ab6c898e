"""Who keeps what a run shows of each study besides its numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from mimir_engine.cohort.outcome import StudyResult
from mimir_engine.fusion import FusedVolumes
from mimir_engine.projection import Projection
from mimir_engine.study import DixonStudy


class Keeper(Protocol):
    """Given each study's images, then its measurements; see :mod:`mimir_engine.report.details`."""

    def has(self, name: str) -> bool:
        """Whether all of a study was kept by an earlier run."""

    def keep_images(self, study: DixonStudy, fused: FusedVolumes, projection: Projection) -> None:
        """Take a study's images; called by the threads that read studies."""

    def keep_result(self, result: StudyResult, projection_name: str) -> None:
        """Take the measurements of a study whose images were given."""

    def place(self, name: str) -> Path:
        """Where a study is kept."""
