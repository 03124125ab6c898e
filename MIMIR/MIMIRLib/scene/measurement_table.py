"""Write a study's measurements to a table node: columns for people, then columns for scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from MIMIRLib.scene.shown_measurement import ShownMeasurement, percent_of
from MIMIRLib.scene.shown_result import shown_measurements
from MIMIRLib.scene.tables import Column, digits, table_node
from MIMIRLib.translate import tr as _

#: JSON of the findings of the study, with all fields.
FINDINGS_MARK = "MIMIR.Findings"


def measurement_table(result: Any, name: str) -> Any:
    """Return a table with one row per measurement; the node is not in a scene yet.

    The networks' measurements come first, group by group, then the direct ones and those of labels.

    Args:
        result: The engine's ``StudyResult``.
        name: The node's name.
    """
    node = table_node(measurement_columns(shown_measurements(result), result), name)
    node.SetAttribute(FINDINGS_MARK, json.dumps([*_findings(result)]))
    return node


def findings_of(node: Any) -> list[Mapping[str, Any]]:
    """Return the findings of the study, each with the fields of the engine's ``Finding``."""
    return json.loads(node.GetAttribute(FINDINGS_MARK) or "[]")


def measurement_columns(shown: Sequence[ShownMeasurement], result: Any) -> list[Column]:
    """Return the columns of one study's table."""
    return [*_columns_for_people(shown), *_columns_for_scripts(shown, result)]


def _columns_for_people(shown: Sequence[ShownMeasurement]) -> list[Column]:
    return [
        Column("measurement", [one.label for one in shown], _("Measurement")),
        Column("estimate", [one.estimate for one in shown], _("Estimate")),
        Column(
            "interval",
            [one.interval for one in shown],
            _("{percent} interval").format(percent=percent_of(shown)).strip(),
            _("not below zero if the quantity cannot be negative"),
        ),
        Column("percentile_shown", [one.percentile_text for one in shown], _("Percentile")),
        Column("z_shown", [one.z_text for one in shown], _("z-score")),
        Column("group", [one.group for one in shown], _("Group")),
        Column("flags", ["; ".join(one.flags) for one in shown], _("Flags")),
        Column("note", [one.note for one in shown], _("Note")),
        Column(
            "other_ways",
            [one.others for one in shown],
            _("Other ways"),
            _("the same quantity by other ways, each by its own definition"),
        ),
    ]


def _columns_for_scripts(shown: Sequence[ShownMeasurement], result: Any) -> list[Column]:
    """Return columns with all digits, as texts; unknown numbers are empty."""
    percent = percent_of(shown)
    bound = _("{side} bound of the {percent} interval as computed; it may lie below zero")
    numbers = {
        "value": (
            [None if one.is_class else one.value for one in shown],
            _("the estimate, in the row's unit"),
        ),
        "lower": (
            [one.lower for one in shown],
            bound.format(side=_("lower"), percent=percent),
        ),
        "upper": (
            [one.upper for one in shown],
            bound.format(side=_("upper"), percent=percent),
        ),
        "SD": (
            [None if one.is_class else one.sd for one in shown],
            _("standard deviation of the estimate"),
        ),
        "z": (
            [one.z for one in shown],
            _reference("z_reference", result, _("standard deviations from {reference}")),
        ),
        "percentile": (
            [one.percentile for one in shown],
            _reference("percentile_reference", result, _("place among {reference}")),
        ),
        "score": (
            [one.value if one.is_class else None for one in shown],
            _("score of the sex: 0 is female, 1 is male"),
        ),
    }
    title = _("{name} (all digits)")
    columns = [
        Column(name, [digits(value) for value in values], title.format(name=name), description)
        for name, (values, description) in numbers.items()
    ]
    columns.insert(1, Column("unit", [one.unit for one in shown]))
    return [
        *columns,
        Column("class", [one.word for one in shown], description=_("female or male")),
        Column("module", [one.module for one in shown], _("inference module")),
        Column("name", [one.name for one in shown], description=_("as in predictions.csv")),
        Column("title", [one.title for one in shown], _("full name")),
    ]


def _reference(attribute: str, result: Any, text: str) -> str:
    estimates = (m for m in result.measurements if m.kind != "class")
    names = "; ".join(filter(None, dict.fromkeys(getattr(m, attribute) for m in estimates)))
    return text.format(reference=names) if names else ""


def _findings(result: Any) -> Iterator[Mapping[str, Any]]:
    """Yield what checks found, then the inference modules that do not know such scans."""
    from mimir_engine.measuring.flags import UNUSUAL_SCAN

    yield from map(asdict, result.findings)
    for comparison in result.comparisons:
        if comparison.is_unusual:
            yield {
                "code": UNUSUAL_SCAN,
                "severity": "warning",
                "sentence": comparison.sentence.rstrip("."),
                "remedy": _("Look at the images. Do not rely on the values of {module}.").format(
                    module=comparison.module
                ),
            }
