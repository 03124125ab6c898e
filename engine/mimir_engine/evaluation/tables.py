"""Write an evaluation as tables: ``metrics.csv`` for programs, ``metrics.md`` for readers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mimir_engine.evaluation.evaluate import (
    AGE_GAP,
    AGREEMENT,
    ALL,
    BOOTSTRAP_LEVEL,
    METRICS,
    MIN_STUDIES,
    SORTED_BY,
    UNCERTAINTY,
    Evaluation,
)
from mimir_engine.evaluation.subgroups import AGE
from mimir_engine.evaluation.uncertainty import PARTS_BY_SIZE
from mimir_engine.files.atomic import atomic_file
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.files.markdown_table import markdown_table, markdown_text
from mimir_engine.measuring.display_text import number

#: Headings of the metrics in Markdown.
TITLES = {
    "icc": "ICC(2,1)",
    "r2": "R²",
    "mae": "MAE",
    "mape": "MAPE (%)",
    "rmse": "RMSE",
    "bias": "Bias",
    "loa_lower": "Limits: lower",
    "loa_upper": "Limits: upper",
    "picp": "Coverage",
    "width": "Mean width",
    "relative_width": "Width / SD",
    "auce": "AUCE",
    "ence": "ENCE",
    "crps": "CRPS",
    "nll": "NLL",
    "ause": "AUSE",
}
#: Columns of the tables by subgroup.
SUBGROUP_COLUMNS = ("icc", "mae", "bias", "picp", "relative_width", "auce")

COMPARISON = (
    "In each row, the first result is in the place of the prediction and the second in that of the"
    " reference: bias is first − second."
)
DEFINITIONS = """\
- **ICC(2,1)**: two-way random effects, absolute agreement, single measurement.
- **R²**: coefficient of determination, 1 − Σ(prediction − reference)² / Σ(reference − average)².
- **MAE**, **RMSE**: mean absolute and root mean squared error, in the target's unit.
- **MAPE**: mean absolute error relative to the reference, without references below 0.0001 in size.
- **Bias**: mean of prediction − reference. **Limits**: bias ± 1.96 SD of the differences.
- **Coverage**: share of references inside the prediction intervals (PICP).
- **Mean width** of these intervals, in the target's unit. **Width / SD**: the same, divided by the
  SD of the references.
- **AUCE**: area between coverage and nominal level (0, 0.01 … 1) of Gaussian intervals.
- **ENCE**: mean of |RMV − RMSE| / RMV over 10 bins of equal number by predicted SD. Above 0 also
  for perfect SDs: about 0.18 with 100 studies, 0.02 with 10,000.
- **CRPS**, **NLL**: scores of the predicted Gaussian; CRPS in the target's unit, NLL in natural
  logarithms. Lower is better.
- **AUSE**: area between the sparsification curve (MAE when the most uncertain share is removed) and
  the curve for removal by true error, divided by the MAE of all studies; 0 is perfect.
- AUCE and ENCE sum absolute deviations, which resampling increases. Close to 0, their bootstrap
  intervals are therefore too high and may not contain the value itself.
"""


def write_metrics(
    folder: Path, evaluation: Evaluation, notes: Sequence[str] = (), compared: Sequence[str] = ()
) -> None:
    """Write ``metrics.csv`` (tidy, in full precision) and ``metrics.md`` into a folder.

    Args:
        folder: An existing folder.
        evaluation: What to write.
        notes: Sentences on the studies, for ``metrics.md``.
        compared: Sentences on results that are compared with each other.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    percent = f"{100 * BOOTSTRAP_LEVEL:g}"
    columns = ("target", "unit", "group", "member", "n", "metric", "value")
    bounds = (f"lower{percent}", f"upper{percent}")
    write_csv(folder / "metrics.csv", (*columns, *bounds), _rows(evaluation))
    with atomic_file(folder / "metrics.md") as file:
        file.write(markdown(evaluation, notes, compared).encode("utf-8", errors="replace"))


def _rows(e: Evaluation) -> Iterator[list[object]]:
    for target, (name, unit) in enumerate(zip(e.names, e.units)):
        metrics = [m for m in METRICS if name.lower() == AGE or m not in AGE_GAP]
        for part, (group, member) in enumerate(e.subgroups):
            count = int(e.counts[part, target])
            for metric in metrics:
                place = part, target, METRICS.index(metric)
                values = [float(v[place]) for v in (e.values, e.lower, e.upper)]
                yield [name, unit, group, member, count, metric, *values]
        for by, shares in e.by_size.get(name, {}).items():
            for part_name, share in shares.items():
                size = round(int(e.counts[0, target]) * float(np.ptp(PARTS_BY_SIZE[part_name])))
                yield [name, unit, f"size_by_{by}", part_name, size, "picp", float(share), "", ""]


