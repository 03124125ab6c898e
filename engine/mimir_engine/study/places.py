"""Group the stacks of a study by the place they show, head to foot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mimir_engine.study.stack import Stack

#: A stack that is this many times as long as others within it, and as most others of the study, may
#: be composed of them. Halves that were scanned again do not make a station a composed one.
MIN_COMPOSED_RATIO = 1.5
#: Part of an extent that others must cover so that nothing is missing without it.
MIN_COVERED = 0.95


def covered_part(range_mm: tuple[float, float], others: Sequence[tuple[float, float]]) -> float:
    """Return the part of a range in z that other ranges cover together."""
    foot, head = range_mm
    if head <= foot:
        return float(any(low <= foot <= high for low, high in others))
    covered, reached = 0.0, foot
    for low, high in sorted(others):
        low, high = max(low, reached), min(high, head)
        if high > low:
            covered += high - low
            reached = high
    return covered / (head - foot)


def composed(stacks: Sequence[Stack]) -> list[Stack]:
    """Return the stacks that show several stations which are there on their own, too."""
    return [stack for stack in stacks if _is_composed(stack, stacks)]


def _is_composed(stack: Stack, stacks: Sequence[Stack]) -> bool:
    same = [other for other in stacks if other.contrast is stack.contrast]
    if stack.extent_mm <= MIN_COMPOSED_RATIO * np.median([other.extent_mm for other in same]):
        return False
    within = [
        other
        for other in same
        if stack.extent_mm > MIN_COMPOSED_RATIO * other.extent_mm and other.is_at(stack)
    ]
    has_two_places = any(not one.is_at(other) for one in within for other in within)
    return (
        has_two_places and covered_part(stack.range_mm, [o.range_mm for o in within]) >= MIN_COVERED
    )


def group_by_place(stacks: Sequence[Stack]) -> list[list[Stack]]:
    """Group stacks that show the same station.

    The longest stack of a place defines it. A shorter one belongs to a place with which it shares
    more than half of it: if there are two, to one with the same voxels, then to that with which it
    shares most.

    Returns:
        From head to foot; in each group the longest stack first.
    """
    places: list[list[Stack]] = []
    for stack in sorted(stacks, key=lambda s: -s.extent_mm):
        at = [
            (stack.has_voxels_of(place[0]), round(stack.overlap(place[0])[0], 2), -k)
            for k, place in enumerate(places)
            if stack.is_at(place[0])
        ]
        if at:
            places[-max(at)[2]].append(stack)
        else:
            places.append([stack])
    return sorted(places, key=lambda place: place[0].range_mm[1], reverse=True)
