"""Find slices whose signal has another scale than that of the slices beside them."""

from __future__ import annotations

import numpy as np

from mimir_engine.checks.tissue_sample import TissueSample
from mimir_engine.headers.contrast import Contrast
from mimir_engine.study.finding import Finding

#: Pixels of tissue that two slices must share before they are compared.
MIN_PIXELS = 20
#: Signal of these pixels, as a share of what is typical of the tissue: less than half, so that
#: slices of half the scale are compared.
MIN_SHARE = 0.3
#: Change of scale from one slice to the next, as a factor.
MAX_STEP = 1.37


def slice_steps(tissue: TissueSample) -> dict[Contrast, np.ndarray]:
    """Return the factor of the signal from each slice to the next towards the head.

    Only pixels of tissue that both slices show count, so that shapes do not matter. 1 where they
    share too little.

    Returns:
        By contrast, one factor less than there are slices.
    """
    return {
        Contrast.WATER: _steps(tissue.water, tissue.lean),
        Contrast.FAT: _steps(tissue.fat, tissue.fatty),
    }


def _steps(signal: np.ndarray, tissue: np.ndarray) -> np.ndarray:
    typical = float(np.median(signal[tissue])) if tissue.any() else np.inf
    shown = signal > MIN_SHARE * typical
    both = shown[1:] & shown[:-1]
    here, above = ((part * both).sum(axis=(1, 2)) for part in (signal[:-1], signal[1:]))
    is_enough = np.count_nonzero(both, axis=(1, 2)) >= MIN_PIXELS
    return np.where(is_enough, above, 1.0) / np.where(is_enough, here, 1.0)


def find_slice_scale(
    tissue: TissueSample, number: int, bottom_mm: float, step_mm: float
) -> list[Finding]:
    """Find the largest change of scale between neighbouring slices of a station.

    Args:
        tissue: Pixels of the station.
        number: Its number, from the head.
        bottom_mm: Patient z of its first slice.
        step_mm: Distance of its slices.
    """
    findings = []
    for contrast, steps in slice_steps(tissue).items():
        if not len(steps):
            continue
        change = np.exp(np.abs(np.log(steps)))
        k = int(change.argmax())
        if change[k] > MAX_STEP:
            z = bottom_mm + (k + 0.5) * step_mm
            findings.append(
                Finding(
                    "SLICE_SCALE",
                    f"the {contrast.value} signal of station {number} (from the head) changes"
                    f" {change[k]:.1f}-fold from one slice to the next, at z = {z:.0f} mm",
                    remedy="Look at the slices. Export the study again with its original scaling.",
                    station=number,
                    from_mm=z - step_mm,
                    to_mm=z + step_mm,
                    value=float(change[k]),
                    threshold=MAX_STEP,
                )
            )
    return findings
