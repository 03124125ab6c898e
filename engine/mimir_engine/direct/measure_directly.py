"""Measure the body in fused volumes, without a network."""

from __future__ import annotations

from dataclasses import dataclass

from mimir_engine.direct.direct_measurement import DirectMeasurement
from mimir_engine.fusion import FusedVolumes


@dataclass(frozen=True)
class DirectMeasurements:
    """What was measured.

    Attributes:
        values: The quantities that could be measured.
    """

    values: tuple[DirectMeasurement, ...] = ()


def measure_directly(fused: FusedVolumes) -> DirectMeasurements:
    """Measure the body in the fused volumes of a study."""
    return DirectMeasurements()
