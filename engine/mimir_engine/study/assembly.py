"""Slices to stations: which belong together, in which order, and what is wrong with them.

Works on header records alone; pixels are read afterwards, of the chosen slices only. Every slice
goes to its place by its position, never by count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.quality import Finding
from mimir_engine.study.contrast import Contrast
from mimir_engine.study.header import Slice
from mimir_engine.volume import axial_affine

#: What every station must have.
NEEDED = (Contrast.WATER, Contrast.FAT)
#: Contrasts of one acquisition are stamped within this time; no station is scanned as fast.
SAME_ACQUISITION_S = 5.0
#: Without times, contrasts of one acquisition have series numbers this close.
SAME_ACQUISITION_NUMBERS = 4
#: Deviation of a direction cosine from a true axial slice that decimal headers explain.
AXIAL_TOLERANCE = 1e-3
#: Positions closer than this (mm) are the same.
POSITION_TOLERANCE_MM = 0.05
#: Share of the slice distance by which neighbouring slices may be off it.
SPACING_TOLERANCE = 0.05
#: Sensible voxel spacings (mm).
SPACING_RANGE_MM = (0.2, 20.0)
#: Two volumes sharing more than this part of the shorter one's extent show the same station.
SAME_STATION = 0.5
#: Part of a volume that may be cropped because its partner ends earlier.
MOST_CROPPED = 0.25
#: Relative difference of two signal scales that rounding explains.
SCALE_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Stack:
    """One contrast of one series as an even stack of slices, foot to head.

    Attributes:
        slices: One record a position, ascending in z.
        twins: Pairs of records at one position; their pixels must be found equal.
        step_mm: Slice distance.
    """

    slices: tuple[Slice, ...]
    twins: tuple[tuple[Slice, Slice], ...]
    step_mm: float

    @property
    def first(self) -> Slice:
        """The lowest slice."""
        return self.slices[0]

    @property
    def range_mm(self) -> tuple[float, float]:
        """Foot and head end in z, slice thickness included."""
        half = self.step_mm / 2
        return self.first.position_mm[2] - half, self.slices[-1].position_mm[2] + half

    @property
    def order(self) -> tuple[float, int]:
        """Sorts stacks by time (unknown first), then series number."""
        acquired = min((s.acquired for s in self.slices if s.acquired is not None), default=-1.0)
        return acquired, self.first.series_number


@dataclass
class Acquisition:
    """The stacks of one table position that were scanned at once, by contrast."""

    stacks: dict[Contrast, Stack] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether water and fat are there."""
        return Contrast.WATER in self.stacks and Contrast.FAT in self.stacks

    @property
    def any_stack(self) -> Stack:
        """Water if there, else any."""
        return self.stacks.get(Contrast.WATER) or next(iter(self.stacks.values()))

    def takes(self, stack: Stack) -> bool:
        """Whether a stack belongs to this acquisition, rather than to a repeat of it."""
        mine = self.any_stack
        if stack.first.contrast in self.stacks or not _same_place(mine, stack):
            return False
        if stack.first.series_uid == mine.first.series_uid:
            return True
        (mine_at, mine_number), (at, number) = mine.order, stack.order
        if mine_at >= 0 and at >= 0:
            return abs(at - mine_at) <= SAME_ACQUISITION_S
        return abs(number - mine_number) <= SAME_ACQUISITION_NUMBERS


@dataclass(frozen=True)
class StationPlan:
    """What is to be read for one station: per contrast its slices, and the box kept of each.

    Attributes:
        slices: Per contrast the records to load, foot to head, all contrasts at equal positions.
        rows, columns: Per contrast the part of each slice that all contrasts share.
        twins: Pairs of records whose pixels must be equal.
        affine: ``(4, 4)``, ``(column, row, slice, 1)`` to LPS millimetres.
    """

    slices: dict[Contrast, tuple[Slice, ...]]
    rows: dict[Contrast, slice]
    columns: dict[Contrast, slice]
    twins: tuple[tuple[Slice, Slice], ...]
    affine: np.ndarray


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
    stacks = [_stack(s) for s in _by_series_and_contrast(slices)]
    _check_contrasts(stacks)
    findings: list[Finding] = []
    acquisitions = _choose(_acquisitions(stacks), findings)
    return [_plan(acquisition, findings) for acquisition in acquisitions], findings


