"""Whether right and left, or front and back, of a whole study seem to be exchanged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mimir_engine.checks.fat_map import FatMap
from mimir_engine.study.finding import Finding

#: Length along the body over which organs are averaged, and distance of the slices, in mm.
WINDOW_MM, STEP_MM = 120.0, 6.0
#: Length below the top of the scan that holds the liver, in mm.
TRUNK_MM = 620.0
#: Half width of the trunk, without arms, in mm.
HALF_WIDTH_MM = 120.0
#: Fat contrast of lean tissue, at most; a liver with 40 % fat has -0.2.
LEAN = -0.1
#: Points of lean tissue that a slice must have.
MIN_POINTS = 5
#: How far lean tissue lies to the right of the body's middle, in mm: the liver. Phantoms have 1.2
#: or more, those of population 1 -1.3.
MIN_LIVER_MM = -2.5
#: Rows between front and back that a slice must have, and the depth at which widths are compared.
MIN_ROWS, DEPTH_ROWS = 6, 1
#: How much wider the back is than the front, as a share of the body's width: people lie on it.
#: Phantoms have 0.04 or more, the elliptic ones of population 1 -0.06.
MIN_FLATNESS = -0.07


def find_mirrored(maps: Sequence[FatMap]) -> list[Finding]:
    """Find out whether the body of a whole study seems to be mirrored; it must show the trunk."""
    if max(each.z_mm[-1] for each in maps) - min(each.z_mm[0] for each in maps) < TRUNK_MM:
        return []
    findings = []
    liver, flatness = liver_side_mm(maps), back_flatness(maps)
    if liver < MIN_LIVER_MM:
        findings.append(
            Finding(
                "BODY_MIRRORED",
                "the liver seems to lie on the left: right and left of the study may be exchanged",
                remedy="Look at the images. Export the study again if they are mirrored.",
                value=liver,
                threshold=MIN_LIVER_MM,
                unit="mm",
            )
        )
    if flatness < MIN_FLATNESS:
        findings.append(
            Finding(
                "BODY_MIRRORED",
                "the front of the body is flatter than its back: front and back of the study may be"
                " exchanged, or the patient lay prone",
                remedy="Look at the images. Export the study again if they are mirrored.",
                value=flatness,
                threshold=MIN_FLATNESS,
            )
        )
    return findings


def liver_side_mm(maps: Sequence[FatMap]) -> float:
    """Return how far lean tissue lies to the right of the middle of the trunk, in mm.

    The liver draws it to the right, heart and spleen to the left: the sum of the largest and the
    smallest mean over ``WINDOW_MM``, negative if there is more on the left.
    """
    top = max(float(each.z_mm[-1]) for each in maps)
    z, side = [], []
    for each in maps:
        upper = each.z_mm > top - TRUNK_MM
        body, x = each.contrast[upper] != 0, each.x_mm
        middle = _centre(body, x)
        trunk = np.abs(x - np.median(middle)) < HALF_WIDTH_MM if upper.any() else x < 0
        body, lean = body[:, :, trunk], each.contrast[upper][:, :, trunk] < LEAN
        shows = np.count_nonzero(lean, axis=(1, 2)) >= MIN_POINTS
        z.append(each.z_mm[upper][shows])
        side.append((_centre(body, x[trunk]) - _centre(lean, x[trunk]))[shows])
    places, order = np.unique(np.concatenate(z), return_index=True)
    if not len(places):
        return 0.0
    even = np.interp(np.arange(places[0], places[-1], STEP_MM), places, np.concatenate(side)[order])
    window = int(WINDOW_MM / STEP_MM)
    if len(even) < window:
        return 0.0
    total = np.concatenate([[0.0], np.cumsum(even)])
    mean = (total[window:] - total[:-window]) / window
    return float(mean.max() + mean.min())


def _centre(shown: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the mean x of what each slice shows; 0 if nothing."""
    count = shown.sum(axis=1, dtype=np.float32)
    return np.asarray((count * x).sum(axis=1) / np.maximum(count.sum(axis=1), 1))


def back_flatness(maps: Sequence[FatMap]) -> float:
    """Return how much wider the body is at its back than at its front, as a share of its width."""
    shares = []
    for each in maps:
        body, x = each.contrast != 0, each.x_mm
        trunk = np.abs(x - np.median(_centre(body, x))) < HALF_WIDTH_MM
        width = np.count_nonzero(body[:, :, trunk], axis=2)
        first = (width > 0).argmax(axis=1)
        last = width.shape[1] - 1 - (width[:, ::-1] > 0).argmax(axis=1)
        k = np.flatnonzero(last - first >= MIN_ROWS)
        back, front = width[k, last[k] - DEPTH_ROWS], width[k, first[k] + DEPTH_ROWS]
        shares.append((back - front) / np.maximum(width[k].max(axis=1), 1))
    share = np.concatenate(shares)
    return float(share.mean()) if len(share) else 0.0
