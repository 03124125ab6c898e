"""Draw one study on one page: the projection, and the estimates against a reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from mimir_engine.errors import printable
from mimir_engine.evaluation.plot_style import BANDS, ESTIMATE, QUIET, TRUTH, WARNING, save_figure
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.inference_module.statistics import PredictionStatistics
from mimir_engine.measuring.display_text import number, percentile_text, words
from mimir_engine.measuring.flags import DEMONSTRATION, OUTSIDE_VALIDATION
from mimir_engine.measuring.measurement import Measurement
from mimir_engine.measuring.study_result import StudyResult
from mimir_engine.projection.appearance import CHANNELS, CORONAL_SHARE, IMAGE_ASPECT
from mimir_engine.projection.project import Projection

#: Standard deviations shown to each side; values beyond are drawn at the edge.
MIN_SHOWN_SD, MAX_SHOWN_SD = 3.0, 8.0
#: Left edge of names and right edge of values, in widths of the chart from its left.
NAMES, VALUES = -0.76, 1.29
#: Heights and widths in inches.
WIDTH, IMAGE_HEIGHT, ROW, HEAD, FOOT = 12.0, 5.2, 0.40, 0.95, 1.25


def draw_study(
    path: Path,
    projection: Projection,
    result: StudyResult,
    module: InferenceModule,
    truth: Mapping[str, float],
) -> None:
    """Draw a study's projection and one module's estimates with their intervals.

    Args:
        path: Picture to write (.png).
        projection: The image that the networks see.
        result: The study's measurements; those of ``module`` are drawn.
        module: Its reference population is drawn behind the estimates.
        truth: True values by target name; targets without one have no mark.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    names = set(module.measurement_names)
    measurements = [m for m in result.measurements if m.name in names]
    rows = [m for m in measurements if m.kind != "class"]
    chart_height = ROW * (len(rows) + 1)
    height = HEAD + IMAGE_HEIGHT + 0.35 + chart_height + FOOT
    figure = Figure(figsize=(WIDTH, height), dpi=110)
    FigureCanvasAgg(figure)
    _draw_head(figure, result, module, measurements, 1 - 0.22 / height, 1 / height)
    bottom = 1 - (HEAD + IMAGE_HEIGHT) / height
    _draw_projection(figure, projection, bottom, IMAGE_HEIGHT / height)
    axis = figure.add_axes((0.29, FOOT / height, 0.34, chart_height / height))
    _draw_chart(axis, rows, module.statistics(), truth)
    _draw_legend(figure, rows)
    save_figure(path, figure)


def _draw_head(
    figure: Figure,
    result: StudyResult,
    module: InferenceModule,
    measurements: Sequence[Measurement],
    top: float,
    inch: float,
) -> None:
    """Write the study, the module and the flags above the numbers."""
    figure.text(0.03, top, printable(result.name), fontsize=15, weight="bold", va="top")
    classes = [m for m in measurements if m.kind == "class"]
    scores = [f"{m.target}: {m.sex_label} (score {m.value:.2f})" for m in classes]
    by = ", ".join([f"Inference module {module.name} {module.version}: {module.title}", *scores])
    figure.text(0.03, top - 0.32 * inch, by, fontsize=10, color=QUIET, va="top")
    flags = [flag for flag in result.flags if flag != DEMONSTRATION]
    if flags:
        text = f"Flags: {', '.join(flags)}"
        figure.text(0.03, top - 0.55 * inch, text, fontsize=10, color=WARNING, va="top")
    warning = "DEMONSTRATION\nsays nothing about people" if module.demonstration else ""
    box = {"boxstyle": "square,pad=0.4", "color": WARNING if warning else QUIET}
    style: dict[str, Any] = {"fontsize": 12, "weight": "bold", "color": "white", "ha": "right"}
    figure.text(0.97, top, warning or "Research use only", bbox=box, va="top", **style)


def _draw_projection(figure: Figure, projection: Projection, bottom: float, height: float) -> None:
    width = 0.94 / len(CHANNELS)
    for index, (name, image) in enumerate(zip(CHANNELS, projection.image)):
        axis = figure.add_axes((0.03 + index * width, bottom, 0.98 * width, height * 0.94))
        axis.imshow(image, cmap="gray", vmin=0, vmax=255, aspect=IMAGE_ASPECT)
        axis.set_axis_off()
        axis.set_title(name, fontsize=11, weight="bold", pad=5)
        for place, view in ((CORONAL_SHARE / 2, "coronal"), ((1 + CORONAL_SHARE) / 2, "sagittal")):
            style: dict[str, Any] = {"color": QUIET, "fontsize": 8.5, "ha": "center", "va": "top"}
            axis.text(place, -0.01, view, transform=axis.transAxes, **style)


