"""True measurements of a smooth body: sums over its shapes, never over images.

The body is painted on its own grid, slice by slice from sole to crown, with volumes instead of
signals. The grid's pixels know their shares of each tissue, so that the sums hardly depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mimir_engine.phantom.body import TRUTHS
from mimir_engine.phantom.scanner import (
    COLUMNS_X_MM,
    PIXEL_MM,
    ROWS_Y_MM,
    ScannedStation,
)
from mimir_engine.phantom.smooth_body.body import SmoothBody
from mimir_engine.phantom.smooth_body.outline import surfaces
from mimir_engine.phantom.smooth_body.paint import paint_slice
from mimir_engine.phantom.smooth_body.shapes import FAR, Grid, occupancy

#: Name and unit of each true value for measurements that are made without a network.
DIRECT_TRUTHS = {
    "direct_body_volume": "L",
    "direct_fat_volume": "L",
    "direct_lean_volume": "L",
    **{
        f"direct_{part}{what}_volume": "L"
        for part in ("trunk", "right_thigh", "left_thigh", "arms")
        for what in ("", "_fat", "_lean")
    },
    "direct_waist": "cm",
    "direct_hip": "cm",
    "direct_right_thigh_girth": "cm",
    "direct_left_thigh_girth": "cm",
    "direct_subcutaneous_thickness": "mm",
    "direct_lean_fat_fraction": "%",
    "direct_crotch_z": "mm",
    "direct_knee_z": "mm",
    "direct_shoulder_z": "mm",
    "direct_waist_z": "mm",
    "direct_hip_z": "mm",
}

#: Distance of the slices and of the pixels (mm) of the grid.
STEP_MM, SPACING_MM = 8.0, 2 * PIXEL_MM
#: Distance of the heights (mm) at which the smallest and the largest girth are sought.
SEARCH_MM = 4.0
#: Half-width of the grid: arms may leave the scanner's field of view.
REACH_MM = 430.0
#: What each slice is asked for.
CHANNELS = (
    *("volume", "adipose", "fatty", "lean", "mass"),
    *("subcutaneous", "visceral", "liver", "muscle", "lean water", "lean fat"),
)
PARTS = ("right", "left", "arm")
#: Levels between which the waist is sought: below the ribs, above the iliac crest.
WAIST_LEVELS = (0.575, 0.645)
#: Directions in which a girth is measured over half a turn.
DIRECTIONS = 180


@dataclass(frozen=True)
class Profile:
    """Volumes (mL; mass in g) along a body.

    Attributes:
        z: Patient z of the slices, ascending, ``(S,)``.
        amounts: ``(S, parts, in view, channels)``.
    """

    z: np.ndarray
    amounts: np.ndarray

    def sum(
        self,
        channel: str,
        low: float,
        high: float,
        parts: str = "right left arm",
        seen: bool = False,
    ) -> float:
        """Sum a channel (L) between two heights, over some parts, within view or everywhere."""
        share = np.clip(
            (np.minimum(self.z + STEP_MM / 2, high) - np.maximum(self.z - STEP_MM / 2, low))
            / STEP_MM,
            0,
            1,
        )
        chosen = [PARTS.index(part) for part in parts.split()]
        amounts = self.amounts[..., CHANNELS.index(channel)][:, chosen].sum(axis=1)
        return float(share @ (amounts[:, 1] if seen else amounts.sum(axis=1))) / 1000.0


def profile_of(body: SmoothBody) -> Profile:
    """Compute the volumes of all tissues along a body."""
    grid = _grid()
    palette = {}
    for name, tissue in body.tissues.items():
        adipose = name in ("subcutaneous", "visceral", "chest fat", "muscle fat")
        fatty = adipose or "marrow" in name
        lean = not fatty and name not in ("lung", "air", "cortex")
        palette[name] = np.array(
            (
                *(1.0, adipose, fatty, lean, tissue.density),
                *(name == "subcutaneous", name == "visceral", name == "liver", name == "muscle"),
                *(tissue.water * lean, tissue.fat * lean),
            ),
            np.float32,
        )
    low, high = body.z_of(0.0), body.z_of(1.0)
    heights = np.arange(low + STEP_MM / 2, high, STEP_MM)
    seen = _share_within(grid.x, -COLUMNS_X_MM[0]) * _share_within(grid.y, -ROWS_Y_MM[0])
    views = np.stack([1 - seen, seen])
    voxel = SPACING_MM**2 * STEP_MM / 1000.0
    amounts = np.empty((len(heights), len(PARTS), 2, len(CHANNELS)))
    for k, z in enumerate(heights.tolist()):
        values = paint_slice(body, grid, z, palette)
        own = body.grid_at(grid, z)
        skin, _, armless = (occupancy(d, SPACING_MM) for d in surfaces(body, own, z))
        # An arm is what it adds to the outline of the rest.
        rest = armless / np.maximum(skin, np.float32(1e-6))
        right = own.x < np.float32(body.middle(z))
        parts = np.stack([rest * right, rest * ~right, 1 - rest])
        shares = (parts[:, None] * views).reshape(len(PARTS) * 2, -1).astype(np.float32)
        sums = shares @ values.reshape(len(CHANNELS), -1).T
        amounts[k] = sums.reshape(len(PARTS), 2, len(CHANNELS)) * voxel
    return Profile(heights, amounts)


def _share_within(positions: np.ndarray, last: float) -> np.ndarray:
    """Share of each pixel that the scanner sees: up to the edge of its last pixel."""
    return np.clip((last + PIXEL_MM / 2 - np.abs(positions)) / SPACING_MM + 0.5, 0.0, 1.0)


def truth(body: SmoothBody, profile: Profile) -> dict[str, float]:
    """Compute the measurements that networks are trained on, in the order of ``TRUTHS``.

    They count as those of population 1 do; the waist is the trunk's smallest girth.
    """
    p = body.person
    z = body.z_of
    hip, knee, crotch = z(p.crotch_level + 0.05), z(p.knee_level + 0.03), z(p.crotch_level)
    low, high = z(p.knee_level + 0.02), z(p.shoulder_level + 0.02)
    legs = "right left"
    fat = profile.sum("adipose", low, high, legs)
    solid = profile.sum("lean", low, high, legs) + profile.sum("fatty", low, high, legs)
    values = {
        "sex": float(p.sex),
        "height": p.height / 10.0,
        "weight": profile.sum("mass", z(0.0), z(1.1)),
        "visceralFatVolume": profile.sum("visceral", z(0.0), z(1.1)),
        "abdominalSubcutaneousFatVolume": profile.sum("subcutaneous", hip, z(p.dome_level), legs),
        "totalFatVolume": fat,
        "liverVolume": profile.sum("liver", z(0.0), z(1.1)),
        "liverFat": 100.0 * p.liver_fat,
        "thighMuscleVolume": profile.sum("muscle", knee, crotch, legs),
        "totalLeanVolume": solid - fat,
        "waist": _waist(body)[0] / 10.0,
    }
    return {name: values[name] for name in TRUTHS}


def direct_truth(
    body: SmoothBody, profile: Profile, stations: tuple[ScannedStation, ...]
) -> dict[str, float]:
    """Compute what measurements without a network should find within the scan.

    Volumes are of what the scanner sees. Fat is adipose tissue and marrow; lean is all other
    tissue but lung, gas and cortical bone. The trunk reaches up to the shoulders; the arms
    are what they add to the trunk's outline; thighs reach from crotch to knee joint. Girths are
    those of a tape, which bridges hollows.
    """
    p = body.person
    bottom = float(stations[-1].z[-1] - stations[-1].spacing_z / 2)
    top = float(stations[0].z[0] + stations[0].spacing_z / 2)
    crotch, knee = body.z_of(p.crotch_level), body.z_of(p.knee_level)
    waist, waist_z = _waist(body)
    hip, hip_z = _hip(body)
    thigh = (crotch + knee) / 2

    def volumes(name: str, low: float, high: float, parts: str) -> dict[str, float]:
        return {
            f"direct_{name}{what}_volume": profile.sum(channel, low, high, parts, seen=True)
            for what, channel in (("", "volume"), ("_fat", "fatty"), ("_lean", "lean"))
        }

    whole = volumes("body", bottom, top, "right left arm")
    water, fat = (profile.sum(name, bottom, top, seen=True) for name in ("lean water", "lean fat"))
    values = {
        "direct_body_volume": whole["direct_body_volume"],
        "direct_fat_volume": whole["direct_body_fat_volume"],
        "direct_lean_volume": whole["direct_body_lean_volume"],
        **volumes("trunk", crotch, body.z_of(p.shoulder_level), "right left"),
        **volumes("right_thigh", knee, crotch, "right"),
        **volumes("left_thigh", knee, crotch, "left"),
        **volumes("arms", bottom, top, "arm"),
        "direct_waist": waist / 10.0,
        "direct_hip": hip / 10.0,
        "direct_right_thigh_girth": _girth(body, thigh, -1.0) / 10.0,
        "direct_left_thigh_girth": _girth(body, thigh, 1.0) / 10.0,
        "direct_subcutaneous_thickness": _rim_mm(body, waist_z),
        "direct_lean_fat_fraction": 100.0 * fat / (water + fat),
        "direct_crotch_z": crotch,
        "direct_knee_z": knee,
        "direct_shoulder_z": body.z_of(p.shoulder_level),
        "direct_waist_z": waist_z,
        "direct_hip_z": hip_z,
    }
    return {name: values[name] for name in DIRECT_TRUTHS}


def _grid() -> Grid:
    across = np.arange(-REACH_MM, REACH_MM, SPACING_MM)
    along = np.arange(ROWS_Y_MM[0] - 70.0, ROWS_Y_MM[-1], SPACING_MM)
    return Grid.of(across, along)


def _waist(body: SmoothBody) -> tuple[float, float]:
    """Smallest girth (mm) between ribs and iliac crest, and its height."""
    heights = np.arange(body.z_of(WAIST_LEVELS[0]), body.z_of(WAIST_LEVELS[1]), SEARCH_MM).tolist()
    return min((_girth(body, z), z) for z in heights)


def _hip(body: SmoothBody) -> tuple[float, float]:
    """Largest girth (mm) from the crotch to the top of the hips, and its height."""
    crotch = body.person.crotch_level
    heights = np.arange(body.z_of(crotch), body.z_of(crotch + 0.07), SEARCH_MM).tolist()
    return max((_girth(body, z), z) for z in heights)


def _girth(body: SmoothBody, z: float, side: float = 0.0) -> float:
    """Length (mm) of a tape around the body without arms, or around its right or left half."""
    return _tape(body, _grid(), z, 2, side)


def _tape(body: SmoothBody, grid: Grid, z: float, surface: int, side: float = 0.0) -> float:
    """Girth of a surface: the integral of its support function over all directions.

    A pixel at distance d from the surface tells that it reaches at most d further in any
    direction, and just that in the direction of its nearest point (Cauchy's formula for the rest).
    """
    own = body.grid_at(grid, z)
    d = surfaces(body, own, z)[surface]
    near = np.abs(d) < SPACING_MM
    if side:
        near &= side * (own.x - np.float32(body.middle(z))) > 0
    rows, columns = np.nonzero(near)
    x, y, depth = own.x[columns], own.y[rows, 0], d[rows, columns]
    angles = np.arange(2 * DIRECTIONS) * (np.pi / DIRECTIONS)
    reach = np.outer(np.cos(angles), x) + np.outer(np.sin(angles), y) - depth
    return float(reach.max(axis=1).sum() * np.pi / DIRECTIONS)


def _rim_mm(body: SmoothBody, z: float) -> float:
    """Mean thickness (mm) of the subcutaneous fat: its area over the mean of its two girths."""
    grid = _grid()
    own = body.grid_at(grid, z)
    _, flesh, armless = surfaces(body, own, z)
    flesh = np.where(armless < 0, flesh, FAR)
    areas = [float(occupancy(d, SPACING_MM).sum()) * SPACING_MM**2 for d in (armless, flesh)]
    inner = 2 * np.sqrt(np.pi * areas[1])
    outer = _tape(body, grid, z, 2)
    # The inner girth from the outer one: both outlines are alike.
    inner *= outer / (2 * np.sqrt(np.pi * areas[0]))
    return float((areas[0] - areas[1]) / ((outer + inner) / 2))
