"""The slices of a fused volume that each station shows."""

from __future__ import annotations

from mimir_engine.fusion.fuse import Layout
from mimir_engine.fusion.grid import END_SLICES, fused_shape
from mimir_engine.headers.contrast import Contrast


def station_slices(layout: Layout) -> list[slice]:
    """Return the slices of each station in the fused volume, from the head's station on.

    Where stations are cross-faded, slices belong to both.
    """
    slices, *_ = fused_shape(layout.grids)
    top = slices + END_SLICES
    pieces = zip(layout.grids, layout.seams[Contrast.WATER])
    kept = (
        (grid.z.start + seam.keep.start, grid.z.start + seam.keep.stop) for grid, seam in pieces
    )
    return [slice(max(top - stop, 0), max(top - start, 0)) for start, stop in kept]
