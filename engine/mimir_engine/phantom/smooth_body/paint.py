"""Paint an axial slice of a body: one tissue over another, each with its share of every pixel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

import numpy as np

from mimir_engine.phantom.smooth_body.body import SmoothBody
from mimir_engine.phantom.smooth_body.shapes import (
    Egg,
    Grid,
    Rod,
    Window,
    occupancy,
    soft_minimum,
)
from mimir_engine.phantom.smooth_body.stack import Stack
from mimir_engine.phantom.smooth_body.surface import Arm, Part

#: A distance that is outside everything (mm).
FAR = np.float32(99.0)
#: How far the fillets between the parts of the body reach (mm).
FILLET_LEG, FILLET_ARM = 22.0, 26.0

Palette = Mapping[str, np.ndarray]


class Canvas:
    """A slice that is being painted: ``values`` are float32 ``(channels, rows, columns)``."""

    def __init__(self, grid: Grid, palette: Palette) -> None:
        channels = len(next(iter(palette.values())))
        self.grid = grid
        self.palette = palette
        self.values = np.zeros((channels, *grid.shape), np.float32)

    def paint(self, window: Window, share: np.ndarray, tissue: str) -> None:
        """Cover a share of each pixel of a window with a tissue."""
        for channel, value in zip(self.values, self.palette[tissue]):
            seen = channel[window]
            if value == 0.0:
                seen -= share * seen
            else:
                seen += share * (value - seen)


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
    skin, flesh = surfaces(body, grid, z)
    everywhere = slice(None), slice(None)
    canvas.paint(everywhere, occupancy(skin, grid.spacing), "subcutaneous")
    canvas.paint(everywhere, occupancy(flesh, grid.spacing), "muscle")
    _streaks(body, canvas, flesh, z)
    if body.z_of(body.person.crotch_level) < z:
        _trunk_inside(body, canvas, flesh, z, breath_mm)
    else:
        for leg in body.legs:
            _thigh(body, canvas, leg, z)
    _bones(body, canvas, z)
    return canvas.values


def surfaces(body: SmoothBody, grid: Grid, z: float) -> tuple[np.ndarray, np.ndarray]:
    """Compute the distances to the skin and to the flesh under its fat."""
    skin, flesh = np.full((2, *grid.shape), FAR)
    uneven = body.waves["fat"]
    for part, fillet in ((body.trunk, 0.0), *((leg, FILLET_LEG) for leg in body.legs)):
        if not part.skin.has(body.z, z):
            continue
        egg = part.skin.at(body.z, z)
        window = egg.window(grid, fillet + 3.0)
        if window is None:
            continue
        here = grid.cut(window)
        d = egg.distance(here)
        thick = _thickness(body, part, egg, here, z)
        thick *= 1.0 + np.float32(0.10) * uneven.at(here, z)
        _join(skin, window, d, fillet)
        _join(flesh, window, d + thick, 0.6 * fillet)
    for arm in body.arms:
        _add_arm(arm, grid, z, skin, flesh)
    return skin, flesh


def _join(field: np.ndarray, window: Window, d: np.ndarray, fillet: float) -> None:
    field[window] = soft_minimum(field[window], d, fillet) if fillet else d


def _thickness(body: SmoothBody, part: Part, egg: Egg, grid: Grid, z: float) -> np.ndarray:
    """Thickness of the fat (mm) at each pixel, by its direction from the middle."""
    side, ahead, behind = (float(np.interp(z, body.z, t)) for t in (part.side, part.ahead, part.behind))
    dy = grid.y - np.float32(egg.y)
    front = dy < 0
    v = dy / np.where(front, egg.front, egg.back).astype(np.float32)
    u = (grid.x - np.float32(egg.x)) / np.float32(egg.half)
    p = v * v
    share = p / (p + u * u + np.float32(1e-3))
    share *= np.where(front, ahead - side, behind - side).astype(np.float32)
    share += np.float32(side)
    return np.asarray(share)


def _add_arm(arm: Arm, grid: Grid, z: float, skin: np.ndarray, flesh: np.ndarray) -> None:
    for index, (rod, fat) in enumerate(zip(arm.flesh, arm.fat)):
        reach = FILLET_ARM if index == 0 else 8.0
        if not rod.low - fat - reach < z < rod.high + fat + reach:
            continue
        window = rod.window(grid, fat + reach + 3.0)
        if window is None:
            continue
        d = rod.distance(grid.cut(window), z)
        # The shoulder joins the trunk with a fillet; further down the arm only lies beside it.
        along = (rod.start[2] - z) / max(abs(rod.start[2] - rod.end[2]), 1.0)
        fillet = FILLET_ARM * float(np.clip(1.0 - 2.2 * along, 0.0, 1.0)) if index == 0 else 0.0
        skin[window] = soft_minimum(skin[window], d - np.float32(fat), max(fillet, 1.0))
        flesh[window] = soft_minimum(flesh[window], d, max(0.7 * fillet, 1.0))


def _streaks(body: SmoothBody, canvas: Canvas, flesh: np.ndarray, z: float) -> None:
    """Thin sheets of fat between the muscles: where a smooth field changes its sign."""
    grid = canvas.grid
    field = body.waves["streaks"].at(grid, z)
    np.abs(field, out=field)
    width = np.float32(0.03 + 0.6 * body.person.muscle_fat)
    share = np.clip((width - field) * np.float32(6.0), 0.0, 0.75)
    share *= flesh < -6.0
    canvas.paint((slice(None), slice(None)), share, "muscle fat")


#: Muscles of a thigh in its section's unit disc, for the right leg: centre and half-axes.
THIGH = (
    (-0.36, -0.46, 0.47, 0.40),
    (0.20, -0.56, 0.36, 0.36),
    (-0.52, 0.08, 0.36, 0.44),
    (0.50, 0.10, 0.40, 0.42),
    (0.42, -0.26, 0.26, 0.22),
    (-0.20, 0.62, 0.36, 0.32),
    (0.34, 0.60, 0.36, 0.32),
    (-0.05, -0.12, 0.34, 0.30),
)


def _thigh(body: SmoothBody, canvas: Canvas, leg: Part, z: float) -> None:
    """Fat between the muscles of a thigh."""
    p = body.person
    level = p.scan_top_level + (z - 210.0) / p.height
    size = float(np.clip((level - p.knee_level - 0.03) / 0.03, 0.0, 1.0))
    if not size or not leg.skin.has(body.z, z):
        return
    egg = leg.skin.at(body.z, z)
    fat = float(np.interp(z, body.z, leg.side))
    half = egg.half - fat
    front, back = egg.front - 0.85 * fat, egg.back - 1.1 * fat
    window = egg.window(canvas.grid)
    if window is None:
        return
    grid = canvas.grid.cut(window)
    side = -1.0 if egg.x < 0 else 1.0
    shrunk = 0.99 - 0.9 * p.muscle_fat
    d: Optional[np.ndarray] = None
    for u, v, a, b in THIGH:
        muscle = Egg(
            egg.x - side * u * half, egg.y + v * (front if v < 0 else back),
            a * half * shrunk, b * front * shrunk, b * back * shrunk,
        )  # fmt: skip
        own = muscle.distance(grid)
        d = own if d is None else np.minimum(d, own)
    between = occupancy(-d, grid.spacing)
    whole = Egg(egg.x, egg.y, half - 5, front - 5, back - 5).distance(grid)
    between *= occupancy(whole, grid.spacing) * np.float32(0.8 * size)
    canvas.paint(window, between, "muscle fat")


def _bones(body: SmoothBody, canvas: Canvas, z: float) -> None:
    for arm in body.arms:
        for rod in arm.bones:
            _paint_rod(canvas, rod, z, 3.5, "marrow")
    for bone in body.bones:
        _paint_rod(canvas, bone.rod, z, 0.0, "cortex")
    for bone in body.bones:
        if bone.rod.low < z < bone.rod.high:
            inner = Rod(
                bone.rod.start, bone.rod.end,
                bone.rod.radius_start - bone.cortex, bone.rod.radius_end - bone.cortex,
            )  # fmt: skip
            _paint_rod(canvas, inner, z, 0.0, "red marrow" if bone.red else "marrow")


def _paint_rod(canvas: Canvas, rod: Rod, z: float, cortex: float, tissue: str) -> None:
    if not rod.low < z < rod.high:
        return
    window = rod.window(canvas.grid)
    if window is None:
        return
    grid = canvas.grid.cut(window)
    d = rod.distance(grid, z)
    if cortex:
        canvas.paint(window, occupancy(d, grid.spacing), "cortex")
        d = d + np.float32(cortex)
    canvas.paint(window, occupancy(d, grid.spacing), tissue)


def _trunk_inside(
    body: SmoothBody, canvas: Canvas, flesh: np.ndarray, z: float, breath_mm: float
) -> None:
    """Everything inside the flesh of the trunk."""
    inside, heights = body.inside, body.z
    p = body.person
    organ_z = z - breath_mm
    if inside.cavity.has(heights, z):
        egg = inside.cavity.at(heights, z)
        window = egg.window(canvas.grid, 14.0)
        if window is not None:
            grid = canvas.grid.cut(window)
            cavity = np.maximum(egg.distance(grid), flesh[window] + 7.0)
            cavity = _beside_spine(body, grid, cavity, z)
            _cavity(body, canvas, window, grid, cavity, z, organ_z)
    for side in inside.psoas:
        _paint_stack(canvas, side, heights, z, "muscle")
    if z > body.z_of(p.crotch_level + 0.055):
        _spine(body, canvas, z)


def _beside_spine(body: SmoothBody, grid: Grid, cavity: np.ndarray, z: float) -> np.ndarray:
    """Make the cavity leave room for the spine."""
    if not body.inside.spine.has(body.z, z):
        return cavity
    egg = body.inside.spine.at(body.z, z)
    room = Egg(egg.x, egg.y, egg.half + 7, egg.front + 5, egg.back + 40)
    window = room.window(grid, 14.0)
    if window is not None:
        cavity[window] = -soft_minimum(-cavity[window], room.distance(grid.cut(window)), 12.0)
    return cavity


def _cavity(
    body: SmoothBody, canvas: Canvas, window: Window, grid: Grid, cavity: np.ndarray, z: float, organ_z: float
) -> None:
    inside, heights, p = body.inside, body.z, body.person
    above = (np.float32(organ_z) - inside.diaphragm.height(grid)) * np.float32(0.75)
    canvas.paint(window, occupancy(cavity, grid.spacing), "visceral")
    if float(above.max()) > -4.0:
        _chest(body, canvas, window, grid, cavity, above, z, organ_z)
    if float(above.min()) > 4.0:
        return
    belly = np.maximum(cavity, above)
    _bowel(body, canvas, window, grid, belly, organ_z)
    # The diaphragm itself: a thin sheet of muscle.
    sheet = np.maximum(np.abs(above) - np.float32(1.6), cavity)
    canvas.paint(window, occupancy(sheet, grid.spacing), "muscle")
    under = np.maximum(belly + np.float32(2.5), above + np.float32(2.0))
    for stack, tissue in ((inside.stomach, "stomach"), (inside.spleen, "spleen")):
        d = _distance(stack, heights, organ_z, grid)
        if d is not None:
            canvas.paint(window, occupancy(np.maximum(d, under), grid.spacing), tissue)
    for kidney in inside.kidneys:
        if kidney.has(heights, organ_z):
            egg = kidney.at(heights, organ_z)
            _paint_egg(canvas, egg, "kidney")
            to_middle = -1.0 if egg.x > 0 else 1.0
            sinus = Egg(egg.x + to_middle * 0.45 * egg.half, egg.y - 2, 0.5 * egg.half, 0.4 * egg.front, 0.4 * egg.back)
            if egg.half > 20:
                _paint_egg(canvas, sinus, "visceral")
    lobes = [d for d in (_distance(s, heights, organ_z, grid) for s in inside.liver) if d is not None]
    if lobes:
        liver = lobes[0] if len(lobes) == 1 else soft_minimum(lobes[0], lobes[1], 22.0)
        canvas.paint(window, occupancy(np.maximum(liver, under), grid.spacing), "liver")
    for vessel in inside.vessels:
        _paint_stack(canvas, vessel, heights, z, "blood")
    _paint_stack(canvas, inside.bladder, heights, z, "fluid")
    _paint_stack(canvas, inside.rectum, heights, z, "viscera")


def _chest(
    body: SmoothBody, canvas: Canvas, window: Window, grid: Grid, cavity: np.ndarray,
    above: np.ndarray, z: float, organ_z: float,
) -> None:  # fmt: skip
    """Lungs, heart and great vessels above the diaphragm, ribs around."""
    inside, heights = body.inside, body.z
    middle = _distance(inside.mediastinum, heights, z, grid)
    heart = _distance(inside.heart, heights, organ_z, grid)
    lung = np.maximum(cavity + np.float32(2.0), np.float32(3.0) - above)
    if middle is not None:
        lung = np.maximum(lung, -middle)
    if heart is not None:
        fat = np.float32(4.0)
        lung = np.maximum(lung, fat - heart)
    canvas.paint(window, occupancy(lung, grid.spacing), "lung")
    if heart is not None:
        up = np.maximum(heart, np.float32(2.0) - above)
        canvas.paint(window, occupancy(up, grid.spacing), "heart")
        for chamber in inside.chambers:
            _paint_stack(canvas, chamber, heights, organ_z, "blood")
    for vessel in inside.vessels[:1]:
        _paint_stack(canvas, vessel, heights, z, "blood")
    _paint_stack(canvas, inside.airway, heights, z, "air")
    _ribs(body, canvas, window, grid, cavity, z)


def _ribs(
    body: SmoothBody, canvas: Canvas, window: Window, grid: Grid, cavity: np.ndarray, z: float
) -> None:
    """Ribs: bands around the chest that fall towards the front."""
    egg = body.inside.cavity.at(body.z, z)
    phase = (np.float32(z) + np.float32(0.5) * (grid.y - np.float32(egg.y))) * np.float32(2 * np.pi / 33.0)
    band = (np.cos(phase) - np.float32(0.25)) * np.float32(3.0) + np.float32(0.5)
    shell = np.abs(cavity - np.float32(6.0)) - np.float32(4.0)
    share = occupancy(shell, grid.spacing) * np.clip(band, 0.0, 1.0)
    canvas.paint(window, share, "red marrow")


def _bowel(
    body: SmoothBody, canvas: Canvas, window: Window, grid: Grid, belly: np.ndarray, z: float
) -> None:
    """Bowel loops in their fat: where a smooth field is high, away from wall and back."""
    p, inside = body.person, body.inside
    if not body.inside.spine.has(body.z, z):
        return
    spine = inside.spine.at(body.z, z)
    field = body.waves["bowel"].at(grid, z)
    d = (np.float32(-body.bowel) - field) * np.float32(11.0)
    lining = 3.0 + 2.2 * p.visceral
    d = np.maximum(d, belly + np.float32(lining))
    d = np.maximum(d, (grid.y - np.float32(spine.y - spine.front - 8.0)))
    share = occupancy(d, grid.spacing)
    canvas.paint(window, share, "viscera")
    loops = body.waves["loops"].at(grid, z)
    inner = np.maximum(np.float32(3.5) + d, (np.float32(0.55) - loops) * np.float32(6.0))
    canvas.paint(window, occupancy(inner, grid.spacing), "stomach")
    for colon, filled in zip(inside.colon, ("viscera", "viscera")):
        d2 = _distance(colon, body.z, z, grid)
        if d2 is not None:
            wall = np.maximum(d2, belly + np.float32(4.0))
            canvas.paint(window, occupancy(wall, grid.spacing), filled)
            canvas.paint(window, occupancy(wall + np.float32(6.0) + 6 * loops, grid.spacing), "air")


def _spine(body: SmoothBody, canvas: Canvas, z: float) -> None:
    """Vertebral bodies with discs between them, the canal and the spinous processes."""
    spine = body.inside.spine
    if not spine.has(body.z, z):
        return
    egg = spine.at(body.z, z)
    p = body.person
    edges = np.linspace(p.crotch_level + 0.075, 0.875, 23)
    level = p.scan_top_level + (z - 210.0) / p.height
    i = int(np.clip(np.searchsorted(edges, level), 1, len(edges) - 1))
    pitch = (edges[i] - edges[i - 1]) * p.height
    place = (level - edges[i - 1]) / (edges[i] - edges[i - 1])
    from_disc = min(place, 1 - place) * pitch
    window = egg.window(canvas.grid)
    if window is None:
        return
    share = occupancy(egg.distance(canvas.grid.cut(window)), canvas.grid.spacing)
    waist = 1.0 - 0.0 * from_disc
    canvas.paint(window, share * np.float32(waist), "red marrow")
    disc = float(np.clip((0.13 * pitch - from_disc) / 3.0 + 0.5, 0.0, 1.0))
    if disc:
        canvas.paint(window, share * np.float32(disc), "disc")
    arch = Egg(egg.x, egg.y + egg.back + 11, 14.0, 9.0, 9.0)
    _paint_egg(canvas, arch, "cortex")
    _paint_egg(canvas, Egg(egg.x, egg.y + egg.back + 8.5, 8.5, 6.5, 6.5), "fluid")
    if from_disc > 0.2 * pitch:
        _paint_egg(canvas, Egg(egg.x, egg.y + egg.back + 28, 4.0, 11.0, 10.0), "red marrow")


def _distance(stack: Stack, heights: np.ndarray, z: float, grid: Grid) -> Optional[np.ndarray]:
    return stack.at(heights, z).distance(grid) if stack.has(heights, z) else None


def _paint_stack(canvas: Canvas, stack: Stack, heights: np.ndarray, z: float, tissue: str) -> None:
    if stack.has(heights, z):
        _paint_egg(canvas, stack.at(heights, z), tissue)


def _paint_egg(canvas: Canvas, egg: Egg, tissue: str) -> None:
    window = egg.window(canvas.grid)
    if window is not None:
        grid = canvas.grid.cut(window)
        canvas.paint(window, occupancy(egg.distance(grid), grid.spacing), tissue)
