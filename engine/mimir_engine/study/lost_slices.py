"""Find slices that were lost at an end of a station, where positions alone show no gap.

Three things in the headers show it: in-phase and opposed-phase images of the same acquisition
that reach farther or show a place without a station, image numbers that do not begin at 1, and the
number of images that the scanner declares.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Optional

from mimir_engine.errors import MimirError
from mimir_engine.headers.acquisition_time import SECONDS_PER_DAY
from mimir_engine.headers.contrast import Contrast
from mimir_engine.headers.series import Series
from mimir_engine.headers.slices import Companion, Headers, Slice
from mimir_engine.study.finding import Finding
from mimir_engine.study.pairing import Acquisition
from mimir_engine.study.places import covered_part
from mimir_engine.study.stack import SAME_STATION_OVERLAP, Stack

#: Time between the contrasts of one acquisition, in seconds; one station takes longer to scan.
MAX_SECONDS_APART = 5.0
#: Difference of series numbers between the contrasts of one acquisition, if times are missing.
MAX_NUMBERS_APART = 3
#: Slices that may be missing at an end before the study is refused.
MAX_LOST = 1
#: The declared number of images may be that of several contrasts together.
_CONTRASTS_TOGETHER = (1, 2, 3, 4)


@dataclass(frozen=True)
class CompanionScan:
    """In-phase or opposed-phase of one scan: only what its headers tell.

    Attributes:
        series: Its series.
        acquired: Time of acquisition in seconds; None if unknown.
        range_mm: z of the first and the last slice.
    """

    series: Series
    acquired: Optional[float]
    range_mm: tuple[float, float]


def check_lost_slices(chosen: Sequence[Acquisition], headers: Headers) -> list[Finding]:
    """Look for lost slices of the chosen scans, and for lost stations.

    Raises:
        MimirError: ``SLICE_MISSING``.
    """
    companions = companion_scans(headers.companions)
    findings = check_stations(chosen, companions)
    for scan in chosen:
        findings += check_extent(scan, companions)
    used = [stack for scan in chosen for stack in (scan.water, scan.fat)]
    return findings + check_numbers(used, headers.slices, headers.companions)


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
    own = [c for c in companions if _of_same_acquisition(acquisition.water, c)]
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
    names = {_without_contrast(a.water.series.description) for a in chosen}
    ranges = [a.range_mm for a in chosen]
    places = {
        f"z = {foot:.0f} to {head:.0f} mm": c.series.description
        for c in companions
        for foot, head in (c.range_mm,)
        if foot < head
        and _without_contrast(c.series.description) in names
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


def _without_contrast(description: str) -> str:
    """Return the name of a protocol: a description without its first or last word."""
    return re.sub(r"^.*:|[_\s-]*[A-Za-z]+\s*$", "", description, count=1).strip().casefold()


def _of_same_acquisition(water: Stack, companion: CompanionScan) -> bool:
    """Return whether another contrast was scanned together with water."""
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


def check_numbers(
    used: Sequence[Stack], slices: Sequence[Slice], companions: Iterable[Companion]
) -> list[Finding]:
    """Look for image numbers that are missing in a series, and for images that were declared.

    Series in which numbers say nothing are skipped: those with several contrasts, those of which
    slices lost their UID, and studies whose images are numbered throughout.

    Args:
        used: Stacks that are used.
        slices: All water and fat slices of the study.
        companions: All in-phase and opposed-phase slices of the study.
    """
    used_uids = {stack.series.uid for stack in used}
    adopted = _adopted(used)
    by_series: dict[str, list[Slice]] = defaultdict(list)
    for s in slices:
        by_series[s.series.uid or adopted.get((id(s.entry), s.frame), "")].append(s)
    mixed = {s.series.uid for s in companions}
    torn = {(s.series.number, s.series.description) for s in by_series.pop("", [])}
    are_throughout = _are_numbered_throughout([*by_series.values()])
    findings = []
    for uid, series in by_series.items():
        contrasts = {s.contrast for s in series}
        name = series[0].series.number, series[0].series.description
        if uid not in used_uids or uid in mixed or name in torn or len(contrasts) > 1:
            continue
        lost = None if are_throughout else _lost_of(_numbers(series))
        declared = series[0].series.images or 0
        if lost is None and declared > len(series):
            times = declared / len(series)
            lost = None if times in _CONTRASTS_TOGETHER else declared - len(series)
        if lost:
            findings.append(
                Finding(
                    "SLICES_LOST",
                    f"{lost} images of series '{series[0].series.description}' may be missing:"
                    " its image numbers do not begin at 1 or have gaps, or the scanner declares"
                    " more images",
                )
            )
    return findings


def _adopted(stacks: Sequence[Stack]) -> dict[tuple[int, Optional[int]], str]:
    """Return the series of slices that lost their UID, by file and frame."""
    adopted = {}
    for stack in stacks:
        uids = {s.series.uid for s in stack.slices} - {""}
        if len(uids) == 1:
            (uid,) = uids
            adopted.update({(id(s.entry), s.frame): uid for s in stack.slices if not s.series.uid})
    return adopted


def _are_numbered_throughout(all_series: Sequence[Sequence[Slice]]) -> bool:
    """Return whether images are numbered throughout the study, or throughout each contrast."""
    ranges: dict[Contrast, list[list[int]]] = defaultdict(list)
    for series in all_series:
        numbers = _numbers(series)
        if numbers:
            ranges[series[0].contrast].append(numbers)
    firsts = [numbers[0] for part in ranges.values() for numbers in part]
    if len(firsts) < 2 or len({*firsts}) == len(firsts):
        return len(firsts) > 1
    return all(
        len(part) > 1
        and all(one[-1] < other[0] for one, other in zip(sorted(part), sorted(part)[1:]))
        for part in ranges.values()
    )


def _numbers(series: Sequence[Slice]) -> Optional[list[int]]:
    """Return the image numbers in order; None if they are incomplete or not unique."""
    numbers = sorted({s.instance for s in series if s.instance is not None})
    return numbers if len(numbers) == len(series) else None


def _lost_of(numbers: Optional[Sequence[int]]) -> Optional[int]:
    """Return how many numbers from 1 to the largest are missing, if that is a part of them."""
    if not numbers or numbers[0] < 0:
        return None
    first = min(numbers[0], 1)
    lost = numbers[-1] - first + 1 - len(numbers)
    return lost if 0 < lost < len(numbers) else None
