"""The files of a study in Slicer's DICOM database."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Protocol, Union

from MIMIRLib.database.study_list import StudyEntry


class Database(Protocol):
    """What is needed of a ``ctkDICOMDatabase``."""

    def seriesForStudy(self, study_uid: str) -> Sequence[str]:  # noqa: N802
        """UIDs of a study's series."""

    def filesForSeries(self, series_uid: str) -> Sequence[str]:  # noqa: N802
        """Absolute paths of a series' files."""


def files_of(database: Database, study: Union[StudyEntry, str]) -> tuple[str, ...]:
    """Paths of a study's Dixon series, all of which are there.

    Args:
        database: ``slicer.dicomDatabase``.
        study: An entry of the list of studies, or a study's UID. By its UID all of its series are
            taken: the engine passes over what is no Dixon image.

    Raises:
        MimirError: ``STUDY_UNKNOWN``, ``FILES_GONE``.
    """
    if isinstance(study, StudyEntry):
        study_uid, series_uids = study.study_uid, study.series_uids
    else:
        study_uid, series_uids = study, tuple(database.seriesForStudy(study))
    files = tuple(path for uid in series_uids for path in database.filesForSeries(uid))
    if not files:
        from mimir_engine import MimirError

        raise MimirError(
            "STUDY_UNKNOWN",
            f"Slicer's DICOM database holds no images of study {study_uid}",
            "Import the study, or check the UID.",
        )
    check_there(files, study_uid)
    return files


def check_there(files: Iterable[str], study_uid: str) -> None:
    """See whether the files that the database names are still on the disk.

    Raises:
        MimirError: ``FILES_GONE``.
    """
    files = tuple(files)
    gone = sum(not os.path.isfile(path) for path in files)
    if not gone:
        return
    from mimir_engine import MimirError

    raise MimirError(
        "FILES_GONE",
        f"Slicer's DICOM database names {len(files)} files of study {study_uid}, but"
        f" {gone} of them can no longer be found",
        "Connect the disk they lie on, or delete the study in the module DICOM and import it anew.",
    )
