"""Single pixels that are far brighter than the rest are found."""

from __future__ import annotations

import numpy as np
import pytest
from phantom_stations import changed, phantom_stations

from mimir_engine.checks.pixel_sample import sample_pixels
from mimir_engine.checks.signal.bright_outliers import find_bright_outliers
from mimir_engine.study import Station
from mimir_engine.study.finding import Finding


def findings(station: Station) -> list[Finding]:
    return find_bright_outliers(station, sample_pixels(station), 3)


@pytest.mark.parametrize("index", range(6))
def test_nothing_is_found_in_a_good_station(index: int) -> None:
    assert findings(phantom_stations(3)[index]) == []


def test_one_hot_pixel_is_found_wherever_it_is() -> None:
    def with_hot_pixel(image: np.ndarray) -> np.ndarray:
        image = image.copy()
        image[13, 71, 99] = 4095
        return image

    found = findings(changed(phantom_stations(3)[2], with_hot_pixel))
    assert [(f.code, f.station) for f in found] == [("BRIGHT_OUTLIERS", 3)] * 2
