"""Paint what lies inside the trunk's flesh: chest, belly and spine."""

from __future__ import annotations

from typing import Optional

import numpy as np

from mimir_engine.phantom.smooth_body.body import SmoothBody
from mimir_engine.phantom.smooth_body.canvas import Canvas
from mimir_engine.phantom.smooth_body.shapes import (
    Egg,
    Grid,
    Window,
    layer,
    occupancy,
    soft_minimum,
)
from mimir_engine.phantom.smooth_body.stack import Stack


def paint_trunk(
    body: SmoothBody, canvas: Canvas, flesh: np.ndarray, z: float, breath_mm: float
) -> None:
    """Everything inside the flesh of the trunk."""
    cavity = body.room.cavity
    if cavity.has(body.z, z):
        window = cavity.at(body.z, z).window(canvas.grid, 14.0)
        if window is not None:
            _cavity(body, canvas, window, flesh[window], z, z - breath_mm)
    for tissue, shape in body.organs.fixed:
        _paint_stack(canvas, shape, body.z, z, tissue)
    if z > body.z_of(body.person.crotch_level + 0.055):
        _spine(body, canvas, z)


def _beside_spine(body: SmoothBody, grid: Grid, cavity: np.ndarray, z: float) -> np.ndarray:
    """Make the cavity leave room for the spine."""
    if not body.room.spine.has(body.z, z):
        return cavity
    egg = body.room.spine.at(body.z, z)
    room = Egg(egg.x, egg.y, egg.half + 7, egg.front + 5, egg.back + 40)
    window = room.window(grid, 14.0)
    if window is not None:
        cavity[window] = -soft_minimum(-cavity[window], room.distance(grid.cut(window)), 12.0)
    return cavity


def _cavity(
    body: SmoothBody, canvas: Canvas, window: Window, flesh: np.ndarray, z: float, organ_z: float
) -> None:
    """Chest above the diaphragm, belly below; ``organ_z`` is z in a body with mean breath."""
    grid = canvas.grid.cut(window)
    cavity = np.maximum(body.room.cavity.at(body.z, z).distance(grid), flesh + np.float32(7.0))
    cavity = _beside_spine(body, grid, cavity, z)
    # The kidneys lie behind the belly in fat of their own, which joins the belly's.
    for kidney in body.organs.kidneys:
        if kidney.has(body.z, organ_z):
            around = _fat_around(body, kidney.at(body.z, organ_z))
            cavity = soft_minimum(cavity, around.distance(grid), 24.0)
    above = (np.float32(organ_z) - body.room.diaphragm.height(grid)) * np.float32(0.75)
    canvas.paint(window, occupancy(cavity, grid.spacing), "chest fat")
    if float(above.max()) > -4.0:
        _chest(body, canvas, window, cavity, above, z, organ_z)
    if z > body.z_of(body.room.liver_edge):
        _ribs(body, canvas, window, cavity, z)
    if float(above.min()) < 4.0:
        _belly(body, canvas, window, cavity, above, z, organ_z)


def _belly(
    body: SmoothBody, canvas: Canvas, window: Window, cavity: np.ndarray,
    above: np.ndarray, z: float, organ_z: float,
) -> None:  # fmt: skip
    """Bowel in its fat, then the organs, under a thin sheet of diaphragm."""
    organs, heights, grid = body.organs, body.z, canvas.grid.cut(window)
    belly = np.maximum(cavity, above)
    canvas.paint(window, occupancy(belly, grid.spacing), "visceral")
    _bowel(body, canvas, window, belly, z, organ_z)
    sheet = layer(above, 1.6, grid.spacing) * occupancy(cavity, grid.spacing)
    canvas.paint(window, sheet, "muscle")
    under = np.maximum(belly + np.float32(2.5), above + np.float32(2.0))
    for tissue, shape in organs.under:
        d = _distance(shape, heights, organ_z, grid)
        if d is not None:
            canvas.paint(window, occupancy(np.maximum(d, under), grid.spacing), tissue)
    for kidney in organs.kidneys:
        if kidney.has(heights, organ_z):
            _kidney(body, canvas, kidney.at(heights, organ_z))
    lobes = [_distance(lobe, heights, organ_z, grid) for lobe in organs.liver]
    cut = [d for d in lobes if d is not None]
    if cut:
        liver = cut[0] if len(cut) == 1 else soft_minimum(cut[0], cut[1], 22.0)
        canvas.paint(window, occupancy(np.maximum(liver, under), grid.spacing), "liver")


def _fat_around(body: SmoothBody, kidney: Egg) -> Egg:
    rim = 2.0 + 0.9 * body.person.visceral
    return Egg(
        *(kidney.x, kidney.y, kidney.half + rim),
        *(kidney.front + rim, kidney.back + 0.5 * rim),
    )


def _kidney(body: SmoothBody, canvas: Canvas, egg: Egg) -> None:
    """A kidney in its fat, of which some enters its middle from the side of the spine."""
    canvas.paint_egg(_fat_around(body, egg), "visceral")
    canvas.paint_egg(egg, "kidney")
    if egg.half > 20:
        x = egg.x + (-0.45 if egg.x > 0 else 0.45) * egg.half
        sinus = Egg(x, egg.y - 2, 0.5 * egg.half, 0.4 * egg.front, 0.4 * egg.back)
        canvas.paint_egg(sinus, "visceral")


