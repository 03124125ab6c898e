"""Assemble the small studies of ``dicom_builder``, and look at what came of it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from dicom_builder import File, Scan
from station_builder import headers_of

from mimir_engine.errors import MimirError
from mimir_engine.study import Contrast
from mimir_engine.study.assemble import assemble
from mimir_engine.study.finding import Finding
from mimir_engine.study.reconstruction import NORMALISED
from mimir_engine.study.station_plan import StationPlan

#: A station, and the one below it.
SCAN = Scan(top_mm=30, slices=8)
BELOW = Scan(top_mm=-12, slices=8, number=11, time="100100")

#: Three stations with other voxels each, that overlap by some 10 mm.
STATIONS = (
    Scan(top_mm=0, slices=10, step_mm=6.0, number=2, time="100000"),
    Scan(top_mm=-50, slices=8, step_mm=7.0, number=6, time="100030", shape=(46, 40)),
    Scan(top_mm=-96, slices=9, step_mm=6.5, number=10, time="100100"),
)


def plans_of(
    *groups: Iterable[File], reconstruction: str = NORMALISED
) -> tuple[list[StationPlan], list[Finding]]:
    headers = headers_of(*(file for group in groups for file in group))
    assembly = assemble(headers, reconstruction)
    return assembly.plans, assembly.findings


def refusal(*groups: Iterable[File]) -> MimirError:
    """Return the error with which a study is refused."""
    with pytest.raises(MimirError) as raised:
        plans_of(*groups)
    return raised.value


def code(*groups: Iterable[File]) -> str:
    return refusal(*groups).code


def codes(findings: Iterable[Finding]) -> list[str]:
    return [finding.code for finding in findings]


def z_of(plan: StationPlan, contrast: Contrast = Contrast.WATER) -> list[float]:
    return [s.position_mm[2] for s in plan.crops[contrast].slices]


def numbers_of(plan: StationPlan) -> list[int]:
    """Return the series numbers of fat and water."""
    return [plan.crops[c].slices[0].series.number for c in (Contrast.FAT, Contrast.WATER)]
