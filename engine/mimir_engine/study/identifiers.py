"""UIDs of a study and its series: in an archive they lead to a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Identifiers:
    """UIDs, which are written only if that is asked for.

    Attributes:
        study_uid: StudyInstanceUID; empty if the headers have none.
        series_uids: For each station from the head, SeriesInstanceUID by contrast (``water``,
            ``fat``).
    """

    study_uid: str = ""
    series_uids: tuple[Mapping[str, str], ...] = ()
