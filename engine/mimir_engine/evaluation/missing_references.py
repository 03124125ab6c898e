"""Leave out references that are UK Biobank's codes for missing answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mimir_engine.evaluation.predictions import Predictions
from mimir_engine.inference_module.missing_codes import coded_missing
from mimir_engine.inference_module.published_targets import NON_NEGATIVE_UNITS, find_published


def without_missing_codes(predictions: Predictions) -> tuple[Predictions, tuple[str, ...]]:
    """Make codes unknown where no value can be negative; also say how many there were."""
    can_have = [
        unit in NON_NEGATIVE_UNITS or find_published(name, "") is not None
        for name, unit in zip(predictions.names, predictions.units)
    ]
    coded = coded_missing(predictions.reference) & can_have
    if not coded.any():
        return predictions, ()
    sentences = tuple(
        f"{name}: left out as codes of UK Biobank for missing answers: {count}"
        for name, count in zip(predictions.names, coded.sum(axis=0))
        if count
    )
    reference = np.where(coded, np.nan, predictions.reference)
    return replace(predictions, reference=reference), sentences
