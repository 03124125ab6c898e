"""Gather what belongs to a study of loose files: the files, and archives of the same study."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

from mimir_engine.discovery.archive_studies import Peek
from mimir_engine.discovery.folder_tree import FolderNode
from mimir_engine.discovery.found_study import FoundStudy, common_folder
from mimir_engine.discovery.loose_studies import LooseStudy, StudyKey, study_key
from mimir_engine.errors import MimirError
from mimir_engine.headers.study_identity import StudyIdentity
from mimir_engine.source.passed_over import PassedOver
from mimir_engine.source.source_name import uk_biobank_field


@dataclass
class GatheredStudy:
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
        return FoundStudy(self.bulk or common_folder(loose), (*loose, *self.archives))


def archives_apart(
    near: Mapping[str, Peek],
    within: Optional[GatheredStudy],
    homes: Mapping[StudyKey, GatheredStudy],
    is_beside_loose: bool,
    passed_over: list[PassedOver],
) -> dict[str, Peek]:
    """Let the archives of one folder join studies of loose files; return the others.

    Args:
        near: The archives.
        within: The study of loose files whose folder it is, if any.
        homes: The studies of loose files.
        is_beside_loose: True if loose files lie in the same folder.
        passed_over: Receives archives near loose files that are no studies.
    """
    apart: dict[str, Peek] = {}
    for path, peek in near.items():
        home = homes.get(study_key(peek)) if isinstance(peek, StudyIdentity) else None
        if home is not None:
            _join(path, home, within)
        elif within is not None and (reason := _no_study(peek, within.study, is_beside_loose)):
            passed_over.append(PassedOver(os.path.basename(path), reason))
        else:
            apart[path] = peek
    return apart


def _join(path: str, home: GatheredStudy, within: Optional[GatheredStudy]) -> None:
    home.archives.append(path)
    if uk_biobank_field(os.path.basename(path)):
        home.bulk = path
    if home is not within:
        home.is_alone = False
        if within is not None:
            within.is_alone = False


def _no_study(peek: Peek, study: LooseStudy, is_beside_loose: bool) -> str:
    """Return why an archive near loose files is passed over; empty if it is a study or fails."""
    if not any(kind == "study" for kind, _ in study.keys):
        return ""
    if peek is None:
        return "holds no DICOM files"
    if isinstance(peek, MimirError) and peek.code == "ARCHIVE_UNSUPPORTED" and is_beside_loose:
        return "an archive of a kind that is not opened"
    return ""


def _loose_paths(node: FolderNode) -> list[str]:
    """Return the loose files of a folder; of one that cannot be listed itself, so that it fails."""
    return node.loose if node.is_readable else [node.path]
