"""Compare water and fat with the in-phase and opposed-phase images of the same scans."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from string import ascii_letters, whitespace
from typing import Optional

from mimir_engine.errors import MimirError
from mimir_engine.headers.acquisition_time import SECONDS_PER_DAY
from mimir_engine.headers.contrast import Contrast
from mimir_engine.headers.series import Series
from mimir_engine.headers.slices import Companion
from mimir_engine.study.finding import Finding
from mimir_engine.study.pairing import Acquisition
from mimir_engine.study.places import covered_part
from mimir_engine.study.stack import SAME_STATION_OVERLAP, Stack

#: Characters between the name of a protocol and the word of a contrast.
_SEPARATORS = "_-" + whitespace
#: Time between the contrasts of one acquisition, in seconds; one station takes longer to scan.
MAX_SECONDS_APART = 5.0
#: Difference of series numbers between the contrasts of one acquisition, if times are missing.
MAX_NUMBERS_APART = 3
#: Slices that may be missing at an end before the study is refused.
MAX_LOST = 1


@dataclass(frozen=True)
class CompanionScan:
    """In-phase or opposed-phase of one scan: only what its headers tell.

    Attributes:
        series: Its series.
        acquired: Time of acquisition in seconds; None if unknown.
        range_mm: z of the first and the last slice.
        images: Its slices, in the order of files.
    """

    series: Series
    acquired: Optional[float]
    range_mm: tuple[float, float]
    images: tuple[Companion, ...]


def companion_scans(companions: Iterable[Companion]) -> list[CompanionScan]:
    """Group in-phase and opposed-phase slices by scan."""
    groups: dict[object, list[Companion]] = defaultdict(list)
    for companion in companions:
        groups[id(companion.series), companion.scan].append(companion)
    return [
        CompanionScan(
            group[0].series,
            group[0].acquired,
            (min(c.z_mm for c in group), max(c.z_mm for c in group)),
            tuple(group),
        )
        for group in groups.values()
    ]


def check_extent(acquisition: Acquisition, companions: Iterable[CompanionScan]) -> list[Finding]:
    """Compare the extent of water and fat with that of in-phase and opposed-phase.

    Args:
        acquisition: Water and fat of one station.
        companions: In-phase and opposed-phase scans of the study.

    Raises:
        MimirError: ``SLICE_MISSING`` if more than ``MAX_LOST`` slices are missing at an end.
    """
    own = [c for c in companions if is_of_acquisition(c, acquisition.water)]
    if not own:
        return []
    water, fat = acquisition.water, acquisition.fat
    foot = min(stack.first.position_mm[2] for stack in (water, fat))
    head = max(stack.slices[-1].position_mm[2] for stack in (water, fat))
    above = max(c.range_mm[1] for c in own) - head
    below = foot - min(c.range_mm[0] for c in own)
    lost = [round(mm / water.step_mm) for mm in (above, below)]
    if max(lost) <= 0:
        return []
    ends = " and ".join(
        f"{count} at the {end} end" for count, end in zip(lost, ("head", "foot")) if count > 0
    )
    what = (
        f"water and fat of the station {water.place} lack slices that '{own[0].series.description}'"
        f" of the same acquisition has: {ends}"
    )
    if max(lost) > MAX_LOST:
        raise MimirError("SLICE_MISSING", what, "Fetch the complete study.")
    return [Finding("SLICES_LOST", what)]


def check_stations(
    chosen: Sequence[Acquisition], companions: Iterable[CompanionScan]
) -> list[Finding]:
    """Look for in-phase and opposed-phase images of the protocol where no station is.

    Args:
        chosen: Water and fat of all stations.
        companions: In-phase and opposed-phase scans of the study.
    """
    names = {protocol_name(a.water.series.description) for a in chosen}
    ranges = [a.range_mm for a in chosen]
    places = {
        f"z = {foot:.0f} to {head:.0f} mm": c.series.description
        for c in companions
        for foot, head in (c.range_mm,)
        if foot < head
        and protocol_name(c.series.description) in names
        and covered_part(c.range_mm, ranges) < SAME_STATION_OVERLAP
    }
    return [
        Finding(
            "SLICES_LOST",
            f"series '{description}' shows {place}, where no water and fat images are: a station"
            " may be missing",
        )
        for place, description in places.items()
    ]


def protocol_name(description: str) -> str:
    """Return the name of a protocol: a description without the word of its contrast."""
    _, colon, name = description.rpartition(":")
    name = name.rstrip()
    front = name.rstrip(ascii_letters)
    if not colon and front != name:
        name = front.rstrip(_SEPARATORS)
    return name.strip().casefold()


def scans_of_acquisition(
    contrast: Contrast, water: Stack, scans: Iterable[CompanionScan]
) -> list[CompanionScan]:
    """Return the scans of one contrast that were reconstructed from the acquisition of water."""
    return [
        scan
        for scan in scans
        if scan.series.contrast is contrast
        and scan.series.reconstruction == water.series.reconstruction
        and is_of_acquisition(scan, water)
    ]


def is_of_acquisition(companion: CompanionScan, water: Stack) -> bool:
    """Return whether in-phase or opposed-phase was scanned together with water."""
    foot, head = water.range_mm
    shared = min(head, companion.range_mm[1]) - max(foot, companion.range_mm[0])
    if shared <= SAME_STATION_OVERLAP * water.extent_mm:
        return False
    if water.series.uid and water.series.uid == companion.series.uid:
        return True
    if water.acquired is not None and companion.acquired is not None:
        apart = abs(water.acquired - companion.acquired) % SECONDS_PER_DAY
        return min(apart, SECONDS_PER_DAY - apart) <= MAX_SECONDS_APART
    return abs(water.series.number - companion.series.number) <= MAX_NUMBERS_APART
