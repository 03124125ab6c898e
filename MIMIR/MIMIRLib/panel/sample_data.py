"""The phantom study among Slicer's sample data, category MIMIR."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from MIMIRLib.panel.importer import DatabaseImport, ImportProgress, PhantomImport

CATEGORY, NAME = "MIMIR", "MIMIRPhantom"
#: How long (milliseconds) the outcome is shown.
SHOWN_MS = 3000


def register_phantom(icons: Path) -> None:
    """Offer the phantom study in the module Sample Data.

    It has no address to load from: it is made here, when asked for.

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


def import_phantom(source: Any = None) -> DatabaseImport:
    """Make the phantom study and take it into Slicer's DICOM database, showing how far it is.

    Args:
        source: What Sample Data hands over; not needed.
    """
    work = PhantomImport(slicer.dicomDatabase)
    dialog = slicer.util.createProgressDialog(
        parent=slicer.util.mainWindow(), windowTitle=_("MIMIR phantom"), value=0, maximum=100
    )

    def show(progress: ImportProgress) -> None:
        if dialog.wasCanceled:
            work.cancel()
            return
        dialog.labelText = progress.sentence
        dialog.value = int(100 * progress.fraction)

    work.progressed.connect(show)
    try:
        work.run()
    finally:
        dialog.close()
    if work.failures:
        slicer.util.errorDisplay(work.summary, windowTitle=_("MIMIR phantom"))
    else:
        slicer.util.delayDisplay(work.summary, SHOWN_MS)
    return work
