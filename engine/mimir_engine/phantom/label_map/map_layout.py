"""The grid of a scan's fused volumes, and which station shows most of each slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mimir_engine.fusion.grid import (
    END_SLICES,
    StationGrid,
    fused_affine,
    fused_shape,
    station_grids,
)
from mimir_engine.fusion.seams import check_seams
from mimir_engine.headers.contrast import Contrast
from mimir_engine.phantom.scan import station_affine
from mimir_engine.phantom.scanner import COLUMNS, ScannedStation
from mimir_engine.study.station import Station


@dataclass(frozen=True)
class MapLayout:
    """A grid and its stations.

    Attributes:
        shape: Slices, rows, columns.
        affine: ``(4, 4)`` float64, ``(column, row, slice, 1)`` to LPS millimetres.
        owners: Index of the station with the largest weight in each slice, foot to head.
    """

    shape: tuple[int, int, int]
    affine: np.ndarray
    owners: tuple[int, ...]

    def z(self, index: int) -> float:
        """Return the patient z (mm) of a slice."""
        return float(self.affine[2, 3] + index * self.affine[2, 2])


def map_layout(scanned: Sequence[ScannedStation]) -> MapLayout:
    """Lay out the fused volume of stations, from head to foot, without their images."""
    stations = [_empty_station(station) for station in scanned]
    grids = station_grids(stations)
    shape = fused_shape(grids)
    owners = _owners(grids)[END_SLICES : END_SLICES + shape[0]][::-1]
    return MapLayout(shape, fused_affine(stations, shape[0]), tuple(owners.tolist()))


def _empty_station(scanned: ScannedStation) -> Station:
    shape = (len(scanned.z), scanned.rows, COLUMNS)
    return Station({Contrast.WATER: np.broadcast_to(np.uint16(0), shape)}, station_affine(scanned))


def _owners(grids: Sequence[StationGrid]) -> np.ndarray:
    """Find the station of each output slice, head to foot: of a seam, each shows its half.

    The upper one keeps the middle slice of an odd number, where both have the same weight.
    """
    starts = [grid.z.start for grid in grids]
    keeps, overlaps = check_seams(starts, [len(grid.z.lower) for grid in grids])
    owners = np.zeros(grids[-1].z.stop, np.intp)
    for i, (start, keep, overlap) in enumerate(zip(starts, keeps, (0, *overlaps))):
        owners[start + keep.start + (overlap + 1) // 2 :] = i
    return owners
