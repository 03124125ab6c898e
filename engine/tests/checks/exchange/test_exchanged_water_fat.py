"""Exchanged water and fat are found where they are, in bodies of every kind, and repaired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from phantom_stations import cut, phantom_stations, smooth_stations, with_station

from mimir_engine.checks import check_study
from mimir_engine.checks.exchange.exchanged_water_fat import find_exchanged, find_exchanged_volumes
from mimir_engine.fusion import fuse
from mimir_engine.study import Station
from mimir_engine.study.exchanged_part import ExchangedPart, exchange_back

BODIES = ("none", "lean", "obese")
SEED = 100_200


def whole(stations: Sequence[Station], index: int) -> ExchangedPart:
    slices, _, columns = stations[index].shape
    return ExchangedPart(index, 0, slices - 1, 0, columns - 1)


def half(stations: Sequence[Station], index: int, side: str) -> ExchangedPart:
    part = whole(stations, index)
    middle = stations[index].shape[2] // 2
    if side == "right":
        return replace(part, last_column=middle - 1)
    return replace(part, first_column=middle)


def codes(stations: Sequence[Station]) -> set[str]:
    return {finding.code for finding in find_exchanged(stations).findings}


@pytest.mark.parametrize("shift", BODIES)
def test_nothing_is_found_in_good_studies(shift: str) -> None:
    assert find_exchanged(smooth_stations(SEED, shift)).findings == ()


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_found_in_elliptic_bodies(seed: int) -> None:
    assert find_exchanged(phantom_stations(seed)).findings == ()


@pytest.mark.parametrize("shift", BODIES)
@pytest.mark.parametrize("index", range(6))
def test_a_whole_station_is_found_and_repaired(shift: str, index: int) -> None:
    stations = smooth_stations(SEED, shift)
    part = whole(stations, index)
    damaged = exchange_back(stations, [part])
    exchanged = find_exchanged(damaged)
    assert exchanged.parts == (part,)
    (finding,) = exchanged.findings
    assert (finding.code, finding.severity) == ("WATER_FAT_EXCHANGED", "stop")
    assert (finding.station, finding.side, finding.from_mm) == (index + 1, "", None)
    repaired = exchange_back(damaged, exchanged.parts)
    np.testing.assert_array_equal(repaired[index].fat, stations[index].fat)
    assert find_exchanged(repaired).findings == ()


@pytest.mark.parametrize("shift", BODIES)
def test_all_stations_are_told_by_the_rim_of_the_body(shift: str) -> None:
    stations = smooth_stations(SEED, shift)
    parts = tuple(whole(stations, index) for index in range(6))
    assert find_exchanged(exchange_back(stations, parts)).parts == parts


@pytest.mark.parametrize("shift", BODIES)
@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("index", range(4))
def test_one_side_of_the_trunk_is_found_to_the_column(shift: str, side: str, index: int) -> None:
    stations = smooth_stations(SEED, shift)
    part = half(stations, index, side)
    exchanged = find_exchanged(exchange_back(stations, [part]))
    assert exchanged.parts == (part,)
    assert exchanged.findings[0].side == side


@pytest.mark.parametrize("shift", BODIES)
@pytest.mark.parametrize("side", ["right", "left"])
def test_one_leg_is_found(shift: str, side: str) -> None:
    stations = smooth_stations(SEED, shift)
    parts = [half(stations, index, side) for index in (4, 5)]
    exchanged = find_exchanged(exchange_back(stations, parts))
    assert [(p.station, p.first_slice, p.last_slice) for p in exchanged.parts] == [
        (p.station, p.first_slice, p.last_slice) for p in parts
    ]
    assert [f.side for f in exchanged.findings] == [side, side]


@pytest.mark.parametrize("shift", BODIES)
@pytest.mark.parametrize("slices", [(0, 17), (21, 43), (13, 24), (30, 30)])
def test_an_exchange_within_a_station_is_found_to_the_slice(
    shift: str, slices: tuple[int, int]
) -> None:
    stations = smooth_stations(SEED, shift)
    for index in range(1, 4):
        part = replace(whole(stations, index), first_slice=slices[0], last_slice=slices[1])
        exchanged = find_exchanged(exchange_back(stations, [part]))
        assert exchanged.parts == (part,)
        bottom, step = stations[index].affine[2, 3], stations[index].spacing_mm[2]
        assert exchanged.findings[0].from_mm == pytest.approx(bottom + (slices[0] - 0.5) * step)
        assert exchanged.findings[0].to_mm == pytest.approx(bottom + (slices[1] + 0.5) * step)


def test_several_parts_are_all_found() -> None:
    stations = smooth_stations(SEED)
    parts = (half(stations, 0, "left"), whole(stations, 2), half(stations, 3, "right"))
    assert find_exchanged(exchange_back(stations, parts)).parts == parts


@pytest.mark.parametrize("index", [1, 4])
def test_stations_that_only_touch_are_compared_at_their_nearest_slices(index: int) -> None:
    stations = list(smooth_stations(SEED))
    for k in range(1, 6):
        upper, lower = stations[k - 1 : k + 1]
        keep = int((upper.affine[2, 3] - lower.affine[2, 3]) / lower.spacing_mm[2])
        stations[k] = cut(lower, slice(0, keep))
    assert codes(stations) == set()
    part = whole(stations, index)
    assert find_exchanged(exchange_back(stations, [part])).parts == (part,)


@pytest.mark.parametrize("change", ["reversed", "noise", "blank"])
def test_damaged_slices_are_not_taken_for_an_exchange(change: str) -> None:
    def damage(image: np.ndarray) -> np.ndarray:
        image = image.copy()
        if change == "reversed":
            return image[::-1]
        image[20] = np.random.default_rng(7).integers(0, 900, image[20].shape)
        if change == "blank":
            image[20:23] = 0
        return image

    stations = smooth_stations(SEED)
    assert "WATER_FAT_EXCHANGED" not in codes(with_station(stations, 0, damage))
    assert "WATER_FAT_EXCHANGED" not in codes(with_station(stations, 2, damage))


def test_images_without_a_body_are_uncertain() -> None:
    stations = with_station(smooth_stations(SEED), 2, np.zeros_like)
    (finding,) = find_exchanged(stations).findings
    assert (finding.code, finding.severity) == ("WATER_FAT_UNCERTAIN", "warning")
    assert finding.station == 3


def test_what_is_repaired_is_told() -> None:
    stations = smooth_stations(SEED)
    exchanged = find_exchanged(exchange_back(stations, [half(stations, 1, "left")]))
    (finding,) = exchanged.repaired
    assert (finding.code, finding.severity, finding.station, finding.side) == (
        *("WATER_FAT_REPAIRED", "warning"),
        *(2, "left"),
    )


def test_an_exchange_stops_a_study_and_hides_what_follows_from_it() -> None:
    stations = smooth_stations(SEED)
    damaged = exchange_back(stations, [whole(stations, 2)])
    assert [f.code for f in check_study(damaged, fuse(damaged))] == ["WATER_FAT_EXCHANGED"]


@pytest.mark.parametrize("shift", BODIES)
def test_fused_volumes_without_stations_are_checked_too(shift: str) -> None:
    stations = smooth_stations(SEED, shift)
    assert find_exchanged_volumes(fuse(stations)).findings == ()
    parts = [half(stations, 2, "right")]
    (finding,) = find_exchanged_volumes(fuse(exchange_back(stations, parts))).findings
    assert (finding.code, finding.station, finding.side) == ("WATER_FAT_EXCHANGED", None, "right")
    assert finding.from_mm is not None
    assert finding.from_mm == pytest.approx(stations[2].affine[2, 3], abs=45)
