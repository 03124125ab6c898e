"""All checks of one study together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from dicom_builder import complete_study
from phantom_stations import changed, phantom_stations
from station_builder import stations_of

from mimir_engine.checks import check_study
from mimir_engine.fusion import FusedVolumes, fuse


@pytest.mark.parametrize("seed", [4, 5])
def test_nothing_is_found_in_a_good_study(seed: int) -> None:
    stations = phantom_stations(seed)
    assert check_study(stations, fuse(stations)) == ()


def test_a_study_without_its_last_station_is_flagged_as_short() -> None:
    stations = phantom_stations(4)[:5]
    assert [f.code for f in check_study(stations, fuse(stations))] == ["EXTENT_SHORT"]


def test_each_check_is_run_and_names_its_station() -> None:
    stations = stations_of(complete_study())
    bright = changed(stations[0], lambda image: np.minimum(image, 300))
    blank = changed(stations[1], lambda image: image * (np.indices(image.shape)[0] != 5))
    found = check_study([bright, blank, stations[2]], fuse([bright, blank, stations[2]]))
    codes = {finding.code: finding.sentence for finding in found}
    assert {*codes} == {"EXTENT_SHORT", "PIXELS_SATURATED", "SEAM_STEP", "SLICE_BLANK"}
    assert "station 1 " in codes["PIXELS_SATURATED"]
    assert "station 2 " in codes["SLICE_BLANK"]


def test_volumes_without_their_stations_are_checked_for_their_extent() -> None:
    stations = stations_of(complete_study())
    fused = replace(fuse(stations), layout=None)
    assert [f.code for f in check_study(stations, fused)] == ["EXTENT_SHORT"]


def without_stations(seed: int, fat_scale: float = 1.0) -> FusedVolumes:
    """Volumes of a phantom as if they were read from files."""
    fused = fuse(phantom_stations(seed))
    fat = replace(fused.fat, array=np.float32(fat_scale) * fused.fat.array)
    return replace(fused, fat=fat, layout=None)


@pytest.mark.parametrize("seed", [4, 5])
def test_nothing_is_found_in_good_volumes(seed: int) -> None:
    assert check_study((), without_stations(seed)) == ()


@pytest.mark.parametrize("scale", [0.5, 1.5, 2.0])
def test_volumes_of_different_scales_are_found(scale: float) -> None:
    assert [f.code for f in check_study((), without_stations(4, scale))] == ["SIGNAL_RATIO"]


def test_air_that_was_set_to_zero_tells_nothing_of_the_scale() -> None:
    fused = without_stations(4)
    total = fused.water.array + fused.fat.array
    water, fat = (
        replace(volume, array=np.where(total > 0.1 * total.mean(), volume.array, 0))
        for volume in (fused.water, fused.fat)
    )
    dark = replace(fused, water=water, fat=fat)
    assert check_study((), dark) == ()
