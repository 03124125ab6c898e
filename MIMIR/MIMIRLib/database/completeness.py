"""What a study's series amount to, told by their descriptions: is it a whole Dixon scan?

Only the headers of every slice tell for certain, and the engine reads them when a study is
analysed. Here the names that a database holds must do, so that a thousand studies take no time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Optional

#: Stations of UK Biobank's neck-to-knee scan. Other protocols have fewer or more.
USUAL_STATIONS = 6
#: Words of vendors for Dixon scans: Siemens and Philips say Dixon, GE LAVA-Flex.
_DIXON = re.compile(r"dixon|lava[\s_-]*flex", re.IGNORECASE)


class Completeness(str, Enum):
    """Whether a study has all that MIMIR needs, as far as its series' names tell."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    UNCLEAR = "unclear"


class SeriesKind(str, Enum):
    """What a series is for MIMIR."""

    WATER = "water"
    FAT = "fat"
    IN_PHASE = "in-phase"
    OPPOSED_PHASE = "opposed-phase"
    DIXON = "dixon"  # a Dixon series that does not say of which contrast
    CONTRADICTION = "contradiction"  # one that names two contrasts
    OTHER = "other"


CONTRASTS = (
    *(SeriesKind.WATER, SeriesKind.FAT),
    *(SeriesKind.IN_PHASE, SeriesKind.OPPOSED_PHASE),
)


@dataclass(frozen=True)
class NamedSeries:
    """A series with what its name says of it."""

    uid: str
    description: str
    kind: SeriesKind


@dataclass(frozen=True)
class Verdict:
    """What a study's series amount to.

    Attributes:
        stations: Table positions with water and fat, repeats counted too.
        reason: Why, in plain words; of a complete study how many stations it has.
    """

    completeness: Completeness
    stations: int
    reason: str


def kind_of(description: str, image_type: str = "") -> SeriesKind:
    """What a series is.

    Args:
        description: SeriesDescription.
        image_type: ImageType, values joined by backslashes; empty where it is not known.
    """
    from mimir_engine import MimirError, classify

    try:
        contrast = classify({"SeriesDescription": description, "ImageType": image_type})
    except MimirError:
        return SeriesKind.CONTRADICTION
    if contrast is not None:
        return SeriesKind(contrast.value)
    return SeriesKind.DIXON if _DIXON.search(description) else SeriesKind.OTHER


def judge(series: Sequence[NamedSeries]) -> Optional[Verdict]:
    """What the series of one study amount to; None for a study without any sign of Dixon."""
    count = Counter(one.kind for one in series)
    if not _shows_dixon(series, count):
        return None
    stations = min(count[SeriesKind.WATER], count[SeriesKind.FAT])
    for one in series:
        if one.kind is SeriesKind.CONTRADICTION:
            reason = f"series '{one.description}' names two contrasts"
            return Verdict(Completeness.UNCLEAR, stations, reason)
    missing = _missing(count)
    if not missing:
        return Verdict(Completeness.COMPLETE, stations, _stations_text(count))
    if count[SeriesKind.DIXON]:
        reason = f"{missing}, or lie in series whose names do not say what they show"
        return Verdict(Completeness.UNCLEAR, stations, reason)
    return Verdict(Completeness.INCOMPLETE, stations, missing)


def _shows_dixon(series: Sequence[NamedSeries], count: Counter[SeriesKind]) -> bool:
    """Whether anything speaks of Dixon: the word, or water or fat beside another contrast.

    Fat alone does not: other scans are called so, too.
    """
    named = [kind for kind in CONTRASTS if count[kind]]
    if {SeriesKind.WATER, SeriesKind.FAT} & {*named} and len(named) > 1:
        return True
    return any(
        one.kind is not SeriesKind.OTHER and _DIXON.search(one.description) for one in series
    )


def _missing(count: Counter[SeriesKind]) -> str:
    """What is missing, empty where nothing is.

    Water and fat of a whole scan need not be equally many: a station can have been scanned again
    in part, and only the headers tell which of the scans belong together.
    """
    water, fat = count[SeriesKind.WATER], count[SeriesKind.FAT]
    if not water and not fat:
        return "water and fat images are missing"
    if not water or not fat:
        return f"{'fat' if water else 'water'} images are missing"
    if water == fat or min(water, fat) >= USUAL_STATIONS:
        return ""
    less = SeriesKind.WATER if water < fat else SeriesKind.FAT
    most = max(water, fat)
    return f"{less.value} images of {most - count[less]} of {most} stations are missing"


def _stations_text(count: Counter[SeriesKind]) -> str:
    water, fat = count[SeriesKind.WATER], count[SeriesKind.FAT]
    stations = min(water, fat)
    text = f"{stations} station{'' if stations == 1 else 's'}"
    if stations < USUAL_STATIONS:
        return f"{text}; a scan from neck to knee usually has {USUAL_STATIONS}"
    if water != fat:
        more = SeriesKind.WATER if water > fat else SeriesKind.FAT
        return f"{text}, and {abs(water - fat)} more {more.value} series"
    return f"{text}, or some of them repeated" if stations > USUAL_STATIONS else text
