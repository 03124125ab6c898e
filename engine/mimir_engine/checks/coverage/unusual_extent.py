"""Find studies that are too short, or too long, for a scan from the neck to the knees."""

from __future__ import annotations

from mimir_engine.study.finding import Finding

#: Head-foot extent of a fused volume, in mm. UK Biobank's six stations give 1,110, six stations of
#: 180 that only touch 1,056; five of UK Biobank's six give 950 at most. With a station of the head
#: or the calves, of 150 mm or more, they give 1,250.
MIN_EXTENT_MM, MAX_EXTENT_MM = 1000, 1250


def find_unusual_extent(stations: int, extent_mm: float) -> list[Finding]:
    """Find out whether a station may be missing at an end, or be one too many.

    Args:
        stations: Number of stations; 0 if it is not known.
        extent_mm: Head-foot extent of the fused volume.
    """
    count = " (1 station)" if stations == 1 else f" ({stations} stations)" if stations else ""
    what = f"the study is {extent_mm / 10:.0f} cm long{count}, and a neck-to-knee scan about 110 cm"
    if extent_mm < MIN_EXTENT_MM:
        sentence = f"{what}; a station may be missing at the head or foot end"
        limit = MIN_EXTENT_MM / 10
        return [Finding("EXTENT_SHORT", sentence, value=extent_mm / 10, threshold=limit, unit="cm")]
    if extent_mm > MAX_EXTENT_MM:
        sentence = f"{what}; it may also show the head or the calves"
        limit = MAX_EXTENT_MM / 10
        return [Finding("EXTENT_LONG", sentence, value=extent_mm / 10, threshold=limit, unit="cm")]
    return []
