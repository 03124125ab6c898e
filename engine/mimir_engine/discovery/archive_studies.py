"""Find the studies of archives: most are one each, some are parts of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Optional, Union

from mimir_engine.discovery.archive_parts import parts_of_studies
from mimir_engine.discovery.found_study import FoundStudy, common_folder, each_a_study
from mimir_engine.errors import MimirError
from mimir_engine.headers.study_identity import StudyIdentity, identity_of_archive, instances_of

#: The study of an archive's first DICOM file, None if it holds none, or why it cannot be read.
Peek = Union[StudyIdentity, MimirError, None]


def peeked(archives: Sequence[str], is_beside_loose: bool = False) -> dict[str, Peek]:
    """Look into archives for their studies, but only where there are some to tell apart.

    Args:
        archives: Paths.
        is_beside_loose: True if there are also studies of loose files.
    """
    is_needed = is_beside_loose or len(archives) > 1
    return {path: _peek(path) if is_needed else None for path in archives}


def studies_of_archives(folders: Iterable[Mapping[str, Peek]]) -> list[FoundStudy]:
    """Return the studies of archives, given folder by folder.

    Parts of a study lie in one folder, or each in a folder of its own. The study is named after the
    folder that holds them all, or after its first archive if that folder holds several such ones.
    """
    groups: list[tuple[str, ...]] = []
    singles: dict[str, Optional[StudyIdentity]] = {}
    for archives in folders:
        known = {path: p if isinstance(p, StudyIdentity) else None for path, p in archives.items()}
        for paths in _without_copies(parts_of_studies(known)):
            if len(paths) > 1:
                groups.append(paths)
            else:
                singles[paths[0]] = known[paths[0]]
    alone = _without_copies(parts_of_studies(singles))
    groups += [paths for paths in alone if len(paths) > 1]
    places = [common_folder(paths) for paths in groups]
    count = Counter(places)
    found = [
        FoundStudy(place if count[place] == 1 else paths[0], paths)
        for place, paths in zip(places, groups)
    ]
    return found + each_a_study(paths[0] for paths in alone if len(paths) == 1)


def _without_copies(groups: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Take apart groups whose archives share images: each is a study, and some may be damaged."""
    return [part for paths in groups for part in (_each(paths) if _share(paths) else [paths])]


def _each(paths: Sequence[str]) -> list[tuple[str, ...]]:
    return [(path,) for path in paths]


def _share(paths: Sequence[str]) -> bool:
    """Return whether archives share images, as copies do; false if one cannot be listed."""
    if len(paths) < 2:
        return False
    try:
        found = [instances_of(path) for path in paths]
    except MimirError:
        return False
    return len(set().union(*found)) < sum(map(len, found))


def _peek(path: str) -> Peek:
    try:
        return identity_of_archive(path)
    except MimirError as error:
        return error
