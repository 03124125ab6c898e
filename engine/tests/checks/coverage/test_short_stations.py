"""Stations of UK Biobank's protocol that lack slices are found."""

from __future__ import annotations

from phantom_stations import cut, phantom_stations

from mimir_engine.checks.coverage.short_stations import find_short_stations, lost_slices


def test_nothing_is_found_in_a_good_study_or_if_one_slice_is_missing() -> None:
    stations = [*phantom_stations(3)]
    assert find_short_stations(stations, 1113.0) == []
    stations[2] = cut(stations[2], slice(1, None))
    assert find_short_stations(stations, 1110.0) == []


def test_a_station_that_lacks_slices_is_named() -> None:
    stations = [*phantom_stations(3)]
    stations[5] = cut(stations[5], slice(7, None))
    (finding,) = find_short_stations(stations, 1090.0)
    assert (finding.code, finding.station, finding.value) == ("SLICES_LOST", 6, 7)


def test_stations_that_overlap_too_much_make_a_short_study() -> None:
    (finding,) = find_short_stations(phantom_stations(3), 1053.0)
    assert finding.code == "EXTENT_SHORT"


def test_of_another_protocol_nothing_is_known() -> None:
    assert lost_slices(phantom_stations(3)[:5]) is None
    assert find_short_stations(phantom_stations(3)[:5], 900.0) == []
