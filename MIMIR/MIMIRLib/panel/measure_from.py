"""Open MIMIR with studies that were chosen in the modules Data and DICOM."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import qt
import slicer
import vtk

from MIMIRLib.translate import tr as _

#: Name of the button in the DICOM module.
BUTTON = "MeasureWithMIMIRButton"
PLUGIN_FILE = Path(__file__).with_name("MIMIRSubjectHierarchyPlugin.py")


def register_actions() -> None:
    """Offer "Measure with MIMIR" in the modules Data and DICOM; done once, when Slicer starts."""
    plugin = slicer.qSlicerSubjectHierarchyScriptedPlugin(None)
    plugin.setPythonSource(PLUGIN_FILE.as_posix())
    window = slicer.util.mainWindow()
    if window is not None:
        window.moduleSelector().connect("moduleSelected(QString)", _module_selected)


def open_with(study_uids: Sequence[str]) -> None:
    """Open the module MIMIR with these studies ticked; Apply then measures them."""
    if slicer.util.mainWindow() is not None:
        slicer.util.selectModule("MIMIR")
    widget = slicer.util.getModuleWidget("MIMIR")
    widget.presenter.tick_only(study_uids)
    widget.view.ui.applyButton.setFocus()


def dixon_studies(item: int) -> list[str]:
    """Return the UIDs of a patient's or study's Dixon scans in the DICOM database.

    Args:
        item: ID in the subject hierarchy; none are returned for other items.
    """
    from MIMIRLib.database.study_list import find_study
    from MIMIRLib.panel.dicom_database import database_file

    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    uids = list(dict.fromkeys(_study_uids(hierarchy, item)))
    try:
        return [uid for uid in uids if find_study(database_file(), uid) is not None]
    except Exception:  # no database, or one in use: a menu is no place for errors
        return []


def _study_uids(hierarchy: Any, item: int) -> Iterator[str]:
    constants = slicer.vtkMRMLSubjectHierarchyConstants
    level = hierarchy.GetItemLevel(item)
    if level == constants.GetDICOMLevelStudy():
        uid = hierarchy.GetItemUID(item, constants.GetDICOMUIDName())
        if uid:
            yield uid
    elif level == constants.GetDICOMLevelPatient():
        children = vtk.vtkIdList()
        hierarchy.GetItemChildren(item, children, False)
        for index in range(children.GetNumberOfIds()):
            yield from _study_uids(hierarchy, children.GetId(index))


def _module_selected(name: str) -> None:
    """Add the button to the DICOM module after it was opened for the first time."""
    if name == "DICOM":
        qt.QTimer.singleShot(0, add_button)


def add_button() -> None:
    """Add a button beside Load in Slicer's DICOM browser, unless it is there."""
    browser = getattr(slicer.modules.DICOMInstance, "browserWidget", None)
    if browser is None or slicer.util.findChildren(browser, BUTTON):
        return
    button = qt.QPushButton(_("Measure with MIMIR"))
    button.objectName = BUTTON
    button.toolTip = _("Opens the module MIMIR with the selected studies ticked.")
    button.connect("clicked()", lambda: open_with(selected_studies(browser)))
    browser.actionButtonLayout.addWidget(button)


def selected_studies(browser: Any) -> list[str]:
    """Return the UIDs of the studies selected in the DICOM browser.

    If only patients are selected, these are all of their studies.
    """
    tables = browser.dicomBrowser.dicomTableManager()
    database = slicer.dicomDatabase
    studies = list(tables.currentStudiesSelection())
    for patient in () if studies else tables.currentPatientsSelection():
        studies += database.studiesForPatient(patient)
    return [str(uid) for uid in studies]
