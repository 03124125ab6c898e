"""What was noticed about a study, shown with its result; a finding never changes a number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Optional

from mimir_engine.errors import MimirError, one_line

#: How serious a finding is. A note tells what was done or seen; a warning says that values may be
#: wrong; a study with a stop is refused.
NOTE, WARNING, STOP = "note", "warning", "stop"
#: Codes whose findings are always notes: where only codes are stored, such a study is not flagged.
NOTE_CODES = frozenset(
    {
        *("CONTRAST_LEFT_OUT", "PHASES_LEFT_OUT", "RECONSTRUCTION_CHOSEN", "SERIES_COPIED"),
        "SERIES_LEFT_OUT",
        *("SERIES_REGROUPED", "SLICE_REPEATED", "STATION_RESCANNED", "UNUSED_BITS"),
    }
)
#: Codes whose findings concern each value, and are flags of each.
VALUE_CODES = ("SCANNER_UNKNOWN", "ENDS_UNKNOWN", "VOLUME_RESAMPLED")


@dataclass(frozen=True)
class Finding:
    """One observation about a study that the reader of its results should know.

    Attributes:
        code: Stable upper-case code, e.g. ``STATION_RESCANNED``; written to the ``flags`` column.
        sentence: The observation and the station or series it concerns, on one line and without a
            final full stop.
        severity: ``NOTE``, ``WARNING`` or ``STOP``.
        remedy: What the user can do, as a full sentence; empty if there is nothing.
        station: Number of the station, from the head, beginning with 1; None if several.
        side: ``right`` or ``left`` side of the patient; empty if both.
        from_mm: Patient z (LPS) where the part concerned begins, its lower end; None if all.
        to_mm: Patient z of its upper end.
        value: The number that was compared with the threshold; None if there is none.
        threshold: The number that it passed.
        unit: Unit of both; empty if they have none.
    """

    code: str
    sentence: str
    severity: str = WARNING
    remedy: str = ""
    station: Optional[int] = None
    side: str = ""
    from_mm: Optional[float] = None
    to_mm: Optional[float] = None
    value: Optional[float] = None
    threshold: Optional[float] = None
    unit: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "sentence", one_line(self.sentence))
        object.__setattr__(self, "remedy", one_line(self.remedy))


def is_stopped(findings: Iterable[Finding]) -> bool:
    """Tell whether a finding says that the study must not be measured."""
    return any(finding.severity == STOP for finding in findings)


def refuse_stopped(findings: Iterable[Finding]) -> None:
    """Refuse a study of which a finding says that it must not be measured.

    Raises:
        MimirError: The first finding that is a stop, with its code.
    """
    for finding in findings:
        if finding.severity == STOP:
            raise MimirError(finding.code, finding.sentence, finding.remedy)
