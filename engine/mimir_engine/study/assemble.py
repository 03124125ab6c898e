"""Group slices into stations and choose among repeated scans.

This uses only headers; pixels are read afterwards, and only those of the chosen slices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mimir_engine.headers.slices import Headers, Slice
from mimir_engine.study.check_headers import check_headers
from mimir_engine.study.companion_scans import CompanionScan, companion_scans
from mimir_engine.study.finding import Finding
from mimir_engine.study.left_out import leave_out
from mimir_engine.study.lost_slices import check_lost_slices
from mimir_engine.study.pairing import Acquisition
from mimir_engine.study.phase_slices import plan_phases
from mimir_engine.study.reconstruction import NORMALISED, one_reconstruction
from mimir_engine.study.scan_conditions import check_conditions
from mimir_engine.study.select_scans import select_scans
from mimir_engine.study.series_stacks import stack_series
from mimir_engine.study.signal_scale import check_scales
from mimir_engine.study.station_plan import StationPlan, check_station_size, plan_station


@dataclass(frozen=True)
class Assembly:
    """The stations of a study, before their pixels are read.

    Attributes:
        plans: What to read for each station, from head to foot.
        acquisitions: The scans behind the plans.
        findings: Notes about the input.
        companions: In-phase and opposed-phase scans of the study.
    """

    plans: list[StationPlan]
    acquisitions: list[Acquisition]
    findings: list[Finding]
    companions: list[CompanionScan]


def assemble(headers: Headers, reconstruction: str = NORMALISED) -> Assembly:
    """Group the water and fat slices of one study into stations, from head to foot.

    Args:
        headers: All headers of the source.
        reconstruction: ``normalised`` or ``raw``: which is used if a scan has both.

    Raises:
        MimirError: ``NO_DIXON``, ``MIXED_PATIENTS``, ``MIXED_STUDIES``, ``CONTRAST_MISSING``,
            ``STATION_INCOMPLETE``, ``STATION_AMBIGUOUS``, ``STATION_LAYOUT``, ``NOT_AXIAL``,
            ``NOT_SUPINE``, ``SLICE_MISSING``, ``STUDY_TOO_LARGE``, and any error of
            ``stack_slices`` and ``plan_station``.
    """
    check_headers(headers)
    series = stack_series(_known_times(headers.slices))
    stacks, findings = one_reconstruction(series.stacks, reconstruction)
    selection = select_scans(stacks)
    chosen = selection.chosen
    findings += series.findings + selection.findings
    findings += leave_out(series.unusable, selection.alone, chosen)
    findings += check_conditions(chosen)
    check_scales([stack for scan in chosen for stack in (scan.water, scan.fat)])
    findings += check_lost_slices(chosen, headers)
    plans = []
    for scan in chosen:
        plan, cropped = plan_station(scan, selection.copies)
        plans.append(plan)
        findings += cropped
    check_station_size(plans)
    companions = companion_scans(headers.companions)
    plans = [plan_phases(plan, scan.water, companions) for plan, scan in zip(plans, chosen)]
    return Assembly(plans, chosen, findings, companions)


def _known_times(slices: Sequence[Slice]) -> list[Slice]:
    """Return the slices without times if all have the same: those of an anonymiser."""
    times = {s.acquired for s in slices}
    if len(times) > 1 or None in times:
        return list(slices)
    return [replace(s, acquired=None) for s in slices]
