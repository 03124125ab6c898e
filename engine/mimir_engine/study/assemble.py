"""Group slices into stations and choose among repeated scans.

This uses only headers; pixels are read afterwards, and only those of the chosen slices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mimir_engine.errors import MimirError
from mimir_engine.headers.slices import REQUIRED_CONTRASTS, Headers, Slice, path_of
from mimir_engine.source.passed_over import joined
from mimir_engine.study.finding import Finding
from mimir_engine.study.lost_slices import (
    check_extent,
    check_numbers,
    check_stations,
    companion_scans,
)
from mimir_engine.study.one_study import check_one_study
from mimir_engine.study.pairing import Acquisition, Pairing, pair
from mimir_engine.study.places import MIN_COVERED, composed, covered_part, group_by_place
from mimir_engine.study.reconstruction import NORMALISED, one_reconstruction
from mimir_engine.study.repeats import Choice, choose, likeness
from mimir_engine.study.series_stacks import (
    MAX_STATION_TILT,
    Unusable,
    follow_normal,
    stack_series,
    tilt_degrees,
)
from mimir_engine.study.signal_scale import check_scales
from mimir_engine.study.stack import Stack
from mimir_engine.study.station_plan import StationPlan, plan_station

#: Series that are named when no Dixon images are found.
MAX_NAMED_SERIES = 8
#: Positions of the patient in which networks have seen bodies; empty if the header has none.
SUPINE = ("HFS", "FFS", "")


@dataclass(frozen=True)
class Assembly:
    """The stations of a study, before their pixels are read.

    Attributes:
        plans: What to read for each station, from head to foot.
        acquisitions: The scans behind the plans.
        findings: Notes about the input.
    """

    plans: list[StationPlan]
    acquisitions: list[Acquisition]
    findings: list[Finding]


def assemble(headers: Headers, reconstruction: str = NORMALISED) -> Assembly:
    """Group the water and fat slices of one study into stations, from head to foot.

    Args:
        headers: All headers of the source.
        reconstruction: ``normalised`` or ``raw``: which is used if a scan has both.

    Raises:
        MimirError: ``NO_DIXON``, ``MIXED_PATIENTS``, ``MIXED_STUDIES``, ``CONTRAST_MISSING``,
            ``STATION_INCOMPLETE``, ``STATION_AMBIGUOUS``, ``STATION_LAYOUT``, ``NOT_AXIAL``,
            ``NOT_SUPINE``, ``SLICE_MISSING``, and any error of ``stack_slices`` and
            ``plan_station``.
    """
    _check_contrasts(headers)
    check_one_study(headers.slices)
    _check_file_lists(headers)
    series = stack_series(_known_times(headers.slices))
    stacks, findings = one_reconstruction(series.stacks, reconstruction)
    findings += series.findings
    whole = composed(stacks)
    findings += [_left_out(stack, "it is composed of several stations") for stack in whole]
    stacks = [stack for stack in stacks if not any(stack is other for other in whole)]
    pairings = [pair(place) for place in group_by_place(stacks)]
    choices = _choose(pairings)
    alone = [stack for pairing in pairings for stack in pairing.alone]
    copies = [both for pairing in pairings for both in pairing.copies]
    choices, redundant = _without_redundant(choices)
    findings += [_left_out(c.chosen.water, "other stations show its region") for c in redundant]
    for choice in choices:
        findings += [_repeat_left_out(a, reason) for a, reason in choice.left_out]
    chosen = [choice.chosen for choice in choices]
    findings += _check_unusable(series.unusable, chosen)
    findings += _check_alone(alone, chosen)
    _check_supine(chosen)
    check_scales([stack for a in chosen for stack in (a.water, a.fat)])
    findings += _header_findings(chosen)
    companions = companion_scans(headers.companions)
    findings += check_stations(chosen, companions)
    plans = []
    for choice in choices:
        findings += check_extent(choice.chosen, companions)
        plan, cropped = plan_station(choice.chosen, copies)
        plans.append(plan)
        findings += cropped
    used = [stack for a in chosen for stack in (a.water, a.fat)]
    findings += check_numbers(used, headers.slices, headers.companions)
    return Assembly(plans, chosen, findings)


def _check_contrasts(headers: Headers) -> None:
    if not headers.slices:
        seen = joined(headers.passed_over)
        names = [f"'{one.name}' ({one.reason})" for one in seen[:MAX_NAMED_SERIES]]
        more = f" and {len(seen) - len(names)} others" if len(seen) > len(names) else ""
        found = f": it has {', '.join(names)}{more}" if names else ""
        raise MimirError(
            "NO_DIXON",
            f"the source contains no Dixon water or fat images{found}",
            "Give the series with the stations of the neck-to-knee Dixon scan.",
        )
    contrasts = {s.contrast for s in headers.slices}
    for contrast in REQUIRED_CONTRASTS:
        if contrast not in contrasts:
            raise MimirError(
                "CONTRAST_MISSING",
                f"the study has no {contrast.value} images",
                "Fetch the complete study.",
            )


def _check_file_lists(headers: Headers) -> None:
    """Refuse a source whose own list of files names water or fat images that are not there."""
    for manifest in headers.manifests:
        absent = manifest.absent(headers.names, REQUIRED_CONTRASTS)
        if absent:
            raise _absent("manifest", absent)
    used = [path_of(s.entry) for s in headers.slices] if headers.dicomdirs else []
    for dicomdir in headers.dicomdirs:
        absent = dicomdir.absent(headers.names, used)
        if absent:
            raise _absent("DICOMDIR", absent)


def _absent(where: str, files: Sequence[str]) -> MimirError:
    return MimirError(
        "SLICE_MISSING",
        f"the {where} names {len(files)} images of the scan that are absent, such as '{files[0]}'",
        "Fetch the complete study.",
    )


def _known_times(slices: Sequence[Slice]) -> list[Slice]:
    """Return the slices without times if all have the same: those of an anonymiser."""
    times = {s.acquired for s in slices}
    if len(times) > 1 or None in times:
        return list(slices)
    return [replace(s, acquired=None) for s in slices]


def _choose(pairings: Sequence[Pairing]) -> list[Choice]:
    """Choose one scan of each place.

    Raises:
        MimirError: ``STATION_AMBIGUOUS``, ``STATION_LAYOUT``.
    """
    places = [pairing.acquisitions for pairing in pairings if pairing.acquisitions]
    if len(places) == 1 and len(places[0]) > 2:
        raise _positions_lost(places[0])
    choices = []
    for k, scans in enumerate(places):
        elsewhere = [a for place in (*places[:k], *places[k + 1 :]) for a in place]
        choices.append(choose(scans, elsewhere))
    if len(places) == 1 and len(places[0]) > 1:
        raise _positions_lost(places[0])
    return choices


def _positions_lost(scans: Sequence[Acquisition]) -> MimirError:
    return MimirError(
        "STATION_LAYOUT",
        f"{len(scans)} scans show one place ({scans[0].water.place}) and none another: the"
        " positions of the stations may have been lost",
        "Export the study with the original positions. If the station was repeated, give the"
        " complete scan.",
    )


def _without_redundant(choices: Sequence[Choice]) -> tuple[list[Choice], list[Choice]]:
    """Separate scans whose region the other stations cover, such as one of the liver.

    Those that are least like the others come first.
    """
    scans = [choice.chosen for choice in choices]
    kept, redundant = list(choices), []
    for choice in sorted(choices, key=lambda c: likeness(c.chosen, scans)):
        others = [c for c in kept if c is not choice]
        covered = covered_part(choice.chosen.range_mm, [c.chosen.range_mm for c in others])
        if len(others) > 1 and covered >= MIN_COVERED:
            kept = others
            redundant.append(choice)
    return kept, redundant


def _check_unusable(unusable: Sequence[Unusable], chosen: Sequence[Acquisition]) -> list[Finding]:
    """Refuse slices that form no stack unless the stations show what they show.

    Sagittal and coronal series, and planning images, are no stations and are left out.
    """
    findings = []
    ranges = [a.range_mm for a in chosen]
    for one in unusable:
        first = one.slices[0]
        inside = sum(
            any(foot <= s.position_mm[2] <= head for foot, head in ranges) for s in one.slices
        )
        is_view = tilt_degrees(first) > MAX_STATION_TILT and follow_normal(one.slices)
        if not (chosen and is_view) and inside < MIN_COVERED * len(one.slices):
            raise one.error
        findings.append(
            Finding(
                "SERIES_LEFT_OUT",
                f"{one.error.what}; {len(one.slices)} images were left out",
            )
        )
    return findings


def _check_alone(alone: Sequence[Stack], chosen: Sequence[Acquisition]) -> list[Finding]:
    """Refuse a station that lacks a contrast, unless another scan shows its place."""
    findings = []
    for stack in alone:
        if covered_part(stack.range_mm, [a.range_mm for a in chosen]) < MIN_COVERED:
            (missing,) = (c for c in REQUIRED_CONTRASTS if c is not stack.contrast)
            if any(other.contrast is missing and other.is_at(stack) for other in alone):
                raise MimirError(
                    "STATION_INCOMPLETE",
                    f"water and fat of the station {stack.place} do not belong together: only one"
                    " of them was normalised, corrected for distortion, or scanned with contrast"
                    " agent, or they were scanned at different times",
                    "Fetch the complete study, with water and fat of one kind.",
                )
            raise MimirError(
                "STATION_INCOMPLETE",
                f"the station {stack.place} has no {missing.value} image that belongs to"
                f" '{stack.series.description}'",
                "Fetch the complete study.",
            )
        findings.append(
            Finding(
                "STATION_RESCANNED",
                f"the station {stack.place} was scanned more than once; an incomplete repeat was"
                " left out",
            )
        )
    return findings


def _check_supine(chosen: Sequence[Acquisition]) -> None:
    for acquisition in chosen:
        position = acquisition.water.series.patient_position
        if position not in SUPINE:
            raise MimirError(
                "NOT_SUPINE",
                f"the patient of series '{acquisition.water.series.description}' did not lie"
                f" supine (PatientPosition {position}), so organs and fat have another shape",
                "Give a scan in supine position. If the header is wrong, correct it.",
            )


def _header_findings(chosen: Sequence[Acquisition]) -> list[Finding]:
    """Report what headers say that may change what is measured."""
    stacks = [stack for a in chosen for stack in (a.water, a.fat)]
    findings = []
    with_agent = [stack for stack in stacks if stack.series.has_agent]
    if with_agent:
        findings.append(
            Finding(
                "CONTRAST_AGENT",
                f"{len(with_agent)} of {len(stacks)} series were scanned with contrast agent, which"
                " changes the signal of water",
            )
        )
    lossy = [stack for stack in stacks if stack.series.is_lossy]
    if lossy:
        findings.append(
            Finding(
                "LOSSY_COMPRESSION",
                f"{len(lossy)} of {len(stacks)} series were compressed with loss",
            )
        )
    return findings


def _left_out(stack: Stack, reason: str) -> Finding:
    return Finding(
        "SERIES_LEFT_OUT",
        f"series '{stack.series.description}' ({stack.place}) was left out: {reason}",
    )


def _repeat_left_out(acquisition: Acquisition, reason: str) -> Finding:
    place = acquisition.water.place
    if reason == "of another protocol":
        return _left_out(acquisition.water, "it is of another protocol")
    return Finding(
        "STATION_RESCANNED",
        f"the station {place} was scanned more than once; a scan was left out because it is"
        f" {reason}",
    )
