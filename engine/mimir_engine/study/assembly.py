"""Slices to stations: which belong together, and which of repeated scans counts.

Works on header records alone; pixels are read afterwards, of the chosen slices only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.study.contrast import Contrast
from mimir_engine.study.finding import Finding
from mimir_engine.study.slices import Slice
from mimir_engine.study.stack import SAME_STATION, Stack, stack_slices
from mimir_engine.study.water_fat_pair import StationPlan, plan_station

#: What every station must have, and all that is read of it.
NEEDED = (Contrast.WATER, Contrast.FAT)
#: Contrasts of one acquisition are stamped within this time; no station is scanned as fast.
SAME_ACQUISITION_S = 5.0
#: Without times, the four contrasts of one acquisition have series numbers this close.
SAME_ACQUISITION_NUMBERS = 3
#: Relative difference of voxel spacings that rounding explains.
SAME_SPACING = 1e-2


@dataclass
class Acquisition:
    """The stacks of one table position that were scanned at once, by contrast; at least one."""

    stacks: dict[Contrast, Stack] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether water and fat are there."""
        return all(contrast in self.stacks for contrast in NEEDED)

    @property
    def any_stack(self) -> Stack:
        """Water if there, else fat."""
        return self.stacks.get(Contrast.WATER) or next(iter(self.stacks.values()))

    def takes(self, stack: Stack) -> bool:
        """Whether a stack belongs to this acquisition, rather than to a repeat of it."""
        mine = self.any_stack
        if stack.contrast in self.stacks or not mine.is_at(stack):
            return False
        if stack.first.series_uid == mine.first.series_uid:
            return True
        if mine.acquired is not None and stack.acquired is not None:
            return abs(stack.acquired - mine.acquired) <= SAME_ACQUISITION_S
        numbers_apart = abs(stack.first.series_number - mine.first.series_number)
        return numbers_apart <= SAME_ACQUISITION_NUMBERS


def assemble(slices: Sequence[Slice]) -> tuple[list[StationPlan], list[Finding]]:
    """Group slices into stations, from head to foot.

    Raises:
        MimirError: with a code of its own for everything that has no true answer: no Dixon images,
            mixed patients or studies, a missing contrast, station or slice, uneven or oblique
            slices, contradicting positions or scales.
    """
    if not slices:
        raise MimirError(
            "NO_DIXON",
            "no Dixon water or fat images were found",
            "MIMIR needs the neck-to-knee Dixon series of one study.",
        )
    _check_one_study(slices)
    _check_contrasts(slices)
    stacks, broken = _stacks(slices)
    findings: list[Finding] = []
    plans = []
    for acquisition in _choose(_acquisitions(stacks), broken, findings):
        plan, cropped = plan_station(*(acquisition.stacks[contrast] for contrast in NEEDED))
        plans.append(plan)
        findings += cropped
    return plans, findings


def _check_one_study(slices: Sequence[Slice]) -> None:
    remedy = "Give each study its own folder or archive."
    patients, studies = {s.patient for s in slices}, {s.study_uid for s in slices}
    if len(patients) > 1:
        what = f"the source holds images of {len(patients)} patients"
        raise MimirError("MIXED_PATIENTS", what, remedy)
    if len(studies) > 1:
        what = f"the source holds images of {len(studies)} studies"
        raise MimirError("MIXED_STUDIES", what, remedy)


def _by_series_and_contrast(slices: Iterable[Slice]) -> list[list[Slice]]:
    groups: dict[tuple[str, Contrast], list[Slice]] = defaultdict(list)
    for record in slices:
        groups[record.series_uid, record.contrast].append(record)
    return list(groups.values())


def _check_contrasts(slices: Iterable[Slice]) -> None:
    present = {s.contrast for s in slices}
    for contrast in NEEDED:
        if contrast not in present:
            raise MimirError(
                "CONTRAST_MISSING",
                f"the study has no {contrast.value} images",
                "Fetch the complete study.",
            )


