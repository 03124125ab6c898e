"""One study on one page: what the networks saw, and what they said against a reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from mimir_engine.cohort.outcome import StudyResult
from mimir_engine.errors import printable
from mimir_engine.evaluation.plot_style import BANDS, ESTIMATE, QUIET, TRUTH, WARNING, save_figure
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.inference_module.statistics import PredictionStatistics
from mimir_engine.measuring.measurement import DEMONSTRATION, Measurement, estimated_sex
from mimir_engine.measuring.wording import number, percentile_text, readable
from mimir_engine.projection.project import Projection

CHANNELS = ("Water", "Fat", "Fat fraction")
#: Height over width of what the square image shows, in UK Biobank's protocol: 363 slices of 3 mm
#: over 224 columns and 152 rows of 2.23 mm. Drawn so, bodies have their proportions.
IMAGE_ASPECT = 1.3
#: Share of the image's width that the coronal view takes, in the same protocol.
CORONAL_SHARE = 0.6
#: Standard deviations shown to both sides, at the most; what lies beyond is drawn at the edge.
LARGEST_SD = 8.0
#: Where names begin and values end, in widths of the chart from its left.
NAMES, VALUES = -0.76, 1.29
#: Heights and widths in inches.
WIDTH, IMAGE_HEIGHT, ROW, HEAD, FOOT = 12.0, 5.2, 0.40, 0.95, 1.25


def draw_study(
    path: Path,
    projection: Projection,
    result: StudyResult,
    module: InferenceModule,
    truth: Optional[Mapping[str, float]] = None,
) -> None:
    """Draw a study's projection and one module's estimates with their intervals.

    Args:
        path: Picture to write (.png).
        projection: What the networks saw.
        result: The study's measurements; those of ``module`` are drawn.
        module: Whose reference population is drawn behind the estimates.
        truth: True values by target name, where they are known.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    names = set(module.measurement_names)
    measurements = [m for m in result.measurements if m.name in names]
    rows = [m for m in measurements if m.target.kind != "class"]
    chart_height = ROW * (len(rows) + 1)
    height = HEAD + IMAGE_HEIGHT + 0.35 + chart_height + FOOT
    figure = Figure(figsize=(WIDTH, height), dpi=110)
    FigureCanvasAgg(figure)
    _draw_head(figure, result, module, measurements, 1 - 0.22 / height, 1 / height)
    bottom = 1 - (HEAD + IMAGE_HEIGHT) / height
    _draw_projection(figure, projection, bottom, IMAGE_HEIGHT / height)
    sex = estimated_sex(result.measurements)
    axis = figure.add_axes((0.29, FOOT / height, 0.34, chart_height / height))
    _draw_chart(axis, rows, module.statistics(), sex, truth or {})
    _draw_legend(figure, rows, module.statistics(), sex, truth)
    save_figure(path, figure)


def _draw_head(
    figure: Figure,
    result: StudyResult,
    module: InferenceModule,
    measurements: Sequence[Measurement],
    top: float,
    inch: float,
) -> None:
    """Which study, by what, and what a reader must know before the numbers."""
    figure.text(0.03, top, printable(result.name), fontsize=15, weight="bold", va="top")
    classes = [m for m in measurements if m.target.kind == "class"]
    scores = [f"{m.target.name}: {m.label} (score {m.value:.2f})" for m in classes]
    by = ", ".join([f"Inference module {module.name} {module.version}: {module.title}", *scores])
    figure.text(0.03, top - 0.32 * inch, by, fontsize=10, color=QUIET, va="top")
    flags = [flag for flag in result.flags if flag != DEMONSTRATION]
    if flags:
        text = f"Flags: {', '.join(flags)}"
        figure.text(0.03, top - 0.55 * inch, text, fontsize=10, color=WARNING, va="top")
    said = "DEMONSTRATION\nsays nothing about people" if module.demonstration else ""
    figure.text(
        0.97,
        top,
        said or "Research use only",
        fontsize=12,
        weight="bold",
        color="white",
        ha="right",
        va="top",
        bbox={"boxstyle": "square,pad=0.4", "color": WARNING if said else QUIET},
    )


def _draw_projection(figure: Figure, projection: Projection, bottom: float, height: float) -> None:
    width = 0.94 / len(CHANNELS)
    for index, (name, image) in enumerate(zip(CHANNELS, projection.image)):
        axis = figure.add_axes((0.03 + index * width, bottom, 0.98 * width, height * 0.94))
        axis.imshow(image, cmap="gray", vmin=0, vmax=255, aspect=IMAGE_ASPECT)
        axis.set_axis_off()
        axis.set_title(name, fontsize=11, weight="bold", pad=5)
        for place, view in ((CORONAL_SHARE / 2, "coronal"), ((1 + CORONAL_SHARE) / 2, "sagittal")):
            axis.text(
                place,
                -0.01,
                view,
                transform=axis.transAxes,
                color=QUIET,
                fontsize=8.5,
                ha="center",
                va="top",
            )


