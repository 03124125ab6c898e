"""Paint an axial slice of a body: one tissue over another, each with its share of every pixel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

import numpy as np

from mimir_engine.phantom.scanner import TOP_Z_MM
from mimir_engine.phantom.smooth_body.body import SmoothBody
from mimir_engine.phantom.smooth_body.shapes import (
    Egg,
    Grid,
    Rod,
    Window,
    layer,
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
    skin, flesh, _ = surfaces(body, grid, z)
    everywhere = slice(None), slice(None)
    canvas.paint(everywhere, occupancy(skin, grid.spacing), "subcutaneous")
    _glands(body, canvas, z)
    canvas.paint(everywhere, occupancy(flesh, grid.spacing), "muscle")
    _streaks(body, canvas, flesh, z)
    for leg in body.legs:
        _thigh(body, canvas, leg, flesh, z)
    if body.z_of(body.person.crotch_level) < z:
        _trunk_inside(body, canvas, flesh, z, breath_mm)
    _bones(body, canvas, z)
    return canvas.values


def surfaces(body: SmoothBody, grid: Grid, z: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute the distances to the skin, to the flesh under its fat, and to the skin without arms.

    ``grid`` is in the body's own coordinates.
    """
    skin, flesh = np.full((2, *grid.shape), FAR)
    # Above the crotch the thighs grow out of the trunk; below it they only lie side by side.
    above = (z - body.z_of(body.person.crotch_level)) / 40.0 + 1.0
    groin = max(FILLET_LEG * min(max(above, 0.0), 1.0), 1.0)
    for part, fillet in ((body.trunk, 0.0), *((leg, groin) for leg in body.legs)):
        if not part.skin.has(body.z, z):
            continue
        egg = part.skin.at(body.z, z)
        window = egg.window(grid, fillet + 3.0)
        if window is None:
            continue
        here = grid.cut(window)
        d = egg.distance(here)
        thick = _thickness(body, part, egg, here, z)
        thick *= 1.0 + np.float32(0.10) * body.field("fat", here, z)
        _join(skin, window, d, fillet)
        _join(flesh, window, d + thick, 0.6 * fillet)
    for breast in body.breasts:
        if breast.low - 30.0 < z < breast.high + 30.0:
            window = breast.window(grid, 30.0)
            if window is not None:
                skin[window] = soft_minimum(
                    skin[window], breast.distance(grid.cut(window), z), 25.0
                )
    armless = skin.copy()
    for arm in body.arms:
        _add_arm(arm, grid, z, skin, flesh)
    return skin, flesh, armless


def _join(field: np.ndarray, window: Window, d: np.ndarray, fillet: float) -> None:
    field[window] = soft_minimum(field[window], d, fillet) if fillet else d


def _thickness(body: SmoothBody, part: Part, egg: Egg, grid: Grid, z: float) -> np.ndarray:
    """Thickness of the fat (mm) at each pixel, by its direction from the middle."""
    side, ahead, behind = (
        float(np.interp(z, body.z, t)) for t in (part.side, part.ahead, part.behind)
    )
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
    field = body.field("streaks", grid, z)
    np.abs(field, out=field)
    width = np.float32(0.03 + 0.6 * body.person.muscle_fat)
    share = np.clip((width - field) * np.float32(6.0), 0.0, 0.75)
    share *= flesh < -6.0
    canvas.paint((slice(None), slice(None)), share, "muscle fat")


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


def _thigh(body: SmoothBody, canvas: Canvas, leg: Part, flesh: np.ndarray, z: float) -> None:
    """Sheets of fat between the muscles of a thigh: where two of them are equally near."""
    p = body.person
    level = p.scan_top_level + (z - TOP_Z_MM) / p.height
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
    sheet = layer(0.5 * (second - first), uneven, grid.spacing)
    sheet *= occupancy(flesh[window] + np.float32(2.0), grid.spacing)
    canvas.paint(window, sheet, "muscle fat")


def _bones(body: SmoothBody, canvas: Canvas, z: float) -> None:
    """Bones: first all that is dark, then all marrow, so that joined rods have one cavity."""
    for arm in body.arms:
        for rod in arm.bones:
            _paint_rod(canvas, rod, z, 3.5, "marrow")
    cuts = [(bone, rod) for bone in body.bones for rod in (bone.at(z),) if rod is not None]
    for _, rod in cuts:
        _paint_rod(canvas, rod, z, 0.0, "cortex")
    for bone, rod in cuts:
        _paint_rod(canvas, bone.inside(rod), z, 0.0, bone.marrow)


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
    _paint_egg(canvas, _fat_around(body, egg), "visceral")
    _paint_egg(canvas, egg, "kidney")
    if egg.half > 20:
        x = egg.x + (-0.45 if egg.x > 0 else 0.45) * egg.half
        sinus = Egg(x, egg.y - 2, 0.5 * egg.half, 0.4 * egg.front, 0.4 * egg.back)
        _paint_egg(canvas, sinus, "visceral")


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
    level = p.scan_top_level + (z - TOP_Z_MM) / p.height
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
