"""Find the archives of a folder that together are one study, such as one archive per series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Optional

from mimir_engine.headers.study_identity import StudyIdentity


def parts_of_studies(
    archives: Mapping[str, Optional[StudyIdentity]],
) -> list[tuple[str, ...]]:
    """Group archives of one folder by the study that they are parts of.

    Parts have the same study UID, patient and date, and different series. A careless anonymiser
    gives many patients one study UID: then the same series number belongs to different series, and
    each archive is a study. So is each copy of one archive.

    Args:
        archives: Paths, each with the identity of its first DICOM file; None if there is none.

    Returns:
        The archives of each study, in the order of their first ones.
    """
    groups: dict[object, list[str]] = {}
    for path, identity in archives.items():
        is_known = identity is not None and identity.study_uid != ""
        groups.setdefault(identity[:3] if is_known and identity else path, []).append(path)
    place = {path: number for number, path in enumerate(archives)}
    found: list[tuple[str, ...]] = []
    for paths in groups.values():
        members = [identity for path in paths if (identity := archives[path]) is not None]
        found += [tuple(paths)] if _are_parts(members) else [(path,) for path in paths]
    return sorted(found, key=lambda paths: place[paths[0]])


def _are_parts(members: Sequence[StudyIdentity]) -> bool:
    series = {(member.series_number, member.series_uid) for member in members}
    numbers = {number for number, _ in series}
    are_copies = len({member.first for member in members}) == 1
    return len(series) == len(numbers) and not are_copies
