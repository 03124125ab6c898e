"""Pair the water and fat stacks of one place: those that were scanned together.

One water and one fat at a place belong together. Among several, only a unique pairing counts: by
reconstruction and contrast agent, by extent, by series, by time, by series number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable, Optional

from mimir_engine.errors import MimirError
from mimir_engine.study.contrast import Contrast
from mimir_engine.study.stack import Stack

#: A nearest partner is unique if every other one is at least this many times as far away.
MIN_DISTANCE_RATIO = 2.0
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
    """The acquisitions of one place, and the stacks without a partner."""

    acquisitions: list[Acquisition]
    alone: list[Stack]


def pair(stacks: Sequence[Stack]) -> Pairing:
    """Pair the stacks of one place.

    Raises:
        MimirError: ``STATION_AMBIGUOUS``.
    """
    water = [s for s in stacks if s.contrast is Contrast.WATER]
    fat = [s for s in stacks if s.contrast is Contrast.FAT]
    found = Pairing([], [])
    for part in _parts(stacks, _is_same_kind):
        one = _pair(
            [s for s in part if s.contrast is Contrast.WATER],
            [s for s in part if s.contrast is Contrast.FAT],
        )
        found.acquisitions.extend(one.acquisitions)
        found.alone.extend(one.alone)
    if not found.acquisitions and water and fat and len(stacks) > 2:
        raise _ambiguous(stacks)
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


def _pair(water: Sequence[Stack], fat: Sequence[Stack]) -> Pairing:
    """Pair stacks of one kind: the only ones, or those of one extent."""
    if not water or not fat:
        return Pairing([], [*water, *fat])
    if len(water) == len(fat) == 1:
        return Pairing([Acquisition(*water, *fat)], [])
    parts = _parts([*water, *fat], _is_same_extent)
    found = Pairing([], [])
    for part in parts:
        waters = [s for s in part if s.contrast is Contrast.WATER]
        fats = [s for s in part if s.contrast is Contrast.FAT]
        one = _pair_by_nearness(waters, fats)
        found.acquisitions.extend(one.acquisitions)
        found.alone.extend(one.alone)
    return found


def _pair_by_nearness(water: Sequence[Stack], fat: Sequence[Stack]) -> Pairing:
    """Pair stacks of one kind and extent by series, time or number."""
    if not water or not fat:
        return Pairing([], [*water, *fat])
    if len(water) == len(fat) == 1:
        return Pairing([Acquisition(*water, *fat)], [])
    by_series = [
        (w, f) for w in water for f in fat if w.series.uid and w.series.uid == f.series.uid
    ]
    if by_series and len({id(s) for both in by_series for s in both}) == 2 * len(by_series):
        return _pairing(by_series, water, fat)
    for value in (lambda s: s.acquired, lambda s: s.series.number or None):
        pairs = _nearest(water, fat, value)
        if pairs:
            return _pairing(pairs, water, fat)
    raise _ambiguous([*water, *fat])


def _pairing(
    pairs: Sequence[tuple[Stack, Stack]], water: Sequence[Stack], fat: Sequence[Stack]
) -> Pairing:
    used = {id(stack) for both in pairs for stack in both}
    alone = [stack for stack in (*water, *fat) if id(stack) not in used]
    return Pairing([Acquisition(*both) for both in pairs], alone)


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
