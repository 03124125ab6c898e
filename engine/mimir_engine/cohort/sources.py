"""List the studies to be read, each with its name in the results."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional

from mimir_engine.discovery.find_studies import studies_among_files, studies_in_folder
from mimir_engine.discovery.found_study import FoundStudy
from mimir_engine.errors import MimirError, one_line, printable
from mimir_engine.files.file_names import name_hash
from mimir_engine.fusion.fused_folder import FusedFolder
from mimir_engine.fusion.image_source import Source, paths_of
from mimir_engine.fusion.volume_pair import (
    VOLUME_KEYS,
    VolumePair,
    name_of_volumes,
    without_volume_suffix,
)
from mimir_engine.source.passed_over import PassedOver, joined
from mimir_engine.study import source_name

#: Keys of a JSON line that locate a study; each line has one of them. ``water`` needs ``fat`` too.
_PLACES = {"path", "files", "fused", "water"}
#: Characters of a study's name: as many as the longest path of Linux.
MAX_NAME = 4096


@dataclass(frozen=True)
class NamedSource:
    """A study to be read.

    Attributes:
        name: Its name in all results.
        source: Its files.
        hidden: Names that no message may show; its own name takes their place.
        labels: Label map of its volumes; None if there is none.
    """

    name: str
    source: Source
    hidden: tuple[str, ...] = ()
    labels: Optional[Path] = None

    def shown(self, text: str) -> str:
        """Return a message without the hidden names, which stand in quotes in it."""
        for hidden in self.hidden:
            text = text.replace(f"'{one_line(hidden)}'", f"'{self.name}'")
        return text


@dataclass(frozen=True)
class NamedSources:
    """The studies of a command line, and what was passed over.

    Attributes:
        studies: At least one, of different names.
        passed_over: Files that are not measured, and why.
    """

    studies: tuple[NamedSource, ...]
    passed_over: tuple[PassedOver, ...] = ()


def named_sources(paths: Iterable[str]) -> NamedSources:
    """List the studies that the paths of a command line name.

    An archive is a study, unless several archives of one folder are parts of one; a folder names
    all studies in it and below (see ``find_studies``). A study given twice, also through a link,
    counts once. Studies of the same name get the names of their folders in front.

    Raises:
        MimirError: ``NO_STUDIES``, ``NAME_REPEATED``.
    """
    passed_over: list[PassedOver] = []
    found = _unique(_found_studies([os.path.abspath(text) for text in paths if text], passed_over))
    notices = joined(passed_over)
    if not found:
        what = "; ".join(f"{notice.name}: {notice.reason}" for notice in notices)
        raise MimirError(
            "NO_STUDIES", what or "no studies were given", "Name archives or folders of studies."
        )
    return NamedSources(tuple(check_names(_distinct_names(found))), notices)


def _found_studies(paths: Sequence[str], passed_over: list[PassedOver]) -> list[FoundStudy]:
    """Return the studies that the paths name, in their order."""
    places = {path: number for number, path in enumerate(dict.fromkeys(paths))}
    folders = {path for path in places if os.path.isdir(path)}
    files = [path for path in places if path not in folders]
    found = [(places[study.paths[0]], study) for study in studies_among_files(files, passed_over)]
    for folder in (path for path in places if path in folders):
        found += [(places[folder], study) for study in studies_in_folder(folder, passed_over)]
    return [study for _, study in sorted(found, key=lambda pair: pair[0])]


def _unique(studies: Iterable[FoundStudy]) -> list[FoundStudy]:
    """Leave out studies whose files were all named before, also through links."""
    folders: dict[str, str] = {}
    seen: set[str] = set()
    found = []
    for study in studies:
        paths = {_real_path(path, folders) for path in study.paths}
        if not paths <= seen:
            found.append(study)
        seen |= paths
    return found


def _real_path(path: str, folders: dict[str, str]) -> str:
    """Resolve links; the true paths of folders are kept, since many files lie in each."""
    if os.path.islink(path):
        return os.path.realpath(path)
    folder, name = os.path.split(path)
    if folder not in folders:
        folders[folder] = os.path.realpath(folder)
    return os.path.join(folders[folder], name)


def _distinct_names(studies: Sequence[FoundStudy]) -> list[NamedSource]:
    """Name studies by their files, with as many folders in front as distinct names need."""
    places = [study.place for study in studies]
    names = [_name(place, 0) for place in places]
    counts = Counter(names)
    names = [  # folders cannot distinguish names that differ in characters that were replaced
        f"{name}-{name_hash(place)}" if counts[name] > 1 and _is_replaced(place) else name
        for place, name in zip(places, names)
    ]
    for folders in range(1, max(place.count(os.sep) for place in places)):
        counts = Counter(names)
        if len(counts) == len(names):
            break
        names = [
            _name(place, folders) if counts[name] > 1 else name
            for place, name in zip(places, names)
        ]
    return [NamedSource(name, _source(study)) for name, study in zip(names, studies)]


def _is_replaced(place: str) -> bool:
    return not source_name(place).isprintable()


def _source(study: FoundStudy) -> Source:
    paths = tuple(map(Path, study.paths))
    return paths[0] if len(paths) == 1 else paths


def _name(place: str, folders: int) -> str:
    """Return the study's own name after the names of a number of its folders."""
    parents = Path(place).parent.parts[1:] if folders else ()
    return printable(
        "/".join((*parents[max(len(parents) - folders, 0) :], source_name(place))), "_"
    )


