"""Say what was noticed while the pixels of a series were read."""

from __future__ import annotations

from collections.abc import Iterator

from mimir_engine.study.finding import NOTE, Finding
from mimir_engine.study.pixels import Signal


def signal_findings(signal: Signal, series: str) -> Iterator[Finding]:
    """Yield what was noticed; ``series`` is the description of the series."""
    if signal.uses_other_bits:
        yield Finding(
            "UNUSED_BITS",
            f"pixels of series '{series}' have bits beyond those that the header declares, such as"
            " an overlay; they were ignored",
            severity=NOTE,
        )
    if signal.has_padding_within:
        yield Finding(
            "PADDING_WITHIN",
            f"the padding value of series '{series}' lies among its signal; pixels with it were set"
            " to zero",
        )
    if signal.has_negative:
        yield Finding(
            "NEGATIVE_SIGNAL", f"series '{series}' has values below zero, which were set to zero"
        )
