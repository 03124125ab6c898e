"""Offer "Measure with MIMIR" in the context menu of patients and studies in the module Data.

Slicer loads this file by its path, and takes the class that has the file's name. So that Slicer
starts fast, the rest of the module is imported when somebody opens such a menu.
"""

from __future__ import annotations

from typing import Any

import qt
import slicer
from SubjectHierarchyPlugins import AbstractScriptedSubjectHierarchyPlugin

from MIMIRLib.translate import tr as _


class MIMIRSubjectHierarchyPlugin(AbstractScriptedSubjectHierarchyPlugin):
    """Adds an action to patients and studies that contain a Dixon scan; it owns no items."""

    def __init__(self, scriptedPlugin: Any) -> None:
        scriptedPlugin.name = "MIMIR"
        AbstractScriptedSubjectHierarchyPlugin.__init__(self, scriptedPlugin)
        self.action = qt.QAction(_("Measure with MIMIR"), scriptedPlugin)
        self.action.objectName = "MeasureWithMIMIRAction"
        self.action.connect("triggered()", self.onMeasure)

    def canAddNodeToSubjectHierarchy(self, node: Any, parentItemID: int) -> float:
        """Return that nodes of all kinds have other owners."""
        return 0.0

    def canOwnSubjectHierarchyItem(self, itemID: int) -> float:
        """Return that items of all kinds have other owners."""
        return 0.0

    def roleForPlugin(self) -> str:
        """Return that there is no role."""
        return "N/A"

    def itemContextMenuActions(self) -> list[Any]:
        """Return the action."""
        return [self.action]

    def sceneContextMenuActions(self) -> list[Any]:
        """Return that the scene has no action."""
        return []

    def showContextMenuActionsForItem(self, itemID: int) -> None:
        """Show the action if the item is a patient or study with a Dixon scan."""
        from MIMIRLib.panel.measure_from import dixon_studies

        self.action.visible = bool(dixon_studies(itemID))

    def onMeasure(self) -> None:
        """Open the module with the studies of the current item ticked."""
        from MIMIRLib.panel.measure_from import dixon_studies, open_with

        handler = slicer.qSlicerSubjectHierarchyPluginHandler.instance()
        open_with(dixon_studies(handler.currentItem()))
