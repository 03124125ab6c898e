"""Create study requests from Slicer's DICOM database, from files, or from volumes in the scene."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Union

from MIMIRLib.analysis.request import StudyRequest
from MIMIRLib.analysis.study_outcome import StudyOutcome
from MIMIRLib.database.study_files import files_of
from MIMIRLib.database.study_list import StudyEntry
from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.scene.fused_mark import fused_pair
from MIMIRLib.scene.subject import Subject

PathLike = Union[str, "os.PathLike[str]"]


def from_database(database: Any, study: Union[StudyEntry, str]) -> StudyRequest:
    """Return a study of the database, given its entry in the list or its UID.

    Raises:
        MimirError: ``STUDY_UNKNOWN``, ``FILES_GONE``.
    """
    files = files_of(database, study)
    if isinstance(study, StudyEntry):
        return StudyRequest(study.study_uid, files=files, subject=subject_of(study))
    return StudyRequest(study, files=files, subject=Subject(study_uid=study))


def all_from_database(
    database: Any, entries: Iterable[Union[StudyEntry, str]]
) -> Iterator[Union[StudyRequest, StudyOutcome]]:
    """Yield studies of the database, given by entries or UIDs; or why one cannot be measured."""
    for entry in entries:
        try:
            yield from_database(database, entry)
        except import_engine().MimirError as error:
            key = entry if isinstance(entry, str) else entry.study_uid
            yield StudyOutcome(key, code=error.code, reason=error.reason)


def from_paths(paths: Union[PathLike, Sequence[PathLike]]) -> tuple[StudyRequest, ...]:
    """Return studies in files.

    Archives and folders name the studies that they name on the command line. Several files are the
    slices of one study, named for the folder of the first.

    Raises:
        MimirError: ``NO_STUDIES``, ``NAME_REPEATED``.
    """
    from mimir_engine.cohort.sources import named_sources

    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    texts = [os.path.abspath(os.fspath(path)) for path in given]
    if texts and all(_is_slice(text) for text in texts):
        return (StudyRequest(Path(texts[0]).parent.name or "study", files=tuple(texts)),)
    return tuple(_request(named.name, named.source) for named in named_sources(texts).studies)


def from_volumes(water: Any, fat: Any, folder: Path) -> StudyRequest:
    """Return a study given by its fused volumes, which must carry MIMIR's mark.

    Args:
        water: The node of the fused water volume.
        fat: The node of the fused fat volume.
        folder: An empty folder for copies; it must exist until they are measured.

    Raises:
        MimirError: ``NOT_FUSED_BY_MIMIR``, ``VOLUME_TRANSFORMED``, ``VOLUMES_DIFFER``,
            ``OUTPUT_UNWRITABLE``.
    """
    from mimir_engine.fusion.fused_folder import write_fused

    water_volume, fat_volume, study = fused_pair(water, fat)
    write_fused(folder, study, water_volume, fat_volume)
    return StudyRequest(study["name"], fused=str(folder))


def subject_of(entry: StudyEntry) -> Subject:
    """Return whose study it is, as Slicer's list of studies has it."""
    return Subject(
        entry.study_uid,
        entry.patient_id,
        entry.patient_name,
        entry.study_date,
        entry.study_description,
    )


def _request(name: str, source: Any) -> StudyRequest:
    if isinstance(source, tuple):
        return StudyRequest(name, files=tuple(map(str, source)))
    return StudyRequest(name, path=str(source))


def _is_slice(path: str) -> bool:
    from mimir_engine.source.file_kind import kind_by_name

    return os.path.isfile(path) and not kind_by_name(path).is_archive
