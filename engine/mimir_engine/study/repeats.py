"""Choose one scan of a station that was scanned more than once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mimir_engine.errors import MimirError
from mimir_engine.study.pairing import Acquisition
from mimir_engine.study.places import MIN_COVERED, covered_part
from mimir_engine.study.stack import Stack

#: Reason for which a scan is left out that is no repeat.
OTHER_PROTOCOL = "of another protocol"


@dataclass(frozen=True)
class Choice:
    """The scan of a place that is used.

    Attributes:
        chosen: The scan.
        left_out: The other scans, each with the reason.
    """

    chosen: Acquisition
    left_out: list[tuple[Acquisition, str]]


def choose(acquisitions: Sequence[Acquisition], elsewhere: Sequence[Acquisition]) -> Choice:
    """Choose the latest scan that covers what the longest scan of the place covers.

    Scans without contrast agent come first, and scans of the protocol that other places have. A
    scan that lies so far off that it leaves a gap to its neighbour comes last.

    Args:
        acquisitions: Complete scans of one place, at least one.
        elsewhere: Complete scans of all other places.

    Raises:
        MimirError: ``STATION_AMBIGUOUS``.
    """
    native = [a for a in acquisitions if not a.water.series.has_agent] or list(acquisitions)
    usual = _usual(native, elsewhere)
    fitting = [a for a in usual if _leaves_no_gap(a, usual, elsewhere)] or usual
    longest = max(fitting, key=lambda a: (round(a.extent_mm, 1), _order(a)))
    complete = [a for a in fitting if a.water.reaches(longest.water) and a.fat.reaches(longest.fat)]
    chosen = max(complete, key=_order)
    steps = (
        (acquisitions, native, "with contrast agent"),
        (native, usual, OTHER_PROTOCOL),
        (usual, complete, "shorter or displaced"),
        (complete, [chosen], "earlier"),
    )
    left_out = [
        (a, reason)
        for before, after, reason in steps
        for a in before
        if not any(a is other for other in after)
    ]
    return Choice(chosen, left_out)


def _usual(
    acquisitions: Sequence[Acquisition], elsewhere: Sequence[Acquisition]
) -> Sequence[Acquisition]:
    """Return the scans with the voxels that scans of other places have.

    Raises:
        MimirError: ``STATION_AMBIGUOUS`` if other places do not tell.
    """
    protocols: list[list[Acquisition]] = []
    for acquisition in acquisitions:
        water = acquisition.water
        own = next((p for p in protocols if p[0].water.has_voxels_of(water)), None)
        if own is None:
            protocols.append([acquisition])
        else:
            own.append(acquisition)
    if len(protocols) == 1:
        return acquisitions
    scores = [max(likeness(a, elsewhere) for a in protocol) for protocol in protocols]
    if scores.count(max(scores)) > 1:
        raise _ambiguous(*(protocol[0].water for protocol in protocols[:2]))
    return protocols[scores.index(max(scores))]


def _leaves_no_gap(
    acquisition: Acquisition, same_place: Sequence[Acquisition], elsewhere: Sequence[Acquisition]
) -> bool:
    """Return whether a scan joins those of other places where another scan of its place does."""
    shown = [a.range_mm for a in (acquisition, *elsewhere)]
    foot, head = min(low for low, _ in shown), max(high for _, high in shown)
    between = ((max(low, foot), min(high, head)) for low, high in (a.range_mm for a in same_place))
    return all(covered_part(part, shown) >= MIN_COVERED for part in between)


def _order(acquisition: Acquisition) -> tuple[float, int]:
    """Return a key to sort scans by time (unknown first), then series number."""
    acquired = acquisition.water.acquired
    return -1.0 if acquired is None else acquired, acquisition.water.series.number


def likeness(acquisition: Acquisition, elsewhere: Sequence[Acquisition]) -> int:
    """Count the scans of other places with the same pixels, columns and name of the series."""
    water = acquisition.water
    return sum(
        (
            water.has_pixels_of(other.water)
            + (water.shape[2] == other.water.shape[2])
            + (water.series.description == other.water.series.description)
        )
        for other in elsewhere
    )


def _ambiguous(stack: Stack, other: Stack) -> MimirError:
    return MimirError(
        "STATION_AMBIGUOUS",
        f"series '{stack.series.description}' ({stack.place}) and"
        f" '{other.series.description}' ({other.place}) show the same region with different"
        " spacings",
        "Remove the one that does not belong to the neck-to-knee scan.",
    )
