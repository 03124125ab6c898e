"""Small cohorts for tests: archives of a few different studies, and the events of a run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
from dicom_builder import File, complete_study, set_pixels, write_zip
from pydicom.dataset import Dataset
from random_modules import TARGETS, module_spec, random_state_dict, write_without_network

from mimir_engine.cohort.cohort import Cohort
from mimir_engine.cohort.measure_studies import Cluster, InferOptions, infer
from mimir_engine.cohort.sources import NamedSource, named_sources
from mimir_engine.inference_module import load_module, rewrite_module, write_module
from mimir_engine.inference_module.acceptance import Accepts
from mimir_engine.inference_module.format import InferenceModule, ModuleFile, module_to_json
from mimir_engine.inference_module.statistics import (
    PredictionStatistics,
    describe_predictions,
    write_statistics,
)

#: Accepts the small studies of these tests.
ANYTHING = Accepts()


@lru_cache(maxsize=4)
def study_variant(shift: int) -> tuple[File, ...]:
    """A study of its own whose body lies some columns further to the left."""

    def move(dataset: Dataset, _: int) -> None:
        pixels = np.frombuffer(dataset.PixelData, np.uint16).reshape(dataset.Rows, dataset.Columns)
        set_pixels(dataset, np.roll(pixels, shift, axis=1))
        dataset.StudyInstanceUID = f"2.25.7{shift}"

    return tuple(file for scan in complete_study() for file in scan.files(change=move))


def write_studies(folder: Path, names: Sequence[str]) -> list[Path]:
    """An archive for each name; of three neighbours no two show the same."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, name in enumerate(names):
        paths.append(folder / f"{name}.zip")
        if number < 3:
            write_zip(paths[-1], study_variant(number * 4))
        else:
            shutil.copy(paths[number % 3], paths[-1])
    return paths


def made_up_statistics() -> PredictionStatistics:
    """Quantiles about the training mean of each target of the trial module."""
    spread = np.random.default_rng(0).normal(size=(200, len(TARGETS)))
    scales = np.array([(t.mean / t.divisor, t.sd / t.divisor) for t in TARGETS])
    return describe_predictions(
        [target.name for target in TARGETS],
        scales[:, 0] + spread * scales[:, 1],
        ["female", "male"] * 100,
        "200 made-up people",
    )


def write_trial_module(folder: Path) -> InferenceModule:
    """A module of random weights, with statistics, that accepts anything."""
    spec, state = module_spec(accepts=ANYTHING), random_state_dict()
    return rewrite_module(
        folder,
        write_module(folder, spec, [state], eight_bit=True),
        statistics=made_up_statistics(),
        profile=None,
        card="Random weights.\n",
        overwrite=True,
    )


def module_with_statistics(folder: Path, **changes: Any) -> InferenceModule:
    """A module without weights, with statistics."""
    module = load_module(write_without_network(folder, **changes))
    write_statistics(folder / "statistics.json", made_up_statistics())
    return replace(module, statistics_file=ModuleFile("statistics.json", "0" * 64))


def write_variant(folder: Path, module: InferenceModule, **changes: Any) -> InferenceModule:
    """The same module but for some of what its ``module.json`` says."""
    shutil.copytree(module.folder, folder)
    record = module_to_json(replace(module, **changes))
    (folder / "module.json").write_text(json.dumps(record), "utf-8")
    return load_module(folder)


@dataclass
class Run:
    """One run's cohort and events."""

    cohort: Cohort
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def studies(self) -> dict[str, dict[str, Any]]:
        """The event of each study by its name."""
        return {event["name"]: event for event in self.events if event["event"] == "study"}

    @property
    def values(self) -> dict[str, tuple[float, ...]]:
        """Value, SD and bounds, if any, of all measurements of each study that was done."""
        return {
            result.name: tuple(
                number
                for m in result.measurements
                for number in (m.value, m.sd, m.lower, m.upper)
                if number is not None
            )
            for result in self.cohort.results
        }

    @property
    def failed(self) -> dict[str, str]:
        """The code of each study that failed, by its name."""
        return {failure.name: failure.code for failure in self.cohort.failures}


def run_infer(
    studies: Sequence[Union[Path, NamedSource]],
    modules: Sequence[InferenceModule],
    output: Path,
    cluster: Optional[Cluster] = None,
    **options: Any,
) -> Run:
    """``infer`` on the CPU."""
    events: list[dict[str, Any]] = []

    def note(event: Mapping[str, Any]) -> None:
        events.append(dict(event))

    sources = [study for study in studies if isinstance(study, NamedSource)]
    paths = [str(study) for study in studies if isinstance(study, Path)]
    sources += named_sources(paths).studies if paths else ()
    chosen = InferOptions(device="cpu", **options)
    cohort = infer(sources, modules, output, chosen, note, cluster)
    return Run(cohort, events)
