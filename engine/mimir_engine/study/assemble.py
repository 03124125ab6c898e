"""Group slices into stations and choose among repeated scans.

This uses only headers; pixels are read afterwards, and only those of the chosen slices.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.study.contrast import Contrast
from mimir_engine.study.finding import Finding
from mimir_engine.study.slices import Slice
from mimir_engine.study.stack import SAME_STATION_OVERLAP, Stack, stack_slices
from mimir_engine.study.station_plan import StationPlan, plan_station

#: Contrasts that every station must have; no others are read.
REQUIRED_CONTRASTS = (Contrast.WATER, Contrast.FAT)
#: Time between the contrasts of one acquisition, in seconds; one station takes longer to scan.
MAX_SECONDS_APART = 5.0
#: Difference of series numbers between the contrasts of one acquisition, if times are missing.
MAX_NUMBERS_APART = 3
#: Relative difference of voxel spacings that rounding can explain.
SPACING_TOLERANCE = 1e-2
#: Slices of a series that form no stack because some are missing, and the error.
Incomplete = tuple[list[Slice], MimirError]


@dataclass
class Acquisition:
    """One or more stacks of one table position, by contrast, that were scanned together."""

    stacks: dict[Contrast, Stack]

    @property
    def missing(self) -> list[Contrast]:
        """Required contrasts that are missing."""
        return [contrast for contrast in REQUIRED_CONTRASTS if contrast not in self.stacks]

    @property
    def any_stack(self) -> Stack:
        """Water, or fat if water is missing."""
        return self.stacks.get(Contrast.WATER) or next(iter(self.stacks.values()))

    def includes(self, stack: Stack) -> bool:
        """Return whether a stack belongs to this acquisition, not to a repeat of it."""
        own = self.any_stack
        if stack.contrast in self.stacks or not own.is_at(stack):
            return False
        if stack.first.series_uid == own.first.series_uid:
            return True
        if own.acquired is not None and stack.acquired is not None:
            return abs(stack.acquired - own.acquired) <= MAX_SECONDS_APART
        return abs(stack.first.series_number - own.first.series_number) <= MAX_NUMBERS_APART


def assemble(slices: Sequence[Slice]) -> tuple[list[StationPlan], list[Finding]]:
    """Group the water and fat slices of one study into stations, from head to foot.

    Of a station that was scanned more than once, the latest complete scan is chosen.

    Raises:
        MimirError: ``NO_DIXON``, ``MIXED_PATIENTS``, ``MIXED_STUDIES``, ``CONTRAST_MISSING``,
            ``STATION_INCOMPLETE``, ``STATION_AMBIGUOUS``, and any error of ``stack_slices`` and
            ``plan_station``.
    """
    _check_study(slices)
    chosen, findings = _choose(*_stacks(slices))
    plans = []
    for acquisition in chosen:
        plan, cropped = plan_station(*(acquisition.stacks[c] for c in REQUIRED_CONTRASTS))
        plans.append(plan)
        findings += cropped
    return plans, findings


def _check_study(slices: Sequence[Slice]) -> None:
    if not slices:
        raise MimirError(
            "NO_DIXON",
            "the source contains no Dixon water or fat images",
            "Give the neck-to-knee Dixon series of one study.",
        )
    remedy = "Give each study its own folder or archive."
    patients, studies = {s.patient for s in slices}, {s.study_uid for s in slices}
    if len(patients) > 1:
        what = f"the source contains images of {len(patients)} patients"
        raise MimirError("MIXED_PATIENTS", what, remedy)
    if len(studies) > 1:
        what = f"the source contains images of {len(studies)} studies"
        raise MimirError("MIXED_STUDIES", what, remedy)
    contrasts = {s.contrast for s in slices}
    for contrast in REQUIRED_CONTRASTS:
        if contrast not in contrasts:
            raise MimirError(
                "CONTRAST_MISSING",
                f"the study has no {contrast.value} images",
                "Fetch the complete study.",
            )


def _stacks(slices: Iterable[Slice]) -> tuple[list[Stack], list[Incomplete]]:
    """Stack each series if possible."""
    groups: dict[tuple[str, Contrast], list[Slice]] = defaultdict(list)
    for s in slices:
        groups[s.series_uid, s.contrast].append(s)
    stacks, incomplete = [], []
    for series in groups.values():
        try:
            stacks.append(stack_slices(series))
        except MimirError as error:
            if error.code != "SLICE_MISSING":
                raise
            incomplete.append((series, error))
    return stacks, incomplete


def _acquisitions(stacks: Sequence[Stack]) -> list[Acquisition]:
    """Join the contrasts that were scanned together, in order of time."""
    acquisitions: list[Acquisition] = []
    for stack in sorted(stacks, key=lambda s: s.order):
        own = next((a for a in acquisitions if a.includes(stack)), None)
        if own is not None:
            own.stacks[stack.contrast] = stack
        else:
            acquisitions.append(Acquisition({stack.contrast: stack}))
    return acquisitions


def _choose(
    stacks: Sequence[Stack], incomplete: Sequence[Incomplete]
) -> tuple[list[Acquisition], list[Finding]]:
    """Choose the latest complete acquisition of each station, head to foot.

    It may stand in for a series with missing slices.
    """
    acquisitions = _acquisitions(stacks)
    chosen: list[Acquisition] = []
    findings: list[Finding] = []
    complete = [a for a in acquisitions if not a.missing]
    for acquisition in sorted(complete, key=lambda a: a.any_stack.order, reverse=True):
        stack = acquisition.any_stack
        later = next((a.any_stack for a in chosen if stack.is_at(a.any_stack)), None)
        if later is None:
            chosen.append(acquisition)
        else:
            _check_repeat(stack, later)
            findings.append(_rescanned(stack, "an earlier scan was left out"))
    for series, error in incomplete:
        cover = next((a.any_stack for a in chosen if a.any_stack.covers(series)), None)
        if cover is None:
            raise error
        findings.append(_rescanned(cover, "a scan with missing slices was left out"))
    for acquisition in acquisitions:
        stack = acquisition.any_stack
        if acquisition.missing:
            if not any(stack.is_at(a.any_stack) for a in chosen):
                raise MimirError(
                    "STATION_INCOMPLETE",
                    f"the station {stack.place} has no {acquisition.missing[0].value} image of the"
                    " same acquisition at the same place",
                    "Fetch the complete study.",
                )
            findings.append(_rescanned(stack, "an incomplete repeat was left out"))
    chosen.sort(key=lambda a: a.any_stack.slices[-1].position_mm[2], reverse=True)
    return chosen, findings


def _check_repeat(stack: Stack, later: Stack) -> None:
    """Refuse two scans of one place that differ in spacing or extent."""
    same_spacing = np.allclose(stack.spacing_mm, later.spacing_mm, rtol=SPACING_TOLERANCE)
    if same_spacing and stack.overlap(later)[1] > SAME_STATION_OVERLAP:
        return
    raise MimirError(
        "STATION_AMBIGUOUS",
        f"series '{stack.first.description}' ({stack.place}) and"
        f" '{later.first.description}' ({later.place}) show the same region with different"
        " spacings or extents",
        "Remove the one that does not belong to the neck-to-knee scan.",
    )


def _rescanned(stack: Stack, what: str) -> Finding:
    return Finding(
        "STATION_RESCANNED", f"the station {stack.place} was scanned more than once; {what}"
    )
