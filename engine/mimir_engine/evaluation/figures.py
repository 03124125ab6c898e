"""Draw figures for a paper: agreement, Bland–Altman, calibration and sparsification.

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
from mimir_engine.evaluation.compared_pairs import VERSUS
from mimir_engine.evaluation.evaluate import MIN_STUDIES, Evaluation
from mimir_engine.evaluation.plot_style import BANDS, ESTIMATE, PAPER, QUIET, TRUTH, save_figure
from mimir_engine.evaluation.predictions import Predictions
from mimir_engine.evaluation.rounding import is_rounding
from mimir_engine.evaluation.sparsification import REMOVED, sparsification_curve
from mimir_engine.evaluation.tables import rounded
from mimir_engine.evaluation.uncertainty import LEVELS, coverage_curve
from mimir_engine.files.file_names import safe_file_name
from mimir_engine.measuring.display_text import words

#: Studies drawn as points; of more, a random selection is drawn.
MAX_POINTS = 4000
#: Panels of a sheet: a page of a paper, upright; side of a panel in inches.
COLUMNS, ROWS, PANEL = 4, 6, 1.9
#: Characters of a line of a title.
MAX_TITLE = 40
#: Side of a panel of one target's own page, in inches.
LARGE = 3.4
#: Style of lines for orientation, such as the identity.
GUIDE = {"color": QUIET, "linewidth": 0.8, "zorder": 1}


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
    sides: tuple[str, str]

    @property
    def title(self) -> str:
        """The name in words; names of two results that are compared on lines of their own."""
        one, *other = self.name.split(VERSUS)
        lines = (one, f"vs {other[0]}") if other else (words(self.name, capital=True),)
        return "\n".join(_literal(line)[:MAX_TITLE] for line in lines)

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
        folder: Output folder; files are ``agreement-1.png`` … and ``targets/01-<name>.png``.
        predictions: The predictions that were evaluated.
        evaluation: Their metrics.
        kind: ``png``, ``pdf`` or ``svg``.
        listener: Called with the number of files written, and of all files.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    from matplotlib import rc_context

    targets = list(_targets(predictions, evaluation))
    figures: list[tuple[Path, Callable[[], Any]]] = []
    for name, draw in PANELS.items():
        chosen = [target for target in targets if _can_draw(draw, target)]
        for page, start in enumerate(range(0, len(chosen), COLUMNS * ROWS), start=1):
            shown = chosen[start : start + COLUMNS * ROWS]
            figures.append((folder / f"{name}-{page}.{kind}", partial(_sheet, draw, shown)))
    for place, target in enumerate(targets, start=1):
        file_name = f"{place:02d}-{safe_file_name(target.name)}.{kind}"
        figures.append((folder / "targets" / file_name, partial(_page, target)))
    with rc_context(PAPER):
        for done, (path, make) in enumerate(figures, start=1):
            save_figure(path, make(), kind)
            listener(done, len(figures))


def _targets(p: Predictions, e: Evaluation) -> Iterator[_Target]:
    for i, name in enumerate(p.names):
        known = np.isfinite(p.reference[:, i]) & np.isfinite(p.mean[:, i])
        if known.sum() >= MIN_STUDIES:
            reference, mean, sd = (values[known, i] for values in (p.reference, p.mean, p.sd))
            unit, metrics = _literal(p.units[i]), partial(e.value, name)
            sides = p.sides[i] if p.sides else ("Prediction", "Reference")
            yield _Target(name, unit, reference, mean, sd, e.level, metrics, sides)


def _can_draw(draw: object, target: _Target) -> bool:
    return draw not in NEED_SD or int(np.isfinite(target.sd).sum()) >= MIN_STUDIES


def _page(target: _Target) -> Any:
    """Draw all four panels of one target."""
    figure, axes = _figure(2, 2, LARGE)
    for axis, draw in zip(axes, PANELS.values()):
        if _can_draw(draw, target):
            draw(axis, target, True)
        else:
            axis.set_axis_off()
    figure.suptitle(target.title, fontsize=12, weight="bold", x=0.02, ha="left")
    return figure


def _sheet(draw: Callable[[Any, _Target, bool], None], targets: list[_Target]) -> Any:
    """Draw one kind of panel for many targets."""
    columns = min(COLUMNS, len(targets))
    figure, axes = _figure(math.ceil(len(targets) / columns), columns, PANEL)
    for place, (axis, target) in enumerate(zip(axes, targets)):
        draw(axis, target, place == 0)
        longest = max(map(len, target.title.split("\n")))
        axis.set_title(target.title, fontsize=9 * min(1, 18 / longest))
    for axis in axes[len(targets) :]:
        axis.set_axis_off()
    return figure


def _figure(rows: int, columns: int, side: float) -> tuple[Any, list[Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(columns * side, rows * side))
    return figure, figure.subplots(rows, columns, squeeze=False).ravel().tolist()


def _agreement(axis: Any, target: _Target, explained: bool) -> None:
    """Draw prediction over reference, with the line of identity."""
    both = np.concatenate((target.reference, target.mean))
    low, high = float(both.min()), float(both.max())
    margin = 1.0 if is_rounding(high - low, both) else 0.04 * (high - low)
    ends = (low - margin, high + margin)
    axis.plot(ends, ends, **GUIDE)
    _points(axis, target.reference, target.mean, explained)
    axis.set(xlim=ends, ylim=ends, aspect="equal")
    axis.locator_params(nbins=4)
    prediction, reference = target.sides
    axis.set(xlabel=target.label(reference), ylabel=target.label(prediction))
    icc, r2, mae = map(target.metrics, ("icc", "r2", "mae"))
    _note(axis, f"ICC {icc:.3f}", f"R² {r2:.3f}", f"MAE {rounded(mae, mae / 10)} {target.unit}")


def _bland_altman(axis: Any, target: _Target, explained: bool) -> None:
    """Draw difference over average, with bias and 95 % limits of agreement."""
    difference = target.mean - target.reference
    _points(axis, (target.mean + target.reference) / 2, difference, explained)
    bias, *limits = map(target.metrics, ("bias", "loa_lower", "loa_upper"))
    axis.axhline(0, **GUIDE)
    for value, style in ((bias, "-"), (limits[0], "--"), (limits[1], "--")):
        axis.axhline(value, color=TRUTH, linewidth=1.2, linestyle=style, zorder=3)
    reach = 1.05 * max(float(np.abs(difference).max()), *(abs(limit) for limit in limits))
    if is_rounding(difference, target.reference):
        reach = 1.0
    axis.set_ylim(-reach, 1.35 * reach)
    axis.locator_params(nbins=4)
    prediction, reference = target.sides
    difference_of = f"{prediction} − {reference.lower()}"
    axis.set(xlabel=target.label("Average of both"), ylabel=target.label(difference_of))
    sd = (limits[1] - limits[0]) / (2 * LIMITS_SD)
    texts = [rounded(value, sd / 10) for value in (bias, *limits)]
    _note(axis, f"bias {texts[0]} {target.unit}", f"limits {texts[1]} to {texts[2]}")


def _calibration(axis: Any, target: _Target, explained: bool) -> None:
    """Draw the share of references inside intervals over the level of these."""
    axis.plot((0, 1), (0, 1), **GUIDE)
    axis.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    axis.set(xlabel="Nominal level", ylabel="Coverage")
    has = np.isfinite(target.sd)
    score = np.abs(target.reference - target.mean)[has] / target.sd[has]
    curve = coverage_curve(score)
    axis.fill_between(LEVELS, LEVELS, curve, color=BANDS[1][2], linewidth=0, zorder=1)
    axis.plot(LEVELS, curve, color=ESTIMATE, linewidth=1.5, zorder=2)
    notes = [f"AUCE {target.metrics('auce'):.3f}"]
    picp = target.metrics("picp")
    if not math.isnan(picp):
        axis.plot(target.level, picp, "o", color=TRUTH, markersize=4, zorder=3, clip_on=False)
        notes.append(f"{100 * target.level:g} % intervals: {100 * picp:.1f} %")
    _note(axis, *notes)


def _sparsification(axis: Any, target: _Target, explained: bool) -> None:
    """Draw the error left when the most uncertain are removed, and the best possible."""
    axis.set(xlim=(0, 1), ylim=(0, 1.3), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    axis.set(xlabel="Share removed", ylabel="MAE of the rest / MAE")
    axis.axhline(1, **GUIDE)
    has = np.isfinite(target.sd)
    error = np.abs(target.mean - target.reference)[has]
    if is_rounding(error, target.reference[has]):
        return
    by_sd, by_error = (
        sparsification_curve(error, key) / error.mean() for key in (target.sd[has], error)
    )
    axis.fill_between(REMOVED, by_error, by_sd, color=BANDS[0][2], linewidth=0, zorder=1)
    axis.plot(REMOVED, by_sd, color=ESTIMATE, linewidth=1.5, zorder=3, label="by predicted SD")
    oracle = {"color": TRUTH, "linewidth": 1.2, "linestyle": "--", "zorder": 2}
    axis.plot(REMOVED, by_error, **oracle, label="by true error")
    if explained:
        axis.legend(loc="lower left")
    axis.set_ylim(0, max(1.3, 1.25 * float(by_sd.max())))
    _note(axis, f"AUSE {target.metrics('ause'):.3f}")


def _points(axis: Any, x: np.ndarray, y: np.ndarray, explained: bool) -> None:
    count = len(x)
    if count > MAX_POINTS:
        shown = np.random.default_rng(0).choice(count, MAX_POINTS, replace=False)
        x, y = x[shown], y[shown]
    alpha = min(0.8, max(0.12, 30 / math.sqrt(len(x)) / 4))
    # Thousands of points would make a vector file slow to open.
    style = {"markersize": 1.8, "alpha": alpha, "markeredgewidth": 0, "rasterized": True}
    axis.plot(x, y, "o", color=ESTIMATE, zorder=2, **style)
    if explained and len(x) < count:
        text = f"{len(x):,} of {count:,} studies drawn"
        axis.text(0.98, 0.02, text, transform=axis.transAxes, fontsize=6, color=QUIET, ha="right")


def _note(axis: Any, *lines: str) -> None:
    """Write a panel's numbers in its upper left corner."""
    text = "\n".join(line.rstrip() for line in lines)
    box = {"boxstyle": "square,pad=0.15", "color": "white", "alpha": 0.75, "linewidth": 0}
    style = {"fontsize": 7, "va": "top", "linespacing": 1.25, "zorder": 5, "bbox": box}
    axis.text(0.04, 0.97, text, transform=axis.transAxes, **style)


def _literal(text: str) -> str:
    """Return text from outside such that matplotlib takes none of it for a formula."""
    return printable(text).replace("$", r"\$")


#: The panels by the name of their sheet's files, in the order of a target's page.
PANELS: dict[str, Callable[[Any, _Target, bool], None]] = {
    "agreement": _agreement,
    "bland-altman": _bland_altman,
    "calibration": _calibration,
    "sparsification": _sparsification,
}
#: The panels that need predicted SDs.
NEED_SD = (_calibration, _sparsification)
