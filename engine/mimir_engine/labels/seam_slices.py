"""The slices in which two stations overlap."""

from __future__ import annotations

from mimir_engine.fusion.fuse import Layout
from mimir_engine.fusion.grid import END_SLICES, fused_shape
from mimir_engine.headers.contrast import Contrast


def seam_slices(layout: Layout) -> list[range]:
    """Return the slices of each seam, from head to foot, as indices of the fused volume.

    Where two stations touch without overlap, these are the last slice of the one and the first of
    the other. The ends of the volume are cut, so indices may lie outside of it.
    """
    slices, *_ = fused_shape(layout.grids)
    seams = layout.seams[Contrast.WATER]
    pieces = [
        (grid.z.start + seam.keep.start, grid.z.start + seam.keep.stop)
        for grid, seam in zip(layout.grids, seams)
    ]
    found = []
    for (_, stop), (start, _) in zip(pieces, pieces[1:]):
        first, last = (start, stop - 1) if stop > start else (stop - 1, start)
        found.append(range(*(slices - 1 + END_SLICES - end for end in (last, first - 1))))
    return found
