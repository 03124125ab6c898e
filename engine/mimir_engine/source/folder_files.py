"""List the files of a folder tree, without opening them.

Links to folders are followed. A folder counts once, however many links lead to it; so loops of
links end.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Optional

from mimir_engine.source.hidden_files import is_hidden

#: Identifies a folder: device and file number, or its true path where the system has no numbers.
_Identity = tuple[object, ...]


@dataclass(frozen=True)
class Folder:
    """A folder and what lies directly in it, hidden files left out.

    Attributes:
        path: Its path, through links.
        files: Names of its files, sorted; also of broken links and devices.
        folders: Names of its folders, sorted; also of links to folders.
        error: Why its contents cannot be listed; None if they can.
    """

    path: str
    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    error: Optional[OSError] = None


def folders_below(root: str) -> Iterator[Folder]:
    """Yield a folder and all folders below it, each before its own folders, in sorted order.

    Folders above ``root`` are not entered, even if a link leads to them.
    """
    seen = _folders_above(root)
    waiting = [root]
    while waiting:
        path = waiting.pop()
        identity = _identity(path)
        if identity not in seen:
            seen.add(identity)
            folder = _listed(path)
            yield folder
            waiting += [os.path.join(path, name) for name in reversed(folder.folders)]


def _listed(path: str) -> Folder:
    files: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if not is_hidden(entry.name):
                    (folders if _is_folder(entry) else files).append(entry.name)
    except OSError as error:
        return Folder(path, error=error)
    return Folder(path, sorted(files), sorted(folders))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a loop of links, or a target without permission: reading it says so
        return False


def _identity(path: str) -> _Identity:
    try:
        status = os.stat(path)
    except OSError:
        return (os.path.abspath(path),)
    return (status.st_dev, status.st_ino) if status.st_ino else (os.path.realpath(path),)


def _folders_above(root: str) -> set[_Identity]:
    path, seen = os.path.realpath(root), set()
    while (parent := os.path.dirname(path)) != path:
        path = parent
        seen.add(_identity(path))
    return seen
