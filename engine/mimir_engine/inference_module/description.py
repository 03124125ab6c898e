"""An inference module described in plain text."""

from __future__ import annotations

from mimir_engine.inference_module.acceptance import Accepts
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.inference_module.published_targets import find_published
from mimir_engine.inference_module.target import Target


def describe(module: InferenceModule) -> str:
    """What a module measures, on whom it is valid, and where it comes from."""
    lines = [
        f"{module.name} {module.version}: {module.title}",
        module.description,
        "",
        f"folder       {module.folder}",
        f"networks     {len(module.weights)} x {module.architecture}",
        f"projection   {module.projection}",
        f"licence      {module.licence}",
        f"valid for    {accepts_text(module.accepts)}",
        *(f"{key:<12} {value}" for key, value in module.provenance.items() if _is_short(value)),
        "",
        f"{len(module.targets)} measurements (training mean and SD):",
        *(_target(module, target) for target in module.targets),
    ]
    return "\n".join(lines)


def _is_short(value: object) -> bool:
    return isinstance(value, (str, int, float)) and len(str(value)) <= 120


def accepts_text(accepts: Accepts) -> str:
    """What a module was validated on, in a line."""
    parts = [
        ", ".join(accepts.vendors),
        ", ".join(f"model '{model}'" for model in accepts.models),
        ", ".join(f"{tesla:g} T" for tesla in accepts.field_strengths_t),
        " or ".join(map(str, accepts.stations)) + " stations" if accepts.stations else "",
    ]
    if accepts.head_foot_mm:
        parts.append(f"{accepts.head_foot_mm[0]:g} to {accepts.head_foot_mm[1]:g} mm head to foot")
    return "; ".join(part for part in parts if part) or "any study"


def _target(module: InferenceModule, target: Target) -> str:
    mean, sd = target.mean / target.divisor, target.sd / target.divisor
    published = find_published(target.name, target.ukb_field) if module.published else None
    accuracy = f"  published MAE {published.mae:g}, ICC {published.icc:g}" if published else ""
    return f"  {target.name:<42} {mean:10.4g} ± {sd:<9.3g} {target.unit:<6}{accuracy}"
