"""Find the files of a study in Slicer's DICOM database."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Union

from MIMIRLib.database.study_list import StudyEntry
from MIMIRLib.errors import mimir_error
from MIMIRLib.translate import tr as _


def files_of(database: Any, study: Union[StudyEntry, str]) -> tuple[str, ...]:
    """Return the paths of a study's Dixon series, after checking that all files exist.

    Args:
        database: ``slicer.dicomDatabase``, a ``ctkDICOMDatabase``.
        study: An entry of the list of studies, or a study's UID. A UID gives all of its series: the
            engine ignores images that are not Dixon.

    Raises:
        MimirError: ``STUDY_UNKNOWN``, ``FILES_GONE``.
    """
    if isinstance(study, StudyEntry):
        study_uid, series_uids = study.study_uid, study.series_uids
    else:
        study_uid, series_uids = study, tuple(database.seriesForStudy(study))
    files = tuple(path for uid in series_uids for path in database.filesForSeries(uid))
    if not files:
        raise mimir_error(
            "STUDY_UNKNOWN",
            _("Slicer's DICOM database contains no images of study {uid}").format(uid=study_uid),
            _("Import the study, or check the UID."),
        )
    check_files_exist(files, study_uid)
    return files


def check_files_exist(files: Sequence[str], study_uid: str) -> None:
    """Check that the files of a study are still on the disk.

    Raises:
        MimirError: ``FILES_GONE``.
    """
    gone = sum(not os.path.isfile(path) for path in files)
    if gone:
        raise mimir_error(
            "FILES_GONE",
            _(
                "Slicer's DICOM database lists {count} files of study {uid}, but {gone} of them"
                " were not found"
            ).format(count=len(files), uid=study_uid, gone=gone),
            _(
                "Connect the disk they are on, or delete the study in the module DICOM and import"
                " it again."
            ),
        )
