"""Write a module's README.md from its module.json alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mimir_engine.evaluation.evaluate import SORTED_BY
from mimir_engine.evaluation.uncertainty import PARTS_BY_SIZE
from mimir_engine.files.markdown_table import markdown_table, markdown_text
from mimir_engine.inference_module import InferenceModule, Target
from mimir_engine.inference_module.coverage import coverage_range
from mimir_engine.inference_module.interval import EVERYBODY, IntervalBin
from mimir_engine.training.accuracy import REPORTED_LEVEL, part_name
from mimir_engine.training.identity import training_runs

_LIMITS = (
    "The module is valid for the studies above. On other studies, coverage is not guaranteed.",
    "Intervals have the stated coverage for studies like the calibration data, for small and for"
    " large estimates, not for each kind of person. Estimates of rare extremes are drawn towards"
    " the mean, so among persons with extreme true values fewer are covered.",
    "Research software, not a medical device.",
)


def model_card(module: InferenceModule) -> str:
    """Write the card as Markdown: description, accuracy, calibration, limits, licence."""
    notes = module.provenance.get("notes", ())
    sections = (
        [f"# {module.name} {module.version}", _text(module)],
        [_table(("", ""), _facts(module))],
        ["## Accuracy", _evaluation(module), _table(_ACCURACY, _accuracy(module))],
        ["### Coverage by size", _SIZE_TEXT, *_by_size(module)],
        ["## Calibration", _CALIBRATION_TEXT, _table(_CALIBRATION, _calibration(module.targets))],
        ["## Notes", "\n".join(f"- {markdown_text(note)}" for note in notes)] if notes else [],
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
    studies = f"{calibration.get('studies', 0)} studies"
    persons = calibration.get("persons")
    studies += f" of {persons} persons" if persons else ""
    studies += f" ({split})" if split else ""
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


_SIZE_TEXT = """\
Share of labels inside the 95 % interval, in percent, in the lowest 5 %, in each third and in the
highest 5 % of the studies, sorted by estimate and by label."""


def _by_size(module: InferenceModule) -> Iterable[str]:
    rows = module.provenance.get("calibration", {}).get("targets", {})
    for by in SORTED_BY:
        heads = (f"by {by}", *(part.replace("_percent", " %") for part in PARTS_BY_SIZE))
        yield _table(
            [head.replace("_", " ") for head in heads],
            [
                (target.name, *(_percent(row.get(part_name(part, by))) for part in PARTS_BY_SIZE))
                for target in module.targets
                for row in [rows.get(target.name, {})]
                if target.kind != "class"
            ],
        )


_CALIBRATION_TEXT = """\
The standardised estimate *m* becomes *a m* + *b*, and the variance is multiplied by *k*. The
interval reaches as far to either side as the errors of persons with similar estimates did: of the
same sex if the sex is certain and each sex had enough persons. On the log scale, errors are
relative. The last column is the range that the true coverage of 95 % intervals has in 95 of 100
calibrations with as many persons as the smallest group."""

_CALIBRATION = (
    *("target", "*a*", "*b*", "*k*", "scale", "persons", "groups of estimates"),
    *("fewest persons in a group", "coverage, %"),
)


def _calibration(targets: Sequence[Target]) -> Iterable[tuple[str, ...]]:
    for target in targets:
        yield (
            target.name,
            f"{target.mean_slope:.3f}",
            f"{target.mean_offset:+.3f}",
            f"{target.variance_factor:.3f}",
            *_intervals(target),
        )


def _intervals(target: Target) -> tuple[str, ...]:
    """Describe what a target's intervals are made of."""
    made = target.intervals
    if target.kind == "class" or made is None:
        return ("–",) * 5
    if not made.bins:
        return "no interval", str(made.persons), "–", "–", "–"
    bins: list[IntervalBin] = [part for parts in made.bins.values() for part in parts]
    by_sex = " for each sex" if len(made.bins) > 1 else ""
    fewest = min(part.persons for part in bins)
    low, high = coverage_range(fewest, REPORTED_LEVEL)
    return (
        made.scale,
        str(made.persons),
        f"{len(made.bins[EVERYBODY])}{by_sex}",
        str(fewest),
        f"{100 * low:.1f} to {100 * high:.1f}",
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
