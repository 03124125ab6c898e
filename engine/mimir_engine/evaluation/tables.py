"""An evaluation as tables: ``metrics.csv`` for programs, ``metrics.md`` for people and papers."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from mimir_engine.errors import printable
from mimir_engine.evaluation.evaluate import (
    AGE_GAP,
    AGREEMENT,
    ALL,
    BOOTSTRAP_LEVEL,
    FEWEST,
    METRICS,
    UNCERTAINTY,
    Evaluation,
)
from mimir_engine.evaluation.subgroups import AGE
from mimir_engine.files.atomic import whole_file
from mimir_engine.files.csv_writer import as_cell
from mimir_engine.measuring.display_text import number

#: Headings of the metrics in people's tables.
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

DEFINITIONS = """\
- **ICC(2,1)**: two-way random effects, absolute agreement, single measurement.
- **R²**: coefficient of determination, 1 − Σ(prediction − reference)² / Σ(reference − average)².
- **MAE**, **RMSE**: mean absolute and root mean squared error, in the target's unit.
- **MAPE**: mean absolute error relative to the reference, without references below 0.0001 in size.
- **Bias**: mean of prediction − reference. **Limits**: bias ± 1.96 SD of the differences.
- **Coverage**: share of references inside the prediction intervals (PICP).
- **Mean width**, **width / SD**: of these intervals, in the target's unit; over the references' SD.
- **AUCE**: area between coverage and nominal level (0, 0.01 … 1) of Gaussian intervals.
- **ENCE**: mean of |RMV − RMSE| / RMV over 10 bins of equal number by predicted SD. Above 0 also
  for perfect SDs: some 0.18 with 100 studies, 0.02 with 10,000.
- **CRPS**, **NLL**: of the predicted Gaussian; in the target's unit, and as natural logarithm.
- **AUSE**: area between the sparsification curve (MAE when the most uncertain share is removed) and
  that by true error, over the MAE of all; 0 is perfect.
- AUCE and ENCE add up the sizes of deviations, to which resampling adds its own: where they are
  near 0, their intervals lie too high and may leave out the value itself.
"""


def write_metrics(folder: Path, evaluation: Evaluation) -> None:
    """Write ``metrics.csv`` (tidy, in full precision) and ``metrics.md`` into a folder.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    with whole_file(folder / "metrics.csv") as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        percent = f"{100 * BOOTSTRAP_LEVEL:g}"
        head = ("target", "unit", "group", "member", "n", "metric", "value")
        writer.writerow([*head, f"lower{percent}", f"upper{percent}"])
        writer.writerows(_rows(evaluation))
        text.flush()
        text.detach()
    with whole_file(folder / "metrics.md") as file:
        file.write(markdown(evaluation).encode("utf-8", errors="replace"))


def _rows(e: Evaluation) -> Iterator[list[str]]:
    for target, (name, unit) in enumerate(zip(e.names, e.units)):
        gaps = name.lower() == AGE
        metrics = [m for m in METRICS if gaps or m not in AGE_GAP]
        for part, (group, member) in enumerate(e.subgroups):
            count = str(e.counts[part, target])
            texts = [as_cell(text) for text in (name, unit, group, member)]
            for metric in metrics:
                place = part, target, METRICS.index(metric)
                values = [float(v[place]) for v in (e.values, e.lower, e.upper)]
                yield [*texts, count, metric, *("" if math.isnan(v) else repr(v) for v in values)]


def markdown(e: Evaluation) -> str:
    """The tables for people, with what was done and what the columns mean."""
    everyone = [(name, ALL, target) for target, name in enumerate(e.names)]
    parts = ["# Evaluation", _what_was_done(e)]
    parts += ["## Agreement", _table(e, ("Target",), everyone, AGREEMENT)]
    parts += ["## Uncertainty", _table(e, ("Target",), everyone, UNCERTAINTY)]
    for name in e.names:
        if name.lower() == AGE:
            parts += ["## Age gap", _age_gap(e, name)]
    for group in dict.fromkeys(group for group, _ in e.subgroups[1:]):
        members = [part for part in e.subgroups if part[0] == group]
        rows = [(n, part, target) for target, n in enumerate(e.names) for part in members]
        parts += [f"## By {_cell(group)}", _table(e, ("Target", group), rows, SUBGROUP_COLUMNS)]
    parts += ["## What the columns mean", DEFINITIONS]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _what_was_done(e: Evaluation) -> str:
    percent = f"{100 * e.level:g} %"
    source = "as they came with the predictions" if e.given else "Gaussian, from the predicted SD"
    told = f"{e.studies:,} studies of {e.persons:,} persons."
    told += f" Prediction intervals: {percent}, {source}."
    if e.resamples:
        told += (
            f" In brackets: {100 * BOOTSTRAP_LEVEL:g} % intervals of {e.resamples:,} bootstrap"
            f" resamples of persons (percentiles, seed {e.seed})."
        )
    if e.unjudged:
        names = ", ".join(_cell(name) for name in e.unjudged)
        told += f" Too few (under {FEWEST}) pairs of reference and prediction: {names}."
    return told


def _table(
    e: Evaluation,
    heads: Sequence[str],
    rows: Sequence[tuple[str, tuple[str, str], int]],
    metrics: Sequence[str],
) -> str:
    lines = [
        [*(_cell(head) for head in heads), "n", *(TITLES[metric] for metric in metrics)],
        [*("---" for _ in heads), *("---:" for _ in ("n", *metrics))],
    ]
    for name, subgroup, target in rows:
        part = e.subgroups.index(subgroup)
        unit = f" ({_cell(e.units[target])})" if e.units[target] else ""
        member = [_cell(subgroup[1])] if len(heads) > 1 else []
        values = [_value(e, (part, target, METRICS.index(metric))) for metric in metrics]
        lines.append([_cell(name) + unit, *member, f"{e.counts[part, target]:,}", *values])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _age_gap(e: Evaluation, name: str) -> str:
    target = e.names.index(name)
    lines = ["| Gap | MAE (years) | Correlation with age |", "| --- | ---: | ---: |"]
    for kind in ("raw", "corrected"):
        metrics = (f"{kind}_gap_mae", f"{kind}_gap_age_correlation")
        values = [_value(e, (0, target, METRICS.index(metric))) for metric in metrics]
        lines.append(f"| {kind} | {values[0]} | {values[1]} |")
    note = (
        "The corrected gap lacks the line of gap on age, fitted without the fold that it corrects."
        " It uses the true age, so it says nothing of how well age is predicted: that is the raw"
        " gap's MAE, and the R² above."
    )
    return "\n".join(lines) + f"\n\n{note}"


def _value(e: Evaluation, place: tuple[int, int, int]) -> str:
    """A value with as many decimals as its interval gives sense to, and that interval."""
    value, low, high = (float(v[place]) for v in (e.values, e.lower, e.upper))
    if math.isnan(value):
        return "–"
    if not high > low:  # no interval, or one value in all resamples
        return f"{value:.4g}"
    said, first, last = (rounded(v, (high - low) / 4) for v in (value, low, high))
    return f"{said} [{first}, {last}]"


def rounded(value: float, se: float) -> str:
    """As many decimals as the standard error gives sense to; zero has no sign."""
    text = number(value, se)
    return text if text.strip("-0.") else text.lstrip("-")


def _cell(text: str) -> str:
    """A name from outside within a Markdown table."""
    return printable(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
