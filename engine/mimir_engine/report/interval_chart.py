"""Draw a study's estimates with their intervals against the reference, group by group.

Each quantity has its own scale: standard deviations of its reference from the reference's mean, so
that an estimate stands at its z-score.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from mimir_engine.measuring.display_text import number, percentile_text
from mimir_engine.measuring.flags import flag_sentence
from mimir_engine.measuring.measurement import Measurement
from mimir_engine.measuring.measurement_group import (
    display_order,
    group_of,
    naming_of,
    short_label,
)
from mimir_engine.measuring.sex_label import UNCERTAIN
from mimir_engine.report.chart_frame import MEAN_LABEL, ChartFrame, chart_frame, places
from mimir_engine.report.drawing import Box, Dot, Drawing, Line, Shape, Text, text_width, wrap_text
from mimir_engine.report.palette import LIGHT, Palette

#: The middle 95 % of a normal population lie within this many standard deviations.
MIDDLE_95 = 1.96
#: More references than this are not listed below the chart.
MAX_REFERENCES = 3


@dataclass(frozen=True)
class IntervalRow:
    """Where a measurement is in the chart.

    Attributes:
        name: The measurement's name, as in ``predictions.csv``.
        top: Upper edge of its row, in points.
        bottom: Lower edge, likewise.
        tooltip: The measurement in sentences.
    """

    name: str
    top: float
    bottom: float
    tooltip: str


@dataclass(frozen=True)
class IntervalChart:
    """A chart, and where each measurement is in it, from top to bottom."""

    drawing: Drawing
    rows: tuple[IntervalRow, ...]


def interval_chart(
    measurements: Sequence[Measurement],
    width: float,
    palette: Palette = LIGHT,
    scale: float = 1.0,
) -> IntervalChart:
    """Draw measurements, one row each, in the order of ``GROUPS``.

    Args:
        measurements: Of one study, by any number of modules.
        width: Width of the chart in points; its height follows from the number of rows.
        palette: The colours.
        scale: Size of the letters, 1 for 9 points.
    """
    ordered = sorted(measurements, key=lambda m: display_order(m.target))
    names, values = chart_labels(ordered), [value_in_words(m) for m in ordered]
    shared = shared_flags(ordered)
    marked = [bool({*m.flags} - {*shared}) for m in ordered]
    values = [f"{text} !" if mark else text for text, mark in zip(values, marked)]
    frame = chart_frame(ordered, names, values, width, palette, scale)
    shapes: list[Shape] = []
    y = _add_legend(shapes, frame, ordered, any(marked))
    y = _add_ticks(shapes, frame, y)
    rows: list[IntervalRow] = []
    lines = zip(ordered, names, values, marked)
    for group, members in groupby(lines, key=lambda line: group_of(line[0].target)):
        y += frame.gap + frame.line
        shapes.append(
            Text(frame.name_left, y - 0.3 * frame.line, group, frame.size, palette.text, bold=True)
        )
        top, place = y, len(shapes)
        for measurement, name, value, mark in members:
            bottom = y + frame.row_height(name, value)
            shapes += _row(frame, measurement, name, value, mark, (y + bottom) / 2)
            rows.append(IntervalRow(measurement.name, y, bottom, in_sentences(measurement)))
            y = bottom
        shapes[place:place] = _bands(frame, top, y)
    y = _add_ticks(shapes, frame, y)
    y = _add_notes(shapes, frame, ordered, shared, y)
    background = Box(0, 0, width, y, palette.background)
    return IntervalChart(Drawing(width, y, (background, *shapes)), tuple(rows))


def interval_charts(
    measurements: Sequence[Measurement],
    width: float,
    max_height: float,
    palette: Palette = LIGHT,
    scale: float = 1.0,
) -> list[IntervalChart]:
    """Draw as few charts as pages of this height take; groups stay together if they can.

    The arguments are those of `interval_chart`.
    """
    ordered = sorted(measurements, key=lambda m: display_order(m.target))
    charts: list[IntervalChart] = []
    begin = 0
    while begin < len(ordered):
        end = len(ordered)
        chart = interval_chart(ordered[begin:end], width, palette, scale)
        while chart.drawing.height > max_height and end - begin > 1:
            end = _earlier_end(ordered, begin, end)
            chart = interval_chart(ordered[begin:end], width, palette, scale)
        charts.append(chart)
        begin = end
    return charts


def _earlier_end(ordered: Sequence[Measurement], begin: int, end: int) -> int:
    """Return where the last group begins; the middle if there is only one."""
    last = group_of(ordered[end - 1].target)
    start = next(n for n in range(begin, end) if group_of(ordered[n].target) == last)
    return start if start > begin else (begin + end + 1) // 2


def chart_labels(measurements: Sequence[Measurement]) -> list[str]:
    """Return the short names; with the module where two measurements have the same."""
    labels = [short_label(m.target) for m in measurements]
    counts = Counter(labels)
    return [
        f"{label} ({m.module})" if counts[label] > 1 else label
        for label, m in zip(labels, measurements)
    ]


def estimate_in_words(measurement: Measurement) -> str:
    """Write the estimate: ``1.92 L``, or ``female``."""
    m = measurement
    if m.kind == "class":
        is_sure = m.sex_label not in ("", UNCERTAIN)
        return m.sex_label if is_sure else f"{m.sex_label} (score {m.value:.2f})".strip()
    return f"{number(m.value_shown, m.sd)} {m.unit}".strip()


def value_in_words(measurement: Measurement) -> str:
    """Write the estimate and its interval: ``1.92 L (1.70 to 2.10)``, or ``female``."""
    m = measurement
    value = estimate_in_words(m)
    return f"{value} ({m.interval_text})" if m.interval_text else value


def in_sentences(measurement: Measurement) -> str:
    """Say all about a measurement in sentences, for a tooltip."""
    m = measurement
    parts = [f"{naming_of(m.target).label}: {value_in_words(m)}"]
    if m.interval_text:
        parts[0] += f", {100 * m.level:g} % interval"
    if m.percentile is not None:
        parts.append(f"Percentile {percentile_text(m.percentile)} of {m.percentile_reference}")
    if m.z_score is not None:
        parts.append(f"z-score {m.z_score:.1f}: {m.z_reference}")
    parts.append(f"Inference module {m.module} {m.module_version}")
    parts += [flag_sentence(flag).rstrip(".") for flag in m.flags]
    return ". ".join(parts) + "."


def shared_flags(measurements: Sequence[Measurement]) -> list[str]:
    """Return the flags that all measurements have: they are explained once, below the chart."""
    if len(measurements) < 2:
        return []
    return [flag for flag in measurements[0].flags if all(flag in m.flags for m in measurements)]


def _row(
    frame: ChartFrame, measurement: Measurement, name: str, value: str, mark: bool, middle: float
) -> Iterator[Shape]:
    palette = frame.palette
    colour = palette.warning if mark else palette.estimate
    yield from frame.text_lines(frame.name_left, middle, frame.name_lines(name), palette.text)
    in_value = palette.warning if mark else palette.text
    yield from frame.text_lines(frame.value_left, middle, frame.value_lines(value), in_value)
    if measurement.kind == "class":
        return
    place, low, high = places(measurement)
    if measurement.lower is not None:
        yield Line(frame.x(low), middle, frame.x(high), middle, colour, 2.2 * frame.scale)
    radius = 3.2 * frame.scale
    x = frame.x(place)
    if abs(place) <= frame.reach:
        yield Dot(x, middle, radius, colour)
        return
    tip = x + (radius if place > 0 else -radius)
    for end in (middle - radius, middle + radius):
        yield Line(x, end, tip, middle, colour, 1.4 * frame.scale)


def _bands(frame: ChartFrame, top: float, bottom: float) -> Iterator[Shape]:
    """Yield what lies behind the rows of a group."""
    left, right = frame.x(-MIDDLE_95), frame.x(MIDDLE_95)
    yield Box(left, top, right - left, bottom - top, frame.palette.band)
    for tick in frame.ticks:
        colour = frame.palette.grid if tick else frame.palette.mean
        yield Line(frame.x(tick), top, frame.x(tick), bottom, colour, 0.6 * frame.scale)


def _add_ticks(shapes: list[Shape], frame: ChartFrame, y: float) -> float:
    y += frame.line
    for tick in frame.ticks:
        text = f"{tick:+d}" if tick else MEAN_LABEL
        style = (frame.small, frame.palette.quiet, "middle")
        shapes.append(Text(frame.x(tick), y - 0.25 * frame.line, text, *style))
    return y


def _add_legend(
    shapes: list[Shape], frame: ChartFrame, measurements: Sequence[Measurement], is_marked: bool
) -> float:
    """Explain the marks above the chart, in as many lines as that takes; return their end."""
    palette, scale = frame.palette, frame.scale
    levels = [m.level for m in measurements if m.lower is not None]
    interval = f" and {100 * levels[0]:g} % interval" if levels else ""
    items = [("estimate", f"estimate{interval}"), ("band", "reference: mean ± 1.96 SD")]
    items += [("flag", "! flagged")] if is_marked else []
    x, y, sample = frame.name_left, frame.gap / 2, 22 * scale
    for kind, text in items:
        wide = sample + text_width(text, frame.small) + 12 * scale
        if x > frame.name_left and x + wide > frame.width:
            x, y = frame.name_left, y + frame.line
        middle = y + frame.line / 2
        colour = palette.warning if kind == "flag" else palette.estimate
        if kind == "band":
            shapes.append(Box(x, y + 0.1 * frame.line, sample, 0.8 * frame.line, palette.band))
            half = x + sample / 2
            ends = (half, y + 0.1 * frame.line, half, y + 0.9 * frame.line)
            shapes.append(Line(*ends, palette.mean, 0.6 * scale))
        else:
            if levels:
                shapes.append(Line(x, middle, x + sample, middle, colour, 2.2 * scale))
            shapes.append(Dot(x + sample / 2, middle, 3.2 * scale, colour))
        in_text = palette.warning if kind == "flag" else palette.quiet
        baseline = middle + 0.35 * frame.small
        shapes.append(Text(x + sample + 4 * scale, baseline, text, frame.small, in_text))
        x += wide
    return y + frame.line


def _add_notes(
    shapes: list[Shape],
    frame: ChartFrame,
    measurements: Sequence[Measurement],
    shared: Sequence[str],
    y: float,
) -> float:
    """Write what concerns all rows below the chart; return the end of the text."""
    references = [*dict.fromkeys(m.z_reference for m in measurements if m.kind != "class")]
    named = "; ".join(references)
    if len(references) > MAX_REFERENCES:
        named = "each measurement has its own, which the table names"
    about = "The scale has standard deviations from the reference's mean (z-scores)."
    about += " In a normal reference, 95 % lie within ± 1.96."
    notes = [(f"{about} Reference: {named}.", frame.palette.quiet)] if references else []
    notes += [(f"All values: {flag_sentence(flag)}", frame.palette.warning) for flag in shared]
    notes.append(("Research use only, not for diagnosis.", frame.palette.quiet))
    y += frame.gap
    for text, colour in notes:
        for line in wrap_text(text, frame.small, frame.width - 2 * frame.name_left):
            y += frame.line
            shapes.append(Text(frame.name_left, y - 0.3 * frame.line, line, frame.small, colour))
    return y + frame.gap
