"""Find noise and ghosts: the signal of the air beside the body."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

import numpy as np

from mimir_engine.checks.tissue_sample import TissueSample
from mimir_engine.study.finding import Finding

#: Pixels of air that tell something.
MIN_PIXELS = 200
#: Noise of magnitude images in air, relative to that of each part of the complex signal (Rayleigh).
RAYLEIGH_SD = 0.655
#: Distance of slices in which a ghost looks alike and noise does not.
GHOST_SLICES = 3
#: Median signal of air, as a share of the body's mean signal: noise alone gives twice its share.
MAX_AIR = 0.12
#: SD of the noise, as a share of the body's mean signal. Usual phantoms have 0.01 to 0.031.
MAX_NOISE = 0.038
#: Noise of one slice, in that of the others of its station.
MAX_SLICE_NOISE = 1.7
#: SD of the structured signal of air, as a share of the body's mean signal.
MAX_GHOST = 0.02


def noise_share(tissue: TissueSample) -> Optional[float]:
    """Return the SD of the noise of water as a share of the body's signal; None if unknown."""
    noise = _noise(tissue, tissue.water)
    return None if noise is None or not tissue.level else noise / tissue.level


def noise_ratio(tissue: TissueSample) -> Optional[float]:
    """Return the noise of water divided by that of fat; None if unknown.

    Both are computed from the same two echoes, so that neither tissue nor protocol changes it, but
    a scale that only one of them has does.
    """
    water, fat = (_noise(tissue, signal) for signal in (tissue.water, tissue.fat))
    return water / fat if water and fat else None


def _noise(tissue: TissueSample, signal: np.ndarray) -> Optional[float]:
    """Return the SD of noise: of differences of neighbouring slices in air, where nothing moves.

    None if there is little air, or its signal was set to zero, as programs do that mask the body.
    """
    both = tissue.air[1:] & tissue.air[:-1]
    if np.count_nonzero(both) < MIN_PIXELS or not np.median(signal[tissue.air]) > 0:
        return None
    difference = (signal[1:] - signal[:-1])[both]
    return float(np.sqrt(np.mean(difference * difference, dtype=np.float64) / 2)) / RAYLEIGH_SD


def air_share(tissue: TissueSample) -> Optional[float]:
    """Return the median signal of air as a share of the body's; None if unknown."""
    air = tissue.total[tissue.air]
    return float(np.median(air)) / tissue.level if air.size >= MIN_PIXELS and tissue.level else None


def slice_noise(tissue: TissueSample) -> np.ndarray:
    """Return the mean signal of air in each slice, divided by the median of all; 1 if unknown."""
    near = np.pad(tissue.air, ((1, 1), (0, 0), (0, 0)), mode="reflect")
    air = near[2:] & near[:-2]  # of the slices beside: a noisy slice hides its own
    count = np.count_nonzero(air, axis=(1, 2))
    mean = (tissue.total * air).sum(axis=(1, 2)) / np.maximum(count, 1)
    is_known = count >= MIN_PIXELS / 10
    middle = float(np.median(mean[is_known])) if is_known.any() else 0.0
    return np.where(is_known & (middle > 0), mean / (middle or 1.0), 1.0)


def ghost_share(tissue: TissueSample) -> Optional[float]:
    """Return the SD of the structured signal in air as a share of the body's; None if unknown.

    Its square is the covariance of slices that lie apart: they share ghosts, but no noise.
    """
    air, total = tissue.air, tissue.total
    both = air[:-GHOST_SLICES] & air[GHOST_SLICES:]
    if np.count_nonzero(both) < MIN_PIXELS or not tissue.level:
        return None
    mean = total[air].mean(dtype=np.float64)
    product = (total[:-GHOST_SLICES][both] - mean) * (total[GHOST_SLICES:][both] - mean)
    return float(np.sqrt(max(float(product.mean(dtype=np.float64)), 0.0))) / tissue.level


def find_noise(
    tissue: TissueSample, number: int, bottom_mm: float, step_mm: float
) -> list[Finding]:
    """Find a noisy station, air that is not dark, or else a noisy slice.

    Args:
        tissue: Pixels of the station.
        number: Its number, from the head.
        bottom_mm: Patient z of its first slice.
        step_mm: Distance of its slices.
    """
    return (
        _noisy_station(tissue, number)
        or _bright_air(tissue, number)
        or _noisy_slice(tissue, number, bottom_mm, step_mm)
    )


def _noisy_station(tissue: TissueSample, number: int) -> list[Finding]:
    noise = noise_share(tissue) or 0.0
    sentence = (
        f"the noise of station {number} (from the head) is {noise:.1%} of the body's signal; up to"
        f" {MAX_NOISE:.1%} is usual"
    )
    remedy = "Look at the images: the coil may not have been connected."
    found = Finding("NOISE_HIGH", sentence, remedy=remedy, station=number)
    return _if_above(found, noise, MAX_NOISE)


def _bright_air(tissue: TissueSample, number: int) -> list[Finding]:
    air = air_share(tissue) or 0.0
    sentence = (
        f"the air beside the body in station {number} (from the head) has {air:.0%} of the body's"
        " signal: a constant was added, or the noise is high"
    )
    remedy = "Export the study again with its original pixel values."
    found = Finding("NOISE_HIGH", sentence, remedy=remedy, station=number)
    return _if_above(found, air, MAX_AIR)


def _noisy_slice(
    tissue: TissueSample, number: int, bottom_mm: float, step_mm: float
) -> list[Finding]:
    slices = slice_noise(tissue)
    k = int(slices.argmax())
    if slices[k] <= MAX_SLICE_NOISE:
        return []
    z = bottom_mm + k * step_mm
    return [
        Finding(
            "NOISE_HIGH",
            f"a slice of station {number} (from the head) has {slices[k]:.1f} times the noise of"
            f" the others, at z = {z:.0f} mm",
            remedy="Look at the slice. If it is damaged, export or download the study again.",
            station=number,
            from_mm=z - step_mm / 2,
            to_mm=z + step_mm / 2,
            value=float(slices[k]),
            threshold=MAX_SLICE_NOISE,
        )
    ]


def find_ghosts(tissue: TissueSample, number: int) -> list[Finding]:
    """Find ghosts of the body in the air beside it."""
    ghost = ghost_share(tissue) or 0.0
    sentence = (
        f"the air beside the body shows ghosts in station {number} (from the head): {ghost:.1%} of"
        " the body's signal; the patient may have moved"
    )
    remedy = "Look at the images. If organs are blurred, do not rely on the values."
    found = Finding("GHOSTS", sentence, remedy=remedy, station=number)
    return _if_above(found, ghost, MAX_GHOST)


def _if_above(finding: Finding, share: float, limit: float) -> list[Finding]:
    """Add a share of the body's signal to a finding, and return it if that is above its limit."""
    numbered = replace(finding, value=100 * share, threshold=100 * limit, unit="%")
    return [numbered] if share > limit else []
