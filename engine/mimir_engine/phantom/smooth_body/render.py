"""Render a station of a body of population 2 as the scanner stores it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mimir_engine.phantom.population import stream
from mimir_engine.phantom.scanner import COLUMNS_X_MM, PIXEL_MM, ScannedStation
from mimir_engine.phantom.smooth_body.body import SmoothBody
from mimir_engine.phantom.smooth_body.conditions import Conditions
from mimir_engine.phantom.smooth_body.paint import paint_slice
from mimir_engine.phantom.smooth_body.shapes import Grid, Rod, occupancy

#: Random numbers drawn for the noise of a station; each slice takes its own stretches of them.
NOISE_POOL = 2_000_003


def render_smooth_station(
    body: SmoothBody,
    conditions: Sequence[Conditions],
    seed: int,
    repeat: int,
    station: ScannedStation,
) -> tuple[np.ndarray, np.ndarray]:
    """Render water and fat of one station as the scanner stores them.

    Args:
        body: The scanned body.
        conditions: Of all stations.
        seed: Seed of the phantom.
        repeat: Number of the scan of this body.
        station: Which station, where, and its coils.

    Returns:
        Two uint16 arrays ``[slice, row, column]``, slices from head to foot.
    """
    condition = conditions[station.index]
    grid = Grid.of(COLUMNS_X_MM, station.rows_y_mm)
    palette = {
        name: np.array((tissue.water, tissue.fat), np.float32)
        for name, tissue in body.tissues.items()
    }
    in_plane = station.bias.in_plane(grid.x, grid.y[:, 0])
    gain = station.bias.along_z(len(station.z)) * condition.gain
    seeds = stream("noise", seed, repeat).integers(2**63, size=station.index + 1)
    rng = np.random.default_rng(seeds[-1])
    pool = rng.standard_normal(NOISE_POOL, dtype=np.float32) * np.float32(station.sigma)
    volumes = np.empty((2, len(station.z), *grid.shape), np.uint16)
    size = grid.shape[0] * grid.shape[1]
    for k, z in enumerate(station.z.tolist()):
        clean = paint_slice(body, grid, z, palette, condition.breath_mm)
        clean *= 1 + np.float32(0.02) * body.field("texture", grid, z)
        _add_faults(clean, grid, z, condition)
        uneven = condition.uneven_coils(grid, z)
        uneven *= (in_plane * gain[k]).astype(np.float32)
        clean *= uneven
        for image, volume in zip(clean, volumes):
            real, imaginary = (
                pool[start : start + size].reshape(grid.shape)
                for start in rng.integers(NOISE_POOL - size, size=2).tolist()
            )
            image += real
            image *= image
            image += imaginary * imaginary
            np.sqrt(image, out=image)
            image += np.float32(0.5)
            volume[k] = image
    return volumes[0], volumes[1]


def _add_faults(clean: np.ndarray, grid: Grid, z: float, conditions: Conditions) -> None:
    """Add ghosts and the void of metal to water and fat of a slice."""
    if conditions.metal is not None:
        *centre, radius = conditions.metal
        place = (centre[0], centre[1], centre[2])
        ball = Rod(place, place, radius, radius)
        if ball.low - 12.0 < z < ball.high + 12.0:
            d = ball.distance(grid, z)
            # Displaced signal piles up around the void.
            clean *= 1.0 + np.float32(0.8) * np.exp(-((d - 4.0) ** 2) / np.float32(18.0))
            clean *= 1.0 - occupancy(d, 3 * PIXEL_MM)
    if conditions.ghosts:
        n = conditions.ghost_rows
        ghost = np.roll(clean, n, axis=1) + np.roll(clean, -n, axis=1)
        clean += np.float32(conditions.ghosts) * ghost
