"""Describe an inference module in plain text."""

from __future__ import annotations

from mimir_engine.errors import printable
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.inference_module.published_targets import find_published
from mimir_engine.inference_module.target import Target


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
    ]
    return "\n".join(map(printable, lines))


def _is_short(value: object) -> bool:
    return isinstance(value, (str, int, float)) and len(str(value)) <= 120


def _target(module: InferenceModule, target: Target) -> str:
    mean, sd = target.mean / target.divisor, target.sd / target.divisor
    published = find_published(target.name, target.ukb_field) if module.published else None
    accuracy = f"  published MAE {published.mae:g}, ICC {published.icc:g}" if published else ""
    return f"  {target.name:<42} {mean:10.4g} ± {sd:<9.3g} {target.unit:<6}{accuracy}"
