"""Put what was measured of a segmentation's labels into words and numbers for tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from MIMIRLib.scene.node_marks import single_line
from MIMIRLib.scene.shown_measurement import NOTHING, ShownMeasurement
from MIMIRLib.translate import tr as _

#: The group of all labels; it comes last.
SEGMENTATION = _("Segmentation")


def shown_labels(result: Any) -> list[ShownMeasurement]:
    """Return volume, fat fraction and that of the inner voxels of each label.

    Args:
        result: The engine's ``StudyResult``.
    """
    counts = Counter(one.title for one in result.labels)
    shown: list[ShownMeasurement] = []
    for one in result.labels:
        title = one.title if counts[one.title] == 1 else f"{one.title} {one.label}"
        shown += _of_label(one, single_line(title), len(shown))
    return shown


def _of_label(one: Any, title: str, place: int) -> Iterator[ShownMeasurement]:
    from mimir_engine.cohort.tables.label_columns import (
        CORE_FAT_FRACTION,
        FAT_FRACTION,
        LABEL_CELLS,
        VOLUME,
        label_columns,
    )
    from mimir_engine.cohort.tables.styles import LONG
    from mimir_engine.measuring.measurement_group import GROUPS

    words = {
        VOLUME: _("{segment}: volume (segment)"),
        FAT_FRACTION: _("{segment}: fat fraction (segment)"),
        CORE_FAT_FRACTION: _("{segment}: fat fraction inside (segment)"),
    }
    for column in label_columns(one.name):
        if column.what in words:
            value: Any = LABEL_CELLS[column.what](one)
            number = NOTHING if value is None else f"{value:.4g}"
            yield ShownMeasurement(
                name=column.names[LONG],
                label=words[column.what].format(segment=title),
                title=column.label,
                group=SEGMENTATION,
                place=(len(GROUPS), place),
                estimate=NOTHING if value is None else f"{number} {column.unit}",
                number=number,
                unit=column.unit,
                kind="label",
                value=value,
                note=_note(one, value is None),
            )


def _note(one: Any, is_missing: bool) -> str:
    """Return why there is no value, or how it was measured."""
    if is_missing:
        return _("cannot be measured: {reason}").format(reason=single_line(one.reason))
    notes = [_("measured in the segmentation, without a network")]
    if one.edge_share:
        text = _("{percent} of its voxels lie at the edge of the view")
        notes.append(text.format(percent=f"{100 * one.edge_share:.1f} %"))
    return "; ".join(notes)
