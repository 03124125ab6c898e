"""Describe an inference module in plain text."""

from __future__ import annotations

from mimir_engine.errors import printable
from mimir_engine.inference_module.coverage import coverage_range
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.inference_module.interval import Intervals
from mimir_engine.inference_module.published_calibration import later_tests
from mimir_engine.inference_module.published_targets import find_published
from mimir_engine.inference_module.target import Target

#: Level whose coverage is described.
REPORTED_LEVEL = 0.95


def describe(module: InferenceModule) -> str:
    """Return a module's measurements, validated range and origin as text.

    What the module says of itself adds no lines.
    """
    lines = [
        f"{module.name} {module.version}: {module.title}",
        module.description,
        "",
        f"folder       {module.folder}",
        f"networks     {len(module.weights)} x {module.architecture}",
        f"projection   {module.projection}",
        f"licence      {module.licence}",
        f"valid for    {module.accepts!s}",
        *(f"{key:<12} {value}" for key, value in module.provenance.items() if _is_short(value)),
        "",
        f"{len(module.targets)} measurements (training mean and SD):",
        *(_target(module, target) for target in module.targets),
        "",
        "Intervals:",
        *(f"  {target.name:<42} {_intervals(module, target)}" for target in module.targets),
    ]
    return "\n".join(map(printable, lines))


def _is_short(value: object) -> bool:
    return isinstance(value, (str, int, float)) and len(str(value)) <= 120


def _target(module: InferenceModule, target: Target) -> str:
    mean, sd = target.mean / target.divisor, target.sd / target.divisor
    published = find_published(target.name, target.ukb_field) if module.published else None
    accuracy = f"  published MAE {published.mae:g}, ICC {published.icc:g}" if published else ""
    return f"  {target.name:<42} {mean:10.4g} ± {sd:<9.3g} {target.unit:<6}{accuracy}"


def _intervals(module: InferenceModule, target: Target) -> str:
    """Say what a target's intervals are made of, and how they did on a later test."""
    if target.kind == "class":
        return "none: a class has a score"
    if not target.used_intervals.bins:
        return f"none: calibrated on {target.used_intervals.persons} persons, too few"
    if target.is_conformal:
        return _conformal(target.used_intervals)
    text = "Gaussian, from the predicted SD; not conformal"
    known = find_published(target.name, target.ukb_field) if module.published else None
    test = later_tests().get(known.name) if known else None
    if test is None:
        return text
    return (
        f"{text}; later test, n = {test.n:,}: MAE {test.mae:g}, calibration error (AUCE)"
        f" {test.auce:.3f}, in cross-validation {test.auce_crossvalidation:.3f}"
    )


def _conformal(made: Intervals) -> str:
    parts = [part for bins in made.bins.values() for part in bins]
    highest = min(part.levels[-1] if part.levels else 0.0 for part in parts)
    text = f"conformal, up to level {highest:g}; Gaussian beyond"
    if not made.persons:
        return text
    fewest = min(part.persons for part in parts)
    low, high = (f"{100 * share:.1f}" for share in coverage_range(fewest, REPORTED_LEVEL))
    return (
        f"{text}; {made.persons} persons, {fewest} or more with similar estimates, so"
        f" {100 * REPORTED_LEVEL:g} % intervals cover {low} to {high} %"
    )
