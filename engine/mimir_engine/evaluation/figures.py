"""Figures for a paper: agreement, Bland–Altman, calibration and sparsification.

Needs matplotlib; the command line imports this file when figures are asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mimir_engine.errors import printable
from mimir_engine.evaluation.agreement import LIMITS_SD
from mimir_engine.evaluation.evaluate import FEWEST, Evaluation
from mimir_engine.evaluation.plot_style import BANDS, ESTIMATE, QUIET, TRUTH
from mimir_engine.evaluation.predictions import Predictions
from mimir_engine.evaluation.rounding import is_rounding
from mimir_engine.evaluation.sparsification import REMOVED, sparsification_curve
from mimir_engine.evaluation.tables import rounded
from mimir_engine.evaluation.uncertainty import LEVELS, coverage_curve, gaussian_quantiles
from mimir_engine.files.atomic import plain_file_name, whole_file
from mimir_engine.measuring.display_text import words

#: Studies drawn as points, at the most; of more, so many are chosen at random.
MOST_POINTS = 4000
#: Panels of a sheet: a page of a paper, upright, panels in inches.
COLUMNS, ROWS, PANEL = 4, 6, 1.9
#: Side of a panel of one target's own page, in inches.
LARGE = 3.4
DOTS_PER_INCH = 200
#: Sizes of text in points.
FONT = {"title": 9, "axis": 8, "tick": 7, "note": 7}


@dataclass(frozen=True, eq=False)
class _Target:
    """One target's studies that have reference and prediction, and its metrics."""

    name: str
    unit: str
    reference: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    level: float
    metrics: Callable[[str], float]

    @property
    def has_sd(self) -> bool:
        """Whether there is an uncertainty to be looked at."""
        return int(np.isfinite(self.sd).sum()) >= FEWEST

    @property
    def points(self) -> np.ndarray:
        """Which studies are drawn."""
        count = len(self.reference)
        if count <= MOST_POINTS:
            return np.arange(count)
        return np.random.default_rng(0).choice(count, MOST_POINTS, replace=False)

    def label(self, text: str) -> str:
        return f"{text} ({self.unit})" if self.unit else text


def draw_evaluation(
    folder: Path,
    predictions: Predictions,
    evaluation: Evaluation,
    kind: str = "png",
    listener: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Draw a page for each target and sheets of small panels for all of them.

    Args:
        folder: Where to; files are ``agreement-1.png`` … and ``targets/01-<name>.png``.
        predictions: What was judged.
        evaluation: Its metrics.
        kind: ``png``, ``pdf`` or ``svg``.
        listener: Told of progress: files written, and all of them.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    targets = list(_targets(predictions, evaluation))
    with_sd = [target for target in targets if target.has_sd]
    figures: list[tuple[Path, Callable[[], Any]]] = []
    for name, draw in PANELS.items():
        chosen = with_sd if draw in NEED_SD else targets
        for page, start in enumerate(range(0, len(chosen), COLUMNS * ROWS), start=1):
            shown = chosen[start : start + COLUMNS * ROWS]
            figures.append((folder / f"{name}-{page}.{kind}", partial(_sheet, draw, shown)))
    for place, target in enumerate(targets, start=1):
        file_name = f"{place:02d}-{plain_file_name(target.name)[:60]}.{kind}"
        figures.append((folder / "targets" / file_name, partial(_page, target)))
    for done, (path, make) in enumerate(figures, start=1):
        _save(path, make(), kind)
        listener(done, len(figures))


def _targets(p: Predictions, e: Evaluation) -> Iterator[_Target]:
    for i, name in enumerate(p.names):
        known = np.isfinite(p.reference[:, i]) & np.isfinite(p.mean[:, i])
        if known.sum() >= FEWEST:
            reference, mean, sd = (values[known, i] for values in (p.reference, p.mean, p.sd))
            metrics = _metrics_of(e, name)
            yield _Target(name, _plain(p.units[i]), reference, mean, sd, e.level, metrics)


def _metrics_of(evaluation: Evaluation, name: str) -> Callable[[str], float]:
    return lambda metric: evaluation.value(name, metric)


# --- pages ---


def _page(target: _Target) -> Any:
    """All four panels of one target."""
    figure, axes = _figure(2, 2, LARGE)
    for axis, draw in zip(axes, PANELS.values()):
        if draw in NEED_SD and not target.has_sd:
            axis.set_axis_off()
        else:
            draw(axis, target, True)
    figure.suptitle(_title(target), fontsize=12, weight="bold", x=0.02, ha="left")
    return figure


def _sheet(draw: Callable[[Any, _Target, bool], None], targets: list[_Target]) -> Any:
    """One kind of panel for many targets."""
    columns = min(COLUMNS, len(targets))
    figure, axes = _figure(math.ceil(len(targets) / columns), columns, PANEL)
    for place, (axis, target) in enumerate(zip(axes, targets)):
        draw(axis, target, place == 0)
        title = _title(target)
        size = min(FONT["title"], FONT["title"] * 18 / len(title))
        axis.set_title(title, fontsize=size, weight="bold", loc="left", pad=3)
    for axis in axes[len(targets) :]:
        axis.set_axis_off()
    return figure


def _title(target: _Target) -> str:
    return _plain(words(target.name, capital=True))[:40]


def _figure(rows: int, columns: int, side: float) -> tuple[Any, list[Any]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(columns * side, rows * side), dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=FONT["tick"], width=0.6, length=2.5)
    return figure, axes


def _save(path: Path, figure: Any, kind: str) -> None:
    # Without the time of writing, the same predictions make the same file.
    metadata = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}[kind]
    with whole_file(path) as file:
        figure.savefig(file, format=kind, metadata=metadata)


