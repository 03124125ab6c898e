"""Distances to the skin of a body and to the flesh under its fat, its parts joined."""

from __future__ import annotations

import numpy as np

from mimir_engine.phantom.smooth_body.body import SmoothBody
from mimir_engine.phantom.smooth_body.shapes import FAR, Egg, Grid, Window, soft_minimum
from mimir_engine.phantom.smooth_body.surface import Arm, Part

#: How far the fillets reach (mm) between trunk and legs, trunk and arms, chest and breasts.
FILLET_LEG, FILLET_ARM, FILLET_BREAST = 22.0, 26.0, 25.0


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
        if breast.low - FILLET_BREAST < z < breast.high + FILLET_BREAST:
            window = breast.window(grid, FILLET_BREAST + 5.0)
            if window is not None:
                skin[window] = soft_minimum(
                    skin[window], breast.distance(grid.cut(window), z), FILLET_BREAST
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
