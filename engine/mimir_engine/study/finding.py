"""A note about the input, shown with a result; it never changes a number."""

from __future__ import annotations

from dataclasses import dataclass

from mimir_engine.errors import one_line


@dataclass(frozen=True)
class Finding:
    """One observation about a study that the reader of its results should know.

    Attributes:
        code: Stable upper-case code, e.g. ``STATION_RESCANNED``; written to the ``flags`` column.
        sentence: The observation and the station or series it concerns, on one line and without a
            final full stop.
    """

    code: str
    sentence: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "sentence", one_line(self.sentence))
