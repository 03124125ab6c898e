"""A study that was found: the place that it is named after, and its files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
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


def common_folder(paths: Sequence[str]) -> str:
    """Return the deepest folder that holds all files; on several drives, that of the first."""
    folders = [os.path.dirname(path) for path in paths]
    try:
        return os.path.commonpath(folders)
    except ValueError:
        return folders[0]