def markdown(e: Evaluation, notes: Sequence[str] = (), compared: Sequence[str] = ()) -> str:
    """Return the tables as Markdown, with the settings and the definitions of the columns."""
    everyone = [(name, ALL, target) for target, name in enumerate(e.names)]
    parts = ["# Evaluation", " ".join((_settings(e), *map(markdown_text, notes)))]
    if compared:
        sentences = "\n".join(f"- {markdown_text(text)}" for text in compared)
        parts += ["## What is compared", COMPARISON, sentences]
    parts += ["## Agreement", _table(e, ("Target",), everyone, AGREEMENT)]
    uncertainty = [METRICS.index(metric) for metric in UNCERTAINTY]
    if np.isfinite(e.values[:, :, uncertainty]).any():
        parts += ["## Uncertainty", _table(e, ("Target",), everyone, UNCERTAINTY)]
    for name in e.names:
        if name.lower() == AGE:
            parts += ["## Age gap", _age_gap(e, name)]
    if e.by_size:
        parts += ["## Coverage by size", _BY_SIZE_TEXT, *size_tables(e)]
    for group in dict.fromkeys(group for group, _ in e.subgroups[1:]):
        members = [part for part in e.subgroups if part[0] == group]
        rows = [(n, part, target) for target, n in enumerate(e.names) for part in members]
        parts += [
            f"## By {markdown_text(group)}",
            _table(e, ("Target", group), rows, SUBGROUP_COLUMNS),
        ]
    parts += ["## Definitions", DEFINITIONS]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _settings(e: Evaluation) -> str:
    percent = f"{100 * e.level:g} %"
    source = "those of the predictions" if e.given else "Gaussian, from the predicted SD"
    text = f"{e.studies:,} studies of {e.persons:,} persons."
    text += f" Prediction intervals: {percent}, {source}."
    if e.resamples:
        text += (
            f" In brackets: {100 * BOOTSTRAP_LEVEL:g} % intervals of {e.resamples:,} bootstrap"
            f" resamples of persons (percentiles, seed {e.seed})."
        )
    if e.unevaluated:
        names = ", ".join(markdown_text(name) for name in e.unevaluated)
        text += f" Too few (under {MIN_STUDIES}) pairs of reference and prediction: {names}."
    return text


def _table(
    e: Evaluation,
    heads: Sequence[str],
    rows: Sequence[tuple[str, tuple[str, str], int]],
    metrics: Sequence[str],
) -> str:
    lines = []
    for name, subgroup, target in rows:
        part = e.subgroups.index(subgroup)
        unit = f" ({markdown_text(e.units[target])})" if e.units[target] else ""
        member = [markdown_text(subgroup[1])] if len(heads) > 1 else []
        values = [_value(e, part, target, metric) for metric in metrics]
        lines.append([markdown_text(name) + unit, *member, f"{e.counts[part, target]:,}", *values])
    columns = [*map(markdown_text, heads), "n", *(TITLES[metric] for metric in metrics)]
    return markdown_table(columns, lines, len(heads))


def _age_gap(e: Evaluation, name: str) -> str:
    target = e.names.index(name)
    rows = [
        [kind, *(_value(e, 0, target, f"{kind}_gap_{of}") for of in ("mae", "age_correlation"))]
        for kind in ("raw", "corrected")
    ]
    table = markdown_table(("Gap", "MAE (years)", "Correlation with age"), rows, 1)
    note = (
        "The corrected gap is the raw gap minus the line of gap on age, fitted without the fold"
        " that it corrects. It uses the true age, so it does not show how well age is predicted:"
        " see the raw gap's MAE, and the R² above."
    )
    return f"{table}\n\n{note}"


_BY_SIZE_TEXT = (
    "Share of references inside their intervals, in percent, for the smallest 5 %, each third and"
    " the largest 5 % of the studies: sorted by estimate, then by reference. Estimates of rare"
    " extremes are drawn towards the mean, so parts by reference are covered less at the ends."
)


def size_tables(e: Evaluation) -> Iterator[str]:
    """Yield the coverage of small and of large values as tables: by estimate, by reference."""
    titles = [name.replace("_percent", " %").replace("_", " ") for name in PARTS_BY_SIZE]
    for by in SORTED_BY:
        rows = [
            [
                markdown_text(name),
                *(f"{100 * float(share):.1f}" for share in of_target[by].values()),
            ]
            for name, of_target in e.by_size.items()
        ]
        yield markdown_table((f"by {by}", *titles), rows, 1)


def _value(e: Evaluation, part: int, target: int, metric: str) -> str:
    """Format a value and its interval, with the decimals that the interval's width supports."""
    place = part, target, METRICS.index(metric)
    value, low, high = (float(v[place]) for v in (e.values, e.lower, e.upper))
    if math.isnan(value):
        return "–"
    if not high > low:  # no interval, or one value in all resamples
        return f"{value:.4g}"
    texts = [rounded(v, (high - low) / 4) for v in (value, low, high)]
    return f"{texts[0]} [{texts[1]}, {texts[2]}]"


def rounded(value: float, se: float) -> str:
    """Format a value with the decimals that its standard error supports; zero has no sign."""
    text = number(value, se)
    return text if text.strip("-0.") else text.lstrip("-")
