"""Find stations that are shorter than others of the same protocol."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from mimir_engine.study.companion_scans import protocol_name
from mimir_engine.study.finding import Finding
from mimir_engine.study.pairing import Acquisition

#: Stations that must have the same number of slices before another one is called short.
MIN_EQUAL_STATIONS = 2


def check_lengths(chosen: Sequence[Acquisition]) -> list[Finding]:
    """Look for stations with fewer slices than others of the same name and voxels.

    The breath-hold stations of a neck-to-knee scan are alike, so a shorter one lost slices.
    """
    alike: dict[object, list[Acquisition]] = defaultdict(list)
    for scan in chosen:
        water = scan.water
        spacing = tuple(round(float(mm), 2) for mm in water.spacing_mm)
        alike[protocol_name(water.series.description), spacing, water.shape[1:]].append(scan)
    findings = []
    for scans in alike.values():
        usual, count = Counter(len(scan.water.slices) for scan in scans).most_common(1)[0]
        for scan in scans:
            missing = usual - len(scan.water.slices)
            if count >= MIN_EQUAL_STATIONS and missing > 0:
                findings.append(
                    Finding(
                        "SLICES_LOST",
                        f"the station {scan.water.place} has {missing}"
                        f" slice{'s' if missing > 1 else ''} fewer than the"
                        f" others of '{scan.water.series.description}'",
                    )
                )
    return findings
