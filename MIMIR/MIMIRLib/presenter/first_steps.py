"""Lead from an empty panel to a first result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable

from MIMIRLib.database.study_list import StudyEntry
from MIMIRLib.job import Job
from MIMIRLib.job_chain import JobChain, Link
from MIMIRLib.presenter.protocols import Services
from MIMIRLib.translate import tr as _

#: The inference module that measures the phantom.
PHANTOM_MODULE = "phantom"
#: Shares of the whole time: installing packages, making and importing the phantom, measuring it.
INSTALLING, MAKING, MEASURING = 4, 2, 3


def try_it(
    services: Services, install: Callable[[], Job], measure: Callable[[str], Job]
) -> JobChain:
    """Return a job that installs what is missing, and imports and measures the phantom.

    Args:
        services: Do the work. A DICOM database is made first if the user agrees.
        install: Returns the job that installs missing packages.
        measure: Returns the job that measures the study with a UID.

    Raises:
        MimirError: Without a DICOM database.
    """
    services.need_database()
    return JobChain(
        (
            Link(INSTALLING, install),
            Link(MAKING, services.phantom_job),
            Link(MEASURING, lambda: measure(services.phantom_uid())),
        )
    )


def not_in_list(study_uids: Sequence[str], entries: Sequence[StudyEntry]) -> str:
    """Return that studies cannot be measured because the list lacks them; empty if it does not."""
    known = {entry.study_uid for entry in entries}
    missing = sum(uid not in known for uid in study_uids)
    if missing == 0 and study_uids:
        return ""
    if len(study_uids) <= 1:
        return _("This study is no neck-to-knee Dixon scan in Slicer's DICOM database.")
    text = _("{missing} of {count} studies are no neck-to-knee Dixon scans in the DICOM database.")
    return text.format(missing=missing, count=len(study_uids))
