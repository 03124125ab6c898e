"""Read all slices of in-phase or opposed-phase, on the voxels of water.

A contrast is read for all stations, or left out as a whole: a volume with a hole would look like a
scan. What is wrong with it stops nothing else.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from mimir_engine.errors import MimirError
from mimir_engine.headers.contrast import Contrast
from mimir_engine.headers.frames import NotAnImage
from mimir_engine.headers.slices import Companion, Slice, companion_slices
from mimir_engine.source.open_source import check_study_size
from mimir_engine.study.companion_scans import (
    CompanionScan,
    is_of_acquisition,
    scans_of_acquisition,
)
from mimir_engine.study.finding import NOTE, Finding
from mimir_engine.study.pairing import Acquisition
from mimir_engine.study.pixels import DecodedFiles, first_difference, load_slices
from mimir_engine.study.signal_findings import signal_findings
from mimir_engine.study.signal_scale import check_scales
from mimir_engine.study.stack import AXIAL_TOLERANCE, POSITION_TOLERANCE_MM, Stack
from mimir_engine.study.station import Station
from mimir_engine.study.station_plan import StationPlan


@dataclass(frozen=True)
class ContrastStations:
    """One contrast of all stations.

    Attributes:
        stations: From head to foot, with the affines of water and fat and images of this contrast
            alone; empty if it is left out.
        findings: Notes about its images, or why it is left out (``CONTRAST_LEFT_OUT``).
    """

    stations: tuple[Station, ...]
    findings: tuple[Finding, ...]


def read_phase_stations(
    contrast: Contrast,
    plans: Sequence[StationPlan],
    acquisitions: Sequence[Acquisition],
    scans: Sequence[CompanionScan],
) -> ContrastStations:
    """Read all slices of in-phase or opposed-phase.

    Args:
        contrast: One of these two.
        plans: What was read for water and fat of each station, from head to foot.
        acquisitions: The scans behind the plans.
        scans: In-phase and opposed-phase scans of the study; their files must still be open.
    """
    try:
        waters = [acquisition.water for acquisition in acquisitions]
        return _read(contrast, plans, waters, scans)
    except MimirError as error:
        return ContrastStations((), (left_out(contrast.value, error.what),))
    except NotAnImage:  # the header was one when it was read first
        return ContrastStations((), (left_out(contrast.value, "a file is not readable"),))


def left_out(contrast: str, reason: str) -> Finding:
    """Say why a contrast is not given."""
    return Finding("CONTRAST_LEFT_OUT", f"{contrast} is left out: {reason}", severity=NOTE)


def _read(
    contrast: Contrast,
    plans: Sequence[StationPlan],
    waters: Sequence[Stack],
    scans: Sequence[CompanionScan],
) -> ContrastStations:
    found = [_at_slices(contrast, plan, water, scans) for plan, water in zip(plans, waters)]
    images = iter(companion_slices([c for station in found for s in station for c in s]))
    grouped = [[[next(images) for _ in place] for place in station] for station in found]
    for plan, station in zip(plans, grouped):
        _check_grid(contrast, plan, station)
    stacks = [
        Stack(tuple(first for first, *_ in station), _twins(station), water.step_mm)
        for station, water in zip(grouped, waters)
    ]
    check_scales(stacks)
    entries = {id(s.entry): s.entry for stack in stacks for s in stack.slices}
    check_study_size(entries.values())
    return _load(contrast, plans, stacks)


def _at_slices(
    contrast: Contrast, plan: StationPlan, water: Stack, scans: Sequence[CompanionScan]
) -> list[list[Companion]]:
    """Return the images at the place of each slice of water; several may be copies."""
    own = scans_of_acquisition(contrast, water, scans)
    if not own:
        raise _unusable(_why_none(contrast, water, scans))
    images = sorted((c for scan in own for c in scan.images), key=lambda c: c.z_mm)
    places = [image.z_mm for image in images]
    slices = plan.crops[Contrast.WATER].slices
    found = []
    for z in (s.position_mm[2] for s in slices):
        first = bisect_left(places, z - POSITION_TOLERANCE_MM)
        found.append(images[first : bisect_right(places, z + POSITION_TOLERANCE_MM)])
    missing = sum(not place for place in found)
    if missing:
        raise _unusable(
            f"the station {water.place} has no image at {missing} of the {len(slices)} places of"
            " water"
        )
    return found


def _why_none(contrast: Contrast, water: Stack, scans: Sequence[CompanionScan]) -> str:
    """Say why no scan of a contrast belongs to a station."""
    alike = [scan for scan in scans if scan.series.contrast is contrast]
    if not alike:
        return "the study has no such images"
    if any(is_of_acquisition(scan, water) for scan in alike):
        return f"those of the station {water.place} were reconstructed in another way than water"
    return f"the station {water.place} has no such images of the same acquisition"


def _twins(station: Sequence[Sequence[Slice]]) -> tuple[tuple[Slice, Slice], ...]:
    return tuple((first, other) for first, *others in station for other in others)


def _check_grid(contrast: Contrast, plan: StationPlan, station: Sequence[Sequence[Slice]]) -> None:
    """Refuse images that are not on the voxels of water."""
    for own, images in zip(plan.crops[Contrast.WATER].slices, station):
        for image in images:
            if not _is_on_grid(own, image):
                raise _unusable(
                    f"series '{image.series.description}' does not lie on the voxels of water"
                )


def _is_on_grid(own: Slice, image: Slice) -> bool:
    places = zip(image.position_mm + image.spacing_mm, own.position_mm + own.spacing_mm)
    directions = zip(image.orientation, own.orientation)
    return (
        (image.rows, image.columns) == (own.rows, own.columns)
        and all(abs(a - b) <= POSITION_TOLERANCE_MM for a, b in places)
        and all(abs(a - b) <= AXIAL_TOLERANCE for a, b in directions)
    )


def _load(
    contrast: Contrast, plans: Sequence[StationPlan], stacks: Sequence[Stack]
) -> ContrastStations:
    stations: list[Station] = []
    findings: list[Finding] = []
    files = DecodedFiles()
    for plan, stack in zip(plans, stacks):
        other = first_difference(stack.twins, files)
        if other is not None:
            raise _unusable(
                f"there are different images at z = {other.position_mm[2]:.1f} mm, and nothing"
                " tells which belongs to water"
            )
        signal = load_slices(stack.slices, files)
        crop = plan.crops[Contrast.WATER]
        image = signal.array[:, crop.rows, crop.columns]
        stations.append(Station({contrast: image}, plan.affine))
        findings += signal_findings(signal, stack.series.description)
    return ContrastStations(tuple(stations), tuple(dict.fromkeys(findings)))


def _unusable(reason: str) -> MimirError:
    return MimirError("CONTRAST_LEFT_OUT", reason)
