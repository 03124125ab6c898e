"""Format the results as Markdown tables."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from measured_cohort import CURVE, MeasuredCohort
from trials import Outcome

import mimir_engine
from mimir_engine.evaluation.evaluate import METRICS, Evaluation, evaluate
from mimir_engine.evaluation.tables import size_tables
from mimir_engine.evaluation.uncertainty import auce
from mimir_engine.files.markdown_table import markdown_table
from mimir_engine.measuring.interval_level import DEFAULT_LEVEL

#: Heading of the tables of each kind of networks.
NETWORKS = {
    "folds": "Cross-validation networks: **ResNet18**, not ResNet50 as in the included module."
    " Each phantom is measured by one of them.",
    "shipped": "The included module `phantom`: **ResNet50**, weights in 8 bits.",
}
SHORT_NAMES = {
    "folds": "cross-validation (**ResNet18**)",
    "shipped": "included module (**ResNet50**)",
}


def section(page: str, title: str) -> str:
    """Extract one section of a page written by `mimir evaluate`."""
    return page.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0].strip()


def of_folds(table: str) -> str:
    """Add the description of its networks to a table of the cross-validation."""
    return f"{NETWORKS['folds']}\n\n{table}"


def trial_table(outcomes: Sequence[Outcome], phantoms: int) -> str:
    """Compare each part of the recipes with its alternative."""
    rows = [
        (
            outcome.trial.part,
            outcome.trial.instead,
            f"{outcome.crps:.4f}",
            f"{np.mean(outcome.added):+.4f} [{outcome.lower:+.4f}, {outcome.upper:+.4f}]",
            ", ".join(f"{added:+.4f}" for added in outcome.added),
            f"{outcome.r2:.3f}, {outcome.r2_without:.3f}",
        )
        for outcome in outcomes
    ]
    head = (
        *("part", "alternative", "CRPS with the part", "increase without it"),
        *("increase for each seed", "R² with, without"),
    )
    return f"ResNet18; evaluated on {phantoms:,} phantoms.\n\n{markdown_table(head, rows, 1)}"


def fresh_table(networks: str, fresh: MeasuredCohort, resamples: int) -> str:
    """Format accuracy, coverage and calibration of each target."""
    found = evaluate(fresh.predictions, fresh.predictions.groups, resamples=resamples)
    areas = area(fresh)
    rows = []
    for place, (name, unit) in enumerate(zip(found.names, found.units)):
        is_class = np.isnan(areas[place])
        rows.append(
            (
                f"{name} ({unit})" if unit else name,
                f"{found.value(name, 'r2'):.3f}",
                f"{found.value(name, 'mae'):.3g}",
                "no interval" if is_class else _with_interval(found, name, "picp"),
                *(
                    "–" if is_class else _percent(found.value(name, "picp", ("sex", sex)))
                    for sex in ("female", "male")
                ),
                "–" if is_class else f"{found.value(name, 'relative_width'):.2f}",
                "–" if is_class else f"{areas[place]:.4f}",
            )
        )
    head = ("target", "R²", "MAE", "coverage, %", "women", "men", "width / SD", "AUCE")
    phantoms = f"{len(fresh.predictions):,} fresh phantoms"
    return f"{NETWORKS[networks]} {phantoms}.\n\n{markdown_table(head, rows, 1)}"


def summary(by_networks: Mapping[str, MeasuredCohort]) -> str:
    """Summarise the required figures over the targets that have intervals."""
    rows = []
    for networks, fresh in by_networks.items():
        covered, areas = 100 * coverage(fresh), area(fresh)
        rows.append(
            (
                SHORT_NAMES[networks],
                f"{np.nanmin(covered):.1f} to {np.nanmax(covered):.1f}",
                f"{np.nanmax(areas):.4f}",
                f"{np.nanmedian(areas):.4f}",
            )
        )
    rows.append(("*criterion*", "*93 to 97*", "*at most 0.02*", "*at most 0.01*"))
    return markdown_table(
        ("networks", "coverage of 95 % intervals, %", "largest AUCE", "median AUCE"), rows, 1
    )


def shift_table(cohorts: Mapping[str, MeasuredCohort]) -> str:
    """Format the coverage of each target in each cohort of the folds' networks, and the growth of
    its errors.
    """
    covered = {name: 100 * coverage(cohort) for name, cohort in cohorts.items()}
    errors = {name: _mean_errors(cohort) for name, cohort in cohorts.items()}
    rows = []
    for place, target in enumerate(cohorts["fresh"].predictions.names):
        if np.isnan(covered["fresh"][place]):
            continue
        cells = [f"{covered['fresh'][place]:.1f}"]
        for name in list(cohorts)[1:]:
            times = errors[name][place] / errors["fresh"][place]
            cells.append(f"{covered[name][place]:.1f} (× {times:.1f})")
        rows.append((target, *cells))
    heads = (f"{name} ({len(cohort.predictions):,})" for name, cohort in cohorts.items())
    return of_folds(markdown_table(("target", *heads), rows, 1))


def size_table(cohort: MeasuredCohort) -> str:
    """Format the coverage of small and of large values."""
    return "\n\n".join(size_tables(evaluate(cohort.predictions, resamples=0)))


def coverage(cohort: MeasuredCohort) -> np.ndarray:
    """Compute the coverage at the default level, float64 ``(targets,)``; NaN for a class."""
    return cohort.curve()[:, CURVE.index(DEFAULT_LEVEL)] + _nan_of_classes(cohort)


def area(cohort: MeasuredCohort) -> np.ndarray:
    """Compute the AUCE of the conformal intervals, float64 ``(targets,)``; NaN for a class."""
    return auce(cohort.curve(), CURVE) + _nan_of_classes(cohort)


def made_with() -> str:
    """Format the versions that the last digits depend on."""
    return (
        f"MIMIR {mimir_engine.__version__}, Python {platform.python_version()},"
        f" PyTorch {torch.__version__.split('+')[0]}, NumPy {np.__version__}"
    )


def _nan_of_classes(cohort: MeasuredCohort) -> np.ndarray:
    return np.where(np.isnan(cohort.lower).any(axis=(0, 1)), np.nan, 0.0)


def _mean_errors(cohort: MeasuredCohort) -> np.ndarray:
    p = cohort.predictions
    return np.asarray(np.abs(p.mean - p.reference).mean(axis=0))


def _with_interval(found: Evaluation, name: str, metric: str) -> str:
    place = 0, found.names.index(name), METRICS.index(metric)
    low, high = found.lower[place], found.upper[place]
    return f"{_percent(found.value(name, metric))} [{_percent(low)}, {_percent(high)}]"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
