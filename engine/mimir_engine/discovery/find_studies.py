"""Find the studies in folders and among files: what is one study, and what are many.

An archive is a study, unless several archives of one folder are parts of one. Loose DICOM files
are one study, unless its folders hold different ones. Nothing is dropped: what is neither is passed
over with a reason.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from mimir_engine.discovery.archive_studies import Peek, peeked, studies_of_archives
from mimir_engine.discovery.folder_tree import FolderNode, folder_of_files, folder_tree
from mimir_engine.discovery.found_study import FoundStudy, each_a_study
from mimir_engine.discovery.gathered_study import GatheredStudy, archives_apart
from mimir_engine.discovery.loose_studies import (
    UNKNOWN,
    StudyKey,
    first_identity,
    loose_studies,
    study_key,
)
from mimir_engine.errors import MimirError
from mimir_engine.source.passed_over import PassedOver
from mimir_engine.source.source_name import DIXON_FIELD, source_name


def studies_in_folder(root: str, passed_over: list[PassedOver]) -> list[FoundStudy]:
    """Find the studies in a folder and below it, sorted by their places.

    Args:
        root: The folder.
        passed_over: Receives files that are not measured, and why.
    """
    tree = folder_tree(root)
    loose = [GatheredStudy(study) for study in loose_studies(tree)]
    homes = {key: one for one in loose for key in one.study.keys if key != UNKNOWN}
    within = {id(node): one for one in loose for node in one.study.nodes}
    names = {os.path.basename(node.path) for node in tree.with_below() if id(node) in within}
    peeks = peeked([path for node in tree.with_below() for path in node.archives], bool(loose))
    found: list[FoundStudy] = []
    apart: list[dict[str, Peek]] = []
    for node in tree.with_below():
        unpacked = [path for path in node.bulk if names and source_name(path) in names]
        near = {**{path: peeks[path] for path in node.archives}, **peeked(unpacked, True)}
        home = within.get(id(node))
        apart.append(archives_apart(near, home, homes, bool(node.loose), passed_over))
        bulk = [path for path in node.bulk if path not in unpacked]
        if home is not None and (apart[-1] or bulk or node.other_fields):
            home.is_alone = False
        found += each_a_study(bulk)
        passed_over += _other_fields(node)
    found += studies_of_archives(apart) + [one.found() for one in loose]
    if not found and not any(node.other_fields for node in tree.with_below()):
        return each_a_study([root])
    return sorted(found, key=lambda study: os.path.normcase(study.place).split(os.sep))


def studies_among_files(paths: Sequence[str], passed_over: list[PassedOver]) -> list[FoundStudy]:
    """Find the studies among files that were given one by one, in their order.

    Args:
        paths: Paths of different files; a file may be missing.
        passed_over: As in ``studies_in_folder``.
    """
    names: dict[str, list[str]] = {}
    for path in paths:
        names.setdefault(os.path.dirname(path), []).append(os.path.basename(path))
    nodes = [folder_of_files(folder, names[folder]) for folder in names]
    peeks = peeked([path for node in nodes for path in node.archives])
    found = studies_of_archives({path: peeks[path] for path in node.archives} for node in nodes)
    for node in nodes:
        found += _loose_among(node) + each_a_study(node.bulk)
        passed_over += _other_fields(node)
    place = {path: number for number, path in enumerate(paths)}
    return sorted(found, key=lambda study: place[study.paths[0]])


def _loose_among(node: FolderNode) -> list[FoundStudy]:
    """Group loose files of one folder by their studies; each other file is a study that fails."""
    by_study: dict[StudyKey, list[str]] = {}
    for path in node.loose:
        key = _key_of_file(path) if len(node.loose) > 1 else UNKNOWN
        by_study.setdefault(("file", path) if key == UNKNOWN else key, []).append(path)
    return [
        FoundStudy(node.path if len(paths) > 1 else paths[0], tuple(paths))
        for paths in by_study.values()
    ]


def _key_of_file(path: str) -> StudyKey:
    try:
        identity = first_identity([path])
    except MimirError:  # reading it says what is wrong
        return UNKNOWN
    return UNKNOWN if identity is None else study_key(identity)


def _other_fields(node: FolderNode) -> list[PassedOver]:
    reason = f"not the neck-to-knee MRI, which is field {DIXON_FIELD}"
    return [PassedOver(f"UK Biobank field {field}", reason) for field in node.other_fields]
