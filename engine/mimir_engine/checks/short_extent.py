"""Find studies that are too short to reach from the neck to the knees."""

from __future__ import annotations

from mimir_engine.study.finding import Finding

#: Head-foot extent of a fused volume, in mm. UK Biobank's six stations give 1,110, six stations of
#: 180 that only touch 1,056; five of UK Biobank's six give 950 at most.
MIN_EXTENT_MM = 1000


def find_short_extent(stations: int, extent_mm: float) -> list[Finding]:
    """Find out whether a station may be missing at an end, where no gap shows it.

    Args:
        stations: Number of stations.
        extent_mm: Head-foot extent of the fused volume.
    """
    if extent_mm >= MIN_EXTENT_MM:
        return []
    count = "1 station" if stations == 1 else f"{stations} stations"
    return [
        Finding(
            "EXTENT_SHORT",
            f"the study is {extent_mm / 10:.0f} cm long ({count}), and a neck-to-knee scan about"
            " 110 cm; a station may be missing at the head or foot end",
        )
    ]