def _check_one_study(slices: Sequence[Slice]) -> None:
    for what, values in (
        ("patients", {s.patient for s in slices}),
        ("studies", {s.study_uid for s in slices}),
    ):
        if len(values) > 1:
            raise MimirError(
                f"MIXED_{what.upper()}",
                f"the source holds images of {len(values)} {what}",
                "Give each study its own folder or archive.",
            )


def _by_series_and_contrast(slices: Iterable[Slice]) -> list[list[Slice]]:
    groups: dict[tuple[str, Contrast], list[Slice]] = defaultdict(list)
    for record in slices:
        groups[record.series_uid, record.contrast].append(record)
    return list(groups.values())


def _check_contrasts(stacks: Sequence[Stack]) -> None:
    present = {stack.first.contrast for stack in stacks}
    for contrast in (Contrast.WATER, Contrast.FAT):
        if contrast not in present:
            raise MimirError(
                "CONTRAST_MISSING",
                f"the study has no {contrast.value} images",
                "Fetch the complete study.",
            )


def _stack(slices: Sequence[Slice]) -> Stack:
    """Order the slices of one series by position and check that they form an even stack."""
    _check_geometry(slices)
    ordered = sorted(slices, key=lambda s: (s.position_mm[2], s.entry.name))
    kept = [ordered[0]]
    twins = []
    for record in ordered[1:]:
        if record.position_mm[2] - kept[-1].position_mm[2] < POSITION_TOLERANCE_MM:
            twins.append((kept[-1], record))
        else:
            kept.append(record)
    return Stack(tuple(kept), tuple(twins), _even_step_mm(kept))


def _check_geometry(slices: Sequence[Slice]) -> None:
    first = slices[0]
    where = f"series '{first.description}'"
    if any(abs(c - a) > AXIAL_TOLERANCE for s in slices for c, a in zip(s.orientation, _AXIAL)):
        raise MimirError(
            "NOT_AXIAL",
            f"{where} is not an axial head-first image (orientation {list(first.orientation)})",
            "MIMIR reads axial Dixon stations.",
        )
    if not all(SPACING_RANGE_MM[0] <= mm <= SPACING_RANGE_MM[1] for mm in first.spacing_mm):
        raise MimirError(
            "GEOMETRY_UNREADABLE",
            f"{where} claims a pixel spacing of {list(first.spacing_mm)} mm",
            "Export the study again; without its geometry nothing can be measured.",
        )
    for s in slices:
        if (s.rows, s.columns, s.spacing_mm) != (first.rows, first.columns, first.spacing_mm):
            raise MimirError(
                "SLICES_UNEQUAL",
                f"slices of {where} differ in size or pixel spacing",
                "Export the study again.",
            )
        if any(abs(a - b) > POSITION_TOLERANCE_MM for a, b in zip(_xy(s), _xy(first))):
            raise MimirError(
                "SLICES_UNEVEN", f"slices of {where} are shifted sideways", "Export the study again."
            )


_AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def _xy(record: Slice) -> tuple[float, float]:
    return record.position_mm[0], record.position_mm[1]


def _even_step_mm(slices: Sequence[Slice]) -> float:
    """Slice distance of a stack without holes."""
    where = f"series '{slices[0].description}' ({slices[0].contrast.value})"
    if len(slices) < 2:
        raise MimirError(
            "SLICE_MISSING", f"{where} has a single slice", "Fetch the complete study."
        )
    steps = np.diff([s.position_mm[2] for s in slices])
    step = float(np.median(steps))
    if steps.max() > 1.5 * step:
        below = slices[int(steps.argmax())].position_mm[2]
        raise MimirError(
            "SLICE_MISSING",
            f"{where} has a hole of {steps.max():.1f} mm above z = {below:.1f} mm"
            f" (slices lie {step:.1f} mm apart)",
            "Fetch the complete study.",
        )
    mean = float(steps.mean())
    if abs(steps - mean).max() > SPACING_TOLERANCE * mean:
        raise MimirError(
            "SLICES_UNEVEN", f"slices of {where} are not evenly spaced", "Export the study again."
        )
    if not SPACING_RANGE_MM[0] <= mean <= SPACING_RANGE_MM[1]:
        raise MimirError(
            "GEOMETRY_UNREADABLE", f"slices of {where} lie {mean:.2f} mm apart", "Check the study."
        )
    return mean


