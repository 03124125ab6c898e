"""Judge from the names of its series whether a study is a complete Dixon scan.

The headers of all slices would give certainty; the engine reads them when a study is ticked. The
list of studies uses the names in the database, so that 1,000 studies appear immediately, and
ImageType of some images where a name does not decide.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Optional

from MIMIRLib.database.station_gap import is_biobank, station_gap
from MIMIRLib.translate import tr as _

#: Stations of UK Biobank's neck-to-knee scan. Other protocols have fewer or more.
USUAL_STATIONS = 6
#: Vendors' words for Dixon scans: Siemens and Philips use Dixon, GE uses LAVA-Flex.
_DIXON = re.compile(r"dixon|lava[\s_-]*flex", re.IGNORECASE)


class Completeness(str, Enum):
    """The completeness of a study, judged from its series' names."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    UNCLEAR = "unclear"


class SeriesKind(str, Enum):
    """The kind of a series."""

    WATER = "water"
    FAT = "fat"
    IN_PHASE = "in-phase"
    OPPOSED_PHASE = "opposed-phase"
    DIXON = "dixon"  # a Dixon series whose name gives no contrast
    CONTRADICTION = "contradiction"  # a series whose name gives two contrasts
    OTHER = "other"


#: ImageType of an image of no contrast.
ORDINARY_IMAGE = "ORIGINAL\\PRIMARY\\M"
CONTRASTS = (SeriesKind.WATER, SeriesKind.FAT, SeriesKind.IN_PHASE, SeriesKind.OPPOSED_PHASE)


@dataclass(frozen=True)
class Series:
    """A series and what it contains.

    Attributes:
        kinds: One kind, or the contrasts of a series that holds several.
        files: Its files to load; empty in the list of studies, and if the user did not choose it.
        number: SeriesNumber; None if unknown.
    """

    uid: str
    description: str
    kinds: tuple[SeriesKind, ...]
    files: tuple[str, ...] = ()
    number: Optional[int] = None


@dataclass(frozen=True)
class Verdict:
    """The completeness of a study, with a reason.

    Attributes:
        stations: Table positions with water and fat, including repeats.
        reason: For people; for a complete study, its number of stations.
        is_paired: Whether each of these table positions seems to have water and fat.
    """

    completeness: Completeness
    stations: int
    reason: str
    is_paired: bool = False


def kind_of(description: str, image_type: str = "") -> SeriesKind:
    """Return the kind of a series, or of an image of it.

    Args:
        description: SeriesDescription.
        image_type: ImageType, values joined by backslashes; empty if unknown.
    """
    from mimir_engine import MimirError, classify

    try:
        contrast = classify({"SeriesDescription": description, "ImageType": image_type})
    except MimirError:
        return SeriesKind.CONTRADICTION
    if contrast is not None:
        return SeriesKind(contrast.value)
    return SeriesKind.DIXON if _DIXON.search(description) else SeriesKind.OTHER


def kinds_of(description: str, image_types: Iterable[str]) -> tuple[SeriesKind, ...]:
    """Return the kinds of a series that may hold several contrasts, as Philips' scanners write it.

    Args:
        description: SeriesDescription.
        image_types: ImageType of several images, as far as known.
    """
    kinds = {kind_of(description, image_type) for image_type in image_types}
    kinds = kinds or {kind_of(description)}
    if SeriesKind.CONTRADICTION in kinds:
        return (SeriesKind.CONTRADICTION,)
    contrasts = tuple(kind for kind in CONTRASTS if kind in kinds)
    return contrasts or ((SeriesKind.DIXON if SeriesKind.DIXON in kinds else SeriesKind.OTHER),)


def name_decides(description: str) -> bool:
    """Return whether a series' name alone tells its kind, whatever ImageType its images have.

    A name of a Dixon series without a contrast does not, nor does one that ends in a letter, such
    as ``t2_haste_F``.
    """
    kind = kind_of(description)
    return kind is not SeriesKind.DIXON and kind is kind_of(description, ORDINARY_IMAGE)


