"""Find the studies in folders and among files: what is one study, and what are many.

An archive is a study, unless several archives of one folder are parts of one. Loose DICOM files
are one study, unless its folders hold different ones. Nothing is dropped: what is neither is passed
over with a reason.
"""

from __future__ import annotations

import os
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
from mimir_engine.study.source_name import DIXON_FIELD, source_name
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
    found: list[FoundStudy] = []
    for node in tree.with_below():
        unpacked = [path for path in node.bulk if names and source_name(path) in names]
        found += _apart(node, within.get(id(node)), homes, unpacked, passed_over)
        passed_over += _other_fields(node)
    found += [one.found() for one in loose]
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
    found += _studies_of_archives(folder, _peeked(node.archives)) + _single(node.bulk)
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
    node: FolderNode,
    within: Optional[_Gathering],
    homes: Mapping[StudyKey, _Gathering],
    unpacked: Sequence[str],
    passed_over: list[PassedOver],
) -> list[FoundStudy]:
    """Return the studies of one folder's archives, after those of loose studies have joined them.

    Args:
        node: The folder.
        within: The loose study whose folder it is, if any.
        homes: The loose studies.
        unpacked: UK Biobank's archives that have the name of a folder of loose files.
        passed_over: Receives archives near loose files that are no studies.
    """
    apart: dict[str, _Peek] = {}
    at_least = 2 if within is None and not homes else 1
    for path, peek in _peeked([*node.archives, *unpacked], at_least).items():
        home = homes.get(study_key(peek)) if isinstance(peek, StudyIdentity) else None
        if home is not None:
            _join(path, home, within)
            home.bulk = path if path in unpacked else home.bulk
        elif within is not None and (reason := _no_study(peek, within.study, bool(node.loose))):
            passed_over.append(PassedOver(os.path.basename(path), reason))
        else:
            apart[path] = peek
    bulk = [path for path in node.bulk if path not in unpacked]
    if within is not None and (apart or bulk or node.other_fields):
        within.is_alone = False
    return _studies_of_archives(node.path, apart) + _single(bulk)


def _join(path: str, home: _Gathering, within: Optional[_Gathering]) -> None:
    home.archives.append(path)
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


def _peeked(archives: Sequence[str], at_least: int = 2) -> dict[str, _Peek]:
    """Look into archives for their studies, but only where there are some to tell apart."""
    return {path: _peek(path) if len(archives) >= at_least else None for path in archives}


def _peek(path: str) -> _Peek:
    try:
        return identity_of_archive(path)
    except MimirError as error:
        return error


def _studies_of_archives(folder: str, archives: Mapping[str, _Peek]) -> list[FoundStudy]:
    """Return the studies of one folder's archives; those of several are named after the folder.

    If several studies lie in archives of one folder, each is named after its first one.
    """
    known = {
        path: peek if isinstance(peek, StudyIdentity) else None for path, peek in archives.items()
    }
    groups = parts_of_studies(known)
    is_only = sum(len(paths) > 1 for paths in groups) == 1
    return [
        FoundStudy(folder if is_only and len(paths) > 1 else paths[0], paths) for paths in groups
    ]


def _single(paths: Iterable[str]) -> list[FoundStudy]:
    return [FoundStudy(path, (path,)) for path in paths]


def _other_fields(node: FolderNode) -> list[PassedOver]:
    reason = f"not the neck-to-knee MRI, which is field {DIXON_FIELD}"
    return [PassedOver(f"UK Biobank field {field}", reason) for field in node.other_fields]
