"""Sort the slices of all series into stacks: one contrast of one scan of one station.

Scanners and archives divide studies into series in many ways: one series per station and contrast,
one for all contrasts of a station, one for all stations of a contrast, one per slice. So a series
is divided where its headers say that it holds several scans, but only if it forms no stack as it
is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Callable, Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.headers.slices import Slice
from mimir_engine.study.finding import NOTE, Finding
from mimir_engine.study.stack import Stack, is_axial, normal_of, stack_slices

#: Stacks of a study. Each is compared with all others; studies with repeats have some 50.
MAX_STACKS = 1000
#: Slices tilted by more than this are views of their own, not badly planned stations, in degrees.
MAX_STATION_TILT = 45.0
#: Part of the way between two slices of a stack that lies along their normal.
MIN_ALONG_NORMAL = 0.5
#: Slices of a scan; a series whose headers divide it into smaller parts does not hold scans.
MIN_SCAN_SLICES = 4
#: Tilt that is worth naming, in degrees.
MIN_TILT = 0.05


@dataclass(frozen=True)
class Unusable:
    """Slices of one series that form no stack, and the reason."""

    slices: Sequence[Slice]
    error: MimirError


@dataclass(frozen=True)
class SeriesStacks:
    """All stacks of a study, the slices that form none, and findings."""

    stacks: list[Stack] = field(default_factory=list)
    unusable: list[Unusable] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def stack_series(slices: Sequence[Slice]) -> SeriesStacks:
    """Sort slices into stacks.

    Raises:
        MimirError: ``STUDY_TOO_LARGE``.
    """
    result = SeriesStacks()
    for series in _series(slices, result.findings):
        axial = [s for s in series if is_axial(s)]
        if len(axial) < len(series):
            others = [s for s in series if not is_axial(s)]
            views = _by(lambda s: tuple(round(c, 1) for c in s.orientation))(others)
            result.unusable.extend(Unusable(view, _not_axial(view)) for view in views)
        if not axial:
            continue
        try:
            result.stacks.extend(_stacks(axial, result.findings))
        except MimirError as error:
            result.unusable.append(Unusable(axial, error))
    if len(result.stacks) > MAX_STACKS:
        raise MimirError(
            "STUDY_TOO_LARGE",
            f"the source contains {len(result.stacks):,} water and fat scans; the limit is"
            f" {MAX_STACKS:,}",
            "Give one study at a time.",
        )
    return result


def _series(slices: Iterable[Slice], findings: list[Finding]) -> list[list[Slice]]:
    """Group slices by series, contrast and reconstruction.

    Some archives give each slice a series UID of its own, and some anonymisers remove the UIDs.
    Then number and description say what belongs together.
    """
    slices = list(slices)
    count = Counter((s.series.uid, s.contrast, s.series.reconstruction) for s in slices)
    groups: dict[Hashable, list[Slice]] = defaultdict(list)
    alone: dict[Hashable, list[Slice]] = defaultdict(list)
    for s in slices:
        key = s.series.uid, s.contrast, s.series.reconstruction
        if s.series.uid and count[key] > 1:
            groups[key].append(s)
        else:
            alone[_name(s)].append(s)
    with_uid: dict[Hashable, list[list[Slice]]] = defaultdict(list)
    for group in groups.values():
        with_uid[_name(group[0])].append(group)
    joined = []
    for name, group in [*alone.items()]:
        own = with_uid[name]
        if len(own) == 1 and not any(s.series.uid for s in group):  # only some lost their UID
            own[0].extend(alone.pop(name))
            joined.append(own[0])
        elif len(group) > 1:
            joined.append(group)
    findings.extend(_joined(joined))
    return [*groups.values(), *alone.values()]


def _name(s: Slice) -> Hashable:
    """Return what slices of one series have in common besides its UID."""
    return s.series.number, s.series.description, s.contrast, s.series.reconstruction


def _joined(groups: Sequence[Sequence[Slice]]) -> Iterable[Finding]:
    if groups:
        names = ", ".join(dict.fromkeys(f"'{group[0].series.description}'" for group in groups))
        yield Finding(
            "SERIES_REGROUPED",
            f"{sum(map(len, groups))} images ({names}) have no series UID in common; they were"
            f" joined to {len(groups)} series by series number and description",
            severity=NOTE,
        )


def _not_axial(slices: Sequence[Slice]) -> MimirError:
    """Describe the orientation of the first slice."""
    image = slices[0]
    shown = ", ".join(f"{value:.4g}" for value in image.orientation)
    return MimirError(
        "NOT_AXIAL",
        f"{len(slices)} images of series '{image.series.description}' at z ="
        f" {image.position_mm[2]:.0f} mm are not axial but {_view(image)} (orientation {shown})",
        "Remove the series if it is not part of the neck-to-knee scan; MIMIR reads axial stations.",
    )


def _view(image: Slice) -> str:
    """Describe how a slice lies that is not axial."""
    tilt = tilt_degrees(image)
    if tilt > MAX_STATION_TILT:
        return "sagittal" if np.argmax(np.abs(normal_of(image)[:2])) == 0 else "coronal"
    return f"tilted by {tilt:.1f} degrees" if tilt > MIN_TILT else "turned or mirrored"


def tilt_degrees(image: Slice) -> float:
    """Return the angle between a slice and an axial plane, 0 to 90 degrees."""
    normal = normal_of(image)
    length = float(np.linalg.norm(normal))
    return float(np.degrees(np.arccos(min(abs(normal[2]) / length, 1.0)))) if length > 0 else 90.0


def follow_normal(slices: Sequence[Slice]) -> bool:
    """Return whether slices follow each other in the direction that their orientation says."""
    positions = np.array([s.position_mm for s in slices])
    shift = positions - positions[0]
    farthest = shift[np.argmax(np.abs(shift).sum(axis=1))]
    along = abs(float(farthest @ normal_of(slices[0])))
    return along >= MIN_ALONG_NORMAL * float(np.linalg.norm(farthest))


def _stacks(series: Sequence[Slice], findings: list[Finding]) -> list[Stack]:
    """Stack one series as it is or, if it holds several scans, each of them.

    Raises:
        MimirError: as ``stack_slices`` of the undivided series, or of the scans that its headers
            tell apart.
    """
    undivided: Optional[Stack] = None
    error: Optional[MimirError] = None
    of_scan: Optional[MimirError] = None
    try:
        undivided = stack_slices(series)
    except MimirError as reason:
        error = reason
    if undivided is not None and not undivided.twins:
        return [undivided]
    first_phase = _first_phase(series, findings)
    if len(first_phase) < len(series):
        return _stacks(first_phase, findings)
    for divide in _DIVISIONS:
        parts = divide(series)
        try:
            stacks = [stack_slices(part) for part in parts]
        except MimirError as reason:
            if len(parts) > 1 and min(map(len, parts)) >= MIN_SCAN_SLICES:
                of_scan = of_scan or reason
            continue
        if len(stacks) > 1 and not any(stack.twins for stack in stacks):
            return stacks
    if undivided is not None:
        return [undivided]
    raised = of_scan or error
    assert raised is not None
    raise raised


def _first_phase(series: Sequence[Slice], findings: list[Finding]) -> Sequence[Slice]:
    """Return the slices of the first phase of a dynamic scan."""
    phases = {s.phase for s in series}
    first = [s for s in series if s.phase == min(phases)]
    if len(phases) > 1:
        findings.append(
            Finding(
                "PHASES_LEFT_OUT",
                f"series '{series[0].series.description}' has {len(phases)} phases of a dynamic"
                " scan; the first was used",
                severity=NOTE,
            )
        )
    return first


def _by(key: Callable[[Slice], Hashable]) -> Callable[[Sequence[Slice]], list[list[Slice]]]:
    def divide(series: Sequence[Slice]) -> list[list[Slice]]:
        parts: dict[Hashable, list[Slice]] = defaultdict(list)
        for s in series:
            parts[key(s)].append(s)
        return list(parts.values())

    return divide


def _by_runs(series: Sequence[Slice]) -> list[list[Slice]]:
    """Divide where, in the order of image numbers, a position goes back or the size changes.

    A gap in the same direction divides nothing: slices may be missing there.
    """
    if len({s.instance for s in series}) < len(series) or any(s.instance is None for s in series):
        return [list(series)]
    ordered = sorted(series, key=lambda s: s.instance or 0)
    steps = np.diff([s.position_mm[2] for s in ordered])
    step = float(np.median(steps)) if len(steps) else 0.0
    runs = [[ordered[0]]]
    for s, change in zip(ordered[1:], steps.tolist()):
        if change * step > 0 and _same_size(s, runs[-1][-1]):
            runs[-1].append(s)
        else:
            runs.append([s])
    return runs


def _same_size(one: Slice, other: Slice) -> bool:
    return (one.rows, one.columns, one.spacing_mm) == (other.rows, other.columns, other.spacing_mm)


#: Ways to divide a series that holds several scans, in the order in which they are tried.
_DIVISIONS = (
    _by(lambda s: s.stack_id),
    _by(lambda s: s.acquisition),
    _by(lambda s: s.acquired),
    _by(lambda s: (s.stack_id, s.acquisition, s.acquired)),
    _by(lambda s: (s.rows, s.columns, s.spacing_mm)),
    _by_runs,
)
