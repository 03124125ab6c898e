"""Draw the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from measured_cohort import CURVE, MeasuredCohort
from tables import coverage
from trials import Outcome

from mimir_engine.evaluation.plot_style import ESTIMATE, QUIET, TRUTH, WARNING
from mimir_engine.measuring.display_text import words
from mimir_engine.measuring.interval_level import DEFAULT_LEVEL

#: Colours of the cohorts, in their order.
COLOURS = (ESTIMATE, QUIET, TRUTH, WARNING, "#6a51a3")
MARKERS = ("o", "s", "D", "^", "v")
TITLES = {"folds": "Networks of the folds (ResNet18)", "shipped": "Shipped module (ResNet50)"}
DOTS_PER_INCH = 130


def draw_curves(path: Path, by_networks: Mapping[str, MeasuredCohort]) -> None:
    """Draw coverage minus level over the level, one line per target."""
    figure, axes = _panels(len(by_networks), 3.6)
    for axis, (networks, fresh) in zip(axes, by_networks.items()):
        count = len(fresh.predictions)
        levels = np.array(CURVE)
        chance = 100 * 1.96 * np.sqrt(levels * (1 - levels) / count)
        axis.fill_between(levels, -chance, chance, color="#e4eaf0", linewidth=0)
        axis.axhline(0, color=QUIET, linewidth=0.8)
        for target, curve in enumerate(fresh.curve()):
            if not np.isnan(fresh.lower[..., target]).any():
                axis.plot(levels, 100 * (curve - levels), color=ESTIMATE, linewidth=1, alpha=0.7)
        axis.set(ylim=(-5, 5), xlim=(0, 1), xlabel="Level of the intervals")
        axis.set_title(TITLES[networks], fontsize=10, loc="left")
        axis.text(0.02, -4.7, f"band: chance among {count:,} phantoms", fontsize=7, color=QUIET)
    axes[0].set_ylabel("Coverage − level, percentage points")
    _save(figure, path)


def draw_shifts(path: Path, by_networks: Mapping[str, Mapping[str, MeasuredCohort]]) -> None:
    """Draw the coverage of the 95 % intervals of each target in each cohort."""
    figure, axes = _panels(len(by_networks), 4.2)
    for axis, (networks, cohorts) in zip(axes, by_networks.items()):
        names = cohorts["fresh"].predictions.names
        shown = [i for i in range(len(names)) if np.isfinite(coverage(cohorts["fresh"])[i])]
        axis.axvline(100 * DEFAULT_LEVEL, color=QUIET, linewidth=0.8)
        for place, (name, cohort) in enumerate(cohorts.items()):
            axis.plot(
                100 * coverage(cohort)[shown],
                np.arange(len(shown)) + 0.14 * (place - 2),
                MARKERS[place],
                color=COLOURS[place],
                markersize=5,
                label=name,
                clip_on=False,
            )
        axis.set_yticks(range(len(shown)), [words(names[i], capital=True) for i in shown])
        axis.invert_yaxis()
        axis.grid(axis="y", color="#e4eaf0", linewidth=0.8)
        axis.set(xlim=(0, 100), xlabel="Coverage of 95 % intervals, %")
        axis.set_title(TITLES[networks], fontsize=10, loc="left")
    for axis in axes[1:]:
        axis.set_yticklabels([])
    axes[-1].legend(fontsize=8, frameon=False, loc="lower left")
    _save(figure, path)


def draw_trials(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Draw the CRPS added without each part, with its interval and its seeds."""
    figure, (axis,) = _panels(1, 2.6)
    axis.axvline(0, color=QUIET, linewidth=0.8)
    for place, outcome in enumerate(outcomes):
        share = 100 / outcome.crps
        ends = np.array([outcome.lower, outcome.upper]) * share
        axis.plot(ends, [place, place], color=ESTIMATE, linewidth=2)
        axis.plot(np.mean(outcome.added) * share, place, "o", color=ESTIMATE, markersize=6)
        seeds = np.array(outcome.added) * share
        axis.plot(seeds, np.full(len(seeds), place + 0.25), "|", color=TRUTH, markersize=6)
    labels = [f"{o.trial.part}\n(instead: {o.trial.instead})" for o in outcomes]
    axis.set_yticks(range(len(outcomes)), labels, fontsize=8)
    axis.set_ylim(len(outcomes) - 0.4, -0.6)
    axis.set_xlabel("CRPS added without it, % (bars: 95 % interval; strokes: seeds)", fontsize=8)
    _save(figure, path)


def _panels(count: int, height: float) -> tuple[Any, list[Any]]:
    figure = Figure(figsize=(9.0, height), dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, count, squeeze=False).ravel().tolist()
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
    return figure, axes


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
