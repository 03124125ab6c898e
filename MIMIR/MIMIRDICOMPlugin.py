"""Load neck-to-knee Dixon studies in Slicer's DICOM module as fused water, fat and fat fraction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

import qt
import slicer
from DICOMLib import DICOMLoadable, DICOMPlugin

from MIMIRLib.database.completeness import Series
from MIMIRLib.database.fused_loadables import (
    MIN_STATIONS,
    FusionPlan,
    OncePerPress,
    files_of_all,
    kinds_of_files,
    plan_fusion,
    read_fused,
)
from MIMIRLib.database.study_list import iso_date
from MIMIRLib.engine.import_engine import EngineUnavailable, import_engine
from MIMIRLib.plain_text import plain
from MIMIRLib.scene.results import show_volumes
from MIMIRLib.scene.subject import Subject
from MIMIRLib.scene.subject_hierarchy import hierarchy_of
from MIMIRLib.translate import tr as _

#: Above all usual readers: the scalar volume reader has 0.5, the multi-volume reader 1, and the
#: image sequence reader 1.05 for cine MR.
CONFIDENCE = 1.1


class MIMIRDICOMPluginClass(DICOMPlugin):
    """Offers the Dixon series of a study as fused water, fat and fat fraction.

    Each other series of the scan has its own offer, so that no other reader loads it; all offers
    lead to the same nodes. Examination reads three tags of one file per series, and ImageType of
    some more files where the name gives no contrast; only loading checks whether the stations fit
    together. Nothing is cached, because the offers also depend on series
    of the database that are not examined.
    """

    def __init__(self) -> None:
        DICOMPlugin.__init__(self)
        self.loadType = _("Neck-to-knee Dixon (MIMIR)")
        self.tags.update(
            modality="0008,0060",
            imageType="0008,0008",
            instanceUID="0008,0018",
            studyDate="0008,0020",
            studyDescription="0008,1030",
            patientName="0010,0010",
            patientID="0010,0020",
        )

    def examineForImport(self, fileLists: Sequence[Sequence[str]]) -> list[Any]:
        """Return the offers for the chosen series, given as one list of files each."""
        import_engine()
        studies: dict[str, dict[str, Sequence[str]]] = {}
        for files in filter(None, fileLists):
            series_uid = slicer.dicomDatabase.seriesForFile(files[0])
            study_uid = slicer.dicomDatabase.studyForSeries(series_uid)
            studies.setdefault(study_uid, {})[series_uid] = files
        loadables = []
        for study_uid, chosen in studies.items():
            enough = len(chosen) >= MIN_STATIONS  # saves time with other studies
            plan = plan_fusion(self._mr_series(study_uid, chosen)) if enough else None
            if plan is not None:
                loadables += self._offers(study_uid, plan)
        return loadables

    def examine(self, fileLists: Sequence[Sequence[str]]) -> list[Any]:
        """Return nothing: Slicer calls this if ``examineForImport`` returned nothing."""
        return []

    def load(self, loadable: Any) -> Optional[Any]:
        """Return the water node; None if the study cannot be fused."""
        return loadable.nodes(loadable)

    def _mr_series(self, study_uid: str, chosen: Mapping[str, Sequence[str]]) -> list[Series]:
        series = []
        for uid in slicer.dicomDatabase.seriesForStudy(study_uid):
            files = chosen.get(uid) or slicer.dicomDatabase.filesForSeries(uid)
            if files and self._tag(files[0], "modality") in ("MR", ""):
                description = self._tag(files[0], "seriesDescription")
                kinds = kinds_of_files(description, files, self._image_type)
                series.append(Series(uid, description, kinds, tuple(chosen.get(uid, ()))))
        return series

    def _image_type(self, path: str) -> str:
        return self._tag(path, "imageType")

    def _tag(self, path: str, name: str) -> str:
        return slicer.dicomDatabase.fileValue(path, self.tags[name])

    def _offers(self, study_uid: str, plan: FusionPlan) -> list[Any]:
        nodes = OncePerPress(lambda: self._make(study_uid, plan))
        name = _("Water, fat and fat fraction, fused from {stations} stations")
        tooltip = _("One volume each from neck to knee, from {count} files")
        part_name = _("{series}: part of the fused volumes")
        part_tooltip = _(
            "Loads the same fused volumes. To load only this series, tick another reader."
        )
        return [
            _offer(
                plan.files,
                nodes,
                name.format(stations=plan.stations),
                tooltip.format(count=len(plan.files)),
            ),
            *(
                _offer(one.files, nodes, part_name.format(series=one.description), part_tooltip)
                for one in plan.companions
            ),
        ]

    def _make(self, study_uid: str, plan: FusionPlan) -> Optional[Any]:
        """Read, fuse and show the study; if that fails, show why and leave the scene unchanged."""
        MimirError = import_engine().MimirError
        subject = self._subject(plan.files[0])
        try:
            fused, study = read_fused(study_uid, plan.files)
            nodes = show_volumes(slicer.mrmlScene, study_uid, fused, study, subject)
        except (MimirError, EngineUnavailable) as error:
            slicer.util.errorDisplay(
                plain(_("The study cannot be fused: {reason}").format(reason=error.reason)),
                windowTitle=self.loadType,
                textFormat=qt.Qt.PlainText,
            )
            return None
        self._file_under_study(plan, *nodes)
        selection = slicer.app.applicationLogic().GetSelectionNode()
        selection.SetActiveVolumeID(nodes[0].GetID())
        slicer.app.applicationLogic().PropagateVolumeSelection()
        return nodes[0]

    def _subject(self, path: str) -> Subject:
        """Return whose study it is; without a UID, since Slicer itself makes the study's item."""
        tags = ("patientID", "patientName", "studyDate", "studyDescription")
        patient_id, name, date, description = (self._tag(path, tag) for tag in tags)
        return Subject("", patient_id, name, iso_date(date), description)

    def _file_under_study(self, plan: FusionPlan, water: Any, fat: Any, fraction: Any) -> None:
        """Let Slicer create the items of patient and study, and move MIMIR's folder there."""
        hierarchy = hierarchy_of(slicer.mrmlScene)
        last = hierarchy.GetItemByDataNode(fraction)
        folder = hierarchy.GetItemParent(last)
        for node, series in ((water, plan.water), (fat, plan.fat)):
            self.addSeriesInSubjectHierarchy(_offer(files_of_all(series)), node)
            item = hierarchy.GetItemByDataNode(node)
            if hierarchy.GetItemParent(folder) == hierarchy.GetSceneItemID():
                hierarchy.SetItemParent(folder, hierarchy.GetItemParent(item))
            hierarchy.SetItemParent(item, folder)
            hierarchy.MoveItem(item, last)


def _offer(
    files: Sequence[str], nodes: Optional[OncePerPress] = None, name: str = "", tooltip: str = ""
) -> Any:
    loadable = DICOMLoadable()
    loadable.files = list(files)
    loadable.selected = True
    loadable.confidence = CONFIDENCE
    loadable.nodes, loadable.name, loadable.tooltip = nodes, plain(name), tooltip
    return loadable


class MIMIRDICOMPlugin:
    """Registers the plugin in Slicer's DICOM module; a module without a panel."""

    def __init__(self, parent: Any) -> None:
        parent.title = "MIMIR DICOM Plugin"
        parent.categories = ["Developer Tools.DICOM Plugins"]
        parent.contributors = ["MIMIR contributors"]
        parent.helpText = _(
            "Loads neck-to-knee Dixon studies as fused water, fat and fat fraction."
        )
        parent.acknowledgementText = ""
        parent.hidden = True
        if not hasattr(slicer.modules, "dicomPlugins"):
            slicer.modules.dicomPlugins = {}
        slicer.modules.dicomPlugins["MIMIRDICOMPlugin"] = MIMIRDICOMPluginClass
