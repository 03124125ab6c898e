"""The ranges of stations tell whether they touch, as fusing them does."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from dicom_builder import Scan, complete_study
from station_builder import stations_of

from mimir_engine.errors import MimirError
from mimir_engine.fusion import fuse
from mimir_engine.fusion.check_ranges import check_ranges

TOP, MIDDLE, LOWEST = complete_study()


def ranges(scans: Sequence[Scan]) -> list[tuple[float, float, int]]:
    half = [scan.step_mm / 2 for scan in scans]
    return [(s.z_mm[-1] - h, s.z_mm[0] + h, s.slices) for s, h in zip(scans, half)]


@pytest.mark.parametrize(
    "scans", [(TOP,), (TOP, MIDDLE), (TOP, MIDDLE, LOWEST)], ids=("one", "two", "three")
)
def test_stations_that_touch_pass(scans: Sequence[Scan]) -> None:
    fuse(stations_of(scans))
    check_ranges(ranges(scans))


@pytest.mark.parametrize(
    "scans",
    [
        pytest.param((TOP, LOWEST), id="gap"),
        pytest.param((LOWEST, MIDDLE, TOP), id="order"),
        pytest.param((TOP, Scan(top_mm=-12.0, slices=6, step_mm=3.0)), id="inside"),
    ],
)
def test_other_stations_are_refused_with_the_words_of_fusing(scans: Sequence[Scan]) -> None:
    with pytest.raises(MimirError) as expected:
        fuse(stations_of(scans))
    with pytest.raises(MimirError) as raised:
        check_ranges(ranges(scans))
    assert str(raised.value) == str(expected.value)
