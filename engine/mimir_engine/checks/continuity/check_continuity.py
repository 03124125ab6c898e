"""Whether slices and stations continue each other: exchanges, order, places, steps of signal."""

from __future__ import annotations

from collections.abc import Sequence

from mimir_engine.checks.continuity.displaced_stations import find_displacement
from mimir_engine.checks.continuity.mirrored_body import find_mirrored
from mimir_engine.checks.continuity.seam_match import find_mismatch
from mimir_engine.checks.continuity.seam_steps import find_steps
from mimir_engine.checks.continuity.slice_order import find_disorder
from mimir_engine.checks.exchange.exchanged_water_fat import find_exchanged
from mimir_engine.checks.fat_map import fat_map
from mimir_engine.study.finding import Finding, is_stopped
from mimir_engine.study.station import Station


def check_continuity(stations: Sequence[Station]) -> list[Finding]:
    """Compare each slice and each station with the next.

    Where water and fat are exchanged, nothing else is compared: the same would be told again.

    Args:
        stations: From head to foot.
    """
    maps = [fat_map(station) for station in stations]
    findings = list(find_exchanged(stations, maps).findings)
    if is_stopped(findings):
        return findings
    findings += find_mirrored(maps)
    for number, station in enumerate(maps, 1):
        findings += find_disorder(station, number)
    for number, (upper, lower) in enumerate(zip(stations, stations[1:]), 1):
        above, below = maps[number - 1 : number + 1]
        findings += (
            find_displacement(upper, lower, number)
            or find_mismatch(above, below, number)
            or find_steps(above, below, number)
        )
    return findings
