"""Find slices that were lost at an end of a station, where positions alone show no gap.

Four things in the headers show it: in-phase and opposed-phase images of the same acquisition that
reach farther or show a place without a station, image numbers that do not begin at 1, the number of
images that the scanner declares, and stations of the same protocol that are longer.
"""

from __future__ import annotations

from collections.abc import Sequence

from mimir_engine.headers.slices import Headers
from mimir_engine.study.companion_scans import check_extent, check_stations, companion_scans
from mimir_engine.study.finding import Finding
from mimir_engine.study.image_numbers import check_numbers
from mimir_engine.study.pairing import Acquisition
from mimir_engine.study.station_lengths import check_lengths


def check_lost_slices(chosen: Sequence[Acquisition], headers: Headers) -> list[Finding]:
    """Look for lost slices of the chosen scans, and for lost stations.

    Raises:
        MimirError: ``SLICE_MISSING``.
    """
    companions = companion_scans(headers.companions)
    findings = check_stations(chosen, companions) + check_lengths(chosen)
    for scan in chosen:
        findings += check_extent(scan, companions)
    used = [stack for scan in chosen for stack in (scan.water, scan.fat)]
    return findings + check_numbers(used, headers.slices, headers.companions)
