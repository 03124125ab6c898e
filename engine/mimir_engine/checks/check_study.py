"""Run all checks of one study."""

from __future__ import annotations

from collections.abc import Sequence

from mimir_engine.checks.displaced_stations import find_displaced_stations
from mimir_engine.checks.pixel_sample import sample_pixels
from mimir_engine.checks.saturated_pixels import find_saturated_pixels
from mimir_engine.checks.suspect_slices import (
    check_contrasts,
    find_blank,
    find_cut_off,
    find_identical,
)
from mimir_engine.checks.unusual_extent import find_unusual_extent
from mimir_engine.fusion import FusedVolumes
from mimir_engine.study.finding import Finding
from mimir_engine.study.station import Station


def check_study(stations: Sequence[Station], fused: FusedVolumes) -> tuple[Finding, ...]:
    """Check the stations of a study and its fused volumes.

    Args:
        stations: From head to foot. Their pixels are checked only if ``fused`` has a layout:
            volumes that were read from files come without them.
        fused: The volumes of these stations.

    Raises:
        MimirError: ``EMPTY_IMAGE``, ``CONTRASTS_IDENTICAL``, ``STATION_DISPLACED``.
    """
    findings = find_unusual_extent(len(stations), fused.water.extent_mm)
    if fused.layout is None:
        return tuple(findings)
    for number, station in enumerate(stations, 1):
        sample = sample_pixels(station)
        findings += find_blank(station, sample, number)
        findings += find_cut_off(station, sample, number)
        check_contrasts(station, sample, number)
        findings += find_identical(station, sample, number)
        findings += find_saturated_pixels(sample, number)
    return (*findings, *find_displaced_stations(stations))
