"""A study that was found: the place that it is named after, and its files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class FoundStudy:
    """A study that was found.

    Attributes:
        place: The archive, file or folder that it is named after.
        paths: Its files or folders.
    """

    place: str
    paths: tuple[str, ...]


def each_a_study(paths: Iterable[str]) -> list[FoundStudy]:
    """Return a study for each path."""
    return [FoundStudy(path, (path,)) for path in paths]
