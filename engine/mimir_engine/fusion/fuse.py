"""Fuse stations into volumes: resample and add up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Optional

import numpy as np

from mimir_engine.fusion.grid import (
    END_SLICES,
    AxisSamples,
    StationGrid,
    check_resampled_size,
    fused_affine,
    fused_shape,
    station_grids,
)
from mimir_engine.fusion.resample import interpolate, resample_in_plane, resampled_means
from mimir_engine.fusion.seams import SeamWeights, seam_weights
from mimir_engine.headers.contrast import Contrast
from mimir_engine.study.station import Station
from mimir_engine.study.volume import Volume


@dataclass(frozen=True)
class Layout:
    """The stations behind a fused volume, their places on its grid and their seams.

    Attributes:
        stations: From head to foot.
        grids: Samples of each station.
        seams: By contrast, weights of each station's resampled slices.
    """

    stations: Sequence[Station]
    grids: Sequence[StationGrid]
    seams: Mapping[Contrast, Sequence[SeamWeights]]


@dataclass(frozen=True)
class FusedVolumes:
    """Water and fat of the complete scan on one grid.

    Attributes:
        water: Fused water image.
        fat: Fused fat image, of the same shape and affine.
        layout: The stations; None if they are not known (volumes that were read from files).
        phases: Without a layout: in-phase and opposed-phase of a few slices, as of a ``Station``.
    """

    water: Volume
    fat: Volume
    layout: Optional[Layout] = None
    phases: Mapping[Contrast, Mapping[int, np.ndarray]] = field(default_factory=dict)

    @property
    def as_station(self) -> Station:
        """The volumes as one station, for what needs no seams."""
        images = {Contrast.WATER: self.water.array, Contrast.FAT: self.fat.array}
        return Station(images, self.water.affine, self.phases)

    def plane(
        self, contrast: Contrast, row: Optional[int] = None, column: Optional[int] = None
    ) -> np.ndarray:
        """Return a coronal plane (given its row) or a sagittal plane (given its column).

        Returns:
            float64 ``[slice, column]`` or ``[slice, row]``, head to foot.
        """
        if self.layout:
            return _fuse_plane(self.layout, contrast, row, column)
        volume = self.water if contrast is Contrast.WATER else self.fat
        plane = volume.array[::-1, row] if column is None else volume.array[::-1, :, column]
        return plane.astype(np.float64)


def fuse(stations: Sequence[Station]) -> FusedVolumes:
    """Fuse stations into one water and one fat volume.

    Examples:
        >>> from mimir_engine import read_study
        >>> fused = fuse(read_study("6000000_20201_2_0.zip").stations)
        >>> fused.water.array.shape, round(fused.water.extent_mm)
        ((371, 174, 224), 1113)

    Args:
        stations: One or more, from head to foot.

    Returns:
        Volumes with voxels of ``OUTPUT_SPACING_MM``, in LPS, without ``END_SLICES`` slices at
        both ends.

    Raises:
        MimirError: ``STATION_GAP`` if two neighbours do not touch, ``STATION_LAYOUT`` if one lies
            within another or the volume would be too large or too small, ``STUDY_TOO_LARGE``.
    """
    grids = station_grids(stations)
    slices, *_ = fused_shape(grids)
    check_resampled_size(stations, grids)
    affine = fused_affine(stations, slices)
    water, water_seams = _fuse_images(stations, grids, Contrast.WATER)
    fat, fat_seams = _fuse_images(stations, grids, Contrast.FAT)
    seams = {Contrast.WATER: water_seams, Contrast.FAT: fat_seams}
    return FusedVolumes(Volume(water, affine), Volume(fat, affine), Layout(stations, grids, seams))


def fuse_contrast(layout: Layout, contrast: Contrast) -> Volume:
    """Fuse another contrast of the stations by the rule for water and fat.

    Args:
        layout: Stations with images of this contrast, and their places.
        contrast: In-phase or opposed-phase; its seams follow its own slice means.

    Returns:
        On the grid of water and fat.
    """
    array, _ = _fuse_images(layout.stations, layout.grids, contrast)
    return Volume(array, fused_affine(layout.stations, len(array)))


def _fuse_images(
    stations: Sequence[Station], grids: Sequence[StationGrid], contrast: Contrast
) -> tuple[np.ndarray, Sequence[SeamWeights]]:
    """Fuse one contrast; return ``[slice, row, column]``, foot to head, and its seams."""
    images = [
        resample_in_plane(s.images[contrast][::-1], g.y, g.x) for s, g in zip(stations, grids)
    ]
    means = [resampled_means(image, g.z) for image, g in zip(images, grids)]
    seams = seam_weights([g.z.start for g in grids], means)
    return _add_stations(images, grids, seams, fused_shape(grids)), seams


def _add_stations(
    images: Sequence[np.ndarray],
    grids: Sequence[StationGrid],
    seams: Sequence[SeamWeights],
    shape: tuple[int, int, int],
) -> np.ndarray:
    """Add the weighted slices of all stations: float32 ``[slice, row, column]``, foot to head."""
    volume = np.zeros(shape, np.float32)
    downwards = volume[::-1]
    is_begun = np.zeros(len(volume), bool)
    for image, grid, seam in zip(images, grids, seams):
        window = downwards[:, grid.y.start : grid.y.stop, grid.x.start : grid.x.stop]
        signal, term = np.empty((2, *image.shape[1:]), np.float32)
        terms = sorted(slice_terms(grid.z, seam, len(window)), key=itemgetter(1))
        for source, of_slice in groupby(terms, key=itemgetter(1)):
            signal[:] = image[source]
            for target, _, factor in of_slice:
                if is_begun[target]:
                    np.multiply(signal, np.float32(factor), out=term)
                    window[target] += term
                else:
                    np.multiply(signal, np.float32(factor), out=window[target])
                    is_begun[target] = True
    return volume


def slice_terms(z: AxisSamples, seam: SeamWeights, slices: int) -> Iterator[tuple[int, int, float]]:
    """Yield index of a fused slice, of the station slice to add to it, and its factor.

    Both indices run from head to foot.
    """
    kept = range(*seam.keep.indices(len(z.lower)))
    for index, factor in zip(kept, seam.weight):
        target = z.start + index - END_SLICES
        if 0 <= target < slices:
            share = z.weight[index]
            if share < 1:
                yield target, int(z.lower[index]), (1 - share) * factor
            if share > 0:
                yield target, int(z.upper[index]), share * factor


def _fuse_plane(
    layout: Layout, contrast: Contrast, row: Optional[int], column: Optional[int]
) -> np.ndarray:
    """Fuse one coronal or sagittal plane in double precision, with the smallest weights too.

    Volumes neglect shifts of a millionth voxel that come from rounded headers. In a plane of fat
    fractions, where signals are small integers or zero, such a shift changes grey levels; only
    with it the plane equals that of the published method.
    """
    slices, rows, columns = fused_shape(layout.grids)
    plane = np.zeros((slices + 2 * END_SLICES, columns if column is None else rows))
    for station, grid, seam in zip(layout.stations, layout.grids, layout.seams[contrast]):
        y = grid.y if row is None else _single(grid.y, row)
        x = grid.x if column is None else _single(grid.x, column)
        if y is None or x is None:
            continue
        data: np.ndarray = station.images[contrast][::-1]
        across = ((x, 2), (y, 1)) if row is None else ((y, 1), (x, 2))
        for samples, axis in (*across, (grid.z, 0)):
            data = interpolate(data, samples, axis, np.float64)
        along = x if column is None else y
        lines = data.reshape(len(grid.z.lower), -1)[seam.keep].astype(np.float32)
        top = grid.z.start + seam.keep.start
        plane[top : top + len(lines), along.start : along.stop] += lines * seam.weight[
            :, np.newaxis
        ].astype(np.float32)
    return plane[END_SLICES : slices + END_SLICES]


def _single(samples: AxisSamples, index: int) -> Optional[AxisSamples]:
    """Return the one sample at an output index; None if the station does not cover it."""
    if not samples.start <= index < samples.stop:
        return None
    at = slice(index - samples.start, index - samples.start + 1)
    return AxisSamples(index, samples.lower[at], samples.upper[at], samples.weight[at])
