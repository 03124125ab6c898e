"""Draw where findings are: coronal views of water and of the fat fraction, with outlines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

import numpy as np

from mimir_engine.fusion import FusedVolumes
from mimir_engine.headers.contrast import Contrast
from mimir_engine.study.finding import NOTE, STOP, WARNING, Finding
from mimir_engine.study.station import Station

#: Size of a picture's pixel in the patient, in mm.
PIXEL_MM = 1.5
#: Brightest share of the pixels of a view, shown as white.
WHITE_QUANTILE = 0.995
#: Signal below this share of the white one is shown without a fat fraction: it may be air.
AIR = 0.08
#: Width of an outline, in pixels.
LINE = 3
#: Colours of an outline: red, green, blue.
COLOURS = {STOP: (230, 60, 60), WARNING: (240, 180, 40), NOTE: (90, 160, 230)}


def draw_findings(
    stations: Sequence[Station], fused: FusedVolumes, findings: Sequence[Finding]
) -> np.ndarray:
    """Draw a coronal plane through the middle of the body, and outline what findings concern.

    Args:
        stations: From head to foot; without pixels if the volumes were read from files.
        fused: The volumes of these stations.
        findings: Those without a station or a place get no outline.

    Returns:
        uint8 ``(height, width, 3)``: water at the left, the fat fraction at the right; the
        patient's right at the left of each view.
    """
    water, fat = _middle(fused)
    across_mm, _, along_mm = fused.water.spacing_mm
    top_mm = float(fused.water.affine[2, 3]) + (len(water) - 0.5) * along_mm
    lines = (np.arange(0, len(water) * along_mm, PIXEL_MM) / along_mm).astype(int)
    columns = (np.arange(0, water.shape[1] * across_mm, PIXEL_MM) / across_mm).astype(int)
    total = water + fat
    white = max(float(np.quantile(total, WHITE_QUANTILE)), float(np.finfo(np.float32).tiny))
    fraction = np.divide(fat, total, out=np.zeros_like(total), where=total > AIR * white)
    views = [np.clip(view, 0, 1)[np.ix_(lines, columns)] for view in (water / white, fraction)]
    grey = (255 * np.concatenate(views, axis=1)).astype(np.uint8)
    picture = np.repeat(grey[:, :, np.newaxis], 3, axis=2)
    width = len(columns)
    halves = {"": (0, width), "right": (0, width // 2), "left": (width // 2, width)}
    for finding in findings:
        ends = _ends(finding, stations, fused)
        if ends is not None:
            rows = slice(*(int(max(0, (top_mm - end) / PIXEL_MM)) for end in ends))
            for view in (0, width):
                half = slice(*(view + edge for edge in halves[finding.side]))
                _outline(picture, rows, half, finding.severity)
    return picture


def _middle(fused: FusedVolumes) -> tuple[np.ndarray, np.ndarray]:
    """Return water and fat of the coronal plane with the most signal, head to foot."""
    thinned = fused.water.array[::8, :, ::8] + fused.fat.array[::8, :, ::8]
    per_row = thinned.sum(axis=(0, 2), dtype=np.float64)
    row = int(np.searchsorted(per_row.cumsum(), per_row.sum() / 2))
    water, fat = (fused.plane(contrast, row=row) for contrast in (Contrast.WATER, Contrast.FAT))
    return water, fat


def _ends(
    finding: Finding, stations: Sequence[Station], fused: FusedVolumes
) -> Optional[tuple[float, float]]:
    """Return patient z (mm) of the upper and lower end of what a finding concerns; None if all."""
    if finding.from_mm is not None and finding.to_mm is not None:
        return finding.to_mm, finding.from_mm
    if finding.station is None or fused.layout is None:
        return None
    station = stations[finding.station - 1]
    top, thick = station.top_mm[2], station.spacing_mm[2]
    return top + thick / 2, top - (station.shape[0] - 0.5) * thick


def _outline(picture: np.ndarray, rows: slice, columns: slice, severity: str) -> None:
    """Draw a frame along the inner edge of a part of a picture."""
    part = picture[rows, columns]
    colour = COLOURS[severity]
    part[:LINE] = part[-LINE:] = colour
    part[:, :LINE] = part[:, -LINE:] = colour
