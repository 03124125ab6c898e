"""Offer the phantom study in the module Sample Data, category MIMIR."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer

from MIMIRLib.job import Progress
from MIMIRLib.panel.import_job import PhantomImportJob
from MIMIRLib.plain_text import plain
from MIMIRLib.translate import tr as _

CATEGORY, NAME = "MIMIR", "MIMIRPhantom"
#: Time for which the outcome is shown (milliseconds).
SHOWN_MS = 3000


def register_phantom(icons: Path) -> None:
    """Offer the phantom study in the module Sample Data.

    It has no address to load from: it is made when the user asks for it.

    Args:
        icons: The folder that holds ``MIMIRPhantom.png``.
    """
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=NAME,
        uris=[],
        fileNames=[],
        nodeNames=[],
        thumbnailFileName=str(Path(icons) / f"{NAME}.png"),
        customDownloader=import_phantom,
    )


def import_phantom(source: Any = None) -> PhantomImportJob:
    """Make the phantom study and import it into Slicer's DICOM database, showing the progress.

    Args:
        source: The argument of Sample Data; not needed.
    """
    title = _("MIMIR phantom")
    job = PhantomImportJob(slicer.dicomDatabase)
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
    if job.failures:
        slicer.util.errorDisplay(plain(job.summary), windowTitle=title, textFormat=qt.Qt.PlainText)
    else:
        slicer.util.delayDisplay(job.summary, SHOWN_MS)
    return job
