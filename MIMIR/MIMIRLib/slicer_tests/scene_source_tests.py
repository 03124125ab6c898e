"""Volumes and segmentations of the scene are measured, and files lie where DICOM studies lie."""

from __future__ import annotations

import csv
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from MIMIRLib.engine.import_engine import engine_folder, import_engine
from MIMIRLib.engine.process import slicer_python
from MIMIRLib.scene.results import find_results
from MIMIRLib.scene.volumes import RAS_FROM_LPS, array_of, image_of, lps_affine_of, vtk_matrix
from MIMIRLib.slicer_tests.panel_tests import PanelCase
from MIMIRLib.slicer_tests.phantom_database import (
    SceneTest,
    phantom_entry,
    phantom_zip,
    wait_until,
)

#: Places that differ by less (mm) are the same; NIfTI files keep float32.
TOLERANCE_MM = 1e-3
#: Labels of the test's segmentation.
LIVER, THIGH = 3, 8


def fused_by_engine() -> Any:
    """Return the engine's water and fat volumes of the phantom's archive."""
    import_engine()
    from mimir_engine.measuring.one_study import read_and_fuse

    return read_and_fuse(phantom_zip())[1]


def own_volume(volume: Any, name: str) -> Any:
    """Return a node of the scene that MIMIR knows nothing of, with a copy of a volume."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetIJKToRASMatrix(vtk_matrix(RAS_FROM_LPS @ volume.affine))
    node.SetAndObserveImageData(image_of(volume.array))
    return node


def organs(water: np.ndarray, fat: np.ndarray) -> np.ndarray:
    """Return a label map of lean tissue in two parts of the body."""
    lean = (water > 2 * fat) & (water > water.max() / 5)
    labels = np.zeros(water.shape, np.uint16)
    labels[200:230][lean[200:230]] = LIVER
    labels[20:50, :, 112:][lean[20:50, :, 112:]] = THIGH
    return labels


def segmentation_of(labels: np.ndarray, volume: Any) -> Any:
    """Return a segmentation of a label map on the voxels of a volume node."""
    label_map = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    label_map.CopyOrientation(volume)
    label_map.SetAndObserveImageData(image_of(labels))
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "organs")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    logic = slicer.modules.segmentations.logic()
    assert logic.ImportLabelmapToSegmentationNode(label_map, node)
    slicer.mrmlScene.RemoveNode(label_map)
    segmentation = node.GetSegmentation()
    for place, name in enumerate(("Liver", "Thigh muscle left")):
        segmentation.GetNthSegment(place).SetName(name)
    return node


class ScenePanelTest(PanelCase):
    """The panel's section of volumes and segmentation."""

    def tearDown(self) -> None:
        """Choose nothing of the scene."""
        for selector in self.module.view.selectors.values():
            selector.setCurrentNode(None)
        super().tearDown()

    def test_two_volumes_and_a_segmentation_are_measured(self) -> None:
        """The results have the volume's name; each segment has rows in the table."""
        self.tick_modules(False)  # they demand a known scanner
        self.addCleanup(self.tick_modules, True)
        fused = fused_by_engine()
        water, fat = own_volume(fused.water, "my water"), own_volume(fused.fat, "my fat")
        segmentation = segmentation_of(organs(fused.water.array, fused.fat.array), water)
        assert not self.ui.applyButton.enabled
        self.ui.sceneSection.collapsed = False
        self.ui.waterSelector.setCurrentNode(water)
        assert "or neither." in self.ui.applyButton.toolTip
        self.ui.fatSelector.setCurrentNode(fat)
        self.ui.segmentationSelector.setCurrentNode(segmentation)
        assert self.ui.applyButton.enabled, self.ui.applyButton.toolTip
        assert self.ui.tickedLabel.text.startswith("No study is ticked; the volumes")

        self.ui.applyButton.click()
        wait_until(lambda: not self.ui.cancelButton.enabled)

        assert self.ui.statusLabel.text.startswith("1 study measured"), self.ui.statusLabel.text
        nodes = find_results(slicer.mrmlScene, water.GetID())
        assert nodes is not None
        assert nodes.table.GetName() == "Measurements - my water"
        assert nodes.table.GetNodeReference("MIMIR.Source.water") is water
        wanted = {"Liver: volume (segment)", "Thigh muscle left: fat fraction inside (segment)"}
        wait_until(lambda: wanted <= self.shown_rows())
        assert self.ui.waterSelector.currentNode() is water

    def test_a_segmentation_belongs_to_one_study(self) -> None:
        """With two studies, Apply says what to do; with the ticked one alone, it measures."""
        fused = fused_by_engine()
        water, fat = own_volume(fused.water, "my water"), own_volume(fused.fat, "my fat")
        segmentation = segmentation_of(organs(fused.water.array, fused.fat.array), water)
        self.ui.segmentationSelector.setCurrentNode(segmentation)
        self.ui.waterSelector.setCurrentNode(water)
        self.ui.fatSelector.setCurrentNode(fat)
        self.tick_study()
        assert "one study" in self.ui.applyButton.toolTip
        assert not self.ui.applyButton.enabled
        self.ui.waterSelector.setCurrentNode(None)
        self.ui.fatSelector.setCurrentNode(None)
        self.measure()
        wait_until(lambda: "Liver: volume (segment)" in self.shown_rows())

    def shown_rows(self) -> set[str]:
        """Return the first cell of each row of the table of measurements."""
        return {row[0] for row in self.texts(self.ui.measurementsView)}

    def tick_study(self) -> None:
        """Tick the phantom beside the volumes."""
        self.module.presenter.tick_study(phantom_entry().study_uid, True)

    def test_a_deleted_volume_is_chosen_no_more(self) -> None:
        """Closing the scene clears all choices, too."""
        fused = fused_by_engine()
        water = own_volume(fused.water, "my water")
        self.ui.waterSelector.setCurrentNode(water)
        slicer.mrmlScene.RemoveNode(water)
        assert self.module.logic.getParameterNode().water is None
        assert "Tick at least one study." in self.ui.applyButton.toolTip