def _draw_chart(
    axis: Any,
    rows: Sequence[Measurement],
    statistics: Optional[PredictionStatistics],
    sex: Optional[str],
    truth: Mapping[str, float],
) -> None:
    """A line for each estimate, on its own scale: SDs of the training data around its mean."""
    reach = min(max([3.0, *(abs(_scaled(m, end)) for m in rows for end in _shown(m))]), LARGEST_SD)
    axis.set_xlim(-reach * 1.04, reach * 1.04)
    axis.set_ylim(len(rows) - 0.5, -1.5)
    axis.axvline(0, ymax=len(rows) / (len(rows) + 1), color="#8a949e", linewidth=0.8, zorder=2)
    _write_row(axis, -1, ("", "estimate", "interval", "truth" if truth else "", "percentile"), True)
    for row, measurement in enumerate(rows):
        true = truth.get(measurement.target.name)
        if statistics is not None and sex is not None:
            _draw_bands(axis, row, measurement, statistics.by_sex[sex].targets, statistics.levels)
        _draw_estimate(axis, row, measurement, true, reach)
        _write_row(axis, row, _texts(measurement, true))
        own = [f for f in measurement.flags if f not in (DEMONSTRATION, "OUTSIDE_VALIDATION")]
        if own:
            axis.text(
                NAMES,
                row + 0.36,
                " ".join(own),
                transform=axis.get_yaxis_transform(),
                fontsize=7,
                color=WARNING,
                va="center",
            )
    axis.set_yticks([])
    axis.set_xlabel("standard deviations from the mean of the training data", fontsize=9)
    axis.tick_params(axis="x", labelsize=9)
    axis.spines[["top", "right", "left"]].set_visible(False)


def _texts(m: Measurement, true: Optional[float]) -> tuple[str, str, str, str, str]:
    low, high = (number(bound, m.sd) for bound in (m.lower_shown, m.upper_shown))
    return (
        readable(m.target.name),
        f"{number(m.value, m.sd)} {m.unit}",
        f"{low} to {high}",
        "" if true is None else number(true, m.sd),
        percentile_text(m.percentile),
    )


def _write_row(
    axis: Any, row: int, texts: tuple[str, str, str, str, str], is_header: bool = False
) -> None:
    """Name at the left of the axis, figures at its right, in columns (of the axis's width)."""
    for text, place in zip(texts, (NAMES, VALUES, 1.60, 1.77, 2.02)):
        axis.text(
            place,
            row,
            text,
            transform=axis.get_yaxis_transform(),
            fontsize=9 if is_header else 10,
            color=QUIET if is_header else "black",
            weight="bold" if place == VALUES and not is_header else "normal",
            ha="left" if place < 0 else "right",
            va="center",
        )


def _draw_bands(
    axis: Any,
    row: int,
    measurement: Measurement,
    quantiles: Mapping[str, Sequence[float]],
    levels: Sequence[float],
) -> None:
    """Where the reference's predictions for this sex lie."""
    known = quantiles.get(measurement.target.name)
    if known is None:
        return
    for low, high, colour in BANDS:
        ends = np.interp((low, high), levels, known)
        left, right = (_scaled(measurement, float(end)) for end in ends)
        axis.barh(row, right - left, left=left, height=0.62, color=colour, zorder=1)


def _draw_estimate(
    axis: Any, row: int, measurement: Measurement, true: Optional[float], reach: float
) -> None:
    place = _scaled(measurement, measurement.value)
    ends = [_scaled(measurement, bound) for bound in _shown(measurement)]
    axis.plot(ends, (row, row), color=ESTIMATE, linewidth=2.4, solid_capstyle="butt", zorder=3)
    marker = "<" if place < -reach else ">" if place > reach else "o"
    place = min(max(place, -reach), reach)
    axis.plot(place, row, marker, color=ESTIMATE, markersize=7, zorder=4, clip_on=False)
    if true is not None:
        axis.plot(
            _scaled(measurement, true), row, "|", color=TRUTH, markersize=19, mew=2.6, zorder=5
        )


def _draw_legend(
    figure: Figure,
    rows: Sequence[Measurement],
    statistics: Optional[PredictionStatistics],
    sex: Optional[str],
    truth: Optional[Mapping[str, float]],
) -> None:
    level = f"{100 * rows[0].level:g} %" if rows else ""
    handles: list[Any] = [
        Line2D([], [], color=ESTIMATE, marker="o", label=f"estimate with {level} interval")
    ]
    if truth:
        handles.append(
            Line2D([], [], color=TRUTH, marker="|", ls="", markersize=13, mew=2.6, label="truth")
        )
    reference = ""
    if statistics is not None and sex is not None:
        handles += [
            Patch(color=colour, label=f"middle {100 * (high - low):.0f} % of the reference")
            for low, high, colour in reversed(BANDS)
        ]
        reference = f" Reference: predictions for {sex} members of {statistics.reference}."
    figure.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0.02, 0.32 / figure.get_figheight()),
        ncols=len(handles),
        fontsize=9,
        frameon=False,
    )
    note = f"Research use only, not for diagnosis.{reference}"
    figure.text(0.03, 0.14 / figure.get_figheight(), note, fontsize=8.5, color=QUIET)


def _shown(measurement: Measurement) -> tuple[float, float]:
    return measurement.lower_shown, measurement.upper_shown


def _scaled(measurement: Measurement, value: float) -> float:
    """A value on the axis: standard deviations of the training data from its mean."""
    target = measurement.target
    return (value * target.divisor - target.mean) / target.sd
