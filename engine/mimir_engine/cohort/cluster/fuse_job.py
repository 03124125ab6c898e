"""What a worker must know to stitch the studies of a run, as JSON."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mimir_engine.cohort.cluster.started_job import StartedJob
from mimir_engine.cohort.volumes.fuse_studies import FuseOptions, Fusing, describe_run
from mimir_engine.cohort.volumes.reader_calls import FUNCTIONS
from mimir_engine.cohort.volumes.volume_layout import VolumeLayout
from mimir_engine.readers.reader_limits import ReaderLimits
from mimir_engine.readers.readers import Readers
from mimir_engine.study.read_options import ReadOptions


@dataclass(frozen=True)
class FuseJob:
    """How all studies of a run are stitched; the fields are JSON values or become such.

    Attributes:
        run: What the volumes depend on.
        output: The output folder.
        layout: Which volumes, and where they lie.
        has_identifiers: Write the month and UIDs beside them.
        reading: How studies are read.
        limits: Those of `ReaderLimits`.
    """

    run: Any
    output: str
    layout: VolumeLayout
    has_identifiers: bool
    reading: ReadOptions
    limits: Any

    @classmethod
    def of(cls, run: Mapping[str, Any], fusing: Fusing) -> FuseJob:
        """Describe a run of this machine."""
        options = fusing.options
        return cls(
            run,
            os.path.abspath(fusing.output),
            options.layout,
            options.has_identifiers,
            options.reading,
            asdict(options.limits),
        )

    def describe(self) -> dict[str, Any]:
        """Describe what the volumes would depend on on this machine.

        Raises:
            MimirError: ``EXTRA_MISSING``.
        """
        self.layout.require_packages()
        return describe_run(self._options)

    def start(self) -> StartedJob:
        """Start it on this machine."""
        readers = Readers(FUNCTIONS, self._options.limits)
        fusing = Fusing(Path(self.output), self._options, readers)
        return StartedJob(readers, lambda chunk: fusing.work)

    @property
    def _options(self) -> FuseOptions:
        return FuseOptions(
            layout=self.layout,
            has_identifiers=self.has_identifiers,
            reading=self.reading,
            limits=ReaderLimits(**self.limits),
        )
