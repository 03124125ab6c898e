"""The numbers behind the checks of a scan: what it is like, beside what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Optional, Union

import numpy as np

from mimir_engine.checks.body_sample import MIN_SLICES, body_sample
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

#: Name and meaning of each number; of several stations or seams it is that of the most unusual one.
SCAN_NUMBERS: Mapping[str, str] = {
    "extent": "extent (mm)",
    "shoulder_room": "room above the shoulders (mm)",
    "knee_lean": "lean tissue at the knees",
    "border_contact": "contact with a border (mm)",
    "off_centre": "distance from the middle (mm)",
    "voids_low": "voids in legs and pelvis (mL)",
    "voids_high": "voids above (mL)",
    "noise": "noise",
    "slice_noise": "noise of a slice",
    "noise_ratio": "noise of water to fat",
    "station_noise_ratio": "noise of water to fat of a station",
    "air": "signal of air",
    "ghosts": "ghosts",
    "lean_to_fat": "lean to fat signal",
    "station_lean_to_fat": "lean to fat signal of a station",
    "slice_step": "step between slices",
    "brightest": "brightest pixel",
    "shading_sideways": "shading sideways",
    "shading_along": "shading along the body",
    "shading_seams": "shading at the seams",
    "seam_match": "match of a seam",
    "seam_step": "step of signal at a seam",
    "seam_contrast_step": "step of fat against water at a seam",
    "liver_side": "liver to the right (mm)",
    "back_flatness": "back wider than front",
    "blending": "blending of water against fat",
    "slice_disorder": "disorder of slices",
    "phase_residual": "residual of the phases",
}

_Number = Union[float, np.floating, None]


def scan_numbers(stations: Sequence[Station], fused: FusedVolumes) -> dict[str, float]:
    """Compute the numbers of a scan that no check stops.

    Args:
        stations: From head to foot. Their pixels count only if ``fused`` has a layout, as in
            ``check_study``.
        fused: The volumes of these stations.

    Returns:
        Those of `SCAN_NUMBERS` that the scan shows.
    """
    numbers: dict[str, _Number] = _of_volumes(fused)
    if fused.layout is not None:
        numbers.update(_of_tissue(stations))
        numbers.update(_of_seams(stations))
        numbers["blending"] = _spread(blending_scales(fused.layout))
    return {name: float(value) for name, value in numbers.items() if value is not None}


def _of_volumes(fused: FusedVolumes) -> dict[str, _Number]:
    volume = body_sample(fused)
    if len(volume.body) < MIN_SLICES:
        return {"extent": fused.water.extent_mm}
    low, high = one_sided_voids(volume)
    return {
        "extent": fused.water.extent_mm,
        "shoulder_room": shoulder_room_mm(volume),
        "knee_lean": knee_share(volume),
        "border_contact": max(contact_mm(volume, MIN_TRUNK_FACE_MM)),
        "off_centre": abs(off_centre_mm(volume)),
        "voids_low": low.volume_ml,
        "voids_high": high.volume_ml,
    }


def _of_tissue(stations: Sequence[Station]) -> dict[str, _Number]:
    samples = [sample_pixels(station) for station in stations]
    tissues = [tissue_sample(sample) for sample in samples]
    ratios = [lean_to_fat(tissue) for tissue in tissues]
    noise_ratios = [noise_ratio(tissue) for tissue in tissues]
    signals = fat_signals(tissues)
    sides = _known(sideways(tissue) for tissue in tissues)
    return {
        "noise": _largest(noise_share(tissue) for tissue in tissues),
        "slice_noise": _largest(_maximum(slice_noise(tissue)) for tissue in tissues),
        "noise_ratio": _middle(noise_ratios),
        "station_noise_ratio": _spread(station_ratios(noise_ratios)),
        "air": _largest(air_share(tissue) for tissue in tissues),
        "ghosts": _largest(ghost_share(tissue) for tissue in tissues),
        "lean_to_fat": _middle(ratios),
        "station_lean_to_fat": _spread(station_ratios(ratios)),
        "slice_step": _largest(
            _spread(steps) for tissue in tissues for steps in slice_steps(tissue).values()
        ),
        "brightest": max(max(brightness(*pair).values()) for pair in zip(stations, samples)),
        "shading_sideways": _largest(map(abs, sides)),
        "shading_along": max(signals) / min(signals) if signals else None,
    }


def _of_seams(stations: Sequence[Station]) -> dict[str, _Number]:
    maps = [fat_map(station) for station in stations]
    seams = list(zip(maps, maps[1:]))
    steps = np.abs(np.log([seam_steps(*pair) for pair in seams])) if seams else None
    unevenness = (seam_unevenness(*pair) for pair in zip(stations, stations[1:]))
    return {
        "shading_seams": _mean(unevenness),
        "seam_match": min((seam_match(*pair) for pair in seams), default=None),
        "seam_step": None if steps is None else steps[:, 0].max(),
        "seam_contrast_step": None if steps is None else steps[:, 1].max(),
        "liver_side": liver_side_mm(maps),
        "back_flatness": back_flatness(maps),
        "slice_disorder": max(disorder(station) for station in maps),
        "phase_residual": _largest(
            match.residual for station in stations for match in phase_matches(station)
        ),
    }


def _known(values: Iterable[Optional[float]]) -> list[float]:
    return [value for value in values if value is not None]


def _largest(values: Iterable[Optional[float]]) -> Optional[float]:
    return max(_known(values), default=None)


def _middle(values: Iterable[Optional[float]]) -> Optional[float]:
    known = _known(values)
    return float(np.median(known)) if known else None


def _mean(values: Iterable[Optional[float]]) -> Optional[float]:
    known = _known(values)
    return float(np.mean(known)) if known else None


def _spread(factors: Union[Sequence[float], np.ndarray]) -> Optional[float]:
    """Return the largest size of the logarithm of factors."""
    return float(np.abs(np.log(factors)).max()) if len(factors) else None


def _maximum(values: np.ndarray) -> Optional[float]:
    return float(values.max()) if values.size else None
