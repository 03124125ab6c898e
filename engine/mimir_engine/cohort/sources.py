"""List the studies to be read, each with its name in the results."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from mimir_engine.errors import MimirError, printable
from mimir_engine.fusion.fused_folder import FusedFolder, Source
from mimir_engine.study import source_name

#: Keys of a JSON line that locate a study; each line has one of them.
_PLACES = ("path", "files", "fused")


@dataclass(frozen=True)
class NamedSource:
    """A study to be read: its name in all results, and its files."""

    name: str
    source: Source


def named_sources(paths: Iterable[str]) -> list[NamedSource]:
    """List the studies that the paths of a command line name.

    A zip archive is a study; a folder that holds zip archives (at any depth) names them all;
    any other folder is one study of loose DICOM files. A study given twice, also through a link,
    counts once. Studies of the same name get the names of their folders in front.

    Raises:
        MimirError: ``NO_STUDIES``, ``NAME_REPEATED``.
    """
    found: dict[str, Path] = {}
    for path in (path for text in paths if text for path in _studies_in(Path(text))):
        found.setdefault(os.path.realpath(path), Path(os.path.abspath(path)))
    if not found:
        raise MimirError("NO_STUDIES", "no studies were given", "Name zip archives or folders.")
    return check_names(_distinct_names(list(found.values())))


def _studies_in(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    # Skip hidden files: macOS writes "._study.zip" beside "study.zip" on other systems' disks.
    files = (p for p in path.rglob("*") if p.suffix.lower() == ".zip" and p.name[0] != ".")
    return sorted(p for p in files if p.is_file()) or [path]


def _distinct_names(paths: Sequence[Path]) -> list[NamedSource]:
    """Name studies by their files, with as many folders in front as distinct names need."""
    names = [_name(path, 0) for path in paths]
    for folders in range(1, max(len(path.parts) for path in paths)):
        counts = Counter(names)
        if len(counts) == len(names):
            break
        names = [
            _name(path, folders) if counts[name] > 1 else name for path, name in zip(paths, names)
        ]
    return [NamedSource(name, path) for name, path in zip(names, paths)]


def _name(path: Path, folders: int) -> str:
    """Return the study's own name after the names of a number of its folders."""
    parents = path.parent.parts[1:]
    return printable("/".join((*parents[max(len(parents) - folders, 0) :], source_name(path))), "_")


def sources_from_json(lines: Iterable[bytes]) -> list[NamedSource]:
    """Read studies from JSON lines in UTF-8: a ``name`` with ``path``, ``files`` or ``fused``.

    Empty lines are skipped. With a path the name may be left out. ``fused`` is a folder of volumes
    that an earlier run wrote.

    Raises:
        MimirError: ``SOURCES_INVALID``, ``NO_STUDIES``, ``NAME_REPEATED``.
    """
    sources = []
    for number, line in enumerate(lines, start=1):
        content = line.removeprefix(b"\xef\xbb\xbf").strip()  # byte order mark of some editors
        if content:
            sources.append(_source_from_json(content, number))
    if not sources:
        raise MimirError("NO_STUDIES", "no studies were given", "Send one JSON line per study.")
    return check_names(sources)


def _source_from_json(line: bytes, number: int) -> NamedSource:
    try:
        fields = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        fields = None
    source = _checked_source(fields) if isinstance(fields, dict) else None
    if source is None:
        raise MimirError(
            "SOURCES_INVALID",
            f"line {number} of the list of studies is not a JSON object with a name and one of"
            " path, files (a list) and fused",
            'Write lines like {"name": "study1", "path": "study1.zip"}.',
        )
    return source


def _checked_source(fields: dict[str, Any]) -> Optional[NamedSource]:
    """Return the study of one line, or None if the line is invalid."""
    name, places = fields.get("name", ""), [key for key in _PLACES if fields.get(key) is not None]
    if not isinstance(name, str) or len(places) != 1:
        return None
    (place,) = places
    value, name = fields[place], printable(name, "_")
    if place == "files" and name and isinstance(value, list) and value:
        return NamedSource(name, tuple(map(Path, value))) if all(map(_is_path, value)) else None
    if place == "path" and _is_path(value):
        return NamedSource(name or _name(Path(value), 0), Path(value))
    if place == "fused" and name and _is_path(value):
        return NamedSource(name, FusedFolder(Path(value)))
    return None


def _is_path(value: object) -> bool:
    """Return whether the value is text that the system can take as a file name."""
    try:
        return isinstance(value, str) and value != "" and b"\0" not in os.fsencode(value)
    except UnicodeEncodeError:
        return False


def check_names(sources: Sequence[NamedSource]) -> list[NamedSource]:
    """Return the same sources if their names differ.

    Raises:
        MimirError: ``NAME_REPEATED``.
    """
    for name, count in Counter(source.name for source in sources).most_common(1):
        if count > 1:
            raise MimirError(
                "NAME_REPEATED",
                f"{count} studies are called '{name}'",
                "Give each a unique name with --sources.",
            )
    return list(sources)
