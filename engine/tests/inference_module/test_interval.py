"""Test the half-width of intervals at any level."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimir_engine.inference_module.interval import gaussian_quantile, half_width_in_sd

QUANTILES = {0.5: 0.6, 0.9: 1.9, 0.95: 2.4}


def test_a_stored_level_has_its_quantile_and_none_has_the_gaussians() -> None:
    assert [half_width_in_sd(QUANTILES, level) for level in QUANTILES] == [0.6, 1.9, 2.4]
    assert half_width_in_sd({}, 0.95) == pytest.approx(1.959964, abs=1e-6)
    assert half_width_in_sd(QUANTILES, 0.1 + 0.8) == 1.9, "a level as arithmetic leaves it"


def test_between_levels_the_quantiles_of_a_wider_gaussian_are_exact() -> None:
    wider = {level: 1.3 * gaussian_quantile(level) for level in (0.5, 0.8, 0.95)}
    for level in (0.01, 0.3, 0.66, 0.9, 0.95, 0.99):
        assert half_width_in_sd(wider, level) == pytest.approx(1.3 * gaussian_quantile(level))


def test_beyond_the_largest_level_it_is_never_narrower_than_the_gaussians() -> None:
    narrow = {0.9: 1.2}
    assert half_width_in_sd(narrow, 0.99) == gaussian_quantile(0.99)
    wide = {0.9: 2 * gaussian_quantile(0.9)}
    assert half_width_in_sd(wide, 0.99) == pytest.approx(2 * gaussian_quantile(0.99))


@given(
    st.lists(st.floats(0.01, 6), min_size=1, max_size=5),
    st.lists(st.floats(0.02, 0.995), min_size=5, max_size=5, unique=True),
)
def test_a_wider_level_never_gives_a_narrower_interval(
    quantiles: list[float], levels: list[float]
) -> None:
    table = dict(zip(sorted(levels[: len(quantiles)]), sorted(quantiles)))
    widths = [half_width_in_sd(table, level) for level in np.linspace(0.005, 0.999, 200)]
    assert (np.diff(widths) >= -1e-12).all()
    assert widths[0] > 0
