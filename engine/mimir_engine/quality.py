"""What a check saw: findings go with a result and never change it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One observation about a study that its reader should know.

    Attributes:
        code: Stable upper-case code, e.g. ``STATION_RESCANNED``; written to the ``flags`` column.
        sentence: The same in plain words, with the station or series it concerns.
    """

    code: str
    sentence: str
