"""Select one scan of each place, with water and fat, from all stacks of a study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mimir_engine.errors import MimirError
from mimir_engine.study.companion_scans import protocol_name
from mimir_engine.study.finding import Finding
from mimir_engine.study.left_out import left_out, repeat_left_out
from mimir_engine.study.pairing import Acquisition, Pairing, pair
from mimir_engine.study.places import MIN_COVERED, composed, covered_part, group_by_place
from mimir_engine.study.repeats import OTHER_PROTOCOL, Choice, choose, likeness
from mimir_engine.study.stack import Stack

#: Stations that must be alike before another one at an end is called foreign.
MIN_STATIONS_ALIKE = 3


@dataclass(frozen=True)
class Selection:
    """The scans of a study that are used.

    Attributes:
        chosen: One scan of each place, from head to foot.
        alone: Stacks without a partner.
        copies: Two stacks between which nothing decides; their pixels must prove equal.
        findings: What was left out.
    """

    chosen: list[Acquisition]
    alone: list[Stack]
    copies: list[tuple[Stack, Stack]]
    findings: list[Finding]


def select_scans(stacks: Sequence[Stack]) -> Selection:
    """Select one scan of each place.

    Raises:
        MimirError: ``STATION_AMBIGUOUS``, ``STATION_LAYOUT``.
    """
    several = composed(stacks)
    findings = [left_out(stack, "it is composed of several stations") for stack in several]
    single = [stack for stack in stacks if not any(stack is other for other in several)]
    pairings = [pair(place) for place in group_by_place(single)]
    choices, foreign = _without_foreign_ends(_choose(pairings))
    findings += [left_out(c.chosen.water, f"it is {OTHER_PROTOCOL}") for c in foreign]
    choices, redundant = _without_redundant(choices)
    findings += [left_out(c.chosen.water, "other stations show its region") for c in redundant]
    findings += [repeat_left_out(*scan) for choice in choices for scan in choice.left_out]
    return Selection(
        [choice.chosen for choice in choices],
        [stack for pairing in pairings for stack in pairing.alone],
        [both for pairing in pairings for both in pairing.copies],
        findings,
    )


def _choose(pairings: Sequence[Pairing]) -> list[Choice]:
    """Choose one scan of each place.

    Raises:
        MimirError: ``STATION_AMBIGUOUS``, ``STATION_LAYOUT``.
    """
    places = [pairing.acquisitions for pairing in pairings if pairing.acquisitions]
    if len(places) == 1 and len(places[0]) > 2:
        raise _positions_lost(places[0])
    choices = []
    for k, scans in enumerate(places):
        elsewhere = [a for place in (*places[:k], *places[k + 1 :]) for a in place]
        choices.append(choose(scans, elsewhere))
    if len(places) == 1 and len(places[0]) > 1:
        raise _positions_lost(places[0])
    return choices


def _positions_lost(scans: Sequence[Acquisition]) -> MimirError:
    return MimirError(
        "STATION_LAYOUT",
        f"{len(scans)} scans show one place ({scans[0].water.place}) and none another: the"
        " positions of the stations may have been lost",
        "Export the study with the original positions. If the station was repeated, give the"
        " complete scan.",
    )


def _without_redundant(choices: Sequence[Choice]) -> tuple[list[Choice], list[Choice]]:
    """Separate scans whose region the other stations cover, such as one of the liver.

    Those that are least like the others come first.
    """
    scans = [choice.chosen for choice in choices]
    kept, redundant = list(choices), []
    for choice in sorted(choices, key=lambda c: likeness(c.chosen, scans)):
        others = [c for c in kept if c is not choice]
        covered = covered_part(choice.chosen.range_mm, [c.chosen.range_mm for c in others])
        if len(others) > 1 and covered >= MIN_COVERED:
            kept = others
            redundant.append(choice)
    return kept, redundant


def _without_foreign_ends(choices: Sequence[Choice]) -> tuple[list[Choice], list[Choice]]:
    """Separate scans of the head or the calves that join the stations but are not part of them.

    Such a scan has other pixels than all stations, which have the same, and another name.
    """
    kept, foreign = list(choices), []
    for end in (0, -1):
        others = [c.chosen.water for c in kept if c is not kept[end]]
        if len(others) >= MIN_STATIONS_ALIKE and _is_foreign(kept[end].chosen.water, others):
            foreign.append(kept.pop(end))
    return kept, foreign


def _is_foreign(water: Stack, others: Sequence[Stack]) -> bool:
    first, *rest = others
    names = {protocol_name(other.series.description) for other in others}
    return (
        all(other.has_pixels_of(first) for other in rest)
        and not water.has_pixels_of(first)
        and protocol_name(water.series.description) not in names
    )
