"""Fit the references of z-scores: predictions by sex, and by age and height where known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from mimir_engine.evaluation.predictions import Predictions
from mimir_engine.evaluation.rounding import is_rounding
from mimir_engine.evaluation.subgroups import AGE
from mimir_engine.inference_module import Target
from mimir_engine.inference_module.statistics import SEXES
from mimir_engine.inference_module.z_reference import ZReference

#: Fewer persons do not describe a population: with 100, the SD is known to 7 %.
MIN_PERSONS = 100
#: What a reference depends on, the most specific first.
COVARIATES = (("age", "height"), ("height",), ("age",), ())


def fit_z_references(
    predictions: Predictions, targets: Sequence[Target], sexes: Sequence[str]
) -> dict[str, dict[str, tuple[ZReference, ...]]]:
    """Fit the references of each sex and quantity.

    Age is the recorded one: the group or target "age". Height is the estimate of the module itself.

    Args:
        predictions: Calibrated, one study per person.
        targets: Their targets.
        sexes: Recorded sex of each study, "female", "male" or "".
    """
    known = _covariates(predictions, targets)
    return {
        sex: {
            target.name: tuple(_references(predictions.mean[:, column], target, rows, known))
            for column, target in enumerate(targets)
            if target.kind != "class"
        }
        for sex in SEXES
        for rows in [np.asarray(sexes) == sex]
        if rows.sum() >= MIN_PERSONS
    }


def _covariates(p: Predictions, targets: Sequence[Target]) -> dict[str, np.ndarray]:
    """Return age and height of each study as far as they are known, NaN where they are not."""
    found = {}
    age = next((place for place, name in enumerate(p.names) if name.lower() == AGE), None)
    if age is not None:
        found["age"] = p.reference[:, age]
    height = next((place for place, target in enumerate(targets) if target.is_height), None)
    if height is not None:
        found["height"] = p.mean[:, height]
    return found


def _references(
    values: np.ndarray, target: Target, rows: np.ndarray, known: Mapping[str, np.ndarray]
) -> Iterator[ZReference]:
    """Fit all lines that a target has enough persons for; none on itself."""
    own = "height" if target.is_height else target.name.lower()
    for names in COVARIATES:
        if own in names or not known.keys() >= set(names):
            continue
        columns = np.stack([np.ones(len(values)), *(known[name] for name in names)], axis=1)
        used = rows & np.isfinite(columns).all(axis=1) & np.isfinite(values)
        if used.sum() < MIN_PERSONS or any(is_rounding(np.ptp(c), c) for c in columns[used].T[1:]):
            continue
        line, *_ = np.linalg.lstsq(columns[used], values[used], rcond=None)
        error = values[used] - columns[used] @ line
        if is_rounding(error, values[used]):
            continue
        sd = float(np.sqrt((error**2).sum() / (len(error) - len(line))))
        slopes = dict(zip(names, line[1:].tolist()))
        yield ZReference(int(used.sum()), float(line[0]), sd, **slopes)