def _same_place(a: Stack, b: Stack) -> bool:
    """Whether two stacks overlap in z by more than half of the shorter one."""
    (a_foot, a_head), (b_foot, b_head) = a.range_mm, b.range_mm
    shared = min(a_head, b_head) - max(a_foot, b_foot)
    return shared > SAME_STATION * min(a_head - a_foot, b_head - b_foot)


def _acquisitions(stacks: Sequence[Stack]) -> list[Acquisition]:
    """Join the contrasts that were scanned together, in order of time."""
    acquisitions: list[Acquisition] = []
    for stack in sorted(stacks, key=lambda s: s.order):
        for acquisition in acquisitions:
            if acquisition.takes(stack):
                acquisition.stacks[stack.first.contrast] = stack
                break
        else:
            acquisitions.append(Acquisition({stack.first.contrast: stack}))
    return acquisitions


def _choose(acquisitions: Sequence[Acquisition], findings: list[Finding]) -> list[Acquisition]:
    """The latest complete acquisition of each station, head to foot."""
    complete = [a for a in acquisitions if a.is_complete]
    chosen: list[Acquisition] = []
    for latest in sorted(complete, key=lambda a: a.any_stack.order, reverse=True):
        if any(_same_place(latest.any_stack, kept.any_stack) for kept in chosen):
            findings.append(_rescanned(latest, "an earlier scan of it was left out"))
        else:
            chosen.append(latest)
    for acquisition in acquisitions:
        if acquisition.is_complete or not acquisition.stacks.keys() & {*NEEDED}:
            continue
        if not any(_same_place(acquisition.any_stack, kept.any_stack) for kept in chosen):
            raise _incomplete(acquisition)
        findings.append(_rescanned(acquisition, "an incomplete repeat of it was left out"))
    return sorted(chosen, key=lambda a: a.any_stack.range_mm[1], reverse=True)


def _rescanned(acquisition: Acquisition, what: str) -> Finding:
    foot, head = acquisition.any_stack.range_mm
    return Finding(
        "STATION_RESCANNED",
        f"the station from z = {foot:.0f} to {head:.0f} mm was scanned more than once; {what}",
    )


def _incomplete(acquisition: Acquisition) -> MimirError:
    missing = next(c.value for c in NEEDED if c not in acquisition.stacks)
    foot, head = acquisition.any_stack.range_mm
    return MimirError(
        "STATION_INCOMPLETE",
        f"the station from z = {foot:.0f} to {head:.0f} mm"
        f" has no {missing} image of the same acquisition at the same place",
        "Fetch the complete study.",
    )


def _plan(acquisition: Acquisition, findings: list[Finding]) -> StationPlan:
    """Line up the contrasts of one acquisition and crop them to what they share."""
    water = acquisition.stacks[Contrast.WATER]
    stacks = {c: s for c, s in acquisition.stacks.items() if c in NEEDED}
    _check_scales(water, acquisition.stacks[Contrast.FAT])
    boxes = _common_boxes(stacks)
    cropped = any(_size(boxes[c]) != _shape(stack) for c, stack in stacks.items())
    if cropped:
        foot, head = water.range_mm
        findings.append(
            Finding(
                "ENDS_CROPPED",
                f"water and fat of the station from z = {foot:.0f} to {head:.0f} mm"
                " differ in extent and were cropped to what they share",
            )
        )
    z, y, x = boxes[Contrast.WATER]
    row_mm, column_mm = water.first.spacing_mm
    left, front, foot = water.first.position_mm
    origin = (left + x.start * column_mm, front + y.start * row_mm, foot + z.start * water.step_mm)
    return StationPlan(
        slices={c: s.slices[boxes[c][0]] for c, s in stacks.items()},
        rows={c: boxes[c][1] for c in stacks},
        columns={c: boxes[c][2] for c in stacks},
        twins=sum((s.twins for s in stacks.values()), ()),
        affine=axial_affine(origin, (column_mm, row_mm, water.step_mm)),
    )


