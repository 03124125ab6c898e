"""Write a module's README.md from its module.json alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mimir_engine.files.markdown_table import markdown_table, markdown_text
from mimir_engine.inference_module import InferenceModule, Target
from mimir_engine.inference_module.interval import half_width_in_sd
from mimir_engine.training.accuracy import REPORTED_LEVEL
from mimir_engine.training.identity import training_runs

_LIMITS = (
    "The module is valid for the studies above. On other studies, coverage is not guaranteed.",
    "Intervals have the stated coverage on average over studies like the calibration data, not for"
    " each kind of person; predictions of rare extremes are drawn towards the mean.",
    "Research software, not a medical device.",
)


def model_card(module: InferenceModule) -> str:
    """Write the card as Markdown: description, accuracy, calibration, limits, licence."""
    sections = (
        [f"# {module.name} {module.version}", _text(module)],
        [_table(("", ""), _facts(module))],
        ["## Accuracy", _evaluation(module), _table(_ACCURACY, _accuracy(module))],
        ["## Calibration", _CALIBRATION_TEXT, _table(_CALIBRATION, _calibration(module.targets))],
        ["## Limits", "\n".join(f"- {markdown_text(limit)}" for limit in _limits(module))],
        ["## Licence", markdown_text(module.licence)],
    )
    return "\n\n".join(part for section in sections for part in section if part) + "\n"


def _text(module: InferenceModule) -> str:
    return f"**{markdown_text(module.title)}.** {markdown_text(module.description)}"


def _facts(module: InferenceModule) -> Iterable[tuple[str, str]]:
    provenance = module.provenance
    count = len(module.weights)
    network = module.architecture if count == 1 else f"{count} × {module.architecture}, a mixture"
    yield "network", f"{network}; {len(module.targets)} targets, mean and log-variance each"
    yield "input", f"projection {module.projection}"
    yield "valid for", str(module.accepts)
    if provenance.get("population"):
        yield "population", str(provenance["population"])
    for run in training_runs(module):
        yield "trained on", _flat(run.get("data", {}))
        yield "recipe", _recipe(run.get("recipe", {}))
    calibration = provenance.get("calibration", {})
    by_sex = calibration.get("by_sex", {})
    split = ", ".join(f"{number} {sex}" for sex, number in by_sex.items() if number)
    studies = f"{calibration.get('studies', 0)} studies" + (f" ({split})" if split else "")
    yield "calibrated on", f"{studies}: {_source(calibration)}"
    yield "weights", ", ".join(f"{w.file} ({w.storage})" for w in module.weights)
    versions = provenance.get("versions", {})
    if versions:
        yield "made with", ", ".join(f"{name} {number}" for name, number in versions.items())


def _source(calibration: Mapping[str, Any]) -> str:
    if "data" in calibration:
        return f"held-out data, {_flat(calibration['data'])}"
    if "crossvalidation" not in calibration:
        return f"predictions of {calibration.get('table', 'unknown origin')}"
    crossed = calibration["crossvalidation"]
    networks = f"{crossed['folds']} networks, {_recipe(crossed['recipe'])}"
    return f"out-of-fold predictions of a cross-validation ({networks})"


def _recipe(recipe: Mapping[str, Any]) -> str:
    shown = ("name", "start", "steps", "batch_size", "seed")
    return ", ".join(f"{name} {recipe[name]}" for name in shown if name in recipe)


def _flat(values: Mapping[str, Any]) -> str:
    simple = {k: v for k, v in values.items() if isinstance(v, (str, int, float))}
    return ", ".join(f"{key} {value}" for key, value in simple.items()) or "not recorded"


def _evaluation(module: InferenceModule) -> str:
    text = "Measured on the calibration studies, each part of them calibrated on the other parts."
    if "data" not in module.provenance.get("calibration", {}):
        text += " Each study is predicted by the network that had not seen it."
        if len(module.weights) > 1:
            text += " The ensemble itself was not evaluated."
    return f"{text} Coverage is the share of labels inside the interval."


_ACCURACY = (
    *("target", "unit", "studies", "ICC", "R²", "mean absolute error", "bias"),
    *("width of 95 % interval", "coverage at 50 / 80 / 95 %"),
)


def _accuracy(module: InferenceModule) -> Iterable[tuple[str, ...]]:
    rows = module.provenance.get("calibration", {}).get("targets", {})
    for target in module.targets:
        row = rows.get(target.name, {})
        covered = " / ".join(_percent(row.get(f"coverage{level}")) for level in (50, 80, 95))
        yield (
            target.name,
            target.unit or ("score" if target.kind == "class" else ""),
            _number(row.get("studies"), "g"),
            _number(row.get("icc"), ".3f"),
            _number(row.get("r2"), ".3f"),
            _number(row.get("mae"), ".3g"),
            _number(row.get("bias"), "+.2g"),
            _number(row.get("mean_width95"), ".3g"),
            "no interval" if target.kind == "class" else covered,
        )


_CALIBRATION_TEXT = """\
The standardised estimate *m* becomes *a m* + *b*, the variance is multiplied by *k*, and the 95 %
interval is the estimate ± *q* SD (*q* is 1.96 for a Gaussian). *q* is that of the sex if the sex is
certain and each sex had enough studies, else that of all studies."""

_CALIBRATION = ("target", "*a*", "*b*", "*k*", "*q*", "*q* female", "*q* male")


def _calibration(targets: Sequence[Target]) -> Iterable[tuple[str, ...]]:
    for target in targets:
        by_sex = target.conformal_quantiles_by_sex
        quantiles = (target.conformal_quantiles, by_sex.get("female"), by_sex.get("male"))
        yield (
            target.name,
            f"{target.mean_slope:.3f}",
            f"{target.mean_offset:+.3f}",
            f"{target.variance_factor:.3f}",
            *(f"{half_width_in_sd(q, REPORTED_LEVEL):.2f}" if q else "–" for q in quantiles),
        )


def _limits(module: InferenceModule) -> Iterable[str]:
    if module.demonstration:
        yield "A demonstration: its results for a person are meaningless."
    yield from module.provenance.get("limits", ())
    if any(target.kind == "class" for target in module.targets):
        yield "A class has a score, which is not a probability and has no interval."
    profile = module.provenance.get("scan_profile")
    if profile is None:
        yield "Without a scan profile, scans unlike those that the module knows are not found."
    else:
        yield (
            f"The scan profile describes {profile['scans']:,} scans: {profile['promise']}. Scans of"
            " other kinds are flagged as far as scan numbers and first layers show them."
        )
    yield from _LIMITS


def _percent(share: object) -> str:
    return f"{100 * share:.1f}" if isinstance(share, float) else "–"


def _number(value: object, form: str) -> str:
    return format(value, form) if isinstance(value, (int, float)) else "–"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return markdown_table(head, ([markdown_text(cell) for cell in row] for row in rows))
