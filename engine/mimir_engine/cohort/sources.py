"""Which studies are asked for, and what each is called."""

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

#: The keys of a JSON line that say where a study is; each line has one of them.
_PLACES = ("path", "files", "fused")


@dataclass(frozen=True)
class NamedSource:
    """A study to come: its name in all results, and where its files are."""

    name: str
    source: Source


def named_sources(paths: Iterable[str]) -> list[NamedSource]:
    """Studies behind the paths of a command line.

    A zip archive is a study; a folder that holds zip archives (at any depth) stands for them all;
    any other folder is one study of loose DICOM files. What is given twice, also by way of a link,
    counts once. Studies of one name are told apart by the folders they lie in.

    Raises:
        MimirError: ``NO_STUDIES``, ``NAME_REPEATED``.
    """
    found: dict[str, Path] = {}
    for path in (path for text in paths if text for path in _studies_in(Path(text))):
        found.setdefault(os.path.realpath(path), Path(os.path.abspath(path)))
    if not found:
        raise MimirError("NO_STUDIES", "no studies were given", "Name zip archives or folders.")
    return check_names(_told_apart(list(found.values())))


def _studies_in(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(p for p in path.rglob("*") if _is_archive(p)) or [path]


def _is_archive(path: Path) -> bool:
    """Hidden files are none: macOS leaves ``._study.zip`` beside ``study.zip`` on foreign disks."""
    return path.suffix.lower() == ".zip" and not path.name.startswith(".") and path.is_file()


def _told_apart(paths: Sequence[Path]) -> list[NamedSource]:
    """Put as many folders before repeated names as it takes."""
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
    """The study's own name behind the names of so many of the folders it lies in."""
    parents = path.parent.parts[1:]
    return printable("/".join((*parents[max(len(parents) - folders, 0) :], source_name(path))), "_")


def sources_from_json(lines: Iterable[bytes]) -> list[NamedSource]:
    """Studies out of JSON lines in UTF-8: a ``name`` with ``path``, ``files`` or ``fused``.

    Empty lines are skipped. With a path the name may be left out. ``fused`` is a folder of volumes
    that an earlier run kept.

    Raises:
        MimirError: ``SOURCES_INVALID``, ``NO_STUDIES``, ``NAME_REPEATED``.
    """
    sources = []
    for number, line in enumerate(lines, start=1):
        content = line.removeprefix(b"\xef\xbb\xbf").strip()  # some editors begin files so
        if content:
            sources.append(_source_from_json(content, number))
    if not sources:
        raise MimirError("NO_STUDIES", "no studies were given", "Send one JSON line a study.")
    return check_names(sources)


def _source_from_json(line: bytes, number: int) -> NamedSource:
    try:
        record = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        record = None
    source = _checked_source(record) if isinstance(record, dict) else None
    if source is None:
        raise MimirError(
            "SOURCES_INVALID",
            f"line {number} of the list of studies is not a JSON object with a name and one of"
            " path, files (a list) and fused",
            'Write lines like {"name": "study1", "path": "study1.zip"}.',
        )
    return source


def _checked_source(record: dict[str, Any]) -> Optional[NamedSource]:
    """The study of one line, or None where the line is not as it should be."""
    name, places = record.get("name", ""), [key for key in _PLACES if record.get(key) is not None]
    if not isinstance(name, str) or len(places) != 1:
        return None
    place, value = places[0], record[places[0]]
    name = printable(name, "_")
    if place == "path" and _is_path(value):
        return NamedSource(name or _name(Path(value), 0), Path(value))
    if place == "fused" and name and _is_path(value):
        return NamedSource(name, FusedFolder(Path(value)))
    if place == "files" and name and isinstance(value, list) and value:
        return NamedSource(name, tuple(map(Path, value))) if all(map(_is_path, value)) else None
    return None


def _is_path(value: object) -> bool:
    """Whether the system can have a file of that name."""
    try:
        return isinstance(value, str) and value != "" and b"\0" not in os.fsencode(value)
    except UnicodeEncodeError:
        return False


def check_names(sources: Sequence[NamedSource]) -> list[NamedSource]:
    """The same sources, if no two have one name.

    Raises:
        MimirError: ``NAME_REPEATED``.
    """
    for name, count in Counter(source.name for source in sources).most_common(1):
        if count > 1:
            raise MimirError(
                "NAME_REPEATED",
                f"{count} studies are called '{name}'",
                "Give each a name of its own, by --sources.",
            )
    return list(sources)
