"""Fuse stations into one water and one fat volume, on the grid of the published method.

The grid, the trimming of overlaps, the cross-fade and the intensity ramp are those of Langner et
al. (arXiv 2106.11731), whose networks were trained on volumes made this way. The fade multiplies
complete slices, including parts where the neighbour has no rows; the published image is as dark
in these parts.

All steps are linear and work slice by slice: a fused slice is a weighted sum of station slices.
``grid`` computes their places, ``seams`` their weights, ``fuse`` adds them up. ``common_fade``
gives water and fat the same weights, for ratios of both.
"""

from mimir_engine.fusion.fuse import FusedVolumes, fuse

__all__ = ["FusedVolumes", "fuse"]
