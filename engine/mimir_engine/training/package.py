"""From a finished training run to an inference module whose intervals hold on held-out data."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.inference_module import InferenceModule, Target, write_module
from mimir_engine.inference_module.acceptance import Accepts
from mimir_engine.inference_module.statistics import PredictionStatistics, describe_predictions
from mimir_engine.network import Predictor, bfloat16_error_sd
from mimir_engine.training.calibration import (
    coverage,
    mean_absolute_error,
    r_squared,
    variance_factors,
)
from mimir_engine.training.checkpoint import Checkpoint, load_checkpoint
from mimir_engine.training.dataset import Dataset, TargetDefinition, load_dataset
from mimir_engine.training.fit import fold_pixel_scale

# Images of the held-out data on which bfloat16 is compared with float32.
_BFLOAT16_IMAGES = 16


@dataclass(frozen=True)
class Identity:
    """What a module is called, what it may be used on, and whose it is."""

    name: str
    version: str
    title: str
    description: str
    reference: str
    accepts: Accepts
    licence: str
    column_prefix: str = ""
    demonstration: bool = False


# The model name that phantoms carry keeps every real scanner's study out.
PHANTOM = Identity(
    name="phantom",
    version="1.0",
    title="Demonstration on synthetic phantoms",
    description=(
        "Trained on computer-made phantoms only. It shows that the software works from end to end;"
        " what it says about a person means nothing."
    ),
    reference="held-out synthetic phantoms",
    accepts=Accepts(
        vendors=("SIEMENS",),
        models=("synthetic",),
        field_strengths_t=(1.5,),
        stations=(6,),
        head_foot_mm=(1000.0, 1250.0),
    ),
    licence="Apache-2.0",
    column_prefix="phantom_",
    demonstration=True,
)


def package(
    run_dir: Union[str, Path],
    held_out_dir: Union[str, Path],
    module_dir: Union[str, Path],
    identity: Identity,
    eight_bit: bool = False,
    overwrite: bool = False,
    provenance: Optional[Mapping[str, Any]] = None,
) -> InferenceModule:
    """Writes an inference module with its variances scaled on data that training has not seen.

    The predictions behind variance factors and quantiles are those of the weights as they are
    shipped, so what rounding to eight bits costs is part of the intervals.

    Raises MimirError TRAINING_UNFINISHED, DATASET_MISMATCH where the held-out data have other
    targets, another projection or are the training data, and what the readers and writers raise.
    """
    checkpoint = load_checkpoint(Path(run_dir))
    held_out = load_dataset(held_out_dir)
    _check(checkpoint, held_out)
    state = fold_pixel_scale(checkpoint.network, checkpoint.recipe)
    draft = _draft(checkpoint, identity)
    with tempfile.TemporaryDirectory() as scratch:
        unscaled = write_module(Path(scratch) / "draft", draft, [state], eight_bit=eight_bit)
        prediction = Predictor(unscaled).predict(np.asarray(held_out.images))
        bfloat16_error = bfloat16_error_sd(unscaled, np.asarray(held_out.images[:_BFLOAT16_IMAGES]))
    divisors = np.array([definition.divisor for definition in held_out.definitions])
    labels = held_out.targets / divisors
    factors = variance_factors(labels, prediction.mean, prediction.variance)
    module = replace(
        draft,
        targets=tuple(
            replace(target, variance_factor=float(factor))
            for target, factor in zip(draft.targets, factors)
        ),
        bfloat16_error_sd=bfloat16_error,
        provenance={
            "training": {
                "data": checkpoint.provenance,
                "fingerprint": checkpoint.fingerprint,
                "recipe": asdict(checkpoint.recipe),
            },
            "calibration": {
                "data": dict(held_out.provenance),
                "studies": len(held_out),
                "targets": accuracy(
                    held_out.target_names, labels, prediction.mean, prediction.variance * factors
                ),
            },
            **(provenance or {}),
        },
    )
    statistics = _statistics(held_out, prediction.mean, identity)
    return write_module(
        module_dir, module, [state], eight_bit=eight_bit, statistics=statistics, overwrite=overwrite
    )


def accuracy(
    names: tuple[str, ...], labels: np.ndarray, means: np.ndarray, variances: np.ndarray
) -> dict[str, dict[str, float]]:
    """R², mean absolute error and coverage of the 95 % interval of each target, rounded."""
    figures = {
        "r_squared": r_squared(labels, means),
        "mean_absolute_error": mean_absolute_error(labels, means),
        "coverage95": coverage(labels, means, variances),
    }
    return {
        name: {figure: round(float(values[index]), 4) for figure, values in figures.items()}
        for index, name in enumerate(names)
    }


def _check(checkpoint: Checkpoint, held_out: Dataset) -> None:
    if not checkpoint.finished:
        raise MimirError(
            "TRAINING_UNFINISHED",
            f"the run stands at step {checkpoint.step} of {checkpoint.recipe.steps}",
            "Let `mimir train` finish it.",
        )
    problem = None
    if held_out.definitions != checkpoint.definitions:
        problem = "the held-out data have other targets than the training data"
    elif held_out.projection != checkpoint.projection:
        problem = "the held-out data were projected in another way than the training data"
    elif held_out.fingerprint() == checkpoint.fingerprint:
        problem = "the held-out data are the training data"
    if problem is not None:
        raise MimirError("DATASET_MISMATCH", problem, "Give held-out data made in the same way.")


def _draft(checkpoint: Checkpoint, identity: Identity) -> InferenceModule:
    return InferenceModule(
        name=identity.name,
        version=identity.version,
        title=identity.title,
        description=identity.description,
        architecture=checkpoint.recipe.architecture,
        projection=checkpoint.projection,
        accepts=identity.accepts,
        targets=tuple(
            _target(definition, float(mean), float(sd))
            for definition, mean, sd in zip(
                checkpoint.definitions,
                checkpoint.standardisation.mean,
                checkpoint.standardisation.sd,
            )
        ),
        licence=identity.licence,
        column_prefix=identity.column_prefix,
        demonstration=identity.demonstration,
    )


def _target(definition: TargetDefinition, mean: float, sd: float) -> Target:
    return Target(
        name=definition.name,
        ukb_field=definition.ukb_field,
        unit=definition.unit,
        divisor=definition.divisor,
        mean=mean,
        sd=sd,
        kind=definition.kind,
        non_negative=definition.non_negative,
    )


def _statistics(
    held_out: Dataset, means: np.ndarray, identity: Identity
) -> Optional[PredictionStatistics]:
    """Quantiles of the predictions by true sex; None where the data don't know the sex."""
    if "sex" not in held_out.target_names:
        return None
    sex = held_out.targets[:, held_out.target_names.index("sex")]
    known = np.isfinite(sex)
    return describe_predictions(
        held_out.target_names,
        means[known],
        ["male" if value == 1 else "female" for value in sex[known]],
        reference=f"{int(known.sum())} {identity.reference}",
    )
