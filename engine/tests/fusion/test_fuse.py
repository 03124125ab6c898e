"""Stations are fused into one volume in patient coordinates."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from dicom_builder import Scan, complete_study
from station_builder import station_of, stations_of

from mimir_engine.errors import MimirError
from mimir_engine.fusion import FusedVolumes, fuse
from mimir_engine.fusion.grid import END_SLICES, OUTPUT_SPACING_MM, axis_samples, station_grids
from mimir_engine.study import Contrast, Station

#: The same stations shifted off the output grid by parts of voxels in all directions.
OFF_GRID = tuple(
    replace(
        scan,
        top_mm=scan.top_mm + shift,
        first_mm=(scan.first_mm[0] + 0.7 * shift, scan.first_mm[1] - 0.4 * shift),
    )
    for scan, shift in zip(complete_study(), (0.0, 0.9, -1.3))
)


def code(scans: Sequence[Scan]) -> str:
    with pytest.raises(MimirError) as raised:
        fuse(stations_of(scans))
    return raised.value.code


# ------------------------------------------------------------------ one axis


def test_samples_on_the_grid_are_copied() -> None:
    samples = axis_samples(3.0, 1.0, 5)
    assert (samples.start, samples.stop) == (3, 8)
    assert samples.is_copy
    np.testing.assert_array_equal(samples.lower, range(5))


def test_samples_lie_between_their_neighbours() -> None:
    samples = axis_samples(0.0, 1.5, 4)
    assert samples.stop == 6
    data = 10.0 * np.arange(4)
    resampled = (1 - samples.weight) * data[samples.lower] + samples.weight * data[samples.upper]
    np.testing.assert_allclose(resampled, [0, 20 / 3, 40 / 3, 20, 80 / 3, 30])
    assert not samples.is_copy


@pytest.mark.parametrize("first", [0.3, 0.5, 1.5, 2.49, -0.7])
@pytest.mark.parametrize("step", [0.4, 1.0, 1.1667, 3.0])
def test_samples_of_a_straight_line_lie_on_it(first: float, step: float) -> None:
    samples = axis_samples(first, step, 12)
    line = first + step * np.arange(12)
    resampled = (1 - samples.weight) * line[samples.lower] + samples.weight * line[samples.upper]
    outputs = samples.start + np.arange(len(resampled))
    np.testing.assert_allclose(resampled, np.clip(outputs, line[0], line[-1]), atol=1e-12)
    assert 0 <= samples.lower.min() <= samples.upper.max() <= 11


def test_halves_are_rounded_to_even() -> None:
    assert [axis_samples(first, 1.0, 4).start for first in (0.5, 1.5, 2.5)] == [0, 2, 2]


def test_rounded_headers_do_not_cause_an_interpolation() -> None:
    assert axis_samples(1e-6, 1 - 1e-8, 200).is_copy
    assert not axis_samples(0.01, 1.0, 200).is_copy


def test_a_station_on_the_grid_is_snapped_to_it() -> None:
    dx, dy, dz = OUTPUT_SPACING_MM
    scans = [Scan(top_mm=0, slices=20, step_mm=dz, pixel_mm=(dy, dx))]
    scans.append(replace(scans[0], top_mm=-48.02, first_mm=(-78.01, -94.0)))
    for grid in station_grids(stations_of(scans)):
        assert not grid.z.weight.any()
        assert not grid.x.weight.any()


# ------------------------------------------------------------------ complete volumes


@pytest.mark.parametrize("scans", [complete_study(), OFF_GRID], ids=["on grid", "off grid"])
def test_volumes_cover_the_stations_except_their_ends(scans: tuple[Scan, ...]) -> None:
    fused = fuse(stations_of(scans))
    assert fused.water.array.shape == fused.fat.array.shape
    assert fused.water.array.dtype == np.float32
    np.testing.assert_array_equal(fused.water.affine, fused.fat.affine)
    lowest = min(scan.z_mm[-1] - scan.step_mm for scan in scans)
    expected = scans[0].top_mm - lowest - 2 * END_SLICES * OUTPUT_SPACING_MM[2]
    assert fused.water.extent_mm == pytest.approx(expected, abs=OUTPUT_SPACING_MM[2])
    assert fused.water.spacing_mm == pytest.approx(OUTPUT_SPACING_MM)


def test_a_station_on_the_grid_is_copied_exactly() -> None:
    dx, dy, dz = OUTPUT_SPACING_MM
    station = station_of(Scan(slices=30, step_mm=dz, pixel_mm=(dy, dx)))
    fused = fuse([station])
    np.testing.assert_array_equal(fused.water.array, station.water[END_SLICES:-END_SLICES])
    np.testing.assert_allclose(
        fused.water.affine @ [0, 0, 0, 1], station.affine @ [0, 0, END_SLICES, 1]
    )


@pytest.mark.parametrize("scans", [complete_study(), OFF_GRID], ids=["on grid", "off grid"])
@pytest.mark.parametrize(
    "marker_mm",
    [(-20.0, 10.0, -20.0), (31.3, -47.9, -44.0), (0.0, 0.0, -87.0), (50.2, 60.1, -120.5)],
    ids=["first", "seam", "second seam", "last"],
)
def test_a_bright_spot_keeps_its_position_in_the_patient(
    scans: tuple[Scan, ...], marker_mm: tuple[float, float, float]
) -> None:
    """The centre of a small ball lies within half a voxel of its true position, also in a seam."""
    spotted, even = (
        fuse([station_of(scan, {s: ball(scan, marker_mm, bright) for s in "WF"}) for scan in scans])
        for bright in (1000, 0)
    )
    for with_ball, without in ((spotted.water, even.water), (spotted.fat, even.fat)):
        signal = with_ball.array.astype(float) - without.array
        off = np.abs(centroid_mm(signal, with_ball.affine, marker_mm) - marker_mm)
        assert (off / OUTPUT_SPACING_MM).max() < 0.5


def centroid_mm(
    signal: np.ndarray, affine: np.ndarray, around_mm: tuple[float, float, float]
) -> np.ndarray:
    """Return the centre of the signal near a position, LPS millimetres."""
    k, j, i = np.indices(signal.shape)
    places = np.tensordot(affine, np.stack([i, j, k, np.ones(i.shape)]), 1)[:3]
    near = np.abs(places - np.reshape(around_mm, (3, 1, 1, 1))).max(axis=0) < 20
    return np.asarray((places[:, near] * signal[near]).sum(axis=1) / signal[near].sum())


def ball(scan: Scan, centre_mm: tuple[float, float, float], bright: int) -> np.ndarray:
    x = scan.first_mm[0] + scan.pixel_mm[1] * np.arange(scan.shape[1])
    y = scan.first_mm[1] + scan.pixel_mm[0] * np.arange(scan.shape[0])
    z = np.array(scan.z_mm[::-1])
    distance = np.sqrt(
        (z[:, None, None] - centre_mm[2]) ** 2
        + (y[:, None] - centre_mm[1]) ** 2
        + (x - centre_mm[0]) ** 2
    )
    return np.asarray(500 + bright * np.clip(1 - distance / 12, 0, None), np.uint16)


def test_air_around_a_smaller_station_is_empty() -> None:
    fused = fuse(stations_of(complete_study()))
    slices = len(fused.water.array)
    alone = slices - (-complete_study()[1].top_mm + 3 * 9) / 3  # the middle of the second station
    rows = 46 * 4 / OUTPUT_SPACING_MM[1]
    assert not fused.water.array[int(alone), int(rows) + 1 :].any()
    assert fused.water.array[-1, int(rows) + 1 :].any()


@pytest.mark.parametrize("scans", [complete_study(), OFF_GRID], ids=["on grid", "off grid"])
@pytest.mark.parametrize("contrast", [Contrast.WATER, Contrast.FAT])
def test_planes_agree_with_the_volume(scans: tuple[Scan, ...], contrast: Contrast) -> None:
    fused = fuse(stations_of(scans))
    bare = FusedVolumes(fused.water, fused.fat)
    largest = fused.water.array.max()
    _, rows, columns = fused.water.array.shape
    for row in (0, rows // 3, rows - 1):
        exact, copied = (f.plane(contrast, row=row) for f in (fused, bare))
        np.testing.assert_allclose(exact, copied, rtol=1e-4, atol=1e-4 * largest)
    for column in (0, columns // 3, columns - 1):
        exact, copied = (f.plane(contrast, column=column) for f in (fused, bare))
        np.testing.assert_allclose(exact, copied, rtol=1e-4, atol=1e-4 * largest)


def test_planes_run_from_head_to_foot() -> None:
    fused = fuse(stations_of(complete_study()))
    plane = fused.plane(Contrast.WATER, row=40)
    assert plane.shape == (fused.water.array.shape[0], fused.water.array.shape[2])
    np.testing.assert_allclose(plane[0], fused.water.array[-1, 40], rtol=1e-4, atol=1e-2)


def test_integer_and_float_signal_fuse_alike() -> None:
    stations = stations_of(OFF_GRID)
    floats = [
        Station({c: i.astype(np.float32) for c, i in s.images.items()}, s.affine) for s in stations
    ]
    np.testing.assert_array_equal(fuse(stations).fat.array, fuse(floats).fat.array)


def test_water_and_fat_are_fused_independently() -> None:
    stations = stations_of(complete_study())
    swapped = [Station({Contrast.WATER: s.fat, Contrast.FAT: s.water}, s.affine) for s in stations]
    np.testing.assert_array_equal(fuse(stations).water.array, fuse(swapped).fat.array)


def test_empty_and_negative_signal_fuses_without_a_warning() -> None:
    stations = [
        Station({c: factor * i.astype(np.float32) for c, i in s.images.items()}, s.affine)
        for s, factor in zip(stations_of(complete_study()), (0, 1, -1))
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(fuse(stations).water.array).all()


def test_the_stations_are_not_changed() -> None:
    stations = stations_of(OFF_GRID)
    fuse(stations)
    for station, again in zip(stations, stations_of(OFF_GRID)):
        np.testing.assert_array_equal(station.water, again.water)


# ------------------------------------------------------------------ bad layouts


def test_a_gap_is_refused() -> None:
    first, _, last = complete_study()
    assert code([first, last]) == "STATION_GAP"


def test_stations_in_wrong_order_are_refused() -> None:
    assert code(complete_study()[::-1]) == "STATION_LAYOUT"


@pytest.mark.parametrize(
    "scan",
    [
        Scan(slices=3),
        Scan(slices=300, step_mm=20.0, pixel_mm=(20.0, 20.0), shape=(300, 300)),
        Scan(slices=30, pixel_mm=(0.2, 4.0), shape=(4, 40)),
    ],
    ids=["too short", "too large", "too thin"],
)
def test_implausible_extents_are_refused_before_memory_is_allocated(scan: Scan) -> None:
    image = np.broadcast_to(np.uint16(1), (scan.slices, *scan.shape))
    with pytest.raises(MimirError, match="STATION_LAYOUT"):
        fuse([station_of(scan, {"W": image, "F": image})])


def test_stations_that_are_resampled_to_far_more_voxels_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Many thin slices of a few large pixels: small files, large images between."""
    monkeypatch.setattr("mimir_engine.fusion.grid.MAX_VOXELS", 1_000_000)
    thin = Scan(slices=400, step_mm=0.2, shape=(12, 12), pixel_mm=(20.0, 20.0))
    with pytest.raises(MimirError, match="STUDY_TOO_LARGE"):
        fuse(stations_of([thin]))


def test_volumes_are_the_same_if_stations_are_resampled_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stations = stations_of(complete_study())
    whole = fuse(stations)
    monkeypatch.setattr("mimir_engine.fusion.resample.MAX_BYTES_AT_ONCE", 5 * 48 * 40 * 2)
    parts = fuse(stations)
    assert np.array_equal(whole.water.array, parts.water.array)
    assert np.array_equal(whole.fat.array, parts.fat.array)
