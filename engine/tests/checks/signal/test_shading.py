"""Uneven signal is found: from side to side, along the body, and between stations."""

from __future__ import annotations

import numpy as np
import pytest
from phantom_stations import changed, phantom_stations

from mimir_engine.checks.pixel_sample import sample_pixels
from mimir_engine.checks.signal.shading import find_shading, seam_unevenness
from mimir_engine.checks.tissue_sample import tissue_sample
from mimir_engine.study import Station
from mimir_engine.study.finding import Finding


def findings(stations: list[Station]) -> list[Finding]:
    return find_shading(stations, [tissue_sample(sample_pixels(s)) for s in stations])


def weighted(station: Station, weight: np.ndarray) -> Station:
    return changed(station, lambda image: (image * weight).astype(np.float32))


@pytest.mark.parametrize("seed", [3, 4])
def test_nothing_is_found_in_a_good_study(seed: int) -> None:
    assert findings([*phantom_stations(seed)]) == []


@pytest.mark.parametrize(("ends", "side"), [((0.5, 1.6), "left"), ((1.6, 0.5), "right")])
def test_signal_that_falls_from_side_to_side_is_found(ends: tuple[float, float], side: str) -> None:
    stations = [weighted(s, np.geomspace(*ends, s.shape[2])) for s in phantom_stations(4)]
    found = findings(stations)
    assert {(finding.code, finding.side) for finding in found} == {("SHADING", side)}


def test_signal_that_falls_along_the_body_is_found() -> None:
    gains = np.geomspace(0.5, 1.6, 6)
    stations = [weighted(s, np.full(1, gain)) for s, gain in zip(phantom_stations(4), gains)]
    (finding,) = findings(stations)
    assert "changes along the body" in finding.sentence


def test_stations_whose_coils_are_uneven_in_other_ways_are_found() -> None:
    def uneven(station: Station, sign: int) -> Station:
        row, column = np.indices(station.shape[1:])
        waves = np.sin(row / 25) * np.cos(column / 30)
        return weighted(station, 1 + 0.15 * sign * waves)

    stations = [uneven(s, (-1) ** k) for k, s in enumerate(phantom_stations(4))]
    (finding,) = findings(stations)
    assert "where stations overlap" in finding.sentence


def test_stations_that_do_not_overlap_are_not_compared() -> None:
    upper, _, lower = phantom_stations(4)[:3]
    assert seam_unevenness(upper, lower) is None
