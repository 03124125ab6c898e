"""Doubled signal is found where water and fat are of two bodies, or in two places."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from phantom_stations import phantom_stations

from mimir_engine.checks.body_sample import STEPS, BodySample, body_sample
from mimir_engine.checks.signal.doubled_signal import (
    MAX_DOUBLED_SHARE,
    doubled_shares,
    find_doubled_signal,
)
from mimir_engine.fusion import fuse


@pytest.fixture(scope="module")
def samples() -> list[BodySample]:
    """Four bodies; tests must not change them."""
    return [body_sample(fuse(phantom_stations(seed))) for seed in range(3, 7)]


def with_fat(sample: BodySample, fat: np.ndarray) -> BodySample:
    return BodySample(sample.water, fat, sample.borders, sample.z_mm, sample.step_mm)


def fat_of(other: BodySample, slices: int) -> np.ndarray:
    """Fat of a body, repeated at its upper end if it has fewer slices."""
    return other.fat[np.minimum(np.arange(slices), len(other.fat) - 1)]


def test_nothing_is_found_in_one_body(samples: list[BodySample]) -> None:
    for sample in samples:
        assert find_doubled_signal(sample) == []
        assert np.nanmax(doubled_shares(sample)) < MAX_DOUBLED_SHARE / 4


def test_fat_of_another_body_is_found(samples: list[BodySample]) -> None:
    for sample in samples:
        for other in samples:
            if other is sample:
                continue
            (finding,) = find_doubled_signal(with_fat(sample, fat_of(other, len(sample.water))))
            assert finding.code == "WATER_FAT_APART"
            assert finding.value is not None
            assert finding.value > 200 * MAX_DOUBLED_SHARE, "far above the limit"


@pytest.mark.parametrize("begin", [10, 50, 90])
def test_fat_of_another_body_in_one_station_is_found_where_it_is(
    samples: list[BodySample], begin: int
) -> None:
    fat = samples[0].fat.copy()
    fat[begin : begin + 22] = samples[1].fat[begin : begin + 22]
    (finding,) = find_doubled_signal(with_fat(samples[0], fat))
    low, high = samples[0].z_mm[[begin, begin + 21]]
    assert finding.from_mm is not None
    assert finding.to_mm is not None
    assert finding.from_mm < high
    assert finding.to_mm > low


def test_fat_that_was_moved_by_2_cm_is_found(samples: list[BodySample]) -> None:
    for axis, name in enumerate(("along", "backwards", "sideways")):
        moved = np.roll(samples[0].fat, 2, axis)
        assert find_doubled_signal(with_fat(samples[0], moved)), name


def test_the_scale_of_fat_does_not_matter(samples: list[BodySample]) -> None:
    for scale in (0.5, 2.0):
        scaled = with_fat(samples[0], np.float32(scale) * samples[0].fat)
        assert find_doubled_signal(scaled) == []


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_shading_does_not_matter(samples: list[BodySample], axis: int) -> None:
    for sample in samples:
        shape = [-1 if k == axis else 1 for k in range(3)]
        gain = np.linspace(0.6, 2.4, sample.water.shape[axis], dtype=np.float32).reshape(shape)
        shaded = BodySample(
            gain * sample.water, gain * sample.fat, sample.borders, sample.z_mm, sample.step_mm
        )
        assert find_doubled_signal(shaded) == []


def test_volumes_without_lean_tissue_or_fat_are_not_looked_at(samples: list[BodySample]) -> None:
    for factor in (0, 1e4):
        uniform = with_fat(samples[0], samples[0].water * np.float32(factor))
        assert np.isnan(doubled_shares(uniform)).all()
        assert find_doubled_signal(uniform) == []


def test_the_fused_volumes_are_sampled_at_the_same_places() -> None:
    fused = fuse(phantom_stations(3))
    rolled = replace(fused.fat, array=np.roll(fused.fat.array, 2 * STEPS[2], axis=2))
    assert find_doubled_signal(body_sample(replace(fused, fat=rolled)))
