"""One study as a picture: what the networks saw, and what they said against a reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mimir_engine.cohort.outcome import StudyResult
from mimir_engine.measurement import Measurement, estimated_sex
from mimir_engine.module_format import InferenceModule
from mimir_engine.prediction_statistics import PredictionStatistics
from mimir_engine.projection import Projection
from mimir_engine.report.table import number

#: Reference bands drawn, as quantile levels: the middle half and the middle 90 %.
BANDS = ((0.05, 0.95, "#e3e8ee"), (0.25, 0.75, "#c3cedb"))
ESTIMATE, TRUTH = "#c0392b", "#1a5276"
CHANNELS = ("Water", "Fat", "Fat fraction")


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
    """
    figure = Figure(figsize=(13, 6.2), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    images, chart = figure.subfigures(1, 2, width_ratios=(1.0, 1.25), squeeze=False)[0]
    _draw_projection(images, projection)
    names = dict(zip(module.measurement_names, module.targets))
    measurements = [m for m in result.measurements if m.name in names]
    _draw_estimates(chart, measurements, module, truth or {})
    flags = f"  [{', '.join(result.flags)}]" if result.flags else ""
    figure.suptitle(f"{result.name} - inference module {module.name} {module.version}{flags}")
    figure.savefig(path)


def _draw_projection(figure: Any, projection: Projection) -> None:
    axes = figure.subplots(2, 2).ravel()
    for axis, name, image in zip(axes, CHANNELS, projection.image):
        axis.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axis.set_title(name, fontsize=9)
        axis.set_axis_off()
    axes[3].set_axis_off()
    axes[3].text(
        0,
        0.95,
        "What the networks see: each square shows the\ncoronal view left (patient's right at its"
        " left)\nand the sagittal view right (front at its left),\nsqueezed to 256 x 256 pixels."
        "\n\nResearch use only.",
        va="top",
        fontsize=8.5,
    )


def _draw_estimates(
    figure: Any,
    measurements: Sequence[Measurement],
    module: InferenceModule,
    truth: Mapping[str, float],
) -> None:
    """Each estimate on an axis of its own scale: SDs of the training data around its mean."""
    axis = figure.subplots()
    statistics, sex = module.statistics(), estimated_sex(measurements)
    drawn = [m for m in measurements if m.target.kind != "class"]
    for row, measurement in enumerate(drawn):
        _draw_bands(axis, row, measurement, statistics, sex)
        _draw_estimate(axis, row, measurement, truth.get(measurement.target.name))
    axis.set_yticks(range(len(drawn)), [_label(m) for m in drawn], fontsize=8.5)
    axis.set_ylim(len(drawn) - 0.4, -0.6)
    axis.set_xlabel("standard deviations from the mean of the training data")
    axis.axvline(0, color="#999999", linewidth=0.6, zorder=0)
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.tick_params(left=False)
    level = f"{100 * drawn[0].level:g}"
    handles, labels = axis.get_legend_handles_labels()
    unique = dict(zip(labels, handles))
    axis.legend(unique.values(), unique.keys(), fontsize=8, loc="upper right", framealpha=0.9)
    reference = f"bands: 5-95 % and 25-75 % of {sex} predictions" if statistics and sex else ""
    axis.set_title(
        f"Estimates with {level} % intervals{'; ' if reference else ''}{reference}", fontsize=9
    )


def _scaled(measurement: Measurement, value: float) -> float:
    target = measurement.target
    return (value * target.divisor - target.mean) / target.sd


def _draw_bands(
    axis: Any,
    row: int,
    measurement: Measurement,
    statistics: Optional[PredictionStatistics],
    sex: Optional[str],
) -> None:
    if statistics is None or sex is None:
        return
    quantiles = statistics.quantiles[sex][measurement.target.name]
    for low, high, colour in BANDS:
        ends = np.interp((low, high), statistics.levels, quantiles)
        left, right = (_scaled(measurement, float(end)) for end in ends)
        axis.barh(row, right - left, left=left, height=0.62, color=colour, zorder=1)


def _draw_estimate(axis: Any, row: int, measurement: Measurement, true: Optional[float]) -> None:
    value = _scaled(measurement, measurement.value)
    low, high = (
        _scaled(measurement, bound) for bound in (measurement.lower_shown, measurement.upper_shown)
    )
    axis.plot((low, high), (row, row), color=ESTIMATE, linewidth=2.2, zorder=3)
    axis.plot(value, row, "o", color=ESTIMATE, markersize=5.5, zorder=4, label="estimate, interval")
    if true is not None:
        place = _scaled(measurement, true)
        axis.plot(place, row, "|", color=TRUTH, markersize=15, mew=2.2, zorder=5, label="truth")


def _label(measurement: Measurement) -> str:
    return (
        f"{measurement.target.name}\n{number(measurement.value, measurement.sd)}"
        f" ± {number(measurement.sd, measurement.sd)} {measurement.unit}"
    )
