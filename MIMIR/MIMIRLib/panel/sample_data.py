"""Offer the phantom study in the module Sample Data, category MIMIR."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import qt
import slicer

from MIMIRLib.job import JobState, Progress
from MIMIRLib.plain_text import plain
from MIMIRLib.translate import tr as _

CATEGORY, NAME = "MIMIR", "MIMIRPhantom"
#: Time for which the outcome is shown (milliseconds).
SHOWN_MS = 3000


class MadeOnDemand(list[str]):
    """The address of the phantom's archive, which is made and imported when it is asked for.

    The click in Sample Data calls the data set's own function. ``SampleData.downloadSample`` does
    not: in all versions of Slicer it downloads from the addresses, which it takes one by one.
    """

    def __iter__(self) -> Iterator[str]:
        """Import the phantom, and yield the address of its archive."""
        job = import_phantom()
        if job.error is not None:
            raise job.error
        for _path, error in job.failures:
            raise error
        if job.state is not JobState.DONE:
            raise RuntimeError(job.summary)
        yield job.archive.as_uri()


def register_phantom(icons: Path) -> None:
    """Offer the phantom study in the module Sample Data.

    ``SampleData.downloadSample("MIMIRPhantom")`` returns the path of its archive.

    Args:
        icons: The folder that holds ``MIMIRPhantom.png``.
    """
    import SampleData

    class PhantomSource(SampleData.SampleDataSource):
        """A data set whose text does not look at the addresses: that would make it."""

        def __str__(self) -> str:
            return f"{CATEGORY}: {NAME}"

    source = PhantomSource(
        sampleName=NAME,
        uris=[""],
        fileNames=[f"{NAME}.zip"],
        nodeNames=[NAME],
        loadFiles=[False],
        thumbnailFileName=str(Path(icons) / f"{NAME}.png"),
        customDownloader=import_phantom,
    )
    source.uris = MadeOnDemand([""])
    SampleData.SampleDataLogic.sampleDataSourcesByCategory().setdefault(CATEGORY, []).append(source)


def import_phantom(source: Any = None) -> Any:
    """Make the phantom study and import it into Slicer's DICOM database, showing the progress.

    Without a database, the user is asked whether to make one.

    Args:
        source: The argument of Sample Data; not needed.

    Returns:
        The ``PhantomImportJob``.
    """
    from MIMIRLib.errors import error_for_user
    from MIMIRLib.panel.import_job import PhantomImportJob
    from MIMIRLib.panel.slicer_services import SlicerServices

    title = _("MIMIR phantom")
    job = PhantomImportJob(slicer.dicomDatabase)
    try:
        SlicerServices().need_database()
    except Exception as error:  # shown, and given to a script
        job.error = error_for_user(error)
        _show_error(str(job.error), title)
        return job
    dialog = slicer.util.createProgressDialog(
        parent=slicer.util.mainWindow(), windowTitle=title, value=0, maximum=100
    )

    def show(progress: Progress) -> None:
        if dialog.wasCanceled:
            job.cancel()
            return
        dialog.labelText = progress.sentence
        dialog.value = int(100 * (progress.fraction or 0.0))

    job.progressed.connect(show)
    try:
        job.run(slicer.app.processEvents)
    finally:
        dialog.close()
    if job.failures or job.error is not None:
        _show_error(job.summary, title)
    else:
        slicer.util.delayDisplay(job.summary, SHOWN_MS)
    return job


def _show_error(text: str, title: str) -> None:
    slicer.util.errorDisplay(plain(text), windowTitle=title, textFormat=qt.Qt.PlainText)
