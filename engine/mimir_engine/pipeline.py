"""The way of one study, from its source to its measurements.

Each step is a plain function that can be called alone; this file only strings them together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Optional

import numpy as np

from mimir_engine.acceptance import outside_validation
from mimir_engine.errors import MimirError
from mimir_engine.fusion import FusedVolumes, fuse
from mimir_engine.inference_module import InferenceModule, check_projection
from mimir_engine.measurement import OUTSIDE_VALIDATION, Measurement, estimated_sex, measure
from mimir_engine.projection import Projection, project
from mimir_engine.study import DixonStudy, read_study
from mimir_engine.study.source import StudySource

if TYPE_CHECKING:
    from mimir_engine.network import Predictor


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


def prepare(source: StudySource, name: Optional[str] = None) -> PreparedStudy:
    """Read, fuse and project one study.

    Raises:
        MimirError: whatever is wrong with it.
    """
    study, fused = read_and_fuse(source, name)
    return PreparedStudy(study.without_pixels(), fused.water.extent_mm, project(fused))


def read_and_fuse(
    source: StudySource, name: Optional[str] = None
) -> tuple[DixonStudy, FusedVolumes]:
    """Read one study and fuse its stations, for those who want the volumes too."""
    study = read_study(source, name)
    return study, fuse(study.stations)


def check_accepted(
    prepared: PreparedStudy, modules: Sequence[InferenceModule], allow_unvalidated: bool
) -> dict[str, bool]:
    """Which modules (by name) were validated on studies like this one.

    Raises:
        MimirError: ``OUTSIDE_VALIDATION`` where one was not, unless that is allowed;
            ``PROJECTION_MISMATCH`` where one was trained on another projection.
    """
    accepted = {}
    for module in modules:
        check_projection(module, prepared.projection.name)
        reasons = outside_validation(module.accepts, prepared.study, prepared.extent_mm)
        if reasons and not allow_unvalidated:
            raise MimirError(
                "OUTSIDE_VALIDATION",
                f"inference module {module.name} was not validated on such a study:"
                f" {'; '.join(reasons)}",
                "Use a module made for it; --allow-unvalidated predicts all the same and flags it.",
            )
        accepted[module.name] = not reasons
    return accepted


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
    accepted: Sequence[Mapping[str, bool]],
    predictors: Sequence[Predictor],
) -> list[dict[str, ModulePrediction]]:
    """Predictions of all modules, by module name, for each study of a batch.

    Args:
        batch: Prepared studies.
        accepted: For each of them, what ``check_accepted`` said.
        predictors: Loaded inference modules.
    """
    images = np.stack([prepared.projection.image for prepared in batch])
    predictions: list[dict[str, ModulePrediction]] = [{} for _ in batch]
    for predictor in predictors:
        name = predictor.module.name
        prediction = predictor.predict(images)
        for study, valid, mean, variance in zip(
            predictions, accepted, prediction.mean.tolist(), prediction.variance.tolist()
        ):
            study[name] = ModulePrediction(tuple(mean), tuple(variance), valid[name])
    return predictions


def measure_study(
    modules: Sequence[InferenceModule], predictions: Mapping[str, ModulePrediction], level: float
) -> list[Measurement]:
    """One study's measurements by all modules.

    The sex that one module is certain of serves the percentiles of all.
    """

    def measured(sex: Optional[str]) -> list[Measurement]:
        measurements = []
        for module in modules:
            said = predictions[module.name]
            flags = () if said.validated else (OUTSIDE_VALIDATION,)
            measurements += measure(module, said.mean, said.variance, level, flags, sex)
        return measurements

    return measured(estimated_sex(measured(None)))
