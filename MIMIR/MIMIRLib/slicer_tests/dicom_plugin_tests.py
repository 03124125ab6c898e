"""Slicer's DICOM module: a study examined and loaded gives its three fused volumes alone."""

from __future__ import annotations

import slicer

from MIMIRLib.scene.results import find_results
from MIMIRLib.slicer_tests.phantom_database import PHANTOM, SceneTest, phantom_entry


class DICOMPluginTest(SceneTest):
    """The whole study, as a user selects it."""

    def test_the_studys_series_load_as_three_fused_volumes(self) -> None:
        """Water, fat and fat fraction, filed under the study, and nothing else."""
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
