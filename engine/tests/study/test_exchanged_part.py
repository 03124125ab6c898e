"""Exchanging water and fat back in parts of stations."""

from __future__ import annotations

import numpy as np

from mimir_engine.study import Contrast, Station
from mimir_engine.study.exchanged_part import ExchangedPart, exchange_back
from mimir_engine.study.volume import axial_affine


def station(dtype: type = np.uint16) -> Station:
    water = np.arange(60, dtype=np.uint16).reshape(3, 4, 5)
    images = {Contrast.WATER: water, Contrast.FAT: (water + 100).astype(dtype)}
    return Station(images, axial_affine((0.0, 0.0, 0.0), (2.0, 2.0, 3.0)))


def test_only_the_part_is_exchanged_and_the_old_stations_stay() -> None:
    stations = (station(), station())
    first, second = exchange_back(stations, [ExchangedPart(1, 0, 1, 2, 4)])
    assert first is stations[0]
    np.testing.assert_array_equal(second.water[:2, :, 2:], stations[1].fat[:2, :, 2:])
    np.testing.assert_array_equal(second.fat[:2, :, 2:], stations[1].water[:2, :, 2:])
    np.testing.assert_array_equal(second.water[2], stations[1].water[2])
    np.testing.assert_array_equal(second.water[:, :, :2], stations[1].water[:, :, :2])
    np.testing.assert_array_equal(stations[1].water, station().water)


def test_exchanging_twice_gives_the_same_images() -> None:
    parts = [ExchangedPart(0, 0, 0, 0, 4), ExchangedPart(0, 2, 2, 0, 1)]
    (twice,) = exchange_back(exchange_back([station()], parts), parts)
    np.testing.assert_array_equal(twice.water, station().water)
    np.testing.assert_array_equal(twice.fat, station().fat)


def test_images_of_different_types_lose_nothing() -> None:
    mixed = station(np.float32)
    (exchanged,) = exchange_back([mixed], [ExchangedPart(0, 0, 2, 0, 4)])
    np.testing.assert_array_equal(exchanged.water, mixed.fat)
    np.testing.assert_array_equal(exchanged.fat, mixed.water)


def test_without_parts_nothing_changes() -> None:
    stations = (station(),)
    assert exchange_back(stations, []) == stations
