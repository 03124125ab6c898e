"""Tell which folders of loose DICOM files are one study, and which are many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Optional

from mimir_engine.discovery.folder_tree import FolderNode
from mimir_engine.errors import MimirError
from mimir_engine.headers.study_identity import StudyIdentity, identity_of_source

#: What tells studies apart: ``study`` with a UID (or a patient), or ``folder`` with the path of one
#: that cannot be listed, or whose files cannot be read.
StudyKey = tuple[str, str]
#: The key of files without UID and patient.
UNKNOWN: StudyKey = ("study", "")
_NO_KEYS: frozenset[StudyKey] = frozenset()


@dataclass(frozen=True)
class LooseStudy:
    """A study of loose files.

    Attributes:
        folder: The folder that it is named after.
        nodes: The folders whose files are its own.
        keys: What identifies it; several if it cannot be split, none if it was not looked at.
        is_whole: True if all that lies in and below ``folder`` is in ``nodes``.
    """

    folder: str
    nodes: tuple[FolderNode, ...]
    keys: frozenset[StudyKey]
    is_whole: bool


def loose_studies(tree: FolderNode) -> list[LooseStudy]:
    """Find the studies of loose files in a folder tree.

    The first DICOM file of each folder tells its study. A folder is split where no study is in two
    of its parts: its folders, and the files directly in it. A folder that cannot be read is a
    study of its own, which fails.
    """
    nodes = list(tree.with_below())
    with_files = [node for node in nodes if node.loose or not node.is_readable]
    if len(with_files) == 1 and not any(
        node.archives or node.bulk or node.other_fields for node in nodes
    ):
        return [LooseStudy(tree.path, tuple(nodes), _NO_KEYS, is_whole=True)]
    own = {id(node): _keys_of_files(node) for node in with_files}
    below: dict[int, frozenset[StudyKey]] = {}
    for node in reversed(nodes):  # folders before those they lie in
        inner = [below[id(child)] for child in node.children]
        below[id(node)] = own.get(id(node), _NO_KEYS).union(*inner)
    return list(_split(tree, own, below))


def study_key(identity: StudyIdentity) -> StudyKey:
    """Return what tells studies of loose files apart: the UID, or without one the patient."""
    return "study", identity.study_uid or identity.patient


def first_identity(paths: Iterable[str]) -> Optional[StudyIdentity]:
    """Tell to which study the first DICOM file belongs; None if none is.

    Raises:
        MimirError: if files cannot be read, and no other is a DICOM file.
    """
    failure: Optional[MimirError] = None
    for path in paths:
        try:
            identity = identity_of_source((path,))
        except MimirError as error:
            failure = error
            continue
        if identity is not None:
            return identity
    if failure is not None:
        raise failure
    return None


def _keys_of_files(node: FolderNode) -> frozenset[StudyKey]:
    if not node.is_readable:
        return frozenset([("folder", node.path)])
    try:
        identity = first_identity(node.loose)
    except MimirError:
        return frozenset([("folder", node.path)])
    return _NO_KEYS if identity is None else frozenset([study_key(identity)])


def _split(
    tree: FolderNode,
    own: dict[int, frozenset[StudyKey]],
    below: dict[int, frozenset[StudyKey]],
) -> Iterator[LooseStudy]:
    """Yield the studies of a tree, given the keys of each folder and those with all below it."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        keys, direct = below[id(node)], own.get(id(node), _NO_KEYS)
        parts = [direct, *(below[id(child)] for child in node.children)]
        are_disjoint = sum(map(len, parts)) == len(keys)
        is_one = len(keys) == 1 and any(kind == "study" for kind, _ in keys)
        if not keys:
            continue
        if not node.is_readable or is_one or not are_disjoint:
            yield LooseStudy(node.path, tuple(node.with_below()), keys, is_whole=True)
            continue
        if direct:
            yield LooseStudy(node.path, (node,), direct, is_whole=False)
        waiting += reversed(node.children)