class SceneConsoleTest(SceneTest):
    """The console measures volumes and labels as the command line measures their files."""

    def test_labels_have_the_command_lines_numbers(self) -> None:
        """A segmentation of a DICOM study, and its label map in a file, to the last digit."""
        from MIMIR import MIMIRLogic
        from MIMIRLib.scene.volume_file import write_array

        fused = fused_by_engine()
        water = own_volume(fused.water, "my water")
        labels = organs(fused.water.array, fused.fat.array)
        segmentation = segmentation_of(labels, water)
        result = MIMIRLogic().measureStudy(
            phantom_entry().study_uid, segmentation=segmentation, volumes=False
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "labels.nrrd"
            write_array(labels, RAS_FROM_LPS @ lps_affine_of(water), path)
            known = command_line_labels(phantom_zip(), path, Path(folder) / "results")
        assert [one.title for one in result.labels] == ["Liver", "Thigh muscle left"]
        for one, row in zip(result.labels, known):
            assert str(one.label) == row["label"]
            assert str(one.volume_l) == row["volume_litres"]
            for name in ("fat_fraction_percent", "core_fat_fraction_percent"):
                assert str(getattr(one, name)) == row[name]

    def test_volumes_are_measured_where_they_are(self) -> None:
        """Volumes of a study that MIMIR did not fuse have the direct measurements of the study."""
        from MIMIR import MIMIRLogic

        fused = fused_by_engine()
        water, fat = own_volume(fused.water, "my water"), own_volume(fused.fat, "my fat")
        study = MIMIRLogic().measureStudy(phantom_entry().study_uid, volumes=False)
        volumes = MIMIRLogic().measureVolumes(water, fat, volumes=False)
        assert volumes.direct == study.direct
        assert "SCANNER_UNKNOWN" in volumes.flags


class StitchedFileTest(SceneTest):
    """A stitched NIfTI and the DICOM study lie on each other."""

    def setUp(self) -> None:
        """Look for the package that writes NIfTI files."""
        super().setUp()
        if find_spec("nibabel") is None:
            self.skipTest("This test needs nibabel in Slicer's Python.")

    def test_a_stitched_nifti_lies_on_the_fused_volume(self) -> None:
        """The same bounds, and each voxel at the same place, in both of MIMIR's formats."""
        from MIMIR import MIMIRLogic

        fused = fused_by_engine()
        from mimir_engine.fusion.volume_files.image_file import write_image

        shown = MIMIRLogic().measureStudy(phantom_entry().study_uid).nodes.water
        for suffix in (".nii.gz", ".nrrd"):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"water{suffix}"
                write_image(path, fused.water)
                loaded = slicer.util.loadVolume(str(path))
            bounds = [[0.0] * 6, [0.0] * 6]
            shown.GetRASBounds(bounds[0])
            loaded.GetRASBounds(bounds[1])
            np.testing.assert_allclose(*bounds, rtol=0, atol=TOLERANCE_MM)
            off_mm, same = voxels_apart(shown, loaded)
            assert off_mm < TOLERANCE_MM, f"{suffix}: {off_mm} mm"
            assert same, suffix


def voxels_apart(one: Any, other: Any) -> tuple[float, bool]:
    """Return how far voxels of a node lie from those of another, and whether signals are equal."""
    array, affine = array_of(one), RAS_FROM_LPS @ lps_affine_of(one)
    other_array, other_affine = array_of(other), RAS_FROM_LPS @ lps_affine_of(other)
    rng = np.random.default_rng(17)
    slices, rows, columns = (rng.integers(0, size, 5000) for size in array.shape)
    places = affine @ np.stack([columns, rows, slices, np.ones(5000)])
    nearest = np.rint(np.linalg.solve(other_affine, places))
    off_mm = np.abs(other_affine @ nearest - places).max()
    column, row, slice_ = nearest[:3].astype(int)
    signals = other_array[slice_, row, column], array[slices, rows, columns]
    return float(off_mm), bool(np.array_equal(*signals))


def command_line_labels(study: Path, labels: Path, results: Path) -> list[dict[str, str]]:
    """Return the rows of ``labels.csv`` of the command line."""
    command = [str(slicer_python()), "-m", "mimir_engine", "measure", str(study)]
    command += [f"--labels={labels}", f"--output={results}"]
    subprocess.run(command, cwd=engine_folder(), check=True, capture_output=True)
    with open(results / "labels.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
