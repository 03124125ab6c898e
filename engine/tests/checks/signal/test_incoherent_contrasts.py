"""In-phase and opposed-phase show whether water and fat belong together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from phantom_stations import phantom_stations

from mimir_engine.checks.signal.incoherent_contrasts import find_incoherent_contrasts
from mimir_engine.study import Contrast, Station

WATER, FAT = Contrast.WATER, Contrast.FAT


def with_phases(station: Station, scale: float = 1.0) -> Station:
    """A station with two slices of in-phase and opposed-phase, as a scanner computes them."""
    water, fat = station.water.astype(np.float32), station.fat.astype(np.float32)
    slices = [int(share * len(water)) for share in (0.3, 0.6)]
    phases = {
        Contrast.IN_PHASE: {k: scale * (water[k] + fat[k]) for k in slices},
        Contrast.OPPOSED_PHASE: {k: scale * np.abs(water[k] - fat[k]) for k in slices},
    }
    return replace(station, phases=phases)


def codes(station: Station) -> list[str]:
    return [finding.code for finding in find_incoherent_contrasts(station, 5)]


@pytest.mark.parametrize("scale", [1.0, 0.25])
@pytest.mark.parametrize("index", range(6))
def test_nothing_is_found_if_they_belong_together_whatever_their_unit(
    index: int, scale: float
) -> None:
    assert codes(with_phases(phantom_stations(3)[index], scale)) == []


def test_fat_that_decays_faster_than_water_is_usual() -> None:
    station = with_phases(phantom_stations(3)[2])
    assert codes(replace(station, images={WATER: station.water, FAT: station.fat * 1.15})) == []


def of_water(change: Callable[[np.ndarray], np.ndarray], station: Station) -> Station:
    return replace(station, images={WATER: change(station.water), FAT: station.fat})


def of_both(change: Callable[[np.ndarray], np.ndarray], station: Station) -> Station:
    return replace(station, images={c: change(image) for c, image in station.images.items()})


@pytest.mark.parametrize(
    "disturb",
    [
        partial(of_both, lambda image: image[::-1]),
        partial(of_both, lambda image: image[:, :, ::-1]),
        partial(of_both, lambda image: np.roll(image, 10, axis=2)),
        partial(of_water, lambda image: image[::-1]),
        partial(of_water, lambda image: 2.0 * image),
    ],
    ids=["reversed", "mirrored", "shifted", "water reversed", "water doubled"],
)
@pytest.mark.parametrize("index", range(6))
def test_water_and_fat_that_were_changed_alone_are_found(
    index: int, disturb: Callable[[Station], Station]
) -> None:
    assert codes(disturb(with_phases(phantom_stations(3)[index]))) == ["CONTRASTS_INCOHERENT"]


def test_an_exchange_of_water_and_fat_does_not_show() -> None:
    station = with_phases(phantom_stations(3)[2])
    assert codes(replace(station, images={WATER: station.fat, FAT: station.water})) == []


def test_without_in_phase_and_opposed_phase_nothing_is_found() -> None:
    assert codes(phantom_stations(3)[2]) == []
