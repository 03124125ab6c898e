"""Run all checks of one study."""

from __future__ import annotations

from collections.abc import Sequence

from mimir_engine.checks.continuity.blending_scale import find_blending_scales
from mimir_engine.checks.continuity.check_continuity import check_continuity
from mimir_engine.checks.coverage.short_stations import find_short_stations
from mimir_engine.checks.coverage.unusual_extent import find_unusual_extent
from mimir_engine.checks.exchange.exchanged_water_fat import find_exchanged_volumes
from mimir_engine.checks.pixel_sample import sample_pixels
from mimir_engine.checks.signal.check_signal import check_signal, check_volumes
from mimir_engine.checks.signal.incoherent_contrasts import find_incoherent_contrasts
from mimir_engine.checks.signal.lean_to_fat import find_unusual_ratio
from mimir_engine.checks.signal.saturated_pixels import find_saturated_pixels
from mimir_engine.checks.signal.suspect_slices import (
    find_blank,
    find_cut_off,
    find_empty_volumes,
    find_identical,
    find_identical_contrasts,
)
from mimir_engine.checks.tissue_sample import tissue_sample
from mimir_engine.fusion import FusedVolumes
from mimir_engine.study.finding import Finding, is_stopped
from mimir_engine.study.station import Station


def check_study(stations: Sequence[Station], fused: FusedVolumes) -> tuple[Finding, ...]:
    """Check the stations of a study and its fused volumes.

    Args:
        stations: From head to foot. Their pixels are checked only if ``fused`` has a layout:
            volumes that were read from files come without them. None if their number is not known.
        fused: The volumes of these stations.

    Returns:
        Findings; after a stop, checks that need sound images are left out.
    """
    extent_mm = fused.water.extent_mm
    # Landmarks are looked for where a neck-to-knee scan shows them.
    unusual = find_unusual_extent(len(stations), extent_mm)
    findings = unusual or check_volumes(fused)
    if fused.layout is None:
        return (*findings, *_check_as_one(fused, is_whole_body=not unusual))
    findings += find_short_stations(stations, extent_mm)
    samples = [sample_pixels(station) for station in stations]
    for number, (station, sample) in enumerate(zip(stations, samples), 1):
        findings += find_blank(station, sample, number)
        findings += find_cut_off(station, sample, number)
        findings += find_identical_contrasts(station, sample, number)
        findings += find_identical(station, sample, number)
        findings += find_saturated_pixels(sample, number)
    if not is_stopped(findings):
        findings += check_continuity(stations)
        findings += find_blending_scales(fused.layout)
    if not is_stopped(findings):
        findings += check_signal(stations, samples)
    return tuple(findings)


def _check_as_one(fused: FusedVolumes, is_whole_body: bool) -> list[Finding]:
    """Check volumes whose stations are not known as if they were one station."""
    station = fused.as_station
    sample = sample_pixels(station)
    findings = find_empty_volumes(station)
    findings = findings or find_identical_contrasts(station, sample, None)
    if not findings:
        findings += find_exchanged_volumes(fused).findings
    if not is_stopped(findings):
        findings += find_unusual_ratio([tissue_sample(sample)]) if is_whole_body else []
        findings += find_incoherent_contrasts(station, None)
    return findings
