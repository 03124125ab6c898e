"""The grid of a scan's fused volumes, and which slices of a station show each of its slices."""

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
class Shown:
    """What a fused slice shows: a mixture of two slices of a station.

    Attributes:
        station: Index of the station with the largest weight.
        first: Index of its slice, from the head.
        second: Index of the other one.
        weight: Of the second, 0 to 1.
    """

    station: int
    first: int
    second: int
    weight: float


@dataclass(frozen=True)
class MapLayout:
    """A grid and what its slices show.

    Attributes:
        shape: Slices, rows, columns.
        affine: ``(4, 4)`` float64, ``(column, row, slice, 1)`` to LPS millimetres.
        slices: What each slice shows, foot to head.
    """

    shape: tuple[int, int, int]
    affine: np.ndarray
    slices: tuple[Shown, ...]

    def z(self, index: int) -> float:
        """Return the patient z (mm) of a slice."""
        return float(self.affine[2, 3] + index * self.affine[2, 2])


def map_layout(scanned: Sequence[ScannedStation]) -> MapLayout:
    """Lay out the fused volume of stations, from head to foot, without their images."""
    stations = [_empty_station(station) for station in scanned]
    grids = station_grids(stations)
    shape = fused_shape(grids)
    places = range(END_SLICES + shape[0] - 1, END_SLICES - 1, -1)
    owners = _owners(grids)
    slices = tuple(_shown(grids, owners[place], place) for place in places)
    return MapLayout(shape, fused_affine(stations, shape[0]), slices)


def _shown(grids: Sequence[StationGrid], station: int, place: int) -> Shown:
    z = grids[station].z
    i = place - z.start
    return Shown(station, int(z.lower[i]), int(z.upper[i]), float(z.weight[i]))


def _empty_station(scanned: ScannedStation) -> Station:
    shape = (len(scanned.z), scanned.rows, COLUMNS)
    return Station({Contrast.WATER: np.broadcast_to(np.uint16(0), shape)}, station_affine(scanned))


def _owners(grids: Sequence[StationGrid]) -> list[int]:
    """Find the station of each output slice, head to foot: of a seam, each shows its half.

    The upper one keeps the middle slice of an odd number, where both have the same weight.
    """
    starts = [grid.z.start for grid in grids]
    keeps, overlaps = check_seams(starts, [len(grid.z.lower) for grid in grids])
    owners = [0] * grids[-1].z.stop
    for i, (start, keep, overlap) in enumerate(zip(starts, keeps, (0, *overlaps))):
        first = start + keep.start + (overlap + 1) // 2
        owners[first:] = [i] * (len(owners) - first)
    return owners
