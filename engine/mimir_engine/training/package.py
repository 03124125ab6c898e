"""From finished training runs to an inference module whose intervals hold on unseen studies.

`package` writes the networks of one or several runs, `recalibrate` gives a module that exists other
constants and leaves its weights as they are.
"""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
import torch

import mimir_engine
from mimir_engine.evaluation.agreement import agreement
from mimir_engine.evaluation.predictions import Predictions
from mimir_engine.inference_module import (
    InferenceModule,
    Target,
    find_module,
    rewrite_module,
    write_module,
)
from mimir_engine.inference_module.features import describe_features
from mimir_engine.inference_module.statistics import PredictionStatistics, describe_predictions
from mimir_engine.measuring.network import bfloat16_error_sd
from mimir_engine.training.calibration import (
    Calibration,
    apply_calibration,
    cross_calibrated,
    fit_calibration,
    recorded_sexes,
    select,
    uncalibrated,
)
from mimir_engine.training.calibration_data import Evidence, FolderPath, gather_evidence
from mimir_engine.training.checkpoint import Checkpoint
from mimir_engine.training.dataset import Standardisation
from mimir_engine.training.ensemble import common_standardisation, load_runs, shipped_state
from mimir_engine.training.identity import Identity
from mimir_engine.training.model_card import model_card

# Images on which bfloat16 is compared with float32.
_BFLOAT16_IMAGES = 16


def package(
    runs: Union[FolderPath, Sequence[FolderPath]],
    calibration: FolderPath,
    module_dir: FolderPath,
    identity: Identity,
    *,
    images: Optional[FolderPath] = None,
    eight_bit: bool = False,
    overwrite: bool = False,
) -> InferenceModule:
    """Writes an inference module; several runs make an ensemble.

    Args:
        runs: Folder of a finished run, or several.
        calibration: Cross-validation, table of predictions, or data set; see `evidence`.
        module_dir: Folder to make.
        identity: What the module is called, and so on.
        images: Data set whose images the feature statistics and the check of bfloat16 are taken
            from; by default those of `calibration`, where it is a data set. Without images the
            module has neither.
        eight_bit: Store the weights in 8 bits.
        overwrite: Replace the folder if it exists.

    Raises MimirError DATASET_MISMATCH, CALIBRATION_MISMATCH, CALIBRATION_TOO_SMALL,
    CALIBRATION_UNREADABLE, and what `load_runs` and the writers raise.
    """
    folders = [runs] if isinstance(runs, (str, Path)) else list(runs)
    checkpoints = load_runs(folders)
    standardisation = common_standardisation(checkpoints)
    draft = _draft(checkpoints, standardisation, identity)
    states = [shipped_state(run, standardisation) for run in checkpoints]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "draft"
        written = write_module(folder, draft, states, eight_bit=eight_bit)
        evidence = gather_evidence(written, calibration, images)
        return _write_calibrated(written, evidence, module_dir, overwrite)


def recalibrate(
    module_name: FolderPath,
    calibration: FolderPath,
    module_dir: FolderPath,
    *,
    identity: Optional[Identity] = None,
    images: Optional[FolderPath] = None,
    calibrated: bool = False,
    overwrite: bool = False,
) -> InferenceModule:
    """Writes a module again with other constants around the same files of weights.

    Mean corrections, variance factors, conformal quantiles, percentiles and the model card are
    made anew; feature statistics where there are images, else they stay.

    Args:
        module_name: The module's folder, or its name where modules are looked up.
        calibration: As for `package`; raw predictions of the module's own networks.
        module_dir: Folder to make; the module's own, with `overwrite`, to replace it.
        identity: By default the module keeps its own.
        images: As for `package`.
        calibrated: The table's predictions carry the module's present calibration, as those of
            `mimir infer` do.
        overwrite: Replace the folder if it exists.

    Raises MimirError as `package`.
    """
    module = find_module(module_name)
    if identity is not None:
        module = replace(module, **_said_by(identity, module.provenance))
    evidence = gather_evidence(module, calibration, images)
    if calibrated and "table" in evidence.origin:
        raw = uncalibrated(evidence.predictions, module.targets)
        evidence = replace(evidence, predictions=raw)
    return _write_calibrated(module, evidence, module_dir, overwrite)


