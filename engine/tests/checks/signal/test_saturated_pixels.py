"""Images whose largest values were cut off."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_builder import Scan
from phantom_stations import changed, phantom_stations
from station_builder import station_of

from mimir_engine.checks.pixel_sample import sample_pixels
from mimir_engine.checks.signal.saturated_pixels import find_saturated_pixels


def test_nothing_is_found_where_no_value_was_cut_off() -> None:
    for station in (*phantom_stations(3), station_of(Scan(slices=12))):
        assert find_saturated_pixels(sample_pixels(station), 1) == []


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
@pytest.mark.parametrize("limit", [1023, 4095, 65535])
def test_values_cut_off_at_a_limit_are_found(limit: int, dtype: type) -> None:
    station = phantom_stations(3)[2]
    factor = 2 * limit / float(np.percentile(station.water, 99))
    clipped = changed(station, lambda image: np.minimum(image * factor, limit).astype(dtype))
    codes = [(f.code, f.sentence) for f in find_saturated_pixels(sample_pixels(clipped), 2)]
    assert [code for code, _ in codes] == ["PIXELS_SATURATED"] * 2
    assert all(f"station 2 (from the head) is cut off at {limit}" in words for _, words in codes)
