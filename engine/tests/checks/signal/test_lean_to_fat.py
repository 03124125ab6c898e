"""The water signal of lean tissue must fit the fat signal of fat."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from phantom_stations import phantom_stations

from mimir_engine.checks.pixel_sample import sample_pixels
from mimir_engine.checks.signal.lean_to_fat import find_unusual_ratio, lean_to_fat, station_ratios
from mimir_engine.checks.tissue_sample import tissue_sample
from mimir_engine.study import Contrast, Station
from mimir_engine.study.finding import Finding


def findings(stations: list[Station]) -> list[Finding]:
    return find_unusual_ratio([tissue_sample(sample_pixels(station)) for station in stations])


def with_water(station: Station, factor: float) -> Station:
    images = {**station.images, Contrast.WATER: station.water * np.float32(factor)}
    return replace(station, images=images)


@pytest.mark.parametrize("seed", [3, 4])
def test_nothing_is_found_in_a_good_study(seed: int) -> None:
    assert findings([*phantom_stations(seed)]) == []


@pytest.mark.parametrize("factor", [2.0, 0.5])
@pytest.mark.parametrize("index", [0, 2, 5])
def test_a_station_with_another_scale_of_water_is_found(index: int, factor: float) -> None:
    stations = [*phantom_stations(3)]
    stations[index] = with_water(stations[index], factor)
    (finding,) = findings(stations)
    assert (finding.code, finding.station) == ("SIGNAL_RATIO", index + 1)


@pytest.mark.parametrize("factor", [4.0, 0.25])
def test_a_study_with_another_scale_of_water_is_one_finding(factor: float) -> None:
    (finding,) = findings([with_water(station, factor) for station in phantom_stations(3)])
    assert (finding.code, finding.station) == ("SIGNAL_RATIO", None)


def test_stations_without_fat_or_lean_tissue_are_not_compared() -> None:
    station = phantom_stations(3)[2]
    fatless = replace(station, images={**station.images, Contrast.FAT: station.fat // 50})
    assert lean_to_fat(tissue_sample(sample_pixels(fatless))) is None
    assert station_ratios([0.8, None, 1.6]) == [0.5, 1.0, 2.0]
    assert station_ratios([0.8]) == [1.0]
