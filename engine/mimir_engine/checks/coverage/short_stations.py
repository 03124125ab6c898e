"""Find stations of a known protocol that lack slices, or overlap more than usual."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from mimir_engine.study.finding import Finding
from mimir_engine.study.station import Station

#: UK Biobank's stations from the head: distance of the slices in mm, and their number.
UK_BIOBANK = ((3.0, 64), (4.5, 44), (4.5, 44), (4.5, 44), (3.5, 72), (4.0, 64))
#: Relative difference of distances that rounding explains.
SPACING_TOLERANCE = 0.01
#: Slices that a station may lack: some of UK Biobank have 43 instead of 44.
MAX_LOST = 1
#: Least head-foot extent of UK Biobank's stations, in mm. Usual are 1,090 to 1,130.
MIN_EXTENT_MM = 1085.0


def lost_slices(stations: Sequence[Station]) -> Optional[list[int]]:
    """Return how many slices each station lacks; None unless the protocol is UK Biobank's."""
    spacings = [station.spacing_mm[2] for station in stations]
    usual = [mm for mm, _ in UK_BIOBANK]
    if len(spacings) != len(usual) or any(
        abs(own - mm) > SPACING_TOLERANCE * mm for own, mm in zip(spacings, usual)
    ):
        return None
    return [count - station.shape[0] for station, (_, count) in zip(stations, UK_BIOBANK)]


def find_short_stations(stations: Sequence[Station], extent_mm: float) -> list[Finding]:
    """Find stations that are shorter than the protocol's, and a study that is.

    Args:
        stations: From head to foot.
        extent_mm: Head-foot extent of the fused volume.
    """
    lost = lost_slices(stations)
    if lost is None:
        return []
    remedy = "Get the complete study. Values of the whole body may be wrong."
    findings = [
        Finding(
            "SLICES_LOST",
            f"station {number} (from the head) has {count} slices fewer than UK Biobank's",
            remedy=remedy,
            station=number,
            value=count,
            threshold=MAX_LOST,
        )
        for number, count in enumerate(lost, 1)
        if count > MAX_LOST
    ]
    if extent_mm >= MIN_EXTENT_MM:
        return findings
    sentence = (
        f"the study is {extent_mm / 10:.0f} cm long, and UK Biobank's about 111 cm; slices are"
        " missing, or stations overlap too much"
    )
    return [
        *findings,
        Finding(
            "EXTENT_SHORT",
            sentence,
            remedy=remedy,
            value=extent_mm / 10,
            threshold=MIN_EXTENT_MM / 10,
            unit="cm",
        ),
    ]