# --- panels ---


def _agreement(axis: Any, target: _Target, explained: bool) -> None:
    """Prediction over reference, with the line of identity."""
    both = np.concatenate((target.reference, target.mean))
    low, high = float(both.min()), float(both.max())
    margin = 1.0 if is_rounding(high - low, both) else 0.04 * (high - low)
    ends = (low - margin, high + margin)
    axis.plot(ends, ends, color=QUIET, linewidth=0.8, zorder=1)
    _points(axis, target, target.reference, target.mean, explained)
    axis.set(xlim=ends, ylim=ends, aspect="equal")
    axis.locator_params(nbins=4)
    _labels(axis, target.label("Reference"), target.label("Prediction"))
    mae = rounded(target.metrics("mae"), target.metrics("mae") / 10)
    _note(
        axis,
        [
            f"ICC {target.metrics('icc'):.3f}",
            f"R² {target.metrics('r2'):.3f}",
            f"MAE {mae} {target.unit}",
        ],
    )


def _bland_altman(axis: Any, target: _Target, explained: bool) -> None:
    """Difference over the average of both, with bias and 95 % limits of agreement."""
    difference = target.mean - target.reference
    _points(axis, target, (target.mean + target.reference) / 2, difference, explained)
    bias = target.metrics("bias")
    limits = [target.metrics("loa_lower"), target.metrics("loa_upper")]
    sd = (limits[1] - limits[0]) / (2 * LIMITS_SD)
    axis.axhline(0, color=QUIET, linewidth=0.8, zorder=1)
    for value, style in ((bias, "-"), (limits[0], "--"), (limits[1], "--")):
        axis.axhline(value, color=TRUTH, linewidth=1.2, linestyle=style, zorder=3)
    reach = 1.05 * max(float(np.abs(difference).max()), *(abs(limit) for limit in limits))
    if is_rounding(difference, target.reference):
        reach = 1.0
    axis.set_ylim(-reach, 1.35 * reach)
    axis.locator_params(nbins=4)
    _labels(axis, target.label("Average of both"), target.label("Prediction − reference"))
    texts = [rounded(value, sd / 10) for value in (bias, *limits)]
    _note(axis, [f"bias {texts[0]} {target.unit}", f"limits {texts[1]} to {texts[2]}"])