def _write_calibrated(
    module: InferenceModule, evidence: Evidence, module_dir: FolderPath, overwrite: bool
) -> InferenceModule:
    """Fits everything that isn't weights, and writes it around them."""
    calibrations = fit_calibration(evidence.predictions, module.targets)
    targets = tuple(c.of(target) for c, target in zip(calibrations, module.targets))
    sexes = recorded_sexes(evidence.predictions)
    provenance = {
        **module.provenance,
        "calibration": {
            **evidence.origin,
            "studies": len(evidence.predictions.studies),
            "by_sex": {sex: sexes.count(sex) for sex in ("female", "male")},
            "targets": accuracy(evidence.predictions, module.targets),
        },
        "versions": _versions(),
    }
    features = None
    if evidence.features is not None:
        features = describe_features(evidence.features)
        provenance["features"] = {"images": len(evidence.features)}
    calibrated = replace(module, targets=targets, provenance=provenance)
    if evidence.images is not None:
        some = np.asarray(evidence.images[:_BFLOAT16_IMAGES])
        calibrated = replace(calibrated, bfloat16_error_sd=bfloat16_error_sd(calibrated, some))
    return rewrite_module(
        module_dir,
        calibrated,
        statistics=_statistics(evidence.predictions, module, calibrations),
        features=features,
        card=model_card(calibrated),
        overwrite=overwrite,
    )


def _statistics(
    predictions: Predictions, module: InferenceModule, calibrations: Sequence[Calibration]
) -> Optional[PredictionStatistics]:
    """Quantiles of the corrected predictions by recorded sex; None where the sex isn't known."""
    sexes = np.array(recorded_sexes(predictions))
    known = (sexes != "") & np.isfinite(predictions.mean).all(axis=1)
    if not known.any():
        return None
    corrected = apply_calibration(select(predictions, known), module.targets, calibrations)
    reference = module.provenance.get("reference", "studies of the calibration")
    return describe_predictions(
        predictions.names,
        corrected.mean,
        sexes[known].tolist(),
        reference=f"{int(known.sum())} {reference}",
    )


def _draft(
    runs: Sequence[Checkpoint], standardisation: Standardisation, identity: Identity
) -> InferenceModule:
    training = [
        {"data": run.provenance, "fingerprint": run.fingerprint, "recipe": asdict(run.recipe)}
        for run in runs
    ]
    targets = tuple(
        Target(
            name=definition.name,
            ukb_field=definition.ukb_field,
            unit=definition.unit,
            divisor=definition.divisor,
            mean=float(mean),
            sd=float(sd),
            kind=definition.kind,
            non_negative=definition.non_negative,
        )
        for definition, mean, sd in zip(
            runs[0].definitions, standardisation.mean, standardisation.sd
        )
    )
    return InferenceModule(
        architecture=runs[0].recipe.architecture,
        projection=runs[0].projection,
        targets=targets,
        **_said_by(identity, {"training": training}),
    )


def _said_by(identity: Identity, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a module that an identity fills in; what has no field goes to provenance."""
    fields = {
        name: getattr(identity, name)
        for name in ("name", "version", "title", "description", "accepts", "licence")
    }
    return {
        **fields,
        "column_prefix": identity.column_prefix,
        "demonstration": identity.demonstration,
        "provenance": {
            **provenance,
            "population": identity.population,
            "reference": identity.reference,
            "limits": list(identity.limits),
        },
    }


def _versions() -> dict[str, str]:
    return {
        "mimir_engine": mimir_engine.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


LEVELS = (0.5, 0.8, 0.95)
"""Levels whose coverage is told."""


def accuracy(predictions: Predictions, targets: Sequence[Target]) -> dict[str, dict[str, float]]:
    """Figures of each target by name; a figure that can't be had is left out.

    studies: those with a label. icc, r2, mae, bias: see `agreement`. mean_width95: of the
    intervals, in the unit. coverage50, coverage80, coverage95: the share of labels inside them.
    """
    by_level = {level: cross_calibrated(predictions, targets, level) for level in LEVELS}
    rows = {}
    for index, target in enumerate(targets):
        columns = {level: _column(applied, index) for level, applied in by_level.items()}
        label, mean, lower, upper = columns[0.95]
        figures = {"studies": float(len(label)), "mean_width95": float((upper - lower).mean())}
        agreed = agreement(label, mean)
        figures.update({name: float(agreed[name]) for name in ("icc", "r2", "mae", "bias")})
        for level, (y, _, low, high) in columns.items():
            inside = (low <= y) & (y <= high)
            has_interval = np.isfinite(low).all()
            figures[f"coverage{100 * level:g}"] = float(inside.mean()) if has_interval else np.nan
        rows[target.name] = {
            name: float(f"{figure:.4g}") for name, figure in figures.items() if np.isfinite(figure)
        }
    return rows


def _column(
    predictions: Predictions, index: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Label, mean and bounds of one target where label and mean are known."""
    label, mean = predictions.reference[:, index], predictions.mean[:, index]
    known = np.isfinite(label) & np.isfinite(mean)
    assert predictions.lower is not None
    assert predictions.upper is not None
    lower, upper = predictions.lower[:, index], predictions.upper[:, index]
    return label[known], mean[known], lower[known], upper[known]
