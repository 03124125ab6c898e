"""Name the files and series of a source that were not used, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class PassedOver:
    """A file or series that was not used.

    Attributes:
        name: Description of the series, or name of the file or folder; only shown.
        reason: The reason in a few words, e.g. ``composed``, ``secondary capture``.
        files: Number of its files.
    """

    name: str
    reason: str
    files: int = 1


def joined(passed_over: Iterable[PassedOver]) -> tuple[PassedOver, ...]:
    """Return one entry per name and reason, with the sum of their files, in order of appearance."""
    count: Counter[tuple[str, str]] = Counter()
    for one in passed_over:
        count[one.name, one.reason] += one.files
    return tuple(PassedOver(name, reason, files) for (name, reason), files in count.items())
