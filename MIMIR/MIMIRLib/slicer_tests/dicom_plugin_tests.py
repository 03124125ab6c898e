"""Slicer's DICOM module loads a study as its three fused volumes only."""

from __future__ import annotations

import slicer

from MIMIRLib.scene.results import find_results
from MIMIRLib.slicer_tests.phantom_database import PHANTOM, SceneTest, phantom_entry


class DICOMPluginTest(SceneTest):
    """Load all series of a study, as a user does."""

    def test_the_studys_series_load_as_three_fused_volumes(self) -> None:
        """Only water, fat and fat fraction are loaded."""
        from DICOMLib import DICOMUtils

        entry = phantom_entry()
        series = list(slicer.dicomDatabase.seriesForStudy(entry.study_uid))
        assert len(series) == 24
        DICOMUtils.loadSeriesByUID(series)
        nodes = find_results(slicer.mrmlScene, entry.study_uid)
        assert nodes is not None
        volumes = slicer.util.getNodesByClass("vtkMRMLVolumeNode")
        assert set(volumes) == {nodes.water, nodes.fat, nodes.fraction}

    def test_loaded_volumes_can_be_measured(self) -> None:
        """They carry MIMIR's mark."""
        from DICOMLib import DICOMUtils

        from MIMIR import MIMIRLogic

        entry = phantom_entry()
        DICOMUtils.loadSeriesByUID(list(slicer.dicomDatabase.seriesForStudy(entry.study_uid)))
        nodes = find_results(slicer.mrmlScene, entry.study_uid)
        result = MIMIRLogic().analyzeVolumes(nodes.water, nodes.fat, **PHANTOM)
        assert result.key == entry.study_uid
        assert result.nodes.water is nodes.water
        assert result.nodes.table is not None
