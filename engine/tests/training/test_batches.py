"""Images are varied as another scanner would vary them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from mimir_engine.fusion import FusedVolumes, fuse
from mimir_engine.phantom.scan import scan_stations
from mimir_engine.projection.project import project
from mimir_engine.training.batches import draw_water, scale_water


def test_scaled_water_changes_the_fat_fraction_as_another_scanner_would() -> None:
    fused = fuse(scan_stations(150_000))
    darker = FusedVolumes(replace(fused.water, array=0.8 * fused.water.array), fused.fat)
    image, expected = project(fused).image, project(darker).image
    scaled = scale_water(image[np.newaxis], np.array([0.8]))[0]
    assert np.array_equal(scaled[:2], image[:2])
    before, after = image[2].astype(int), expected[2].astype(int)
    around = sliding_window_view(np.pad(before, 1, mode="edge"), (3, 3))
    # In even tissue: where neighbours differ, the image is a mean of fractions, not one of signals.
    is_even = np.ptp(around, axis=(2, 3)) < 20
    shown = is_even & (before > 0) & (before < 255) & (after < 255)
    error, change = np.abs(scaled[2] - after)[shown], np.abs(before - after)[shown]
    assert np.quantile(error, 0.95) <= 1
    assert error.mean() < 0.1 * change.mean()


def test_factors_of_water_depend_on_seed_and_step_alone() -> None:
    factors = draw_water(4000, 1.3, step=7, seed=1)
    assert 1 / 1.3 <= factors.min() < 0.8
    assert 1.25 < factors.max() <= 1.3
    assert np.median(factors) == pytest.approx(1, abs=0.02)  # logarithms are uniform
    assert np.array_equal(factors, draw_water(4000, 1.3, step=7, seed=1))
    assert not np.array_equal(factors, draw_water(4000, 1.3, step=8, seed=1))
