"""Put all that was measured of a study into words and numbers for tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from MIMIRLib.scene.other_ways import other_ways
from MIMIRLib.scene.shown_label import shown_labels
from MIMIRLib.scene.shown_measurement import ShownMeasurement, shown_estimates


def shown_measurements(result: Any) -> list[ShownMeasurement]:
    """Return a study's measurements: by networks, direct ones, those of labels.

    Args:
        result: The engine's ``StudyResult``.
    """
    ways = other_ways(result)
    shown = [*shown_estimates(result), *shown_labels(result)]
    return [
        replace(one, others=ways[one.name].values, definitions=ways[one.name].notes)
        if one.name in ways
        else one
        for one in shown
    ]
