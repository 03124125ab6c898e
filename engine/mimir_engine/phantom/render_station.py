"""Render the voxels of a phantom: the stations of a study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Union

import numpy as np

from mimir_engine.phantom.body import Body
from mimir_engine.phantom.population import stream
from mimir_engine.phantom.scanner import COLUMNS_X_MM, PIXEL_MM, ScannedStation

Number = Union[float, np.ndarray]


def render_station(
    body: Body, station: ScannedStation, seed: int, repeat: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Render water and fat of one station as the scanner stores them.

    Args:
        body: The scanned body.
        station: Position, coils and noise of the station.
        seed: Seed of the phantom; its noise stream gives each station its own noise.
        repeat: Number of the scan of this body.

    Returns:
        Two uint16 arrays ``[slice, row, column]``, slices from head to foot.
    """
    x, y = COLUMNS_X_MM, station.rows_y_mm
    in_plane = station.bias.in_plane(x, y)
    gain = station.bias.along_z(len(station.z))
    ellipses = body.at(station.z)
    tissues = np.array([(tissue.water, tissue.fat) for tissue in body.tissues])
    contrast = body.minus_surroundings(tissues).astype(np.float32)
    # The same noise whichever stations are rendered before this one.
    seeds = stream("noise", seed, repeat).integers(2**63, size=station.index + 1)
    rng = np.random.default_rng(seeds[-1])
    volumes = np.empty((2, len(station.z), len(y), len(x)), np.uint16)
    for k in range(len(station.z)):
        clean = paint_ellipses([table[:, k] for table in ellipses], contrast, x, y)
        clean *= (in_plane * gain[k]).astype(np.float32)
        noise = rng.standard_normal((2, *clean.shape), dtype=np.float32) * np.float32(station.sigma)
        noise[0] += clean
        np.square(noise, out=noise)
        volumes[:, k] = np.sqrt(noise[0] + noise[1]) + np.float32(0.5)
    return volumes[0], volumes[1]


def occupancy(dx: np.ndarray, dy: np.ndarray, half_x: Number, half_y: Number) -> np.ndarray:
    """Compute the share of each pixel inside an ellipse, 0..1, with an edge about one pixel wide.

    Args:
        dx: Distance of the pixels from the ellipse's centre along x (mm), broadcast against `dy`.
        dy: The same along y.
        half_x: Half-axis along x (mm), above 0.
        half_y: Half-axis along y (mm), above 0.
    """
    u, v = dx / half_x, dy / half_y
    # Distance to the edge, to first order: (q - 1) / |gradient of q|, with q = u² + v².
    slope = 2.0 * np.sqrt((u / half_x) ** 2 + (v / half_y) ** 2) + 1e-6
    return np.clip(0.5 - (u * u + v * v - 1.0) / (slope * PIXEL_MM), 0.0, 1.0)


def pixels_between(pixels: np.ndarray, low: float, high: float) -> slice:
    """Find the pixels (centres, ascending) that touch the interval ``low`` to ``high`` (mm)."""
    first, last = np.searchsorted(pixels, [low - PIXEL_MM, high + PIXEL_MM])
    return slice(int(first), int(last))


def paint_ellipses(
    ellipses: Sequence[np.ndarray], contrast: np.ndarray, x: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Paint a slice: the sum over columns of what each adds to its surroundings.

    Args:
        ellipses: Centre x, y and half-axes x, y (mm) of the columns, ``(P,)`` each.
        contrast: Value of each column minus that of the column around it, ``(P, channels)``.
        x: Positions of the pixels' columns (mm).
        y: Positions of the rows.

    Returns:
        float32 ``(channels, rows, columns)``, without coils and noise.
    """
    image = np.zeros((contrast.shape[1], len(y), len(x)), np.float32)
    for i in np.flatnonzero((ellipses[2] > 0.0) & (ellipses[3] > 0.0)):
        centre_x, centre_y, half_x, half_y = (float(table[i]) for table in ellipses)
        columns = pixels_between(x, centre_x - half_x, centre_x + half_x)
        rows = pixels_between(y, centre_y - half_y, centre_y + half_y)
        dx = (x[columns] - centre_x).astype(np.float32)
        dy = (y[rows] - centre_y).astype(np.float32)[:, None]
        share = occupancy(dx, dy, half_x, half_y).astype(np.float32, copy=False)
        image[:, rows, columns] += contrast[i, :, None, None] * share
    return np.maximum(image, 0.0)
