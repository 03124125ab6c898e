"""Sort the files of a folder tree into archives and loose files, by their names alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mimir_engine.source.file_kind import kind_by_name
from mimir_engine.source.folder_files import folders_below
from mimir_engine.source.source_name import DIXON_FIELD, uk_biobank_field


@dataclass
class FolderNode:
    """A folder and what lies in it.

    Attributes:
        path: Its path.
        loose: Paths of its files that are no archives by their names.
        archives: Paths of its archives that are not UK Biobank's.
        bulk: Paths of UK Biobank's archives of the neck-to-knee MRI, each a study.
        other_fields: Fields of UK Biobank's other archives in it.
        children: Its folders.
        is_readable: False if it cannot be listed.
    """

    path: str
    loose: list[str] = field(default_factory=list)
    archives: list[str] = field(default_factory=list)
    bulk: list[str] = field(default_factory=list)
    other_fields: list[str] = field(default_factory=list)
    children: list[FolderNode] = field(default_factory=list)
    is_readable: bool = True

    def with_below(self) -> Iterator[FolderNode]:
        """Yield this folder and all folders below it, each before its own folders."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += reversed(node.children)


def folder_tree(root: str) -> FolderNode:
    """List a folder tree; folders that cannot be listed are part of it."""
    nodes: dict[str, FolderNode] = {}
    for folder in folders_below(root):
        node = nodes[folder.path] = folder_of_files(folder.path, folder.files)
        node.is_readable = folder.error is None
        if len(nodes) > 1:
            nodes[os.path.dirname(folder.path)].children.append(node)
    return nodes[root]


def folder_of_files(folder: str, names: Iterable[str]) -> FolderNode:
    """Sort files of one folder.

    Args:
        folder: Path of the folder.
        names: Names of the files in it.
    """
    node = FolderNode(folder)
    for name in names:
        uk_biobank = uk_biobank_field(name)
        if uk_biobank and uk_biobank != DIXON_FIELD:
            node.other_fields.append(uk_biobank)
            continue
        is_archive = kind_by_name(name).is_archive
        files = node.bulk if uk_biobank else node.archives if is_archive else node.loose
        files.append(os.path.join(folder, name))
    return node
