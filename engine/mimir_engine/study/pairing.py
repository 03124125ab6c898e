"""Pair the water and fat stacks of one place: those that were scanned together.

One water and one fat at a place belong together. Among several, only a unique pairing counts: by
reconstruction and contrast agent, by extent, by series, by time, by series number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Callable, Optional

from mimir_engine.errors import MimirError
from mimir_engine.headers.contrast import Contrast
from mimir_engine.study.stack import Stack

#: A nearest partner is unique if every other one is at least this many times as far away.
MIN_DISTANCE_RATIO = 2.0
#: Time between the water and the fat of one scan, in seconds: both are written when reconstructed.
#: Times of nearest partners that are farther apart may have been scrambled.
MAX_SECONDS_APART = 60.0
#: Ends of two stacks of one scan are at the same place up to this part of a step.
END_TOLERANCE = 0.5


@dataclass(frozen=True)
class Acquisition:
    """Water and fat of one table position that were scanned together."""

    water: Stack
    fat: Stack

    @property
    def range_mm(self) -> tuple[float, float]:
        """Foot and head end in z of the part that both show."""
        (foot, head), (fat_foot, fat_head) = self.water.range_mm, self.fat.range_mm
        return max(foot, fat_foot), min(head, fat_head)

    @property
    def extent_mm(self) -> float:
        """Length in z of the part that both show."""
        foot, head = self.range_mm
        return head - foot


@dataclass(frozen=True)
class Pairing:
    """The stacks of one place.

    Attributes:
        acquisitions: Water and fat that were scanned together.
        alone: Stacks without a partner.
        copies: Two stacks between which nothing decides; their pixels must prove equal.
    """

    acquisitions: list[Acquisition] = field(default_factory=list)
    alone: list[Stack] = field(default_factory=list)
    copies: list[tuple[Stack, Stack]] = field(default_factory=list)

    def add(self, other: Pairing) -> None:
        """Add another part of the place."""
        self.acquisitions.extend(other.acquisitions)
        self.alone.extend(other.alone)
        self.copies.extend(other.copies)


def pair(stacks: Sequence[Stack]) -> Pairing:
    """Pair the stacks of one place.

    Raises:
        MimirError: ``STATION_AMBIGUOUS``.
    """
    found = Pairing()
    for part in _parts(stacks, _is_same_kind):
        found.add(_pair(part))
    contrasts = {stack.contrast for stack in stacks}
    if not found.acquisitions and len(contrasts) == 2 < len(stacks):
        raise _ambiguous(stacks)
    if _contradict_times(found.acquisitions):
        raise _ambiguous(stacks)
    return found


def _contradict_times(acquisitions: Sequence[Acquisition]) -> bool:
    """Return whether a water was scanned at the time of another scan's fat, not of its own."""
    return any(
        _are_together(one.water, one.fat) is False and _are_together(one.water, other.fat) is True
        for one in acquisitions
        for other in acquisitions
    )


def _are_together(one: Stack, other: Stack) -> Optional[bool]:
    """Return whether two stacks are of one series or were scanned at one time; None if unknown."""
    if one.series.uid and one.series.uid == other.series.uid:
        return True
    if one.acquired is None or other.acquired is None:
        return None
    return abs(one.acquired - other.acquired) <= MAX_SECONDS_APART


def _pair(stacks: Sequence[Stack]) -> Pairing:
    """Pair stacks of one kind: the only ones, or those of one extent."""
    if len(stacks) == 2:
        return _pair_by_nearness(stacks)
    found = Pairing()
    for part in _parts(stacks, _is_same_extent):
        found.add(_pair_by_nearness(part))
    return found


def _parts(stacks: Sequence[Stack], is_same: Callable[[Stack, Stack], bool]) -> list[list[Stack]]:
    """Group stacks that are the same in one respect."""
    parts: list[list[Stack]] = []
    for stack in stacks:
        own = next((part for part in parts if is_same(part[0], stack)), None)
        if own is None:
            parts.append([stack])
        else:
            own.append(stack)
    return parts