def _calibration(axis: Any, target: _Target, explained: bool) -> None:
    """Share of references inside intervals, over the level of these."""
    axis.plot((0, 1), (0, 1), color=QUIET, linewidth=0.8, zorder=1)
    has = np.isfinite(target.sd)
    axis.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axis.set_xticks((0, 0.5, 1))
    axis.set_yticks((0, 0.5, 1))
    _labels(axis, "Nominal level", "Coverage")
    score = np.abs(target.reference - target.mean)[has] / target.sd[has]
    curve = coverage_curve(score, gaussian_quantiles())
    axis.fill_between(LEVELS, LEVELS, curve, color=BANDS[1][2], linewidth=0, zorder=1)
    axis.plot(LEVELS, curve, color=ESTIMATE, linewidth=1.5, zorder=2)
    notes = [f"AUCE {target.metrics('auce'):.3f}"]
    picp = target.metrics("picp")
    if not math.isnan(picp):
        axis.plot(target.level, picp, "o", color=TRUTH, markersize=4, zorder=3, clip_on=False)
        notes.append(f"{100 * target.level:g} % intervals: {100 * picp:.1f} %")
    _note(axis, notes)


def _sparsification(axis: Any, target: _Target, explained: bool) -> None:
    """Error of what is left when the most uncertain are removed, beside the best possible."""
    has = np.isfinite(target.sd)
    axis.set(xlim=(0, 1), ylim=(0, 1.3))
    axis.set_xticks((0, 0.5, 1))
    axis.set_yticks((0, 0.5, 1))
    _labels(axis, "Share removed", "MAE of the rest / MAE")
    axis.axhline(1, color=QUIET, linewidth=0.8, zorder=1)
    error = np.abs(target.mean - target.reference)[has]
    if is_rounding(error, target.reference[has]):
        return
    by_sd, by_error = (
        sparsification_curve(error, key) / error.mean() for key in (target.sd[has], error)
    )
    axis.fill_between(REMOVED, by_error, by_sd, color=BANDS[0][2], linewidth=0, zorder=1)
    axis.plot(REMOVED, by_sd, color=ESTIMATE, linewidth=1.5, zorder=3, label="by predicted SD")
    axis.plot(
        REMOVED,
        by_error,
        color=TRUTH,
        linewidth=1.2,
        linestyle="--",
        zorder=2,
        label="by true error",
    )
    if explained:
        axis.legend(loc="lower left", fontsize=6, frameon=False)
    axis.set_ylim(0, max(1.3, 1.25 * float(by_sd.max())))
    _note(axis, [f"AUSE {target.metrics('ause'):.3f}"])


def _points(axis: Any, target: _Target, x: np.ndarray, y: np.ndarray, explained: bool) -> None:
    shown = target.points
    axis.plot(
        x[shown],
        y[shown],
        "o",
        color=ESTIMATE,
        markersize=1.8,
        alpha=min(0.8, max(0.12, 30 / math.sqrt(len(shown)) / 4)),
        markeredgewidth=0,
        rasterized=True,  # thousands of points would make a vector file slow to open
        zorder=2,
    )
    if explained and len(shown) < len(x):
        text = f"{len(shown):,} of {len(x):,} studies drawn"
        axis.text(0.98, 0.02, text, transform=axis.transAxes, fontsize=6, color=QUIET, ha="right")


def _labels(axis: Any, x: str, y: str) -> None:
    axis.set_xlabel(x, fontsize=FONT["axis"], labelpad=2)
    axis.set_ylabel(y, fontsize=FONT["axis"], labelpad=2)


def _note(axis: Any, lines: list[str]) -> None:
    """The numbers of a panel, in its upper left corner."""
    axis.text(
        0.04,
        0.97,
        "\n".join(line.rstrip() for line in lines),
        transform=axis.transAxes,
        fontsize=FONT["note"],
        va="top",
        linespacing=1.25,
        zorder=5,
        bbox={"boxstyle": "square,pad=0.15", "color": "white", "alpha": 0.75, "linewidth": 0},
    )


def _plain(text: str) -> str:
    """A name from outside as text that is no formula to matplotlib."""
    return printable(text).replace("$", r"\$")


#: The panels by the name of their sheet's files, in the order of a target's page.
PANELS: dict[str, Callable[[Any, _Target, bool], None]] = {
    "agreement": _agreement,
    "bland-altman": _bland_altman,
    "calibration": _calibration,
    "sparsification": _sparsification,
}
#: Those that make no sense without predicted SDs.
NEED_SD = (_calibration, _sparsification)
