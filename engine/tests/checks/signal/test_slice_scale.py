"""A slice with another scale than its neighbours is found."""

from __future__ import annotations

import numpy as np
import pytest
from phantom_stations import changed, phantom_stations

from mimir_engine.checks.pixel_sample import sample_pixels
from mimir_engine.checks.signal.slice_scale import find_slice_scale
from mimir_engine.checks.tissue_sample import tissue_sample
from mimir_engine.study import Contrast, Station
from mimir_engine.study.finding import Finding


def findings(station: Station) -> list[Finding]:
    bottom, step = float(station.affine[2, 3]), station.spacing_mm[2]
    return find_slice_scale(tissue_sample(sample_pixels(station)), 4, bottom, step)


def scaled(station: Station, slices: slice, factor: float) -> Station:
    def change(image: np.ndarray) -> np.ndarray:
        image = image.astype(np.float32)
        image[slices] *= factor
        return image

    return changed(station, change)


@pytest.mark.parametrize("index", range(6))
def test_nothing_is_found_in_a_good_station(index: int) -> None:
    assert findings(phantom_stations(3)[index]) == []


@pytest.mark.parametrize("factor", [2.0, 0.5])
@pytest.mark.parametrize("slices", [slice(20, 21), slice(10, 25), slice(40, None)])
def test_slices_of_another_scale_are_found_where_they_are(slices: slice, factor: float) -> None:
    station = phantom_stations(3)[2]
    found = findings(scaled(station, slices, factor))
    assert [finding.code for finding in found] == ["SLICE_SCALE"] * 2
    edges = [station.affine[2, 3] + 4.5 * (k - 0.5) for k in (slices.start, slices.stop or 0)]
    for finding, contrast in zip(found, Contrast):
        assert finding.station == 4
        assert finding.from_mm is not None
        assert min(abs(finding.from_mm + 4.5 - edge) for edge in edges) < 0.1
        assert finding.sentence.startswith(f"the {contrast.value} signal of station 4 ")


def test_the_scale_of_a_whole_station_is_no_matter() -> None:
    assert findings(scaled(phantom_stations(3)[2], slice(None), 5.0)) == []
