"""Volumes and segmentations of the scene are measured as the engine measures their files."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np
import pytest

pytest.importorskip("slicer")

import slicer
from conftest import ENGINE_FOLDER

from mimir_engine.files.csv_writer import write_csv
from mimir_engine.fusion import FusedVolumes
from mimir_engine.fusion.fused_folder import describe_study
from mimir_engine.fusion.volume_files.image_file import write_image
from mimir_engine.measuring.one_study import read_and_fuse
from mimir_engine.study.dixon_study import DixonStudy
from mimir_engine.study.volume import Volume
from MIMIRLib.analysis.conditions import CONDITIONS_MARK
from MIMIRLib.analysis.measure_job import MeasureJob
from MIMIRLib.analysis.request import AnalysisRequest
from MIMIRLib.analysis.scene_studies import all_chosen
from MIMIRLib.analysis.study_outcome import StudyOutcome
from MIMIRLib.job import JobState
from MIMIRLib.scene.results import find_results, show_volumes
from MIMIRLib.scene.scene_pair import ScenePair
from MIMIRLib.scene.subject import Subject
from MIMIRLib.scene.subject_hierarchy import hierarchy_of
from MIMIRLib.scene.volumes import RAS_FROM_LPS, image_of, volume_node, vtk_matrix

#: Numbers and names of the labels of `organs`.
NAMES = {3: "Liver", 8: "Thigh muscle (left)"}


@dataclass(frozen=True)
class Scan:
    """A phantom, fused by the engine."""

    study: DixonStudy
    fused: FusedVolumes

    @property
    def organs(self) -> np.ndarray:
        """A label map on the grid of the volumes: lean tissue of two parts of the body."""
        water, fat = self.fused.water.array, self.fused.fat.array
        lean = (water > 2 * fat) & (water > water.max() / 5)
        labels = np.zeros(water.shape, np.uint16)
        labels[200:230][lean[200:230]] = 3
        labels[20:50, :, 112:][lean[20:50, :, 112:]] = 8
        return labels


@pytest.fixture(scope="module")
def scan(phantom_zip: Path) -> Scan:
    return Scan(*read_and_fuse(phantom_zip))


@pytest.fixture
def scene() -> Iterator[Any]:
    scene = slicer.vtkMRMLScene()
    hierarchy_of(scene)
    yield scene
    scene.Clear(True)


def pair_of(scene: Any, scan: Scan) -> ScenePair:
    """Water and fat as nodes that MIMIR knows nothing of."""
    nodes = [
        volume_node(volume, name)
        for volume, name in ((scan.fused.water, "my water"), (scan.fused.fat, "my fat"))
    ]
    for node in nodes:
        scene.AddNode(node)
    return ScenePair(*nodes)


def segmentation_of(scene: Any, labels: np.ndarray, affine: np.ndarray) -> Any:
    """A segmentation as Slicer makes it of a label map, with our names."""
    label_map = slicer.vtkMRMLLabelMapVolumeNode()
    label_map.SetIJKToRASMatrix(vtk_matrix(RAS_FROM_LPS @ affine))
    label_map.SetAndObserveImageData(image_of(labels))
    scene.AddNode(label_map)
    node = slicer.vtkMRMLSegmentationNode()
    scene.AddNode(node)
    logic = slicer.vtkSlicerSegmentationsModuleLogic()
    logic.SetMRMLScene(scene)
    assert logic.ImportLabelmapToSegmentationNode(label_map, node)
    scene.RemoveNode(label_map)
    segmentation = node.GetSegmentation()
    for place in range(segmentation.GetNumberOfSegments()):
        segment = segmentation.GetNthSegment(place)
        segment.SetName(NAMES[segment.GetLabelValue()])
    return node


def measured(
    scene: Any, pair: ScenePair, folder: Path, segmentation: Optional[Any] = None
) -> StudyOutcome:
    """Measure a study of the scene as the panel does."""
    folder.mkdir()
    found = all_chosen(None, [pair], segmentation, folder)
    job = MeasureJob(scene, AnalysisRequest((), (), volumes=False), found, folder)
    job.run(lambda: None)
    assert job.state is JobState.DONE, job.summary
    (outcome,) = [*job.results, *job.failures]
    return outcome


def command_line(scan: Scan, folder: Path) -> dict[str, list[dict[str, str]]]:
    """The tables that the command line writes about files of the same volumes and labels."""
    affine = scan.fused.water.affine
    files = {name: folder / f"{name}.nrrd" for name in ("water", "fat", "labels")}
    write_image(files["water"], scan.fused.water)
    write_image(files["fat"], scan.fused.fat)
    write_image(files["labels"], Volume(scan.organs, affine))
    write_csv(folder / "names.csv", ["label", "name"], list(NAMES.items()))
    options = [f"--{name}={path}" for name, path in files.items()]
    command = [sys.executable, "-m", "mimir_engine", "measure", *options]
    command += [f"--names={folder / 'names.csv'}", f"--output={folder / 'results'}"]
    environment = {**os.environ, "PYTHONPATH": str(ENGINE_FOLDER)}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    tables = {}
    for name in ("measurements", "labels"):
        with open(folder / "results" / f"{name}.csv", encoding="utf-8", newline="") as file:
            tables[name] = list(csv.DictReader(file))
    return tables


def text(value: Any) -> str:
    return "" if value is None else str(value)


def test_volumes_and_labels_have_the_command_lines_numbers_to_the_last_digit(
    scene: Any, scan: Scan, tmp_path: Path
) -> None:
    segmentation = segmentation_of(scene, scan.organs, scan.fused.water.affine)
    pair = pair_of(scene, scan)
    outcome = measured(scene, pair, tmp_path / "scene", segmentation)
    tables = command_line(scan, tmp_path)

    (row,) = tables["measurements"]
    direct = {f"direct_{q.name}_in_{q.unit}": q.value for q in outcome.direct}
    assert {name: row[name] for name in direct} == {k: text(v) for k, v in direct.items()}
    assert [one.title for one in outcome.labels] == list(NAMES.values())
    for one, known in zip(outcome.labels, tables["labels"]):
        assert (one.name, text(one.voxels)) == (known["label_name"], known["voxels"])
        assert text(one.volume_l) == known["volume_litres"]
        for name in ("fat_fraction", "fat_fraction_median", "core_fat_fraction"):
            assert text(getattr(one, f"{name}_percent")) == known[f"{name}_percent"]
    assert row["flags"].split(";") == list(outcome.flags)


def test_results_are_named_after_the_volume_and_refer_to_it(
    scene: Any, scan: Scan, tmp_path: Path
) -> None:
    pair = pair_of(scene, scan)
    outcome = measured(scene, pair, tmp_path / "scene")
    assert outcome.key == pair.key == pair.water.GetID()
    table = outcome.nodes.table
    assert table.GetName() == "Measurements - my water"
    assert table.GetNodeReference("MIMIR.Source.water") is pair.water
    assert table.GetNodeReference("MIMIR.Source.fat") is pair.fat
    assert table.GetAttribute(CONDITIONS_MARK) is None
    assert pair.water.GetScene() is scene
    assert "SCANNER_UNKNOWN" in outcome.flags


def test_a_moved_volume_is_measured_where_it_is(scene: Any, scan: Scan, tmp_path: Path) -> None:
    transform = slicer.vtkMRMLLinearTransformNode()
    scene.AddNode(transform)
    transform.SetMatrixTransformToParent(vtk_matrix(np.diag([-1.0, -1.0, 1.0, 1.0])))
    pair = pair_of(scene, scan)
    turned = RAS_FROM_LPS @ np.diag([-1.0, -1.0, 1.0, 1.0]) @ scan.fused.water.affine
    for _contrast, node in pair.nodes():  # turned by half a turn, and back by the transform
        node.SetIJKToRASMatrix(vtk_matrix(turned))
        node.SetAndObserveTransformNodeID(transform.GetID())
    there = measured(scene, pair_of(scene, scan), tmp_path / "there")
    moved = measured(scene, pair, tmp_path / "moved")
    assert moved.direct == there.direct


def test_volumes_that_mimir_has_fused_are_measured_as_their_study(
    scene: Any, scan: Scan, tmp_path: Path
) -> None:
    description = describe_study(scan.study)
    key = scan.study.name
    water, fat, _fraction = show_volumes(scene, key, scan.fused, description, Subject())
    outcome = measured(scene, ScenePair(water, fat), tmp_path / "own")
    assert outcome.key == key
    assert "SCANNER_UNKNOWN" not in outcome.flags
    assert find_results(scene, key).water is water
    swapped = measured(scene, ScenePair(fat, water), tmp_path / "swapped")
    assert swapped.code == "VOLUMES_DIFFER"


def test_a_study_below_a_patient_belongs_to_the_patient(
    scene: Any, scan: Scan, tmp_path: Path
) -> None:
    pair = pair_of(scene, scan)
    hierarchy, constants = hierarchy_of(scene), slicer.vtkMRMLSubjectHierarchyConstants
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "Doe^Jane")
    study = hierarchy.CreateStudyItem(patient, "Visit")
    hierarchy.SetItemUID(study, constants.GetDICOMUIDName(), "1.2.3")
    for item, name, value in (
        (patient, constants.GetDICOMPatientNameAttributeName(), "Doe^Jane"),
        (patient, constants.GetDICOMPatientIDAttributeName(), "P1"),
        (study, constants.GetDICOMStudyInstanceUIDAttributeName(), "1.2.3"),
        (study, constants.GetDICOMStudyDateAttributeName(), "20200229"),
    ):
        hierarchy.SetItemAttribute(item, name, value)
    hierarchy.CreateItem(study, pair.water)
    outcome = measured(scene, pair, tmp_path / "scene")
    assert outcome.nodes.label == "Doe, Jane, 2020-02-29, my water"
    folder = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(outcome.nodes.table))
    assert hierarchy.GetItemParent(folder) == study


def test_what_cannot_be_written_is_a_failure_with_its_reason(
    scene: Any, scan: Scan, tmp_path: Path
) -> None:
    pair = pair_of(scene, scan)
    empty = slicer.vtkMRMLSegmentationNode()
    scene.AddNode(empty)
    outcome = measured(scene, pair, tmp_path / "scene", empty)
    assert (outcome.key, outcome.code) == (pair.key, "SEGMENTATION_EMPTY")
