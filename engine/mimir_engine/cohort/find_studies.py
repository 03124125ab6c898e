"""Find the studies in folders and among files: what is one study, and what are many.

An archive is a study, unless several archives of one folder are parts of one. Loose DICOM files
are one study, unless its folders hold different ones. Nothing is dropped: what is neither is passed
over with a reason.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Optional, Union

from mimir_engine.cohort.archive_parts import parts_of_studies
from mimir_engine.cohort.folder_tree import FolderNode, folder_of_files, folder_tree
from mimir_engine.cohort.loose_studies import (
    UNKNOWN,
    LooseStudy,
    StudyKey,
    first_identity,
    loose_studies,
    study_key,
)
from mimir_engine.errors import MimirError
from mimir_engine.study.passed_over import PassedOver
from mimir_engine.study.source_name import DIXON_FIELD, source_name, uk_biobank_field
from mimir_engine.study.study_identity import StudyIdentity, identity_of_archive


@dataclass(frozen=True)
class FoundStudy:
    """A study that was found.

    Attributes:
        place: The archive, file or folder that it is named after.
        paths: Its files or folders.
    """

    place: str
    paths: tuple[str, ...]


def studies_in_folder(root: str, passed_over: list[PassedOver]) -> list[FoundStudy]:
    """Find the studies in a folder and below it, sorted by their places.

    Args:
        root: The folder.
        passed_over: Receives files that are not measured, and why.
    """
    tree = folder_tree(root)
    loose = [_Gathering(study) for study in loose_studies(tree)]
    homes = {key: one for one in loose for key in one.study.keys if key != UNKNOWN}
    within = {id(node): one for one in loose for node in one.study.nodes}
    names = {os.path.basename(node.path) for node in tree.with_below() if id(node) in within}
    peeks = _peeked([path for node in tree.with_below() for path in node.archives], bool(loose))
    found: list[FoundStudy] = []
    apart: list[dict[str, _Peek]] = []
    for node in tree.with_below():
        unpacked = [path for path in node.bulk if names and source_name(path) in names]
        near = {**{path: peeks[path] for path in node.archives}, **_peeked(unpacked, True)}
        apart.append(_apart(near, within.get(id(node)), homes, bool(node.loose), passed_over))
        bulk = [path for path in node.bulk if path not in unpacked]
        if id(node) in within and (apart[-1] or bulk or node.other_fields):
            within[id(node)].is_alone = False
        found += _single(bulk)
        passed_over += _other_fields(node)
    found += _studies_of_archives(apart) + [one.found() for one in loose]
    if not found and not passed_over:
        return _single([root])
    return sorted(found, key=lambda study: os.path.normcase(study.place).split(os.sep))


def studies_among_files(
    folder: str, names: Sequence[str], passed_over: list[PassedOver]
) -> list[FoundStudy]:
    """Find the studies among files of one folder that were given one by one, in their order.

    Args:
        folder: Path of the folder.
        names: Names of the files; a file may be missing.
        passed_over: As in ``studies_in_folder``.
    """
    node = folder_of_files(folder, names)
    passed_over += _other_fields(node)
    by_study: dict[StudyKey, list[str]] = {}
    for path in node.loose:
        key = _key_of_file(path) if len(names) > 1 else UNKNOWN
        by_study.setdefault(("file", path) if key == UNKNOWN else key, []).append(path)
    found = [
        FoundStudy(folder if len(paths) > 1 else paths[0], tuple(paths))
        for paths in by_study.values()
    ]
    found += _studies_of_archives([_peeked(node.archives)]) + _single(node.bulk)
    place = {os.path.join(folder, name): number for number, name in enumerate(names)}
    return sorted(found, key=lambda study: place[study.paths[0]])


def _key_of_file(path: str) -> StudyKey:
    try:
        identity = first_identity([path])
    except MimirError:  # reading it says what is wrong
        return UNKNOWN
    return UNKNOWN if identity is None else study_key(identity)


#: The study of an archive's first DICOM file, None if it holds none, or why it cannot be read.
_Peek = Union[StudyIdentity, MimirError, None]


@dataclass
class _Gathering:
    """A study of loose files, and what archives add to it.

    Attributes:
        study: The loose files.
        archives: Archives of the same study.
        is_alone: False if other studies lie among its folders, or archives of it elsewhere.
        bulk: The archive of UK Biobank among them, whose name tells the participant.
    """

    study: LooseStudy
    archives: list[str] = field(default_factory=list)
    is_alone: bool = True
    bulk: str = ""

    def found(self) -> FoundStudy:
        """Return the study: its folder if all in that is its own, else its files."""
        if self.study.is_whole and self.is_alone:
            return FoundStudy(self.bulk or self.study.folder, (self.study.folder,))
        loose = [path for node in self.study.nodes for path in _loose_paths(node)]
        folder = os.path.commonpath([os.path.dirname(path) for path in loose])
        return FoundStudy(self.bulk or folder, (*loose, *self.archives))


def _apart(
    near: Mapping[str, _Peek],
    within: Optional[_Gathering],
    homes: Mapping[StudyKey, _Gathering],
    is_beside_loose: bool,
    passed_over: list[PassedOver],
) -> dict[str, _Peek]:
    """Let the archives of one folder join studies of loose files; return the others.

    Args:
        near: The archives.
        within: The study of loose files whose folder it is, if any.
        homes: The studies of loose files.
        is_beside_loose: True if loose files lie in the same folder.
        passed_over: Receives archives near loose files that are no studies.
    """
    apart: dict[str, _Peek] = {}
    for path, peek in near.items():
        home = homes.get(study_key(peek)) if isinstance(peek, StudyIdentity) else None
        if home is not None:
            _join(path, home, within)
        elif within is not None and (reason := _no_study(peek, within.study, is_beside_loose)):
            passed_over.append(PassedOver(os.path.basename(path), reason))
        else:
            apart[path] = peek
    return apart


def _join(path: str, home: _Gathering, within: Optional[_Gathering]) -> None:
    home.archives.append(path)
    if uk_biobank_field(os.path.basename(path)):
        home.bulk = path
    if home is not within:
        home.is_alone = False
        if within is not None:
            within.is_alone = False


def _loose_paths(node: FolderNode) -> list[str]:
    """Return the loose files of a folder; of one that cannot be listed itself, so that it fails."""
    return node.loose if node.is_readable else [node.path]


def _no_study(peek: _Peek, study: LooseStudy, is_beside_loose: bool) -> str:
    """Return why an archive near loose files is passed over; empty if it is a study or fails."""
    if not any(kind == "study" for kind, _ in study.keys):
        return ""
    if peek is None:
        return "holds no DICOM files"
    if isinstance(peek, MimirError) and peek.code == "ARCHIVE_UNSUPPORTED" and is_beside_loose:
        return "an archive of a kind that is not opened"
    return ""


def _peeked(archives: Sequence[str], is_beside_loose: bool = False) -> dict[str, _Peek]:
    """Look into archives for their studies, but only where there are some to tell apart."""
    is_needed = is_beside_loose or len(archives) > 1
    return {path: _peek(path) if is_needed else None for path in archives}


def _peek(path: str) -> _Peek:
    try:
        return identity_of_archive(path)
    except MimirError as error:
        return error


def _studies_of_archives(folders: Iterable[Mapping[str, _Peek]]) -> list[FoundStudy]:
    """Return the studies of archives, given folder by folder.

    Parts of a study lie in one folder, or each in a folder of its own. The study is named after the
    folder that holds them all, or after its first archive if that folder holds several such studies.
    """
    groups: list[tuple[str, ...]] = []
    singles: dict[str, Optional[StudyIdentity]] = {}
    for archives in folders:
        known = {path: p if isinstance(p, StudyIdentity) else None for path, p in archives.items()}
        for paths in parts_of_studies(known):
            if len(paths) > 1:
                groups.append(paths)
            else:
                singles[paths[0]] = known[paths[0]]
    alone = parts_of_studies(singles)
    groups += [paths for paths in alone if len(paths) > 1]
    places = [os.path.commonpath([os.path.dirname(path) for path in paths]) for paths in groups]
    count = Counter(places)
    found = [
        FoundStudy(place if count[place] == 1 else paths[0], paths)
        for place, paths in zip(places, groups)
    ]
    return found + [FoundStudy(paths[0], paths) for paths in alone if len(paths) == 1]


def _single(paths: Iterable[str]) -> list[FoundStudy]:
    return [FoundStudy(path, (path,)) for path in paths]


def _other_fields(node: FolderNode) -> list[PassedOver]:
    reason = f"not the neck-to-knee MRI, which is field {DIXON_FIELD}"
    return [PassedOver(f"UK Biobank field {field}", reason) for field in node.other_fields]
