"""What happens in the scene around MIMIR's results is noticed, and what is deleted is forgotten."""

import pytest

pytest.importorskip("slicer")

import slicer
import vtk
from scene_study import saved_and_loaded, study_details

from MIMIRLib.scene.cohort import find_cohort
from MIMIRLib.scene.forget import forget_deleted
from MIMIRLib.scene.index import all_indices, subject_of
from MIMIRLib.scene.results import find_results, show_studies
from MIMIRLib.scene.scene_watch import SceneWatch
from MIMIRLib.scene.subject import Subject
from MIMIRLib.scene.subject_hierarchy import hierarchy_of
from MIMIRLib.scene.transaction import discard


@pytest.fixture
def scene():
    scene = slicer.vtkMRMLScene()
    hierarchy_of(scene)
    return scene


class Watched:
    """A watch, what it puts off, and how often it told of a change."""

    def __init__(self, scene):
        self.due, self.count = [], 0
        self.watch = SceneWatch(scene, self.due.append)
        self.watch.changed.connect(self.tell)

    def tell(self):
        self.count += 1

    def settle(self):
        while self.due:
            self.due.pop()()


def show(scene, tmp_path, *keys, volumes=True):
    studies = [
        (
            study_details(tmp_path / key, key),
            Subject(key, f"P{key}", f"Doe^{key}", "2020-02-29", "MRI"),
        )
        for key in keys
    ]
    list(show_studies(scene, studies, volumes))


def delete_patient(scene, patient_id):
    """Delete all that the tree shows of a patient, as Slicer's module Data does."""
    hierarchy = hierarchy_of(scene)
    patient, items = hierarchy.GetItemByUID("DICOM", patient_id), vtk.vtkIdList()
    hierarchy.GetItemChildren(patient, items, True)
    nodes = map(hierarchy.GetItemDataNode, map(items.GetId, range(items.GetNumberOfIds())))
    constants = slicer.vtkMRMLSubjectHierarchyConstants
    hidden = constants.GetSubjectHierarchyExcludeFromTreeAttributeName()
    discard(scene, [node for node in nodes if node and not node.GetAttribute(hidden)])
    hierarchy.RemoveItem(patient, False, True)


def texts_of(scene):
    """All names and attributes of the scene's nodes."""
    for node in scene.GetNodes():
        yield node.GetName() or ""
        for name in node.GetAttributeNames() or ():
            yield node.GetAttribute(name)


def test_a_deleted_patient_leaves_nothing_behind(scene, tmp_path):
    watched = Watched(scene)
    before = scene.GetNumberOfNodes()
    show(scene, tmp_path, "1.1")
    delete_patient(scene, "P1.1")
    watched.settle()
    assert find_results(scene, "1.1") is None
    assert not list(all_indices(scene))
    assert scene.GetNumberOfNodes() == before
    assert not [text for text in texts_of(scene) if "P1.1" in text or "Doe" in text]


def test_a_deleted_patients_row_leaves_the_cohort(scene, tmp_path):
    watched = Watched(scene)
    show(scene, tmp_path, "1.1", "1.2", "1.3", volumes=False)
    table = find_cohort(scene)
    delete_patient(scene, "P1.2")
    watched.settle()
    assert find_cohort(scene) is table
    assert table.GetNumberOfRows() == 2
    patients = table.GetTable().GetColumnByName("patient")
    assert [patients.GetValue(row) for row in range(2)] == ["P1.1", "P1.3"]
    assert subject_of(scene, "1.2") == Subject()


def test_one_study_is_no_cohort(scene, tmp_path):
    watched = Watched(scene)
    show(scene, tmp_path, "1.1", "1.2", volumes=False)
    delete_patient(scene, "P1.2")
    watched.settle()
    assert find_cohort(scene) is None
    assert [index.GetAttribute("MIMIR.Study") for index in all_indices(scene)] == ["1.1"]


def test_a_deleted_chart_takes_its_data_along_and_nothing_else(scene, tmp_path):
    watched = Watched(scene)
    show(scene, tmp_path, "1.1", volumes=False)
    results = find_results(scene, "1.1")
    scene.RemoveNode(results.chart)
    watched.settle()
    assert scene.GetNumberOfNodesByClass("vtkMRMLPlotSeriesNode") == 3
    assert scene.GetNumberOfNodesByClass("vtkMRMLTableNode") == 2
    assert find_results(scene, "1.1").profile is results.profile
    assert subject_of(scene, "1.1").patient_id == "P1.1"


def test_a_cohort_that_the_user_deleted_does_not_come_back(scene, tmp_path):
    watched = Watched(scene)
    show(scene, tmp_path, "1.1", "1.2", "1.3", volumes=False)
    scene.RemoveNode(find_cohort(scene))
    delete_patient(scene, "P1.3")
    watched.settle()
    assert find_cohort(scene) is None


def test_new_results_are_told_once_they_are_complete(scene, tmp_path):
    watched = Watched(scene)
    making = show_studies(scene, [(study_details(tmp_path / "s"), Subject())])
    next(making)
    assert not watched.due
    list(making)
    watched.settle()
    assert watched.count == 1
    show(scene, tmp_path, "1.2", volumes=False)
    watched.settle()
    assert watched.count == 2


def test_other_nodes_are_of_no_interest(scene):
    watched = Watched(scene)
    scene.RemoveNode(scene.AddNode(slicer.vtkMRMLTableNode()))
    assert not watched.due


def test_measuring_again_forgets_nothing(scene, tmp_path):
    watched = Watched(scene)
    for folder in ("a", "b"):
        show(scene, tmp_path / folder, "1.1", "1.2")
        watched.settle()
    results = find_results(scene, "1.1")
    assert None not in (results.water, results.table, results.chart, results.profile)
    assert results.chart.GetNumberOfPlotSeriesNodes() == 4
    assert find_cohort(scene).GetNumberOfRows() == 2


def test_closing_the_scene_is_not_the_users_deletion(scene, tmp_path):
    watched = Watched(scene)
    show(scene, tmp_path, "1.1", "1.2", volumes=False)
    watched.settle()
    scene.Clear(False)
    watched.settle()
    assert not list(all_indices(scene))


def test_nothing_is_forgotten_while_a_scene_is_read(scene, tmp_path):
    watched = Watched(scene)
    show(scene, tmp_path, "1.1")
    scene.StartState(scene.ImportState)
    results = find_results(scene, "1.1")
    scene.RemoveNode(results.chart)
    watched.settle()
    assert scene.GetNumberOfNodesByClass("vtkMRMLPlotSeriesNode") == 7
    scene.EndState(scene.ImportState)
    watched.settle()
    assert scene.GetNumberOfNodesByClass("vtkMRMLPlotSeriesNode") == 3


def test_a_loaded_scene_is_complete(scene, tmp_path):
    show(scene, tmp_path, "1.1", "1.2")
    loaded = saved_and_loaded(scene, tmp_path / "saved")
    before = loaded.GetNumberOfNodes()
    forget_deleted(loaded)
    assert loaded.GetNumberOfNodes() == before


def test_a_closed_watch_does_nothing(scene, tmp_path):
    watched = Watched(scene)
    show(scene, tmp_path, "1.1", volumes=False)
    watched.watch.close()
    watched.settle()
    delete_patient(scene, "P1.1")
    assert not watched.due
    assert watched.count == 0