def _draw_chart(
    axis: Any,
    rows: Sequence[Measurement],
    statistics: Optional[PredictionStatistics],
    truth: Mapping[str, float],
) -> None:
    """Draw each estimate on its own scale: SDs of the training data around its mean."""
    ends = [m.z_of(end) for m in rows for end in (m.lower_shown, m.upper_shown)]
    reach = min(max([MIN_SHOWN_SD, *map(abs, ends)]), MAX_SHOWN_SD)
    axis.set_xlim(-reach * 1.04, reach * 1.04)
    axis.set_ylim(len(rows) - 0.5, -1.5)
    axis.axvline(0, ymax=len(rows) / (len(rows) + 1), color="#8a949e", linewidth=0.8, zorder=2)
    _write_row(axis, -1, ("", "estimate", "interval", "truth", "percentile"), True)
    for row, measurement in enumerate(rows):
        true = truth.get(measurement.target)
        if statistics is not None:
            _draw_bands(axis, row, measurement, statistics)
        _draw_estimate(axis, row, measurement, true, reach)
        _write_row(axis, row, _texts(measurement, true))
        own = [f for f in measurement.flags if f not in (DEMONSTRATION, OUTSIDE_VALIDATION)]
        _write(axis, NAMES, row + 0.36, " ".join(own), fontsize=7, color=WARNING)
    axis.set_yticks([])
    axis.set_xlabel("standard deviations from the mean of the training data", fontsize=9)
    axis.tick_params(axis="x", labelsize=9)
    axis.spines[["top", "right", "left"]].set_visible(False)


def _texts(m: Measurement, true: Optional[float]) -> tuple[str, ...]:
    return (
        words(m.target, capital=True),
        f"{number(m.value, m.sd)} {m.unit}",
        m.interval_text,
        "" if true is None else number(true, m.sd),
        percentile_text(m.percentile),
    )


def _write_row(axis: Any, row: int, texts: Sequence[str], is_header: bool = False) -> None:
    """Write the name left of the axis and the figures right of it, in columns."""
    for text, place in zip(texts, (NAMES, VALUES, 1.60, 1.77, 2.02)):
        style: dict[str, Any] = {"fontsize": 9, "color": QUIET} if is_header else {"fontsize": 10}
        if place == VALUES and not is_header:
            style["weight"] = "bold"
        _write(axis, place, row, text, ha="left" if place < 0 else "right", **style)


def _write(axis: Any, place: float, row: float, text: str, **style: Any) -> None:
    """Write text beside a row, at a place in widths of the chart."""
    axis.text(place, row, text, transform=axis.get_yaxis_transform(), va="center", **style)


def _draw_bands(
    axis: Any, row: int, measurement: Measurement, statistics: PredictionStatistics
) -> None:
    """Draw the range of the reference's predictions for this sex."""
    of_sex = statistics.by_sex.get(measurement.sex or "")
    known = of_sex.targets.get(measurement.target) if of_sex else None
    if known is None:
        return
    for low, high, colour in BANDS:
        ends = np.interp((low, high), statistics.levels, known)
        left, right = (measurement.z_of(float(end)) for end in ends)
        axis.barh(row, right - left, left=left, height=0.62, color=colour, zorder=1)


def _draw_estimate(
    axis: Any, row: int, measurement: Measurement, true: Optional[float], reach: float
) -> None:
    place = measurement.z_of(measurement.value)
    ends = [measurement.z_of(end) for end in (measurement.lower_shown, measurement.upper_shown)]
    axis.plot(ends, (row, row), color=ESTIMATE, linewidth=2.4, solid_capstyle="butt", zorder=3)
    marker = "<" if place < -reach else ">" if place > reach else "o"
    place = min(max(place, -reach), reach)
    axis.plot(place, row, marker, color=ESTIMATE, markersize=7, zorder=4, clip_on=False)
    if true is not None:
        axis.plot(measurement.z_of(true), row, "|", color=TRUTH, markersize=19, mew=2.6, zorder=5)


def _draw_legend(figure: Figure, rows: Sequence[Measurement]) -> None:
    level = f"{100 * rows[0].level:g} %" if rows else ""
    handles: list[Any] = [
        Line2D([], [], color=ESTIMATE, marker="o", label=f"estimate with {level} interval"),
        Line2D([], [], color=TRUTH, marker="|", ls="", markersize=13, mew=2.6, label="truth"),
    ]
    reference = next((m.percentile_reference for m in rows if m.percentile_reference), "")
    if reference:
        handles += [
            Patch(color=colour, label=f"middle {100 * (high - low):.0f} % of the reference")
            for low, high, colour in reversed(BANDS)
        ]
    corner = (0.02, 0.32 / figure.get_figheight())
    style = {"ncols": len(handles), "fontsize": 9, "frameon": False}
    figure.legend(handles=handles, loc="lower left", bbox_to_anchor=corner, **style)
    note = "Research use only, not for diagnosis."
    note += f" Reference: {reference}." if reference else ""
    figure.text(0.03, 0.14 / figure.get_figheight(), note, fontsize=8.5, color=QUIET)
