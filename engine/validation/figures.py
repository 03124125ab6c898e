"""Draw the results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from measured_cohort import CURVE, MeasuredCohort
from scan_check_tables import LIVER_FAT, Case, by, covered_shares, is_found
from trials import Outcome

from mimir_engine.evaluation.plot_style import ESTIMATE, QUIET, TRUTH, WARNING
from mimir_engine.measuring.interval_level import DEFAULT_LEVEL

DOTS_PER_INCH = 130


def draw_curves(path: Path, fresh: MeasuredCohort) -> None:
    """Draw coverage minus level over the level, one line per target."""
    figure, (axis,) = _panels(1, 3.6)
    count = len(fresh.predictions)
    levels = np.array(CURVE)
    chance = 100 * 1.96 * np.sqrt(levels * (1 - levels) / count)
    axis.fill_between(levels, -chance, chance, color="#e4eaf0", linewidth=0)
    axis.axhline(0, color=QUIET, linewidth=0.8)
    for target, curve in enumerate(fresh.curve()):
        if not np.isnan(fresh.lower[..., target]).any():
            axis.plot(levels, 100 * (curve - levels), color=ESTIMATE, linewidth=1, alpha=0.7)
    axis.set(ylim=(-7, 7), xlim=(0, 1), xlabel="Level of the intervals")
    axis.text(0.02, -6.6, f"band: chance among {count:,} phantoms", fontsize=7, color=QUIET)
    axis.set_ylabel("Coverage − level, percentage points")
    _save(figure, path)


def draw_changes(path: Path, cases: Sequence[Case]) -> None:
    """Draw the coverage of 95 % intervals with each change, one mark per target."""
    by_change = {name: own for name, own in by(cases, "change").items() if covered_shares(own)}
    figure, (axis,) = _panels(1, 4.6)
    axis.axvline(100 * DEFAULT_LEVEL, color=QUIET, linewidth=0.8)
    names = []
    for place, (change, own) in enumerate(by_change.items()):
        shares = covered_shares(own)
        names.append(change.replace("none", "no change"))
        others = [100 * share for name, share in shares.items() if name != LIVER_FAT]
        axis.plot(others, np.full(len(others), place), "o", color=ESTIMATE, markersize=5, alpha=0.5)
        axis.plot(100 * shares[LIVER_FAT], place, "D", color=WARNING, markersize=6)
        axis.text(
            101.5, place, f"{np.mean([is_found(c) for c in own]):.0%}", fontsize=8, va="center"
        )
    axis.text(101.5, -0.9, "found", fontsize=8, color=QUIET)
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    axis.grid(axis="y", color="#e4eaf0", linewidth=0.8)
    axis.set(xlim=(0, 101), xlabel="Coverage of 95 % intervals, % (diamond: liver fat)")
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
