"""Paint an axial slice of a body: skin, fat, muscles, the inside of the trunk, and bones."""

from __future__ import annotations

import numpy as np

from mimir_engine.phantom.smooth_body.body import SmoothBody
from mimir_engine.phantom.smooth_body.canvas import Canvas, Palette
from mimir_engine.phantom.smooth_body.outline import surfaces
from mimir_engine.phantom.smooth_body.paint_trunk import paint_trunk
from mimir_engine.phantom.smooth_body.shapes import FAR, Egg, Grid, layer, occupancy
from mimir_engine.phantom.smooth_body.surface import Part

#: Muscles of a thigh in its section's unit disc, for the right leg: centre and half-axes.
THIGH = (
    (-0.40, -0.50, 0.46, 0.40),
    (0.18, -0.62, 0.38, 0.34),
    (-0.60, 0.06, 0.34, 0.46),
    (0.55, 0.10, 0.42, 0.44),
    (0.56, -0.40, 0.26, 0.24),
    (-0.24, 0.66, 0.38, 0.32),
    (0.34, 0.66, 0.36, 0.32),
    (-0.05, -0.14, 0.34, 0.30),
)


def paint_slice(
    body: SmoothBody, grid: Grid, z: float, palette: Palette, breath_mm: float = 0.0
) -> np.ndarray:
    """Paint the slice at a patient z.

    Args:
        body: The body.
        grid: Pixels of the slice.
        z: Patient z (mm).
        palette: What each tissue contributes to each channel.
        breath_mm: How far the diaphragm and the organs below it stand above their mean place.
    """
    grid = body.grid_at(grid, z)
    canvas = Canvas(grid, palette)
    skin, flesh, _ = surfaces(body, grid, z)
    everywhere = slice(None), slice(None)
    canvas.paint(everywhere, occupancy(skin, grid.spacing), "subcutaneous")
    _glands(body, canvas, z)
    canvas.paint(everywhere, occupancy(flesh, grid.spacing), "muscle")
    _streaks(body, canvas, flesh, z)
    for leg in body.legs:
        _thigh(body, canvas, leg, flesh, z)
    if body.z_of(body.person.crotch_level) < z:
        paint_trunk(body, canvas, flesh, z, breath_mm)
    _bones(body, canvas, z)
    return canvas.values


def _glands(body: SmoothBody, canvas: Canvas, z: float) -> None:
    """Glandular tissue in the breasts: strands in their fat."""
    for breast in body.breasts:
        if breast.low < z < breast.high:
            window = breast.window(canvas.grid)
            if window is not None:
                grid = canvas.grid.cut(window)
                d = breast.distance(grid, z) + np.float32(9.0)
                strands = np.clip(body.field("loops", grid, z) * 2.0, 0.0, 0.7)
                canvas.paint(window, occupancy(d, grid.spacing) * strands, "gland")


def _streaks(body: SmoothBody, canvas: Canvas, flesh: np.ndarray, z: float) -> None:
    """Thin sheets of fat between the muscles: where a smooth field changes its sign."""
    grid = canvas.grid
    # The field changes by 1 over about 11 mm.
    distance = np.abs(body.field("streaks", grid, z)) * np.float32(11.0)
    share = layer(distance, 0.1 + 2.5 * body.person.muscle_fat, grid.spacing)
    share *= occupancy(flesh + np.float32(6.0), grid.spacing)
    canvas.paint((slice(None), slice(None)), share, "muscle fat")


def _thigh(body: SmoothBody, canvas: Canvas, leg: Part, flesh: np.ndarray, z: float) -> None:
    """Sheets of fat between the muscles of a thigh: where two of them are equally near."""
    p = body.person
    level = body.level_of(z)
    size = (level - p.knee_level - 0.02) / 0.05, (p.crotch_level + 0.055 - level) / 0.05
    width = (0.2 + 9.0 * p.muscle_fat) * float(np.clip(min(size), 0.0, 1.0))
    if not width or not leg.skin.has(body.z, z):
        return
    egg = leg.skin.at(body.z, z)
    window = egg.window(canvas.grid)
    if window is None:
        return
    grid = canvas.grid.cut(window)
    fat = float(np.interp(z, body.z, leg.side))
    half, depth = egg.half - fat, (egg.front + egg.back) / 2 - fat
    side = 1.0 if egg.x < 0 else -1.0
    first = np.full(grid.shape, FAR)
    second = first.copy()
    for u, v, a, b in THIGH:
        own = Egg(egg.x + side * u * half, egg.y + v * depth, a * half, b * depth, b * depth)
        d = own.distance(grid)
        np.minimum(second, np.maximum(first, d), out=second)
        np.minimum(first, d, out=first)
    uneven = np.float32(width) * (1 + np.float32(0.5) * body.field("fat", grid, 2.0 * z))
    np.maximum(uneven, 0.0, out=uneven)
    sheet = layer(0.5 * (second - first), uneven, grid.spacing)
    sheet *= occupancy(flesh[window] + np.float32(2.0), grid.spacing)
    canvas.paint(window, sheet, "muscle fat")


def _bones(body: SmoothBody, canvas: Canvas, z: float) -> None:
    """Bones: first all that is dark, then all marrow, so that joined rods have one cavity."""
    cuts = [(bone, rod) for bone in body.bones for rod in (bone.at(z),) if rod is not None]
    for _, rod in cuts:
        canvas.paint_rod(rod, z, "cortex")
    for bone, rod in cuts:
        canvas.paint_rod(bone.inside(rod), z, bone.marrow)
