"""Check from the ranges of stations alone, without images, whether they can be fused."""

from __future__ import annotations

from collections.abc import Sequence

from mimir_engine.fusion.grid import OUTPUT_SPACING_MM, axis_samples
from mimir_engine.fusion.seams import check_seams


def check_ranges(stations: Sequence[tuple[float, float, int]]) -> None:
    """Check that each station touches the next one, as ``fuse`` does.

    Args:
        stations: From head to foot; for each the ends nearest the feet and nearest the head (z in
            mm, slice thickness included) and the number of slices.

    Raises:
        MimirError: ``STATION_GAP``, ``STATION_LAYOUT``.
    """
    steps = [(head - foot) / count for foot, head, count in stations]
    tops = [head - step / 2 for (_, head, _), step in zip(stations, steps)]
    samples = [
        axis_samples((tops[0] - top) / OUTPUT_SPACING_MM[2], step / OUTPUT_SPACING_MM[2], count)
        for top, step, (_, _, count) in zip(tops, steps, stations)
    ]
    check_seams([z.start for z in samples], [len(z.lower) for z in samples])