def sources_from_json(lines: Iterable[bytes]) -> list[NamedSource]:
    """Read studies from JSON lines in UTF-8: a ``name`` and where the study is.

    That is a ``path``, a list of ``files``, a folder ``fused`` of volumes that an earlier run
    wrote, or stitched volumes ``water`` and ``fat``, to which ``in_phase`` and ``opposed_phase``
    may be added. Each may have ``labels``, the file of a label map. Empty lines are skipped. With
    a path the name may be left out.

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
    source = source_from_fields(fields) if isinstance(fields, dict) else None
    if source is None:
        raise MimirError(
            "SOURCES_INVALID",
            f"line {number} of the list of studies is not a JSON object with a name and one of"
            " path, files (a list), fused, and water with fat",
            'Write lines like {"name": "study1", "path": "study1.zip"}.',
        )
    return source


def source_from_fields(fields: dict[str, Any]) -> Optional[NamedSource]:
    """Return the study of one JSON line, or None if the line is invalid."""
    given = {key: value for key, value in fields.items() if value is not None}
    name, labels, places = given.get("name", ""), given.get("labels"), _PLACES & given.keys()
    if not isinstance(name, str) or len(name) > MAX_NAME or len(places) != 1:
        return None
    if labels is not None and not _is_path(labels):
        return None
    (place,) = places
    found = _placed(place, printable(name, "_"), given)
    return found and replace(found, labels=labels and Path(labels))


def _placed(place: str, name: str, fields: Mapping[str, Any]) -> Optional[NamedSource]:
    """Return the study of a JSON line whose key ``place`` locates it, without its labels."""
    value = fields[place]
    if place == "files" and name and isinstance(value, list) and value:
        return NamedSource(name, tuple(map(Path, value))) if all(map(_is_path, value)) else None
    if place == "path" and _is_path(value):
        return NamedSource(name or _name(value, 0), Path(value))
    if place == "fused" and name and _is_path(value):
        return NamedSource(name, FusedFolder(Path(value)))
    if place == "water" and name and "fat" in fields:
        volumes = {key: fields[key] for key in VOLUME_KEYS.values() if key in fields}
        if all(map(_is_path, volumes.values())):
            return NamedSource(name, VolumePair(**{k: Path(path) for k, path in volumes.items()}))
    return None


def source_fields(source: NamedSource) -> dict[str, Any]:
    """Return a study as the fields of a JSON line, with absolute paths."""
    labels = {} if source.labels is None else {"labels": os.path.abspath(source.labels)}
    return {"name": source.name, **_place_fields(source.source), **labels}


def _place_fields(place: Source) -> dict[str, Any]:
    if isinstance(place, VolumePair):
        return {VOLUME_KEYS[contrast]: os.path.abspath(path) for contrast, path in place.files()}
    if isinstance(place, FusedFolder):
        return {"fused": os.path.abspath(place.path)}
    if isinstance(place, (str, Path)):
        return {"path": os.path.abspath(place)}
    return {"files": [os.path.abspath(path) for path in place]}


def _is_path(value: object) -> bool:
    """Return whether the value is text that the system can take as a file name."""
    try:
        return isinstance(value, str) and value != "" and b"\0" not in os.fsencode(value)
    except UnicodeEncodeError:
        return False


def file_names(source: NamedSource) -> set[str]:
    """Return the names of the files and folders of a study, with and without their suffixes.

    With volumes it is also the name that a study has by its file of water.
    """
    paths = [*paths_of(source.source), *([source.labels] if source.labels else [])]
    named = {
        part
        for path in paths
        for part in (path.name, source_name(path), without_volume_suffix(path.name))
    }
    if isinstance(source.source, VolumePair):
        named.add(name_of_volumes(source.source.water))
    return named - {""}


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
