"""Which studies are asked for, and what each is called."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional

from mimir_engine.errors import MimirError
from mimir_engine.study import name_of
from mimir_engine.study.source import StudySource


@dataclass(frozen=True)
class NamedSource:
    """A study to come: its name in all results, and where its files are."""

    name: str
    source: StudySource


def named_sources(paths: Iterable[str]) -> list[NamedSource]:
    """Studies behind the paths of a command line.

    A zip archive is a study; a folder that holds zip archives (at any depth) stands for them all;
    any other folder is one study of loose DICOM files. Studies of one name are told apart by the
    folders they lie in.

    Raises:
        MimirError: ``NO_STUDIES``, ``NAME_REPEATED``.
    """
    found = [path for text in paths for path in _studies_in(Path(text))]
    if not found:
        raise MimirError("NO_STUDIES", "no studies were given", "Name zip archives or folders.")
    unique = list(dict.fromkeys(path.resolve() for path in found))
    sources = [NamedSource(name_of(path), path) for path in unique]
    return check_names(_told_apart(sources))


def _studies_in(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    archives = sorted(p for p in path.rglob("*") if p.suffix.lower() == ".zip" and p.is_file())
    return archives or [path]


def _told_apart(sources: Sequence[NamedSource]) -> list[NamedSource]:
    """Put as many parent folders before repeated names as it takes."""
    named = list(sources)
    for depth in range(1, 1 + max((len(Path(str(s.source)).parts) for s in named), default=0)):
        repeated = {name for name, count in Counter(s.name for s in named).items() if count > 1}
        if not repeated:
            break
        named = [_with_folders(s, depth) if s.name in repeated else s for s in named]
    return named


def _with_folders(source: NamedSource, depth: int) -> NamedSource:
    path = Path(str(source.source))
    folders = [part for part in path.parent.parts if part != path.anchor][-depth:]
    return replace(source, name="/".join((*folders, name_of(path))))


def sources_from_json(lines: Iterable[str]) -> list[NamedSource]:
    """Studies out of JSON lines ``{"name", "path"}`` or ``{"name", "files"}``.

    The list ends with its input or at an empty line.

    Raises:
        MimirError: ``SOURCES_INVALID``, ``NO_STUDIES``, ``NAME_REPEATED``.
    """
    sources = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            break
        sources.append(_source_from_json(line, number))
    if not sources:
        raise MimirError("NO_STUDIES", "no studies were given", "Send one JSON line a study.")
    return check_names(sources)


def _source_from_json(line: str, number: int) -> NamedSource:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    source = _checked_source(record) if isinstance(record, dict) else None
    if source is None:
        raise MimirError(
            "SOURCES_INVALID",
            f"line {number} of the list of studies is not a JSON object with a name and either"
            " a path or a list of files",
            'Write lines like {"name": "study1", "path": "study1.zip"}.',
        )
    return source


def _checked_source(record: dict[str, Any]) -> Optional[NamedSource]:
    name, path, files = record.get("name", ""), record.get("path"), record.get("files")
    if not isinstance(name, str):
        return None
    if isinstance(path, str) and path and files is None:
        return NamedSource(name or name_of(path), path)
    if isinstance(files, list) and files and name and all(isinstance(f, str) for f in files):
        return NamedSource(name, tuple(files)) if path is None else None
    return None


def check_names(sources: Sequence[NamedSource]) -> list[NamedSource]:
    """The same sources, if no two have one name.

    Raises:
        MimirError: ``NAME_REPEATED``.
    """
    name, count = Counter(s.name for s in sources).most_common(1)[0]
    if count > 1:
        raise MimirError(
            "NAME_REPEATED", f"{count} studies are called '{name}'", "Give each a name of its own."
        )
    return list(sources)
