"""Blend water and fat of overlapping stations with the same weights, for ratios of both.

The intensity ramps of ``seams`` are those of the published image. They differ between water and
fat, so that in an overlap the ratio of the fused volumes is not that of any signal. With the
cross-fade alone both are weighted means of the stations' signals. If the gain of two stations
differs, but not their fat fraction, the blended fat fraction is that of the stations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from mimir_engine.fusion.fuse import FusedVolumes, Layout, slice_terms
from mimir_engine.fusion.resample import resample_in_plane
from mimir_engine.fusion.seams import fade_weights
from mimir_engine.headers.contrast import Contrast

#: By index of a fused slice, head to foot: indices of a station and its slice, and their factor.
_Terms = Mapping[int, Sequence[tuple[int, int, float]]]


def common_slices(fused: FusedVolumes) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield water and fat of each fused slice, with weights common to both.

    Outside overlaps, and if the stations are not known, these are the slices of the volumes.

    Args:
        fused: The volumes.

    Yields:
        float32 ``[row, column]`` of water and of fat, from foot to head; not to be changed. Where
        one station of an overlap has no rows or columns, the signal is that of the other.
    """
    volumes = tuple(zip(fused.water.array, fused.fat.array))
    terms = _overlaps(fused.layout, len(volumes)) if fused.layout else {}
    for index, own in enumerate(volumes):
        of_slice = terms.get(len(volumes) - 1 - index)
        if fused.layout is None or of_slice is None:
            yield own
        else:
            shape = fused.water.array.shape[1:]
            water, fat = (
                _blended(fused.layout, contrast, of_slice, shape)
                for contrast in (Contrast.WATER, Contrast.FAT)
            )
            yield water, fat


def _overlaps(layout: Layout, slices: int) -> _Terms:
    """Return what the fused slices consist of that two stations share."""
    starts = [grid.z.start for grid in layout.grids]
    seams = fade_weights(starts, [len(grid.z.lower) for grid in layout.grids])
    terms: dict[int, list[tuple[int, int, float]]] = defaultdict(list)
    for station, (grid, seam) in enumerate(zip(layout.grids, seams)):
        for target, source, factor in slice_terms(grid.z, seam, slices):
            terms[target].append((station, source, factor))
    return {
        target: parts for target, parts in terms.items() if len({part[0] for part in parts}) > 1
    }


def _blended(
    layout: Layout,
    contrast: Contrast,
    terms: Sequence[tuple[int, int, float]],
    shape: tuple[int, ...],
) -> np.ndarray:
    """Return the weighted mean of station slices ``[row, column]``."""
    total, weight = np.zeros((2, *shape), np.float32)
    for station, source, factor in terms:
        grid = layout.grids[station]
        image = layout.stations[station].images[contrast][::-1][source : source + 1]
        window = slice(grid.y.start, grid.y.stop), slice(grid.x.start, grid.x.stop)
        total[window] += np.float32(factor) * resample_in_plane(image, grid.y, grid.x)[0]
        weight[window] += np.float32(factor)
    return np.divide(total, weight, out=total, where=weight > 0)
