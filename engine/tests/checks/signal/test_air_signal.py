"""Noise and ghosts are found in the air beside the body."""

from __future__ import annotations

import numpy as np
import pytest
from phantom_stations import changed, phantom_stations

from mimir_engine.checks.pixel_sample import sample_pixels
from mimir_engine.checks.signal.air_signal import find_ghosts, find_noise, noise_share
from mimir_engine.checks.tissue_sample import TissueSample, tissue_sample
from mimir_engine.study import Station
from mimir_engine.study.finding import Finding


def tissue(station: Station) -> TissueSample:
    return tissue_sample(sample_pixels(station))


def noise_findings(station: Station) -> list[Finding]:
    bottom, step = float(station.affine[2, 3]), station.spacing_mm[2]
    return find_noise(tissue(station), 2, bottom, step)


def noisy(station: Station, sd: float, slices: slice = slice(None)) -> Station:
    def rician(image: np.ndarray) -> np.ndarray:
        image = image.astype(np.float32)
        noise = np.random.default_rng(7).normal(0, sd, (2, *image[slices].shape))
        image[slices] = np.hypot(image[slices] + noise[0], noise[1])
        return image

    return changed(station, rician)


@pytest.mark.parametrize("index", range(6))
def test_nothing_is_found_in_a_good_station(index: int) -> None:
    station = phantom_stations(3)[index]
    assert noise_findings(station) == []
    assert find_ghosts(tissue(station), 2) == []


def test_noise_is_measured_as_a_share_of_the_signal() -> None:
    station = phantom_stations(3)[2]
    noise = noise_share(tissue(noisy(changed(station, lambda image: image * 0 + image), 20.0)))
    body = tissue(station).level
    assert noise == pytest.approx(np.hypot(20.0, 6.0) / body, rel=0.1)
    assert noise_share(tissue(changed(station, lambda image: image * np.float32(0.1)))) == (
        pytest.approx(noise_share(tissue(station)), rel=0.01)
    )


def test_a_noisy_station_is_found() -> None:
    (finding,) = noise_findings(noisy(phantom_stations(3)[2], 30.0))
    assert (finding.code, finding.station, finding.unit) == ("NOISE_HIGH", 2, "%")


@pytest.mark.parametrize("sd", [20.0, 60.0, 300.0])
@pytest.mark.parametrize("k", [0, 21, 43])
def test_a_single_noisy_slice_is_found_where_it_is(k: int, sd: float) -> None:
    station = phantom_stations(3)[2]
    (finding,) = noise_findings(noisy(station, sd, slice(k, k + 1)))
    assert finding.from_mm == pytest.approx(station.affine[2, 3] + 4.5 * (k - 0.5))


@pytest.mark.parametrize("axis", [1, 2])
def test_ghosts_are_found_along_rows_and_columns(axis: int) -> None:
    def ghosted(image: np.ndarray) -> np.ndarray:
        moved = np.roll(image, image.shape[axis] // 3, axis)
        return (image + 0.1 * moved).astype(np.float32)

    station = changed(phantom_stations(3)[2], ghosted)
    (finding,) = find_ghosts(tissue(station), 2)
    assert (finding.code, finding.station) == ("GHOSTS", 2)


def test_air_without_any_signal_is_no_finding() -> None:
    masked = changed(phantom_stations(3)[2], lambda image: np.where(image > 40, image, 0))
    assert noise_findings(masked) == []
    assert find_ghosts(tissue(masked), 2) == []
