"""Voids of one side of the body are found, as metal makes them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from phantom_stations import phantom_stations

from mimir_engine.checks.body_sample import body_sample
from mimir_engine.checks.signal.dark_voids import find_dark_voids
from mimir_engine.fusion import fuse
from mimir_engine.fusion.fuse import FusedVolumes
from mimir_engine.study.finding import Finding


def findings(fused: FusedVolumes) -> list[Finding]:
    return find_dark_voids(body_sample(fused))


def with_void(x_mm: float, z_mm: float, radius_mm: float) -> FusedVolumes:
    """A study with a dark ball in the middle of its rows of tissue; z from its lower end."""
    fused = fuse(phantom_stations(3))
    shape = fused.water.array.shape
    dx, dy, dz = fused.water.spacing_mm
    z, y, x = np.ogrid[: shape[0], : shape[1], : shape[2]]
    column, row = shape[2] / 2 + x_mm / dx, 95
    ball = ((z * dz - z_mm) ** 2 + ((y - row) * dy) ** 2 + ((x - column) * dx) ** 2) < radius_mm**2
    water, fat = (
        replace(v, array=np.where(ball, np.float32(8), v.array)) for v in (fused.water, fused.fat)
    )
    return FusedVolumes(water, fat)


@pytest.mark.parametrize("seed", range(3, 7))
def test_nothing_is_found_in_a_good_study(seed: int) -> None:
    assert findings(fuse(phantom_stations(seed))) == []


@pytest.mark.parametrize(("x_mm", "side"), [(-90.0, "right"), (90.0, "left")])
@pytest.mark.parametrize("radius_mm", [35.0, 55.0])
def test_a_void_beside_the_hip_is_found_on_its_side(
    x_mm: float, side: str, radius_mm: float
) -> None:
    (finding,) = findings(with_void(x_mm, 400.0, radius_mm))
    assert (finding.code, finding.side) == ("DARK_VOID", side)
    low = fuse(phantom_stations(3)).water.affine[2, 3]
    assert (finding.from_mm or 0.0) < low + 400.0 < (finding.to_mm or 0.0)
