"""The numbers behind the checks of a scan, so that they can be ranked without their thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Optional

import numpy as np

from mimir_engine.checks.body_sample import body_sample
from mimir_engine.checks.continuity.blending_scale import blending_scales
from mimir_engine.checks.continuity.mirrored_body import back_flatness, liver_side_mm
from mimir_engine.checks.continuity.seam_match import seam_match
from mimir_engine.checks.continuity.seam_steps import seam_steps
from mimir_engine.checks.continuity.slice_order import disorder
from mimir_engine.checks.coverage.body_cut_off import (
    MIN_TRUNK_FACE_MM,
    contact_mm,
    knee_share,
    off_centre_mm,
    shoulder_room_mm,
)
from mimir_engine.checks.fat_map import fat_map
from mimir_engine.checks.pixel_sample import sample_pixels
from mimir_engine.checks.signal.air_signal import (
    air_share,
    ghost_share,
    noise_ratio,
    noise_share,
    slice_noise,
)
from mimir_engine.checks.signal.bright_outliers import brightness
from mimir_engine.checks.signal.dark_voids import one_sided_voids
from mimir_engine.checks.signal.incoherent_contrasts import phase_matches
from mimir_engine.checks.signal.lean_to_fat import lean_to_fat, station_ratios
from mimir_engine.checks.signal.shading import fat_signals, seam_unevenness, sideways
from mimir_engine.checks.signal.slice_scale import slice_steps
from mimir_engine.checks.tissue_sample import tissue_sample
from mimir_engine.fusion import FusedVolumes
from mimir_engine.study.station import Station


def scan_numbers(stations: Sequence[Station], fused: FusedVolumes) -> dict[str, float]:
    """Return one number for each statistic of a scan: that of its most unusual station or seam."""
    volume, layout = body_sample(fused), fused.layout
    samples = [sample_pixels(station) for station in stations]
    tissues = [tissue_sample(sample) for sample in samples]
    ratios = [lean_to_fat(tissue) for tissue in tissues]
    noise_ratios = [noise_ratio(tissue) for tissue in tissues]
    voids = one_sided_voids(volume)
    maps = [fat_map(station) for station in stations]
    seams = list(zip(maps, maps[1:]))
    steps = np.abs(np.log([seam_steps(*pair) for pair in seams]))
    signals = fat_signals(tissues)
    matches = [match for station in stations for match in phase_matches(station)]
    return {
        "extent (mm)": fused.water.extent_mm,
        "room above the shoulders (mm)": shoulder_room_mm(volume),
        "lean tissue at the knees": knee_share(volume),
        "contact with a border (mm)": max(contact_mm(volume, MIN_TRUNK_FACE_MM)),
        "distance from the middle (mm)": abs(off_centre_mm(volume)),
        "voids in legs and pelvis (mL)": voids[0].volume_ml,
        "voids above (mL)": voids[1].volume_ml,
        "noise": _largest(noise_share(tissue) for tissue in tissues),
        "noise of a slice": max(float(slice_noise(tissue).max()) for tissue in tissues),
        "noise of water to fat": _middle(noise_ratios),
        "noise of water to fat of a station": _spread(station_ratios(noise_ratios)),
        "signal of air": _largest(air_share(tissue) for tissue in tissues),
        "ghosts": _largest(ghost_share(tissue) for tissue in tissues),
        "lean to fat signal": _middle(ratios),
        "lean to fat signal of a station": _spread(station_ratios(ratios)),
        "step between slices": max(
            _spread(steps) for tissue in tissues for steps in slice_steps(tissue).values()
        ),
        "brightest pixel": max(max(brightness(*pair).values()) for pair in zip(stations, samples)),
        "shading sideways": _largest(map(abs, _known(sideways(tissue) for tissue in tissues))),
        "shading along the body": max(signals) / min(signals) if signals else 1.0,
        "shading at the seams": _average(
            seam_unevenness(*pair) for pair in zip(stations, stations[1:])
        ),
        "match of a seam": min(seam_match(*pair) for pair in seams),
        "step of signal at a seam": float(steps[:, 0].max()),
        "step of fat against water at a seam": float(steps[:, 1].max()),
        "liver to the right (mm)": liver_side_mm(maps),
        "back wider than front": back_flatness(maps),
        "blending of water against fat": _spread(blending_scales(layout)) if layout else 0.0,
        "disorder of slices": max(disorder(station) for station in maps),
        "residual of the phases": max((match.residual for match in matches), default=0.0),
    }


def _known(values: Iterable[Optional[float]]) -> list[float]:
    return [value for value in values if value is not None]


def _largest(values: Iterable[Optional[float]]) -> float:
    return max(_known(values), default=0.0)


def _middle(values: Iterable[Optional[float]]) -> float:
    known = _known(values)
    return float(np.median(known)) if known else 1.0


def _average(values: Iterable[Optional[float]]) -> float:
    known = _known(values)
    return float(np.mean(known)) if known else 0.0


def _spread(factors: Sequence[float] | np.ndarray) -> float:
    """Return the largest size of the logarithm of factors."""
    return float(np.abs(np.log(factors)).max()) if len(factors) else 0.0
