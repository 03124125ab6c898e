from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from dicom_builder import Scan, complete_study
from phantom_stations import phantom_stations
from station_builder import stations_of

from mimir_engine.fusion import FusedVolumes, fuse
from mimir_engine.fusion.grid import OUTPUT_SPACING_MM
from mimir_engine.projection.fat_fraction_map import fat_fraction_map
from mimir_engine.study import Contrast, Station
from mimir_engine.study.volume import Volume, axial_affine


def fused(water: np.ndarray, fat: np.ndarray) -> FusedVolumes:
    affine = axial_affine((0.0, 0.0, 0.0), OUTPUT_SPACING_MM)
    return FusedVolumes(
        Volume(water.astype(np.float32), affine), Volume(fat.astype(np.float32), affine)
    )


def test_tissue_has_its_fraction_in_percent_and_air_has_zero() -> None:
    rng = np.random.default_rng(0)
    water, fat = rng.uniform(0, 4, (2, 24, 24, 24))  # noise around a body
    inside = (slice(6, 18),) * 3
    water[inside] = rng.uniform(200, 600, (12, 12, 12))
    fat[inside] = water[inside] / 3
    fraction = fat_fraction_map(fused(water, fat)).array
    assert fraction.dtype == np.float32
    assert np.allclose(fraction[inside], 25.0)
    outside = np.ones(fraction.shape, bool)
    outside[inside] = False
    assert (fraction[outside] == 0).all()


def test_voxels_without_signal_have_zero() -> None:
    water, fat = np.zeros((4, 4, 4)), np.zeros((4, 4, 4))
    water[1:3, 1:3, 1:3] = 100.0
    with np.errstate(all="raise"):
        fraction = fat_fraction_map(fused(water, fat))
    assert (fraction.array == 0).all()


#: Pixels of UK Biobank's size, so that no station is interpolated in plane.
ON_GRID = Scan(slices=30, step_mm=3.0, pixel_mm=OUTPUT_SPACING_MM[:2], shape=(48, 40))


def with_gains(scans: Sequence[Scan], percent: float) -> list[Station]:
    """Stations of one fat fraction everywhere, whose gains and shading differ."""
    stations = []
    for k, station in enumerate(stations_of(scans)):
        signal = np.linspace(900 - 250 * k, 400 + 200 * k, station.shape[0])[:, None, None]
        total = (signal * np.ones(station.shape)).astype(np.float32)
        fat = (np.float32(percent / 100) * total).astype(np.float32)
        stations.append(replace(station, images=dict(zip(station.images, (total - fat, fat)))))
    return stations


@pytest.mark.parametrize(
    "scans",
    [
        (ON_GRID, replace(ON_GRID, top_mm=-66.0), replace(ON_GRID, top_mm=-135.0)),
        complete_study(),
    ],
    ids=["on grid", "off grid"],
)
def test_stations_of_one_fraction_and_other_gains_give_this_fraction(scans: Sequence[Scan]) -> None:
    fused = fuse(with_gains(scans, 20.0))
    fraction = fat_fraction_map(fused).array
    tissue = fraction > 0
    assert tissue.any(axis=(1, 2)).all()
    assert np.allclose(fraction[tissue], 20.0, rtol=1e-5)


def test_a_smaller_neighbour_does_not_darken_an_overlap() -> None:
    """Where it has no pixels, the other station alone tells the fraction."""
    small = replace(ON_GRID, top_mm=-66.0, shape=(40, 30))
    fraction = fat_fraction_map(fuse(with_gains((ON_GRID, small), 40.0))).array
    upper_part = fraction[-26:]  # the first station with its overlap
    assert np.allclose(upper_part, 40.0, rtol=1e-5)


def test_fractions_outside_overlaps_are_those_of_the_volumes() -> None:
    stations = phantom_stations(5)
    fused = fuse(stations)
    fraction, bare = (
        fat_fraction_map(volumes).array for volumes in (fused, FusedVolumes(fused.water, fused.fat))
    )
    differ = (fraction != bare).any(axis=(1, 2))
    assert 0 < differ.sum() <= 8 * (len(stations) - 1)
    assert np.array_equal(fraction, fat_fraction_map(fuse(stations)).array)


def test_a_ramp_of_water_alone_changes_no_fraction() -> None:
    """Bright slices next to a seam make the ramps of water and fat differ."""
    upper, lower = with_gains((ON_GRID, replace(ON_GRID, top_mm=-66.0)), 30.0)
    bright = upper.water.copy()
    bright[8] *= 3  # the last slice above the overlap, foot to head
    fused = fuse([replace(upper, images={**upper.images, Contrast.WATER: bright}), lower])
    seam = slice(len(fused.water.array) - 26, len(fused.water.array) - 18)
    fraction = fat_fraction_map(fused).array[seam]
    assert np.allclose(fraction, 30.0, rtol=1e-5)
    bare = fat_fraction_map(FusedVolumes(fused.water, fused.fat)).array[seam]
    assert (bare < 29).any()
