"""The way of one study, from its source to its measurements.

Each step is a plain function that can be called alone; this file only strings them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.fusion import FusedVolumes, fuse
from mimir_engine.fusion.fused_folder import FusedFolder, Source, read_fused
from mimir_engine.inference_module import InferenceModule, check_projection, find_modules
from mimir_engine.inference_module.acceptance import outside_validation
from mimir_engine.measuring.interval_level import DEFAULT_LEVEL
from mimir_engine.measuring.measurement import (
    OUTSIDE_VALIDATION,
    Measurement,
    estimated_sex,
    measure,
)
from mimir_engine.projection.project import Projection, project
from mimir_engine.study import DixonStudy, read_study

if TYPE_CHECKING:
    from mimir_engine.measuring.network import Predictor


@dataclass(frozen=True)
class PreparedStudy:
    """A study on its way to the networks: everything but its pixels.

    Attributes:
        study: As read, its stations' pixels dropped.
        extent_mm: Head-foot extent of the fused volume.
        projection: What the networks see.
    """

    study: DixonStudy
    extent_mm: float
    projection: Projection


#: Takes the images of a study while they are in memory.
ImageKeeper = Callable[[DixonStudy, FusedVolumes, Projection], None]


def prepare(
    source: Source, name: Optional[str] = None, keep_images: Optional[ImageKeeper] = None
) -> PreparedStudy:
    """Read, fuse and project one study.

    Args:
        source: Where it is.
        name: What to call it; by default what its source is called.
        keep_images: Given the volumes, which the result no longer holds.

    Raises:
        MimirError: whatever is wrong with it.
    """
    study, fused = read_and_fuse(source, name)
    projection = project(fused)
    if keep_images is not None:
        keep_images(study, fused, projection)
    return PreparedStudy(study.without_pixels(), fused.water.extent_mm, projection)


def read_and_fuse(source: Source, name: Optional[str] = None) -> tuple[DixonStudy, FusedVolumes]:
    """Read one study and fuse its stations, for those who want the volumes too."""
    if isinstance(source, FusedFolder):
        return read_fused(source.path, name)
    study = read_study(source, name)
    return study, fuse(study.stations)


def check_accepted(
    prepared: PreparedStudy, modules: Sequence[InferenceModule], allow_unvalidated: bool
) -> tuple[bool, ...]:
    """Which modules were validated on studies like this one, in their order.

    Raises:
        MimirError: ``OUTSIDE_VALIDATION`` where one was not, unless that is allowed;
            ``PROJECTION_MISMATCH`` where one was trained on another projection.
    """
    return tuple(_is_accepted(prepared, module, allow_unvalidated) for module in modules)


def _is_accepted(prepared: PreparedStudy, module: InferenceModule, allow_unvalidated: bool) -> bool:
    check_projection(module, prepared.projection.name)
    reasons = outside_validation(module.accepts, prepared.study, prepared.extent_mm)
    if reasons and not allow_unvalidated:
        raise MimirError(
            "OUTSIDE_VALIDATION",
            f"inference module {module.name} was not validated on such a study:"
            f" {'; '.join(reasons)}",
            "Use a module made for it, or allow unvalidated studies (--allow-unvalidated):"
            " their values are flagged.",
        )
    return not reasons


@dataclass(frozen=True)
class ModulePrediction:
    """What one module said about one study, in each target's unit and unit squared.

    Attributes:
        mean, variance: One number a target, in the module's order.
        validated: Whether the module was validated on such studies.
    """

    mean: tuple[float, ...]
    variance: tuple[float, ...]
    validated: bool


def predict_batch(
    batch: Sequence[PreparedStudy],
    accepted: Sequence[Sequence[bool]],
    predictors: Sequence[Predictor],
) -> list[tuple[ModulePrediction, ...]]:
    """Each study's predictions by all modules, in their order.

    Args:
        batch: Prepared studies, at least one.
        accepted: For each of them, what ``check_accepted`` said.
        predictors: Loaded inference modules.

    Raises:
        MimirError: ``PREDICTION_NOT_FINITE``, ``DEVICE_OUT_OF_MEMORY``.
    """
    images = np.stack([prepared.projection.image for prepared in batch])
    by_module = [predictor.predict(images) for predictor in predictors]
    return [
        tuple(
            ModulePrediction(tuple(said.mean[row].tolist()), tuple(said.variance[row].tolist()), ok)
            for said, ok in zip(by_module, validated)
        )
        for row, validated in enumerate(accepted)
    ]


def measure_study(
    modules: Sequence[InferenceModule], predictions: Sequence[ModulePrediction], level: float
) -> list[Measurement]:
    """One study's measurements by all modules.

    The sex that one module is certain of serves the percentiles of all.

    Args:
        modules: Inference modules.
        predictions: What each of them said, in their order.
        level: Of the intervals.
    """

    def measured(sex: Optional[str]) -> list[Measurement]:
        measurements = []
        for module, said in zip(modules, predictions):
            flags = () if said.validated else (OUTSIDE_VALIDATION,)
            measurements += measure(module, said.mean, said.variance, level, flags, sex)
        return measurements

    return measured(estimated_sex(measured(None)))


def analyze(
    source: Source,
    modules: Sequence[str],
    level: float = DEFAULT_LEVEL,
    device: str = "auto",
    allow_unvalidated: bool = False,
) -> list[Measurement]:
    """Measure one study in one call; for many studies see ``mimir_engine.cohort``.

    Examples:
        >>> height = analyze("6000000_20201_2_0.zip", ["phantom"])[1]
        >>> height.name, height.unit, height.lower < height.value < height.upper, height.flags
        ('phantom_height', 'cm', True, ('DEMONSTRATION',))

    Args:
        source: A zip archive, a folder, or the paths of DICOM files.
        modules: Names or folders of inference modules.
        level: Of the intervals.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        allow_unvalidated: Predict also where a module was not validated on such studies.

    Raises:
        MimirError: whatever is wrong with the study, a module or the device.
    """
    from mimir_engine.measuring.network import Predictor

    found = find_modules(modules)
    prepared = prepare(source)
    accepted = check_accepted(prepared, found, allow_unvalidated)
    predictors = [Predictor(module, device) for module in found]
    (predictions,) = predict_batch([prepared], [accepted], predictors)
    return measure_study(found, predictions, level)
