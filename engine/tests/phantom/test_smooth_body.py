"""Check the bodies of population 2: their shapes, and that truth and pixels agree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mimir_engine.fusion import fuse
from mimir_engine.phantom.anatomy import build_body
from mimir_engine.phantom.population import draw_person
from mimir_engine.phantom.scan import make_scan, scan_stations
from mimir_engine.phantom.smooth_body import truth as module
from mimir_engine.phantom.smooth_body.shapes import (
    Egg,
    Grid,
    Rod,
    layer,
    occupancy,
    soft_minimum,
)

GRID = Grid.of(np.arange(-120.0, 120.0, 2.0), np.arange(-120.0, 120.0, 2.0))
SEEDS = (101, 102, 103)


@pytest.fixture(scope="module")
def truths() -> list[tuple[dict[str, float], dict[str, float]]]:
    return [make_scan(seed).truths() for seed in SEEDS]


@pytest.mark.parametrize(("half", "front", "back"), [(60, 60, 60), (80, 50, 50), (80, 60, 30)])
def test_an_egg_has_the_area_of_its_two_half_ellipses(
    half: float, front: float, back: float
) -> None:
    share = occupancy(Egg(3.0, -5.0, half, front, back).distance(GRID), 2.0)
    assert share.sum() * 4.0 == pytest.approx(np.pi * half * (front + back) / 2, rel=2e-3)


def test_a_square_egg_is_larger_than_a_round_one_and_as_wide() -> None:
    plain = Egg(0.0, 0.0, 60.0, 60.0, 60.0)
    areas = []
    for egg in (plain, replace(plain, square_front=0.8, square_back=0.8)):
        inside = egg.distance(GRID) < 0
        assert abs(np.ptp(GRID.x[inside.any(axis=0)]) - 120.0) <= 4.0
        areas.append(inside.sum())
    assert areas[1] > 1.05 * areas[0]


def test_a_rod_across_a_slice_is_as_wide_as_its_radii() -> None:
    rod = Rod((0.0, 0.0, -50.0), (0.0, 0.0, 50.0), 20.0, 40.0)
    share = occupancy(rod.distance(GRID, 0.0), 2.0)
    assert share.sum() * 4.0 == pytest.approx(np.pi * 30.0**2, rel=0.01)


def test_a_thin_layer_has_its_thickness_on_any_grid() -> None:
    for spacing in (1.0, 3.0):
        positions = np.arange(-30.0, 30.0, spacing)
        share = layer(np.abs(positions - 0.4), 0.5, spacing)
        assert share.sum() * spacing == pytest.approx(1.0, rel=1e-3)


def test_a_fillet_only_adds_near_both_shapes() -> None:
    a, b = np.array([-5.0, 1.0, 30.0]), np.array([40.0, 1.0, 2.0])
    assert soft_minimum(a, b, 10.0).tolist() == pytest.approx([-5.0, -1.5, 2.0])


def test_all_parts_add_up(truths: list[tuple[dict[str, float], dict[str, float]]]) -> None:
    for _, direct in truths:
        tissue = direct["direct_fat_volume"] + direct["direct_lean_volume"]
        assert 0.8 < tissue / direct["direct_body_volume"] < 1.0, "the rest is lung, gas and bone"
        parts = ("trunk", "right_thigh", "left_thigh", "arms")
        for part in parts:
            own = [direct[f"direct_{part}{what}_volume"] for what in ("", "_fat", "_lean")]
            assert own[1] + own[2] < own[0]
        volumes = [direct[f"direct_{part}_volume"] for part in parts]
        # Calves and neck are in no part.
        assert 0.8 < sum(volumes) / direct["direct_body_volume"] < 1.0
        sides = direct["direct_right_thigh_volume"] / direct["direct_left_thigh_volume"]
        assert sides == pytest.approx(1.0, abs=0.1)


def test_levels_and_girths_are_a_persons(
    truths: list[tuple[dict[str, float], dict[str, float]]],
) -> None:
    for _, d in truths:
        levels = [d[f"direct_{name}_z"] for name in ("knee", "crotch", "hip", "waist", "shoulder")]
        assert levels == sorted(levels)
        assert 40 < d["direct_right_thigh_girth"] < 75
        assert 60 < d["direct_waist"] < 150
        assert 75 < d["direct_hip"] < 150


def test_bodies_weigh_and_measure_what_those_of_population_1_do() -> None:
    pairs = [(make_scan(seed).truths()[0], build_body(draw_person(seed)).truth()) for seed in SEEDS]
    for own, first in pairs:
        assert own["height"] == first["height"]
        assert own["weight"] == pytest.approx(first["weight"], rel=0.05)
        assert own["totalFatVolume"] == pytest.approx(first["totalFatVolume"], rel=0.25)
        assert own["thighMuscleVolume"] == pytest.approx(first["thighMuscleVolume"], rel=0.10)


def test_truth_hardly_depends_on_the_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    scan = make_scan(SEEDS[0])
    coarse = {key: value for part in scan.truths() for key, value in part.items()}
    monkeypatch.setattr(module, "STEP_MM", 5.0)
    monkeypatch.setattr(module, "SPACING_MM", 3.0)
    fine = {key: value for part in scan.truths() for key, value in part.items()}
    assert coarse == pytest.approx(fine, rel=0.01, abs=0.02)


def test_truth_is_what_the_pixels_show() -> None:
    """Fat fraction times volume, summed over the body, is the fat that the truth counts."""
    scan = make_scan(SEEDS[1])
    fused = fuse(scan_stations(SEEDS[1]))
    direct = scan.truths()[1]
    water, fat = fused.water.array, fused.fat.array
    body = water + fat > 100
    voxel = np.prod(fused.water.spacing_mm) / 1e6
    fatty = fat > water
    assert (body & fatty).sum() * voxel == pytest.approx(direct["direct_fat_volume"], rel=0.08)
    assert (body & ~fatty).sum() * voxel == pytest.approx(direct["direct_lean_volume"], rel=0.08)


def test_breath_moves_the_liver_and_not_the_spine() -> None:
    scan = make_scan(SEEDS[0])
    from mimir_engine.phantom.smooth_body.paint import paint_slice

    palette = {
        name: np.array([name == "liver", name == "red marrow"], np.float32)
        for name in scan.body.tissues
    }
    z = scan.body.z_of(scan.person.dome_level) - 10.0
    grid = Grid.of(np.arange(-200.0, 200.0, 4.0), np.arange(-180.0, 140.0, 4.0))
    low, high = (paint_slice(scan.body, grid, z, palette, mm).sum(axis=(1, 2)) for mm in (-15, 15))
    assert high[0] > 1.1 * low[0]
    assert high[1] == pytest.approx(low[1], rel=0.3)
