"""Labels of two units are found, and skewed labels of one unit are not."""

from __future__ import annotations

import numpy as np
import pytest

from mimir_engine.training.mixed_units import MixedUnits, find_mixed_units

RNG = np.random.default_rng(7)
HEIGHTS, WEIGHTS = RNG.normal(169, 9, 400), RNG.normal(76, 13, 400).clip(45)
HEALTHY, FATTY = RNG.lognormal(0.8, 0.35, 300), RNG.lognormal(2.2, 0.5, 100)
LIVER_FAT = RNG.permutation(np.concatenate([HEALTHY, FATTY]))


@pytest.mark.parametrize(
    ("values", "factor"), [(HEIGHTS, 100), (HEIGHTS, 10), (WEIGHTS, 1000), (LIVER_FAT, 100)]
)
@pytest.mark.parametrize("count", [20, 200, 340])
def test_a_part_in_another_unit_is_found(values: np.ndarray, factor: int, count: int) -> None:
    mixed = np.where(np.arange(400) < count, values / factor, values)
    found = find_mixed_units(mixed)
    assert found is not None
    assert found.factor == factor
    assert found.smaller == pytest.approx(count, abs=8)
    assert found.smaller + found.larger == 400


@pytest.mark.parametrize("values", [HEIGHTS, WEIGHTS])
def test_one_value_in_another_unit_is_found_if_people_are_alike(values: np.ndarray) -> None:
    one = np.append(values, values[0] / 100)
    assert find_mixed_units(one) == MixedUnits(100, 1, 400)


@pytest.mark.parametrize(
    "values",
    [
        HEIGHTS,
        LIVER_FAT,
        RNG.exponential(3, 2000),
        RNG.lognormal(0, 1, 2000),
        RNG.uniform(0, 1, 2000),
        RNG.pareto(1.2, 2000),
        np.abs(RNG.normal(2, 2, 2000)),
        RNG.poisson(2, 2000).astype(float),
        np.full(100, 3.0),
        np.array([1.7, 170.0, 171.0]),
        np.array([]),
        np.array([np.nan, -1.0, 0.0] * 20),
    ],
)
def test_labels_of_one_unit_are_left_alone(values: np.ndarray) -> None:
    assert find_mixed_units(values) is None
