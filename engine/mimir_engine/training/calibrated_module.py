"""Write a calibrated inference module: all but its weights is fitted to calibration data."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

import numpy as np
import torch

import mimir_engine
from mimir_engine.evaluation.predictions import Predictions
from mimir_engine.inference_module import (
    InferenceModule,
    Target,
    rewrite_module,
)
from mimir_engine.inference_module.direct_reference import DirectReference
from mimir_engine.inference_module.statistics import PredictionStatistics, describe_predictions
from mimir_engine.measuring.network import Predictor
from mimir_engine.training.accuracy import measure_accuracy
from mimir_engine.training.calibration import (
    apply_calibration,
    fit_calibration,
    recorded_sexes,
    select_studies,
)
from mimir_engine.training.calibration_data import CalibrationData
from mimir_engine.training.direct_references import fit_direct_references
from mimir_engine.training.model_card import model_card
from mimir_engine.training.usual_scans import ProfileMade, make_profile
from mimir_engine.training.z_references import fit_z_references


def write_calibrated(
    module: InferenceModule,
    data: CalibrationData,
    direct: Optional[Path],
    module_dir: Path,
    overwrite: bool,
) -> InferenceModule:
    """Write a module around the weights of another, with all else fitted to calibration data.

    Args:
        module: Gives weights, and targets without calibration.
        data: Predictions and images of studies that its networks have not seen.
        direct: Direct measurements of these studies; None to keep the module's references.
        module_dir: Folder to create.
        overwrite: Replace the folder if it exists.

    Raises:
        MimirError: As `package`.
    """
    targets = fit_calibration(data.predictions, module.targets)
    made = _profile(module, data)
    provenance = _provenance(module, data, made)
    calibrated = replace(module, targets=targets, provenance=provenance)
    return rewrite_module(
        module_dir,
        calibrated,
        statistics=_statistics(
            apply_calibration(data.predictions, targets),
            targets,
            provenance.get("reference", "studies of the calibration"),
            _direct_references(module, data.predictions, direct),
        ),
        profile=made.profile,
        card=model_card(calibrated),
        overwrite=overwrite,
    )


def _provenance(
    module: InferenceModule, data: CalibrationData, made: ProfileMade
) -> dict[str, Any]:
    """Describe what the module was calibrated on, and what a reader should know."""
    sexes = recorded_sexes(data.predictions)
    provenance = {
        **module.provenance,
        "calibration": {
            **data.source,
            "studies": len(data.predictions),
            "persons": len(set(data.predictions.persons)),
            "by_sex": {sex: sexes.count(sex) for sex in ("female", "male")},
            "targets": measure_accuracy(data.predictions, module.targets),
        },
        "versions": {
            "mimir_engine": mimir_engine.__version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
    }
    if made.profile is not None:
        promise = made.profile.promise
        provenance["scan_profile"] = {"scans": made.profile.scans, "promise": promise}
    elif module.profile_file is None:
        provenance.pop("scan_profile", None)
    provenance.pop("notes", None)
    if notes := [*data.notes, *filter(None, (made.notice,))]:
        provenance["notes"] = notes
    return provenance


def _profile(module: InferenceModule, data: CalibrationData) -> ProfileMade:
    """Make the module's scan profile; without images it keeps its own."""
    if data.images is not None:
        made = make_profile(Predictor(module), *data.images)
        if made.profile is None and module.profile_file is not None:
            return ProfileMade(None, f"the earlier scan profile stays: {made.notice}")
        return made
    if module.profile_file is not None:
        return ProfileMade(None)
    return ProfileMade(
        None,
        "no scan profile: there are no images. Scans unlike those that the module knows are not"
        " found",
    )


def _direct_references(
    module: InferenceModule, predictions: Predictions, direct: Optional[Path]
) -> Mapping[str, DirectReference]:
    """Fit the targets to direct measurements; without any, keep the module's references."""
    if direct is not None:
        return fit_direct_references(predictions, direct)
    statistics = module.statistics()
    return statistics.direct if statistics else {}


def _statistics(
    predictions: Predictions,
    targets: Sequence[Target],
    reference: str,
    direct: Mapping[str, DirectReference],
) -> Optional[PredictionStatistics]:
    """Describe the predictions by recorded sex, one per person; None if there is nothing to say."""
    first = {person: row for row, person in reversed(list(enumerate(predictions.persons)))}
    known = np.isin(np.arange(len(predictions)), list(first.values()))
    known &= np.array(recorded_sexes(predictions)) != ""
    known &= np.isfinite(predictions.mean).all(axis=1)
    if not known.any() and not direct:
        return None
    chosen = select_studies(predictions, known)
    sexes = recorded_sexes(chosen)
    described = describe_predictions(
        chosen.names, chosen.mean, sexes, reference=f"{len(chosen)} {reference}"
    )
    z_references = fit_z_references(chosen, targets, sexes)
    return replace(described, direct=direct, z_references=z_references)
