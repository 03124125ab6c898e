"""Measure the body in fused volumes, without a network."""

from mimir_engine.direct.measure_directly import DirectMeasurements, measure_directly
from mimir_engine.direct.parts import PART_NAMES

__all__ = ["PART_NAMES", "DirectMeasurements", "measure_directly"]