def _chest(
    body: SmoothBody, canvas: Canvas, window: Window, cavity: np.ndarray,
    above: np.ndarray, z: float, organ_z: float,
) -> None:  # fmt: skip
    """Lungs around the mediastinum and the heart in its fat."""
    organs, heights, grid = body.organs, body.z, canvas.grid.cut(window)
    lung = np.maximum(cavity + np.float32(0.5), np.float32(3.0) - above)
    middle = _distance(organs.mediastinum, heights, z, grid)
    if middle is not None:
        lung = np.maximum(lung, -middle)
    heart = _distance(organs.heart, heights, organ_z, grid)
    if heart is not None:
        lung = np.maximum(lung, np.float32(4.0) - heart)
    canvas.paint(window, occupancy(lung, grid.spacing), "lung")
    if heart is not None:
        muscle = np.maximum(heart, np.float32(2.0) - above)
        canvas.paint(window, occupancy(muscle, grid.spacing), "heart")
        for chamber in organs.chambers:
            _paint_stack(canvas, chamber, heights, organ_z, "blood")


def _ribs(body: SmoothBody, canvas: Canvas, window: Window, cavity: np.ndarray, z: float) -> None:
    """Ribs: bands around the chest that fall towards the front."""
    grid = canvas.grid.cut(window)
    middle = np.float32(body.room.cavity.at(body.z, z).y)
    along = np.float32(z) + np.float32(0.5) * (grid.y - middle)
    band = (np.cos(along * np.float32(2 * np.pi / 33.0)) - np.float32(0.25)) * np.float32(3.0)
    share = layer(cavity - np.float32(6.0), 4.0, grid.spacing)
    canvas.paint(window, share * np.clip(band + np.float32(0.5), 0.0, 1.0), "red marrow")


def _bowel(
    body: SmoothBody, canvas: Canvas, window: Window, belly: np.ndarray, z: float, organ_z: float
) -> None:
    """Bowel loops in their fat: where a smooth field is high, away from wall and back."""
    if not body.room.spine.has(body.z, z):
        return
    grid = canvas.grid.cut(window)
    spine = body.room.spine.at(body.z, z)
    wall = (np.float32(-body.bowel) - body.field("bowel", grid, organ_z)) * np.float32(11.0)
    lining = np.float32(2.0 + 1.2 * body.person.visceral)
    np.maximum(wall, belly + lining, out=wall)
    np.maximum(wall, grid.y - np.float32(spine.y - spine.front - 8.0), out=wall)
    canvas.paint(window, occupancy(wall, grid.spacing), "viscera")
    loops = body.field("loops", grid, organ_z)
    inner = np.maximum(wall + np.float32(3.5), (np.float32(0.55) - loops) * np.float32(6.0))
    canvas.paint(window, occupancy(inner, grid.spacing), "stomach")
    for colon in body.organs.colon:
        d = _distance(colon, body.z, z, grid)
        if d is not None:
            d = np.maximum(d, belly + np.float32(4.0))
            canvas.paint(window, occupancy(d, grid.spacing), "viscera")
            gas = d + np.float32(6.0) + np.float32(6.0) * loops
            canvas.paint(window, occupancy(gas, grid.spacing), "air")


def _spine(body: SmoothBody, canvas: Canvas, z: float) -> None:
    """Vertebral bodies with discs between them, the canal and the spinous processes."""
    spine = body.room.spine
    if not spine.has(body.z, z):
        return
    egg = spine.at(body.z, z)
    p = body.person
    edges = np.linspace(p.crotch_level + 0.075, 0.875, 23)
    level = body.level_of(z)
    i = int(np.clip(np.searchsorted(edges, level), 1, len(edges) - 1))
    pitch = (edges[i] - edges[i - 1]) * p.height
    place = (level - edges[i - 1]) / (edges[i] - edges[i - 1])
    from_disc = min(place, 1 - place) * pitch
    window = egg.window(canvas.grid)
    if window is None:
        return
    share = occupancy(egg.distance(canvas.grid.cut(window)), canvas.grid.spacing)
    canvas.paint(window, share, "red marrow")
    disc = float(np.clip((0.13 * pitch - from_disc) / 3.0 + 0.5, 0.0, 1.0))
    if disc:
        canvas.paint(window, share * np.float32(disc), "disc")
    arch = Egg(egg.x, egg.y + egg.back + 11, 14.0, 9.0, 9.0)
    canvas.paint_egg(arch, "cortex")
    canvas.paint_egg(Egg(egg.x, egg.y + egg.back + 8.5, 8.5, 6.5, 6.5), "fluid")
    if from_disc > 0.2 * pitch:
        canvas.paint_egg(Egg(egg.x, egg.y + egg.back + 28, 4.0, 11.0, 10.0), "red marrow")


def _distance(stack: Stack, heights: np.ndarray, z: float, grid: Grid) -> Optional[np.ndarray]:
    return stack.at(heights, z).distance(grid) if stack.has(heights, z) else None


def _paint_stack(canvas: Canvas, stack: Stack, heights: np.ndarray, z: float, tissue: str) -> None:
    if stack.has(heights, z):
        canvas.paint_egg(stack.at(heights, z), tissue)
