"""Voxels of a phantom: what the stations of a study hold."""
from __future__ import annotations

import numpy as np

from mimir_engine.phantom.body import Body
from mimir_engine.phantom.population import stream
from mimir_engine.phantom.scanner import PIXEL_MM, ScannedStation, columns_x, rows_y


def render_station(body: Body, station: ScannedStation, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Water and fat of one station as the scanner stores them: uint16 ``[slice, row, column]``, head to foot."""
    x, y = columns_x(), rows_y()[station.window]
    ellipses = body.at(station.z)
    differences = np.array([
        (own.water - around.water, own.fat - around.fat)
        for own, around in ((body.tissues[i], body.tissue_around(i)) for i in range(len(body.names)))])
    bias = station.bias
    plane = np.outer(1 + bias.y[0] * y - bias.y[1] * y**2, 1 + bias.x[0] * x - bias.x[1] * x**2)
    gain = bias.along_z(len(station.z))
    rng = np.random.default_rng(stream("noise", seed).integers(2**63, size=station.index + 1)[-1])
    volumes = np.empty((2, len(station.z), len(y), len(x)), np.uint16)
    for k in range(len(station.z)):
        clean = _slice([table[:, k] for table in ellipses], differences, x, y)
        clean *= (plane * gain[k]).astype(np.float32)
        noise = rng.standard_normal((2, *clean.shape), dtype=np.float32) * np.float32(station.sigma)
        noise[0] += clean
        np.square(noise, out=noise)
        volumes[:, k] = np.sqrt(noise[0] + noise[1]) + np.float32(0.5)
    return volumes[0], volumes[1]


def occupancy(dx: np.ndarray, dy: np.ndarray, half_x: np.ndarray, half_y: np.ndarray) -> np.ndarray:
    """Share of each pixel that lies in an ellipse, 0..1, with an edge about one pixel wide.

    Args:
        dx, dy: Distance of the pixel from the ellipse's centre (mm), broadcast against each other.
        half_x, half_y: Half-axes (mm), above 0.
    """
    u, v = dx / half_x, dy / half_y
    # Distance to the edge, to first order: (q - 1) / |gradient of q|, with q = u² + v².
    slope = 2.0 * np.sqrt((u / half_x) ** 2 + (v / half_y) ** 2) + 1e-6
    return np.clip(0.5 - (u * u + v * v - 1.0) / (slope * PIXEL_MM), 0.0, 1.0)


def _slice(ellipses: list[np.ndarray], differences: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Water and fat of one slice without bias and noise: float32 ``(2, rows, columns)``."""
    image = np.zeros((2, len(y), len(x)), np.float32)
    for i in np.flatnonzero((ellipses[2] > 0.0) & (ellipses[3] > 0.0)):
        cx, cy, a, b = (float(table[i]) for table in ellipses)
        columns = _window(x, cx - a, cx + a)
        rows = _window(y, cy - b, cy + b)
        share = occupancy((x[columns] - cx).astype(np.float32), (y[rows] - cy).astype(np.float32)[:, None],
                          np.float32(a), np.float32(b))
        image[:, rows, columns] += differences[i].astype(np.float32)[:, None, None] * share
    return np.maximum(image, 0.0)


def _window(pixels: np.ndarray, low: float, high: float) -> slice:
    """Pixels touched by the interval from ``low`` to ``high``."""
    first, last = np.searchsorted(pixels, [low - PIXEL_MM, high + PIXEL_MM])
    return slice(int(first), int(last))