Box = tuple[slice, slice, slice]


def _shape(stack: Stack) -> tuple[int, int, int]:
    return len(stack.slices), stack.first.rows, stack.first.columns


def _size(box: Box) -> tuple[int, ...]:
    return tuple(part.stop - part.start for part in box)


def _common_boxes(stacks: dict[Contrast, Stack]) -> dict[Contrast, Box]:
    """The part (slice, row, column) of each stack that all of them cover."""
    water = stacks[Contrast.WATER]
    spacing = np.array([water.step_mm, *water.first.spacing_mm])
    starts, stops = {}, {}
    for contrast, stack in stacks.items():
        own = np.array([stack.step_mm, *stack.first.spacing_mm])
        offset_mm = np.subtract(stack.first.position_mm, water.first.position_mm)[::-1]
        offset = np.rint(offset_mm / spacing)
        drift_mm = np.abs(own - spacing) * np.array(_shape(stack))
        apart_mm = np.abs(offset_mm - offset * spacing)
        if max(drift_mm.max(), apart_mm.max()) > POSITION_TOLERANCE_MM:
            raise _mismatch(water)
        starts[contrast] = offset.astype(int)
        stops[contrast] = starts[contrast] + _shape(stack)
    start = np.max(list(starts.values()), axis=0)
    stop = np.min(list(stops.values()), axis=0)
    _check_crop(water, start, stop, starts, stops)
    return {
        c: (
            slice(start[0] - starts[c][0], stop[0] - starts[c][0]),
            slice(start[1] - starts[c][1], stop[1] - starts[c][1]),
            slice(start[2] - starts[c][2], stop[2] - starts[c][2]),
        )
        for c in stacks
    }


def _check_crop(
    water: Stack,
    start: np.ndarray,
    stop: np.ndarray,
    starts: dict[Contrast, np.ndarray],
    stops: dict[Contrast, np.ndarray],
) -> None:
    """Along each axis one contrast must lie within the other: ends may be missing, not shifted."""
    for axis in range(3):
        within = any(
            starts[c][axis] == start[axis] and stops[c][axis] == stop[axis] for c in starts
        )
        longest = max(stops[c][axis] - starts[c][axis] for c in starts)
        if not within or stop[axis] - start[axis] < (1 - MOST_CROPPED) * longest:
            raise _mismatch(water)


def _mismatch(water: Stack) -> MimirError:
    foot, head = water.range_mm
    return MimirError(
        "POSITION_MISMATCH",
        f"water and fat of the station from z = {foot:.0f} to {head:.0f} mm"
        " do not lie on the same voxels",
        "Check that both come from one acquisition.",
    )


def _check_scales(water: Stack, fat: Stack) -> None:
    """Refuse a fat fraction of signals in different units.

    A slope may differ between contrasts where it leads to the same unit. Philips' displayed
    values do so only if slope times private scale slope agree (Chenevert et al., Transl Oncol
    2014).
    """
    scales = [_scale(stack) for stack in (water, fat)]
    if scales[0] is None or scales[1] is None or _apart(scales[0], scales[1]):
        raise MimirError(
            "SCALE_MISMATCH",
            f"water and fat of series '{water.first.description}' and '{fat.first.description}'"
            " are not on one signal scale",
            "Export the study with its original scaling.",
        )


def _scale(stack: Stack) -> tuple[str, float, float] | None:
    """Unit, intercept and factor that must agree between contrasts; None if slices disagree."""
    found = {_slice_scale(s) for s in stack.slices}
    return found.pop() if len(found) == 1 else None


def _slice_scale(record: Slice) -> tuple[str, float, float]:
    rescale = record.rescale
    if not record.vendor.lower().startswith("philips"):
        return rescale.kind, rescale.intercept, 1.0
    if rescale.signal_scale is None:
        return rescale.kind, rescale.intercept, rescale.slope
    return rescale.kind, rescale.intercept, rescale.slope * rescale.signal_scale


def _apart(a: tuple[str, float, float], b: tuple[str, float, float]) -> bool:
    close = np.allclose(a[1:], b[1:], rtol=SCALE_TOLERANCE)
    return a[0] != b[0] or not close


