"""Read when a slice was acquired, and order times around midnight."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple, Optional

from mimir_engine.headers.little_endian import Tags

#: A DICOM date and time, ``YYYYMMDDHHMMSS.ffffff``; parts of the time may be missing.
_DATE_TIME = re.compile(
    r"(\d{4})(\d\d)(\d\d)([01]\d|2[0-3])(?:([0-5]\d)(?:([0-5]\d|60)(\.\d*)?)?)?\s*", re.ASCII
)
SECONDS_PER_DAY = 86_400.0
#: Attributes that give the time, in the order in which they are tried. A date is combined with its
#: own time if possible: a series may be reconstructed after midnight from data acquired before.
_PAIRS = (
    ("AcquisitionDate", "AcquisitionTime"),
    ("SeriesDate", "SeriesTime"),
    ("StudyDate", "AcquisitionTime"),
    ("StudyDate", "SeriesTime"),
)
_KEYWORDS = (
    *("AcquisitionDateTime", "AcquisitionDate", "AcquisitionTime"),
    *("SeriesDate", "SeriesTime", "StudyDate"),
)


class Moment(NamedTuple):
    """A time of acquisition.

    Attributes:
        seconds: Seconds since year 1.
        has_own_date: False if the date is that of the study, when the examination began.
    """

    seconds: float
    has_own_date: bool


def acquired(tags: Tags) -> Optional[Moment]:
    """Return the time of acquisition of a slice, or else of its series; None if unknown."""
    return _acquired(*map(tags.get, _KEYWORDS))


@lru_cache(maxsize=1000)
def _acquired(*values: object) -> Optional[Moment]:
    tags = {k: "" if v is None else str(v) for k, v in zip(_KEYWORDS, values)}
    if tags["AcquisitionDateTime"]:
        seconds = _seconds(re.split("[+-]", tags["AcquisitionDateTime"])[0])
        return None if seconds is None else Moment(seconds, True)
    for day, time in _PAIRS:
        if tags[day] and tags[time]:
            seconds = _seconds(tags[day] + tags[time])
            return None if seconds is None else Moment(seconds, day != "StudyDate")
    return None


def _seconds(moment: str) -> Optional[float]:
    """Return the seconds since year 1 of a DICOM date and time; None if it is not valid."""
    match = _DATE_TIME.fullmatch(moment)
    if match is None:
        return None
    year, month, day, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:6])
    try:
        days = date(year, month, day).toordinal()
    except ValueError:
        return None
    fraction = float(f"0{match.group(7) or ''}")
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds + fraction


def month_of(seconds: Optional[float]) -> str:
    """Return the month of a time in seconds since year 1, as ``2024-03``; empty if unknown."""
    day = 0 if seconds is None else int(seconds // SECONDS_PER_DAY)
    return f"{date.fromordinal(day):%Y-%m}" if 0 < day <= date.max.toordinal() else ""


def starts_next_day(times: Sequence[float]) -> Optional[float]:
    """Return the time of day before which times belong to the day after the study's date.

    An examination lasts less than half a day. So if its times of day lie on both sides of midnight,
    the largest gap between them is the one during which nothing was scanned.

    Args:
        times: Times of day in seconds.

    Returns:
        The end of that gap; None if the examination did not pass midnight.
    """
    ordered = sorted(set(times))
    gaps = [(later - earlier, later) for earlier, later in zip(ordered, ordered[1:])]
    gap, end = max(gaps, default=(0.0, 0.0))
    return end if gap > SECONDS_PER_DAY / 2 else None
