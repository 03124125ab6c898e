"""Place the voxels of stations on the output grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.study.station import Station
from mimir_engine.study.volume import axial_affine

#: Voxel spacing of the fused volume along column, row and slice index, in mm: that of UK Biobank's
#: neck station.
OUTPUT_SPACING_MM = (2.23214293, 2.23214293, 3.0)
#: Slices dropped at the head and at the foot end of the fused volume.
END_SLICES = 4
#: Distance from the output grid, in output voxels, up to which a station is copied instead of
#: interpolated.
GRID_TOLERANCE = 0.01
#: Smaller interpolation weights come from the rounding of decimal headers alone.
MIN_WEIGHT = 1e-4
#: Number of voxels of a fused volume, and of all stations resampled in plane; UK Biobank's have 14
#: million. Two volumes and one contrast's stations lie in memory together, as float32.
MAX_VOXELS = 60_000_000


@dataclass(frozen=True)
class AxisSamples:
    """Linear interpolation of one axis of a station onto the output grid.

    ``output[start + i] = (1 - weight[i]) * data[lower[i]] + weight[i] * data[upper[i]]``

    Attributes:
        start: First output index that the station covers.
        lower: Index of the station's sample before each output sample.
        upper: Index of the station's sample after it.
        weight: Weight of the upper one, 0 to 1.
    """

    start: int
    lower: np.ndarray
    upper: np.ndarray
    weight: np.ndarray

    @property
    def stop(self) -> int:
        """Output index after the last sample."""
        return self.start + len(self.lower)

    @property
    def is_copy(self) -> bool:
        """True if output samples are the station's own, apart from the rounding of headers."""
        nearest = np.where(self.weight < 0.5, self.lower, self.upper)
        rounding = np.minimum(self.weight, 1 - self.weight).max(initial=0.0)
        return bool(rounding < MIN_WEIGHT and np.array_equal(nearest, np.arange(len(nearest))))


@dataclass(frozen=True)
class StationGrid:
    """Samples of one station along slice (downwards, from the head), row and column."""

    z: AxisSamples
    y: AxisSamples
    x: AxisSamples

    @property
    def is_copy(self) -> bool:
        """True if output samples are the station's own along all axes."""
        return self.z.is_copy and self.y.is_copy and self.x.is_copy


def axis_samples(first: float, step: float, count: int) -> AxisSamples:
    """Interpolate one axis of a station at the points of the output grid.

    Args:
        first: Position of the station's first sample, in output voxels.
        step: Distance between the station's samples, in output voxels.
        count: Number of the station's samples.
    """
    start = round(first)
    size = round(first + count * step) - start
    position = np.clip((np.arange(size) - (first - start)) / step, 0, count - 1)
    lower = position.astype(np.intp)
    return AxisSamples(start, lower, np.minimum(lower + 1, count - 1), position - lower)


def station_grids(stations: Sequence[Station]) -> list[StationGrid]:
    """Place stations, from head to foot, on the output grid.

    The grid starts at the topmost slice and at the first row and column of all stations. Positions
    and spacings are rounded to single precision, as in the published method: their last digits
    decide the grey level of a fat fraction of small integers.
    """
    tops = np.array([s.top_mm for s in stations]).astype(np.float32).astype(np.float64)
    offsets = (tops - tops[0]) / OUTPUT_SPACING_MM
    offsets[:, :2] -= offsets[:, :2].min(axis=0)
    offsets[:, 2] *= -1
    return [_station_grid(s, first.tolist()) for s, first in zip(stations, offsets)]


def _station_grid(station: Station, first: Sequence[float]) -> StationGrid:
    slices, rows, columns = station.shape
    spacing = np.array(station.spacing_mm)
    spacing[:2] = spacing[:2].astype(np.float32)
    steps = (spacing / OUTPUT_SPACING_MM).tolist()
    axes = list(zip(first, steps, (columns, rows, slices)))
    if all(is_on_grid(*axis) for axis in axes):
        axes = [(round(start), 1.0, count) for start, _, count in axes]
    x, y, z = (axis_samples(*axis) for axis in axes)
    return StationGrid(z, y, x)


def is_on_grid(first: float, step: float, count: int) -> bool:
    """Return whether samples ``first + step * i`` lie on consecutive integers."""
    end = first + step * count
    return (
        round(end) - round(first) == count
        and abs(first - round(first)) <= GRID_TOLERANCE
        and abs(end - round(end)) <= GRID_TOLERANCE
    )


def check_resampled_size(stations: Sequence[Station], grids: Sequence[StationGrid]) -> None:
    """Refuse stations whose slices, resampled in plane, would fill the memory.

    Raises:
        MimirError: ``STUDY_TOO_LARGE``.
    """
    voxels = sum(s.shape[0] * len(g.y.lower) * len(g.x.lower) for s, g in zip(stations, grids))
    if voxels > MAX_VOXELS:
        raise MimirError(
            "STUDY_TOO_LARGE",
            f"the stations have {voxels / 1e6:,.0f} million voxels at the resolution of the fused"
            f" volume; the limit is {MAX_VOXELS // 10**6} million",
            "Check that all stations belong to one neck-to-knee scan, and their pixel spacing.",
        )


def fused_shape(grids: Sequence[StationGrid]) -> tuple[int, int, int]:
    """Return the number of slices, rows and columns of the fused volume, its ends cut.

    Raises:
        MimirError: ``STATION_LAYOUT`` if the volume would have no voxels or more than
            ``MAX_VOXELS``, or a station is too small for a single one.
    """
    slices = max(g.z.stop for g in grids) - 2 * END_SLICES
    rows, columns = max(g.y.stop for g in grids), max(g.x.stop for g in grids)
    smallest = min(len(axis.lower) for g in grids for axis in (g.z, g.y, g.x))
    if slices < 1 or smallest < 1 or slices * rows * columns > MAX_VOXELS:
        raise MimirError(
            "STATION_LAYOUT",
            f"the stations' positions span {columns} x {rows} x {max(slices, 0)} voxels",
            "Check that all stations belong to one neck-to-knee scan.",
        )
    return slices, rows, columns


def fused_affine(stations: Sequence[Station], slices: int) -> np.ndarray:
    """Return the ``(4, 4)`` affine of a fused volume of this many slices, to LPS millimetres."""
    tops = np.array([s.top_mm for s in stations])
    lowest = tops[0, 2] - (slices - 1 + END_SLICES) * OUTPUT_SPACING_MM[2]
    return axial_affine((tops[:, 0].min(), tops[:, 1].min(), lowest), OUTPUT_SPACING_MM)
