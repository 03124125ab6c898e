"""Measure the body in fused volumes, without a network."""

from mimir_engine.direct.measure_directly import measure_directly

__all__ = ["measure_directly"]
