"""Build measurements of all published targets for one study."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mimir_engine.inference_module.published_targets import PublishedTarget, catalogue
from mimir_engine.measuring.measurement import Measurement


def one_measurement(target: PublishedTarget, place: float = 0.0) -> Measurement:
    """Measure a published target.

    Args:
        target: Its typical value is the reference's mean.
        place: The value in standard deviations from that mean.
    """
    is_sex = target.name == "sex"
    mean = 0.0 if is_sex else target.typical_value
    value = 0.02 if is_sex else mean + place * 0.2 * mean
    return Measurement(
        name=target.name,
        target=target.name,
        unit=target.unit,
        kind="class" if is_sex else "quantity",
        is_sex=is_sex,
        non_negative=not is_sex,
        value=value,
        sd=max(target.mae, 0.01),
        level=0.95,
        lower=None if is_sex else value - 2 * target.mae,
        upper=None if is_sex else value + 2 * target.mae,
        interval_method="none" if is_sex else "conformal",
        interval_persons=0 if is_sex else 500,
        coverage_low=None if is_sex else 0.93,
        coverage_high=None if is_sex else 0.97,
        percentile=None if is_sex else 61.0,
        percentile_reference="" if is_sex else "predictions for female members of a cohort",
        z_mean=mean,
        z_sd=1.0 if is_sex else 0.2 * mean,
        z_reference="predictions for female members of a cohort",
        sex="female",
        sex_source="estimated",
        divisor=1.0,
        training_mean=mean,
        training_sd=1.0 if is_sex else 0.2 * mean,
        module="published",
        module_version="1.0",
        flags=(),
    )


def many_measurements() -> list[Measurement]:
    """Measure all published targets, in the order of the publication."""
    places = np.linspace(-2.5, 2.5, len(catalogue()))
    return [one_measurement(target, place) for target, place in zip(catalogue().values(), places)]


def without_interval(measurement: Measurement) -> Measurement:
    """Return a measurement of a module that was calibrated on too few persons."""
    flags = (*measurement.flags, "NO_INTERVAL")
    bounds = {"lower": None, "upper": None, "interval_method": "none"}
    return replace(measurement, **bounds, flags=flags)
