"""Put a study's measurements into words and numbers for tables, in the order of the groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional

from MIMIRLib.scene.node_marks import single_line
from MIMIRLib.translate import tr as _

#: In the place of something that a measurement does not have.
NOTHING = "–"
#: Words in the place of an inference module's name.
MEASURED_DIRECTLY = _("measured directly in the images, without a network")


@dataclass(frozen=True)
class ShownMeasurement:
    """A measurement in words, with the digits that its interval allows, and in full precision.

    Attributes:
        name: As in ``predictions.csv``.
        label: Short name; no other measurement of the study has it.
        title: Full name.
        group: One of the engine's ``GROUPS``.
        place: Sort key: the group, then the place in it.
        estimate: Value and unit, or the sex.
        number: The value alone; a dash if there is none.
        interval: The interval, or a dash.
        lower_text: Lower bound, as in the interval; empty if there is none.
        upper_text: Upper bound, likewise.
        sd_text: Standard deviation; empty if there is none.
        percentile_text: Percentile; empty if there is none.
        z_text: z-score; empty if there is none.
        unit: Unit of all numbers; empty for a class.
        kind: ``quantity``; ``class`` for the sex, whose value is a score, 0 for female and 1 for
            male; ``direct`` and ``label`` for what was measured without a network.
        word: ``female``, ``male`` or ``uncertain`` for the sex, else empty.
        level: Level of the interval; None for direct measurements.
        value: In full precision; None if the quantity could not be measured.
        sd: Likewise.
        lower: Lower bound as computed; it may be below zero.
        upper: Upper bound, likewise.
        z: z-score.
        percentile: Percentile.
        flags: Codes.
        note: Why there is no value, or how it was measured.
        module: The inference module and its version; empty for direct measurements.
        others: What other ways give for the same quantity; empty if there are none.
        definitions: How each of these ways defines the quantity.
    """

    name: str
    label: str
    title: str
    group: str
    place: tuple[int, int]
    estimate: str
    number: str
    unit: str = ""
    kind: str = "quantity"
    word: str = ""
    interval: str = NOTHING
    lower_text: str = ""
    upper_text: str = ""
    sd_text: str = ""
    percentile_text: str = ""
    z_text: str = ""
    level: Optional[float] = None
    value: Optional[float] = None
    sd: Optional[float] = None
    lower: Optional[float] = None
    upper: Optional[float] = None
    z: Optional[float] = None
    percentile: Optional[float] = None
    flags: tuple[str, ...] = ()
    note: str = ""
    module: str = ""
    others: str = ""
    definitions: str = ""

    @property
    def is_class(self) -> bool:
        """True if the value is a score."""
        return self.kind == "class"

    @property
    def is_sex(self) -> bool:
        """True if the value is the score of the sex."""
        return bool(self.word)

    @property
    def heading(self) -> str:
        """The label and the unit, for a column."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


def shown_estimates(result: Any) -> list[ShownMeasurement]:
    """Return a study's measurements by networks, group by group, then the direct ones.

    Args:
        result: The engine's ``StudyResult``.
    """
    measurements = in_display_order(result.measurements)
    from mimir_engine.report.interval_chart import chart_labels

    labels = map(single_line, chart_labels(measurements))
    return [*map(_estimated, measurements, labels), *map(_direct, result.direct)]


def in_display_order(measurements: Sequence[Any]) -> list[Any]:
    """Return the engine's ``Measurement``s group by group, as in charts."""
    from mimir_engine.measuring.measurement_group import display_order

    return sorted(measurements, key=lambda m: display_order(m.target))


def percent_of(shown: Sequence[ShownMeasurement]) -> str:
    """Return the level of the intervals, e.g. ``95 %``; empty without intervals."""
    return next((f"{100 * one.level:g} %" for one in shown if one.level), "")


def _estimated(m: Any, label: str) -> ShownMeasurement:
    from mimir_engine.measuring.display_text import number, percentile_text
    from mimir_engine.measuring.measurement_group import display_order, naming_of

    is_class, unit = m.kind == "class", single_line(m.unit)
    value = number(m.value_shown, m.sd)
    word = single_line(m.sex_label) if is_class else value
    if is_class and not word:
        word = _("score {score}").format(score=value)
    has_interval = m.lower is not None
    return ShownMeasurement(
        name=single_line(m.name),
        label=label,
        title=single_line(naming_of(m.target).label),
        group=naming_of(m.target).group,
        place=display_order(m.target),
        estimate=word if is_class else f"{value} {unit}".strip(),
        number=word,
        unit=unit,
        kind=m.kind,
        word=single_line(m.sex_label),
        interval=m.interval_text or NOTHING,
        lower_text=number(m.lower_shown, m.sd) if has_interval else "",
        upper_text=number(m.upper_shown, m.sd) if has_interval else "",
        sd_text="" if is_class else number(m.sd, m.sd / 10),
        percentile_text=percentile_text(m.percentile),
        z_text="" if m.z_score is None else f"{m.z_score:+.1f}",
        level=m.level,
        value=m.value,
        sd=m.sd,
        lower=m.lower,
        upper=m.upper,
        z=m.z_score,
        percentile=m.percentile,
        flags=tuple(map(single_line, m.flags)),
        module=single_line(f"{m.module} {m.module_version}"),
    )


def _direct(quantity: Any) -> ShownMeasurement:
    from mimir_engine.direct.direct_measurement import direct_column
    from mimir_engine.measuring.measurement_group import display_order, naming_of

    name = direct_column(quantity.name)
    note, text = MEASURED_DIRECTLY, NOTHING
    if quantity.value is None:
        note = _("cannot be measured: {reason}").format(reason=single_line(quantity.reason))
    else:
        text = f"{quantity.value:.4g}"
    return ShownMeasurement(
        name=name,
        label=_("{label} (direct)").format(label=naming_of(name).short_label),
        title=naming_of(name).label,
        group=naming_of(name).group,
        place=display_order(name),
        estimate=text if text == NOTHING else f"{text} {quantity.unit}",
        number=text,
        unit=quantity.unit,
        kind="direct",
        value=quantity.value,
        note=note,
    )
