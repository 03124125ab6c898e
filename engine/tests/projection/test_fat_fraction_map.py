from __future__ import annotations

import numpy as np

from mimir_engine.fusion import FusedVolumes
from mimir_engine.fusion.grid import OUTPUT_SPACING_MM
from mimir_engine.projection.fat_fraction_map import fat_fraction_map
from mimir_engine.study.volume import Volume, axial_affine


def fused(water: np.ndarray, fat: np.ndarray) -> FusedVolumes:
    affine = axial_affine((0.0, 0.0, 0.0), OUTPUT_SPACING_MM)
    return FusedVolumes(
        Volume(water.astype(np.float32), affine), Volume(fat.astype(np.float32), affine)
    )


def test_tissue_has_its_fraction_in_percent_and_air_has_zero() -> None:
    rng = np.random.default_rng(0)
    water, fat = rng.uniform(0, 4, (2, 24, 24, 24))  # noise around a body
    inside = (slice(6, 18),) * 3
    water[inside] = rng.uniform(200, 600, (12, 12, 12))
    fat[inside] = water[inside] / 3
    fraction = fat_fraction_map(fused(water, fat)).array
    assert fraction.dtype == np.float32
    assert np.allclose(fraction[inside], 25.0)
    outside = np.ones(fraction.shape, bool)
    outside[inside] = False
    assert (fraction[outside] == 0).all()


def test_voxels_without_signal_have_zero() -> None:
    water, fat = np.zeros((4, 4, 4)), np.zeros((4, 4, 4))
    water[1:3, 1:3, 1:3] = 100.0
    with np.errstate(all="raise"):
        fraction = fat_fraction_map(fused(water, fat))
    assert (fraction.array == 0).all()
