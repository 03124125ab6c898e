"""Compare projections computed without voxels with those of the voxels."""

from __future__ import annotations

import numpy as np
import pytest

from mimir_engine.fusion import fuse
from mimir_engine.headers.contrast import Contrast
from mimir_engine.phantom.anatomy import build_body
from mimir_engine.phantom.population import draw_person
from mimir_engine.phantom.render_projection import render_projection
from mimir_engine.phantom.render_station import render_station
from mimir_engine.phantom.rician_noise import rician_mean
from mimir_engine.phantom.scanner import COLUMNS_X_MM, PIXEL_MM, ROWS_Y_MM, draw_stations
from mimir_engine.projection.project import project
from mimir_engine.study.station import Station
from mimir_engine.study.volume import axial_affine

#: A slim woman and a broad man, whose front leaves the field of view.
SEEDS = (3, 6)
BLOCK = 16


def through_voxels(seed: int) -> np.ndarray:
    """Project a phantom through its stations and fused volumes."""
    body = build_body(draw_person(seed))
    stations = []
    for scanned in draw_stations(seed):
        water, fat = (volume[::-1] for volume in render_station(body, scanned, seed))
        origin = (float(COLUMNS_X_MM[0]), float(ROWS_Y_MM[scanned.first_row]), float(scanned.z[-1]))
        affine = axial_affine(origin, (PIXEL_MM, PIXEL_MM, scanned.spacing_z))
        stations.append(Station({Contrast.WATER: water, Contrast.FAT: fat}, affine))
    return project(fuse(stations)).image


@pytest.fixture(scope="module", params=SEEDS)
def both(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    """The image by way of voxels, and directly: float ``(3, 256, 256)`` each."""
    seed = request.param
    return through_voxels(seed).astype(float), render_projection(seed).astype(float)


# Measured on six phantoms: mean absolute difference 0.2-0.5 (water) and 0.3-0.7 (fat) grey levels,
# correlation from 0.9997; fat fraction in blocks 1.5-1.8 grey levels, correlation from 0.9992.


def test_water_and_fat_agree_except_for_noise(both: tuple[np.ndarray, np.ndarray]):
    voxels, direct = (image[:2] for image in both)
    assert np.abs(voxels - direct).mean(axis=(1, 2)).max() < 0.8
    assert np.abs((voxels - direct).mean(axis=(1, 2))).max() < 0.5
    for channel in (0, 1):
        assert np.corrcoef(voxels[channel].ravel(), direct[channel].ravel())[0, 1] > 0.9995


def test_fat_fraction_is_the_same_in_the_mean_of_blocks(both: tuple[np.ndarray, np.ndarray]):
    # Pixel by pixel it can't agree: in air the fat fraction is noise over noise.
    blocks = [
        image[2].reshape(256 // BLOCK, BLOCK, 256 // BLOCK, BLOCK).mean(axis=(1, 3))
        for image in both
    ]
    assert np.abs(blocks[0] - blocks[1]).mean() < 2.5
    assert np.corrcoef(blocks[0].ravel(), blocks[1].ravel())[0, 1] > 0.998


def test_fat_fraction_of_lean_tissue_is_not_shifted(both: tuple[np.ndarray, np.ndarray]):
    voxels, direct = both
    # Chosen by the mean of both: choosing by one would favour that one's low noise.
    lean = (voxels[:2].sum(axis=0) > 100) & ((voxels[2] + direct[2]) / 2 < 100)
    assert lean.sum() > 5000
    assert np.mean((direct - voxels)[2][lean]) == pytest.approx(0.0, abs=0.3)


def test_the_same_seed_gives_the_same_image():
    assert np.array_equal(render_projection(9), render_projection(9))


def test_a_given_body_gives_the_same_image():
    assert np.array_equal(render_projection(9, build_body(draw_person(9))), render_projection(9))


@pytest.mark.parametrize("signal", [0.0, 0.7, 2.0, 5.0, 20.0])
def test_rician_mean_is_that_of_a_simulation(signal: float):
    noise = np.random.default_rng(1).standard_normal((2, 400_000))
    simulated = np.hypot(signal + noise[0], noise[1]).mean()
    assert rician_mean(signal) == pytest.approx(simulated, abs=0.005)
