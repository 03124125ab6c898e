"""What a worker must know to measure the studies of a run, as JSON."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Optional

from mimir_engine.cohort.cluster.chunk import Chunk
from mimir_engine.cohort.cluster.started_job import StartedJob
from mimir_engine.cohort.inclusion.recorded_sex import RecordedSex
from mimir_engine.cohort.made_with import made_with
from mimir_engine.cohort.measure_studies import InferOptions, Measuring, Networks, describe_run
from mimir_engine.cohort.projection_files import ProjectionFiles
from mimir_engine.cohort.reader_calls import FUNCTIONS
from mimir_engine.cohort.study_folder import StudyFolders
from mimir_engine.cohort.study_loop import StudyWork
from mimir_engine.inference_module import InferenceModule, find_module
from mimir_engine.inference_module.other_profile import with_profiles
from mimir_engine.labels.label_names import LabelNames
from mimir_engine.measuring.runtime import Runtime, choose_runtime
from mimir_engine.readers.reader_limits import ReaderLimits
from mimir_engine.readers.readers import Readers
from mimir_engine.study.read_options import ReadOptions


@dataclass(frozen=True)
class ModulePlace:
    """Where a worker finds an inference module: in the same folder, or by its name."""

    name: str
    folder: str
    column_prefix: str

    def module(self) -> InferenceModule:
        """Load the module.

        Raises:
            MimirError: As ``find_module``.
        """
        is_here = os.path.isdir(self.folder)
        found = find_module(Path(self.folder) if is_here else self.name)
        return replace(found, column_prefix=self.column_prefix)


@dataclass(frozen=True)
class MeasureJob:
    """How all studies of a run are measured; the fields are JSON values or become such.

    Attributes:
        run: What the results depend on.
        modules: The inference modules.
        profiles: Paths of scan profiles to be used instead of those of the modules.
        runtime: What runs the networks.
        output: The output folder.
        level: Level of the intervals.
        allow_unvalidated: Measure also studies that a module was not validated on.
        reading: How studies are read.
        folders: Settings of `StudyFolders`; None if they are not asked for.
        limits: Those of `ReaderLimits`.
        keeps_projections: Keep the projection of each study.
        label_names: Names for the labels of label maps.
    """

    run: Any
    modules: tuple[ModulePlace, ...]
    profiles: tuple[str, ...]
    runtime: Optional[Runtime]
    output: str
    level: float
    allow_unvalidated: bool
    reading: ReadOptions
    folders: Optional[Any]
    limits: Any
    keeps_projections: bool
    label_names: LabelNames

    @classmethod
    def of(
        cls, run: Mapping[str, Any], measuring: Measuring, output: Path, profiles: Sequence[Path]
    ) -> MeasureJob:
        """Describe a run of this machine."""
        options, networks = measuring.options, measuring.networks
        return cls(
            run,
            tuple(
                ModulePlace(module.name, os.path.abspath(module.folder), module.column_prefix)
                for module in networks.modules
            ),
            tuple(map(os.path.abspath, profiles)),
            networks.runtime,
            os.path.abspath(output),
            options.level,
            options.allow_unvalidated,
            options.reading,
            options.folders.settings if options.folders else None,
            asdict(options.limits),
            options.keeps_projections,
            options.label_names,
        )

    def describe(self) -> dict[str, Any]:
        """Describe what the results would depend on on this machine.

        Raises:
            MimirError: for modules, profiles and runtime.
        """
        modules = self.load_modules()
        if self.runtime is not None:
            choose_runtime(self.runtime.name, self.runtime.device)
        return describe_run(modules, self.runtime)

    def start(self) -> StartedJob:
        """Start it on this machine.

        Raises:
            MimirError: for modules and profiles.
        """
        modules = self.load_modules()
        networks, making = Networks(modules, self.runtime), made_with(self.run, modules)
        readers = Readers(FUNCTIONS, ReaderLimits(**self.limits))
        projections = ProjectionFiles(Path(self.output))

        def work(chunk: Chunk) -> StudyWork[Any]:
            options = self.options(chunk.sex)
            return Measuring(networks, options, _ignore, readers, making, projections).work

        return StartedJob(readers, work)

    def load_modules(self) -> list[InferenceModule]:
        """Load the inference modules as they are on this machine.

        Raises:
            MimirError: for modules and profiles.
        """
        return with_profiles([place.module() for place in self.modules], map(Path, self.profiles))

    def options(self, sex: RecordedSex) -> InferOptions:
        """Return the options of one machine that measures a chunk."""
        folders = self.folders
        return InferOptions(
            level=self.level,
            sex=sex,
            allow_unvalidated=self.allow_unvalidated,
            reading=self.reading,
            folders=StudyFolders(Path(folders["folder"]), folders["volumes"]) if folders else None,
            limits=ReaderLimits(**self.limits),
            keeps_projections=self.keeps_projections,
            label_names=self.label_names,
        )


def _ignore(event: Any) -> None:
    """Steps of studies are not told to the client."""