def judge(series: Sequence[Series]) -> Optional[Verdict]:
    """Judge the series of one study; None for a study without any sign of Dixon."""
    count = Counter(kind for one in series for kind in one.kinds)
    if not _shows_dixon(series, count):
        return None
    stations = min(count[SeriesKind.WATER], count[SeriesKind.FAT])
    for one in series:
        if SeriesKind.CONTRADICTION in one.kinds:
            reason = _("series '{name}' names two contrasts").format(name=one.description)
            return Verdict(Completeness.UNCLEAR, stations, reason)
    missing = _missing(count)
    if not missing:
        return Verdict(*_judge_stations(series, count, stations), is_paired=True)
    if count[SeriesKind.DIXON]:
        reason = _("{missing}, or the names of their series give no contrast")
        return Verdict(Completeness.UNCLEAR, stations, reason.format(missing=missing))
    return Verdict(Completeness.INCOMPLETE, stations, missing)


def _judge_stations(
    series: Sequence[Series], count: Counter[SeriesKind], stations: int
) -> tuple[Completeness, int, str]:
    """Judge the number of stations, all of which have water and fat."""
    if is_biobank(one.description for one in series):
        if stations < USUAL_STATIONS:
            reason = _("{count} of {total} stations").format(count=stations, total=USUAL_STATIONS)
            return Completeness.INCOMPLETE, stations, reason
        return Completeness.COMPLETE, stations, _stations_text(count)
    gap = station_gap(
        [one.number for one in series if SeriesKind.WATER in one.kinds],
        {one.number for one in series},
    )
    if gap is not None:
        reason = _("a station may be missing between series {first} and {last}")
        return Completeness.UNCLEAR, stations, reason.format(first=gap[0], last=gap[1])
    text = _series_text(series) if stations < USUAL_STATIONS else ""
    if stations == 1 and not text:
        return Completeness.UNCLEAR, stations, _stations_text(count)
    return Completeness.COMPLETE, stations, text or _stations_text(count)


def _shows_dixon(series: Sequence[Series], count: Counter[SeriesKind]) -> bool:
    """Return whether a name has a word for Dixon, or two contrasts include water or fat.

    Fat alone is not enough: other scans have this name, too.
    """
    named = [kind for kind in CONTRASTS if count[kind]]
    if {SeriesKind.WATER, SeriesKind.FAT} & {*named} and len(named) > 1:
        return True
    return any(
        SeriesKind.OTHER not in one.kinds and _DIXON.search(one.description) for one in series
    )


def _missing(count: Counter[SeriesKind]) -> str:
    """Return what is missing; empty if nothing is.

    A complete scan may have different numbers of water and fat series: a station can have been
    scanned again in part, and only the headers show which scans belong together.
    """
    water, fat = count[SeriesKind.WATER], count[SeriesKind.FAT]
    if not water and not fat:
        return _("water and fat images are missing")
    if not water or not fat:
        return _("fat images are missing") if water else _("water images are missing")
    if water == fat or min(water, fat) >= USUAL_STATIONS:
        return ""
    text = _("fat images of {count} of {total} stations are missing")
    if water < fat:
        text = _("water images of {count} of {total} stations are missing")
    return text.format(count=abs(water - fat), total=max(water, fat))


def _series_text(series: Sequence[Series]) -> str:
    """Return that stations cannot be counted; empty if no series holds both water and fat."""
    together = sum({SeriesKind.WATER, SeriesKind.FAT} <= {*one.kinds} for one in series)
    if together == 0:
        return ""
    text = _("water and fat in {count} common series; reading counts their stations")
    return text.format(count=together)


def _stations_text(count: Counter[SeriesKind]) -> str:
    water, fat = count[SeriesKind.WATER], count[SeriesKind.FAT]
    stations = min(water, fat)
    text = _("1 station") if stations == 1 else _("{count} stations").format(count=stations)
    if stations < USUAL_STATIONS:
        usual = _("{stations}; a neck-to-knee scan usually has {count}")
        return usual.format(stations=text, count=USUAL_STATIONS)
    if water != fat:
        more = _("{stations}, and {count} more fat series")
        if water > fat:
            more = _("{stations}, and {count} more water series")
        return more.format(stations=text, count=abs(water - fat))
    if stations > USUAL_STATIONS:
        return _("{stations}, or some of them repeated").format(stations=text)
    return text
