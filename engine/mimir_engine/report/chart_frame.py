"""Divide a chart's width into names, scale and values, and place values on the scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mimir_engine.measuring.measurement import Measurement
from mimir_engine.report.drawing import Text, text_width, wrap_text
from mimir_engine.report.palette import Palette

#: Standard deviations shown to each side; values beyond are drawn as an arrow at the edge.
MIN_REACH, MAX_REACH = 3.0, 5.0
#: Names and values that need more than this share of the width break into lines.
MAX_NAME_SHARE, MAX_VALUE_SHARE = 0.34, 0.36
#: If the scale would get less than this share, intervals stand below their values.
MIN_SCALE_SHARE = 0.3
#: Sizes in points: letters of rows and of explanations, a row's height without its text, the gap
#: between columns and above a group.
SIZE, SMALL, PADDING, GAP = 9.0, 7.5, 4.0, 8.0
#: Where the scale is zero.
MEAN_LABEL = "mean"
#: Height of a line of text, in sizes of the letters.
LINE_HEIGHT = 1.25


@dataclass(frozen=True)
class ChartFrame:
    """Where things are in a chart, in points.

    Attributes:
        width: Of the whole chart.
        name_left: Where names begin.
        name_width: Of the names.
        left: Left end of the scale.
        right: Right end of the scale.
        value_left: Where values begin.
        value_width: Of the values.
        reach: Standard deviations between the middle of the scale and each end.
        palette: The colours.
        scale: Factor of all sizes.
    """

    width: float
    name_left: float
    name_width: float
    left: float
    right: float
    value_left: float
    value_width: float
    reach: float
    palette: Palette
    scale: float

    @property
    def size(self) -> float:
        """Size of the letters of rows."""
        return SIZE * self.scale

    @property
    def small(self) -> float:
        """Size of the letters of explanations."""
        return SMALL * self.scale

    @property
    def line(self) -> float:
        """Height of a line of text."""
        return self.size * LINE_HEIGHT

    @property
    def gap(self) -> float:
        """Space above a group."""
        return GAP * self.scale

    @property
    def ticks(self) -> range:
        """Whole standard deviations on the scale, the mean among them, with space for labels."""
        end = int(self.reach)
        space = text_width(MEAN_LABEL, self.small) + self.gap
        if self.x(end) - self.x(0) <= space:
            return range(1)
        step = 1 if self.x(1) - self.x(0) > space else 2 if self.x(2) - self.x(0) > space else end
        end = end // step * step
        return range(-end, end + 1, step)

    def x(self, place: float) -> float:
        """Return where a number of standard deviations is; at the edge if it lies beyond."""
        share = min(max(place, -self.reach), self.reach) / self.reach
        return (self.left + self.right) / 2 + share * (self.right - self.left) / 2

    def name_lines(self, name: str) -> list[str]:
        """Break a name into lines."""
        return wrap_text(name, self.size, self.name_width)

    def value_lines(self, value: str) -> list[str]:
        """Break a value into lines: the interval begins a line if it does not fit one."""
        if text_width(value, self.size) <= self.value_width:
            return [value]
        parts = (wrap_text(part, self.size, self.value_width) for part in _parts(value))
        return [line for lines in parts for line in lines]

    def row_height(self, name: str, value: str) -> float:
        """Return the height of a row with these texts."""
        lines = max(len(self.name_lines(name)), len(self.value_lines(value)))
        return lines * self.line + PADDING * self.scale

    def text_lines(
        self, x: float, middle: float, lines: Sequence[str], colour: str
    ) -> Iterator[Text]:
        """Yield lines of text whose middle is at a height."""
        for number, line in enumerate(lines):
            centre = middle + (number - (len(lines) - 1) / 2) * self.line
            yield Text(x, centre + 0.35 * self.size, line, self.size, colour)


def chart_frame(
    measurements: Sequence[Measurement],
    names: Sequence[str],
    values: Sequence[str],
    width: float,
    palette: Palette,
    scale: float,
) -> ChartFrame:
    """Give names and values the width that they need, and the scale the rest.

    Args:
        measurements: What is drawn.
        names: The measurements' names.
        values: The measurements' values.
        width: Width of the chart in points.
        palette: The colours.
        scale: Factor of all sizes.
    """

    def needed(texts: Sequence[str], share: float) -> float:
        longest = max((text_width(text, SIZE * scale) for text in texts), default=0.0)
        return min(longest, share * width)

    name_width, value_width = needed(names, MAX_NAME_SHARE), needed(values, MAX_VALUE_SHARE)
    margin = GAP * scale
    if width - name_width - value_width - 6 * margin < MIN_SCALE_SHARE * width:
        value_width = needed([p for value in values for p in _parts(value)], MAX_VALUE_SHARE)
    left, right = name_width + 3 * margin, width - value_width - 3 * margin
    return ChartFrame(
        width,
        margin,
        name_width,
        left,
        right,
        right + 2 * margin,
        value_width,
        _reach(measurements),
        palette,
        scale,
    )


def _parts(value: str) -> list[str]:
    """Return an estimate and its interval apart."""
    return value.replace(" (", "\n(").split("\n")


def places(measurement: Measurement) -> tuple[float, float, float]:
    """Return value, lower and upper bound in standard deviations, as they are shown."""
    m = measurement
    shown = (m.value_shown, m.lower_shown, m.upper_shown)
    place, low, high = ((value - m.z_mean) / m.z_sd for value in shown)
    return place, low, high


def _reach(measurements: Sequence[Measurement]) -> float:
    far = (abs(place) for m in measurements if m.kind != "class" for place in places(m))
    return min(max([MIN_REACH, *far]), MAX_REACH)
