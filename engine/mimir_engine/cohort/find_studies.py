"""Find the studies in folders and among files: what is one study, and what are many.

An archive is a study, unless several archives of one folder are parts of one. Loose DICOM files
are one study, unless its folders hold different ones. Nothing is dropped: what is neither is passed
over with a reason.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Union

from mimir_engine.cohort.archive_parts import parts_of_studies
from mimir_engine.cohort.folder_tree import FolderNode, folder_of_files, folder_tree
from mimir_engine.cohort.loose_studies import (
    LooseStudy,
    StudyKey,
    first_identity,
    loose_studies,
    study_key,
)
from mimir_engine.errors import MimirError
from mimir_engine.study.passed_over import PassedOver
from mimir_engine.study.source_name import DIXON_FIELD
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
    found: list[FoundStudy] = []
    covered: set[int] = set()
    for study in loose_studies(tree):
        found += _with_archives(study, passed_over)
        covered |= {id(node) for node in study.nodes}
    for node in tree.with_below():
        if id(node) not in covered:
            found += _studies_of_archives(node.path, _peeked(node.archives)) + _single(node.bulk)
        passed_over += _other_fields(node)
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
        identity = first_identity([path]) if len(names) > 1 else None
        key = study_key(identity) if identity else ("study", "")
        by_study.setdefault(key if key[1] else ("file", path), []).append(path)
    found = [
        FoundStudy(folder if len(paths) > 1 else paths[0], tuple(paths))
        for paths in by_study.values()
    ]
    found += _studies_of_archives(folder, _peeked(node.archives)) + _single(node.bulk)
    place = {os.path.join(folder, name): number for number, name in enumerate(names)}
    return sorted(found, key=lambda study: place[study.paths[0]])


#: The study of an archive's first DICOM file, None if it holds none, or why it cannot be read.
_Peek = Union[StudyIdentity, MimirError, None]


def _with_archives(study: LooseStudy, passed_over: list[PassedOver]) -> list[FoundStudy]:
    """Join a study of loose files with its archives; archives of other studies are studies."""
    loose = [path for node in study.nodes for path in _loose_paths(node)]
    joined: list[str] = []
    others: list[FoundStudy] = []
    for node in study.nodes:
        apart: dict[str, _Peek] = {}
        for path, peek in _peeked(node.archives, at_least=1).items():
            if isinstance(peek, StudyIdentity) and study_key(peek) in study.keys:
                joined.append(path)
            elif reason := _no_study(peek, bool(node.loose)):
                passed_over.append(PassedOver(os.path.basename(path), reason))
            else:
                apart[path] = peek
        others += _studies_of_archives(node.path, apart) + _single(node.bulk)
    is_whole = study.is_whole and not others
    if is_whole and not any(node.other_fields for node in study.nodes):
        return _single([study.folder])
    folder = os.path.commonpath([os.path.dirname(path) for path in loose])
    return [FoundStudy(folder, (*loose, *joined)), *others]


def _loose_paths(node: FolderNode) -> list[str]:
    """Return the loose files of a folder; of one that cannot be listed itself, so that it fails."""
    return node.loose if node.is_readable else [node.path]


def _no_study(peek: _Peek, is_beside_loose: bool) -> str:
    """Return why an archive near loose files is passed over; empty if it is a study or fails."""
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