def _is_same_kind(one: Stack, other: Stack) -> bool:
    return (one.series.has_agent, one.series.reconstruction) == (
        other.series.has_agent,
        other.series.reconstruction,
    )


def _is_same_extent(one: Stack, other: Stack) -> bool:
    ends = zip(one.range_mm, other.range_mm)
    slack = END_TOLERANCE * one.step_mm
    return one.shape == other.shape and all(abs(a - b) < slack for a, b in ends)


def _pair_by_nearness(stacks: Sequence[Stack]) -> Pairing:
    """Pair stacks of one kind and extent by series, time or number."""
    scans = _parts(stacks, _are_copies)
    copies = [(one, copy) for one, *others in scans for copy in others]
    water, fat = (
        [scan[0] for scan in scans if scan[0].contrast is contrast]
        for contrast in (Contrast.WATER, Contrast.FAT)
    )
    if not water or not fat:
        return Pairing([], [*water, *fat])
    if len(water) == len(fat) == 1:
        return Pairing([Acquisition(*water, *fat)], [], copies)
    pairs = _of_one_series(water, fat) or _by_time_or_number(water, fat)
    if not pairs:
        raise _ambiguous([*water, *fat])
    used = {id(stack) for both in pairs for stack in both}
    alone = [stack for stack in (*water, *fat) if id(stack) not in used]
    return Pairing([Acquisition(*both) for both in pairs], alone, copies)


def _are_copies(one: Stack, other: Stack) -> bool:
    """Return whether time and number are the same, so that the pixels must be the same."""
    if one.contrast is not other.contrast or one.acquired != other.acquired:
        return False
    return one.acquired is not None or one.series.number == other.series.number


def _of_one_series(water: Sequence[Stack], fat: Sequence[Stack]) -> list[tuple[Stack, Stack]]:
    """Return the pairs of one series, if each stack has at most one such partner."""
    pairs = [(w, f) for w in water for f in fat if w.series.uid and w.series.uid == f.series.uid]
    stacks = {id(stack) for both in pairs for stack in both}
    return pairs if len(stacks) == 2 * len(pairs) else []


def _by_time_or_number(water: Sequence[Stack], fat: Sequence[Stack]) -> list[tuple[Stack, Stack]]:
    """Return the pairs that times or series numbers show; empty if they contradict each other."""
    by_time = _nearest(water, fat, lambda s: s.acquired)
    by_number = _nearest(water, fat, lambda s: s.series.number or None)
    if not all(_are_together(*both) for both in by_time):
        by_time = []
    if by_time and by_number and by_time != by_number:
        return []
    return by_time or by_number


def _nearest(
    water: Sequence[Stack], fat: Sequence[Stack], value: Callable[[Stack], Optional[float]]
) -> list[tuple[Stack, Stack]]:
    """Return the pairs that are each other's nearest and far from all others.

    Empty if a value is unknown, if all are equal, or if one water or fat has no unique partner
    although there are as many of both.
    """
    values = {id(stack): value(stack) for stack in (*water, *fat)}
    if None in values.values() or len(set(values.values())) == 1:
        return []

    def distance(one: Stack, other: Stack) -> float:
        return abs((values[id(one)] or 0.0) - (values[id(other)] or 0.0))

    pairs = []
    for w in water:
        f = min(fat, key=lambda other: distance(w, other))
        others = [distance(w, o) for o in fat if o is not f]
        others += [distance(o, f) for o in water if o is not w]
        if all(far > 0 and far >= MIN_DISTANCE_RATIO * distance(w, f) for far in others):
            pairs.append((w, f))
    is_complete = len(pairs) == min(len(water), len(fat))
    return pairs if is_complete else []


def _ambiguous(stacks: Sequence[Stack]) -> MimirError:
    names = ", ".join(f"'{name}'" for name in dict.fromkeys(s.series.description for s in stacks))
    return MimirError(
        "STATION_AMBIGUOUS",
        f"{len(stacks)} series ({names}) show the station {stacks[0].place}, and neither times nor"
        " series numbers tell which water and fat were scanned together",
        "Remove the scan that is not to be measured.",
    )