@dataclass(frozen=True)
class _Broken:
    """Slices of one series and contrast that form no stack, since one or more are missing."""

    slices: Sequence[Slice]
    error: MimirError

    def is_within(self, stack: Stack) -> bool:
        """Whether most of the slices lie where the stack has its own."""
        foot, head = stack.range_mm
        inside = sum(foot <= s.position_mm[2] <= head for s in self.slices)
        return inside > SAME_STATION * len(self.slices)


def _stacks(slices: Iterable[Slice]) -> tuple[list[Stack], list[_Broken]]:
    """Stacks of all series, and the series with holes: a repeat may stand in for those."""
    stacks, broken = [], []
    for series in _by_series_and_contrast(slices):
        try:
            stacks.append(stack_slices(series))
        except MimirError as error:
            if error.code != "SLICE_MISSING":
                raise
            broken.append(_Broken(series, error))
    return stacks, broken


def _acquisitions(stacks: Sequence[Stack]) -> list[Acquisition]:
    """Join the contrasts that were scanned together, in order of time."""
    acquisitions: list[Acquisition] = []
    for stack in sorted(stacks, key=lambda s: s.order):
        for acquisition in acquisitions:
            if acquisition.takes(stack):
                acquisition.stacks[stack.contrast] = stack
                break
        else:
            acquisitions.append(Acquisition({stack.contrast: stack}))
    return acquisitions


def _choose(
    acquisitions: Sequence[Acquisition], broken: Sequence[_Broken], findings: list[Finding]
) -> list[Acquisition]:
    """The latest complete acquisition of each station, head to foot."""
    chosen: list[Acquisition] = []
    complete = [a for a in acquisitions if a.is_complete]
    for latest in sorted(complete, key=lambda a: a.any_stack.order, reverse=True):
        rivals = [kept for kept in chosen if latest.any_stack.is_at(kept.any_stack)]
        if rivals:
            _check_repeat(latest.any_stack, rivals[0].any_stack)
            findings.append(_rescanned(latest, "an earlier scan of it was left out"))
        else:
            chosen.append(latest)
    for series in broken:
        covering = [kept for kept in chosen if series.is_within(kept.any_stack)]
        if not covering:
            raise series.error
        findings.append(_rescanned(covering[0], "a scan with missing slices was left out"))
    for acquisition in acquisitions:
        if acquisition.is_complete:
            continue
        if not any(acquisition.any_stack.is_at(kept.any_stack) for kept in chosen):
            raise _incomplete(acquisition)
        findings.append(_rescanned(acquisition, "an incomplete repeat of it was left out"))
    return sorted(chosen, key=lambda a: a.any_stack.slices[-1].position_mm[2], reverse=True)


def _check_repeat(stack: Stack, kept: Stack) -> None:
    """A repeat is scanned like the first time; another kind of scan can't stand in for it."""
    spacing, kept_spacing = ((s.step_mm, *s.first.spacing_mm) for s in (stack, kept))
    if (
        np.allclose(spacing, kept_spacing, rtol=SAME_SPACING)
        and stack.shares(kept)[1] > SAME_STATION
    ):
        return
    raise MimirError(
        "STATION_AMBIGUOUS",
        f"series '{stack.first.description}' ({stack.place}) and"
        f" '{kept.first.description}' ({kept.place}) show the same place in different ways",
        "Leave out the one that is no part of the neck-to-knee scan.",
    )


def _rescanned(acquisition: Acquisition, what: str) -> Finding:
    return Finding(
        "STATION_RESCANNED",
        f"the station {acquisition.any_stack.place} was scanned more than once; {what}",
    )


def _incomplete(acquisition: Acquisition) -> MimirError:
    missing = next(c.value for c in NEEDED if c not in acquisition.stacks)
    return MimirError(
        "STATION_INCOMPLETE",
        f"the station {acquisition.any_stack.place}"
        f" has no {missing} image of the same acquisition at the same place",
        "Fetch the complete study.",
    )
