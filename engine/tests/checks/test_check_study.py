"""All checks of one study together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from dicom_builder import complete_study
from phantom_stations import changed, phantom_stations
from station_builder import stations_of

from mimir_engine.checks import check_study
from mimir_engine.fusion import fuse


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
