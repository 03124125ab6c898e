import pytest

pytest.importorskip("slicer")

import numpy as np
import slicer
import vtk
from scene_study import (
    ORIGIN,
    PROFILE,
    all_segments,
    fused,
    quantity,
    regions,
    segments,
    state_of,
    study_details,
    tree_items,
)

from mimir_engine import MimirError
from mimir_engine.fusion import FusedVolumes
from MIMIRLib.scene.results import (
    find_cohort,
    find_results,
    show_studies,
    show_volumes,
)
from MIMIRLib.scene.subject import Subject
from MIMIRLib.scene.subject_hierarchy import hierarchy_of
from MIMIRLib.scene.tables import column_values
from MIMIRLib.scene.volumes import array_of, lps_affine_of

SUBJECT = Subject("1.2.3", "P1", "Doe^Jane", "2020-02-29", "Whole body")
LABEL = "Doe, Jane, 2020-02-29, Whole body"
KINDS = ("water", "fat", "fraction", "projection", "table", "chart", "profile", "regions")


@pytest.fixture
def scene():
    scene = slicer.vtkMRMLScene()
    hierarchy_of(scene)
    return scene


@pytest.fixture
def details(tmp_path):
    return study_details(tmp_path / "study")


def show(scene, details, subject=SUBJECT, volumes=True):
    list(show_studies(scene, [(details, subject)], volumes))
    return find_results(scene, details.result.name)


def nodes_of(results):
    return [getattr(results, kind) for kind in KINDS]


def clone(scene, node):
    """Return the node that "Clone" in Slicer's tree makes."""
    before = set(scene.GetNodes())
    item = hierarchy_of(scene).GetItemByDataNode(node)
    slicer.vtkSlicerSubjectHierarchyModuleLogic.CloneSubjectHierarchyItem(
        hierarchy_of(scene), item, "mine"
    )
    return next(new for new in set(scene.GetNodes()) - before if new.GetName() == "mine")


def test_a_study_gets_its_volumes_projection_table_and_chart(scene, details):
    shown = list(show_studies(scene, [(details, SUBJECT)]))
    results = find_results(scene, "1.2.3")
    assert set(nodes_of(results)) == set(shown)
    assert [node.GetClassName() for node in nodes_of(results)] == [
        *["vtkMRMLScalarVolumeNode"] * 4,
        "vtkMRMLTableNode",
        *["vtkMRMLPlotChartNode"] * 2,
        "vtkMRMLSegmentationNode",
    ]
    assert results.water.GetName() == f"Water - {LABEL}"
    assert results.chart.GetTitle() == f"{LABEL} (demonstration)"


def test_a_study_that_was_measured_directly_has_a_table_and_a_profile(scene, tmp_path):
    results = show(scene, study_details(tmp_path / "s", measurements=()))
    assert results.chart is None
    assert results.table.GetNumberOfRows() == 2
    assert results.profile.GetName() == f"Profile - {LABEL}"


def test_the_profile_runs_along_the_body_with_the_head_at_the_top(scene, details):
    profile = show(scene, details).profile
    series = [profile.GetNthPlotSeriesNode(n) for n in range(profile.GetNumberOfPlotSeriesNodes())]
    assert [one.GetName() for one in series] == ["body", "fat", "lean tissue"]
    assert {one.GetYColumnName() for one in series} == {"z_mm"}
    assert profile.GetYAxisRange() == (-911.25, -899.25)
    fat = series[1]
    assert column_values(fat.GetTableNode(), fat.GetXColumnName()) == PROFILE["fat_cm2"]


def test_the_parts_of_the_body_are_named_segments_where_the_labels_are(scene, details):
    results = show(scene, details)
    assert segments(results.regions) == {"trunk": 1, "right thigh": 4}
    assert not results.regions.GetDisplayNode().GetVisibility()
    colours = {one.GetColor() for one in all_segments(results.regions)}
    assert len(colours) == 2
    labels = all_segments(results.regions)[0].GetRepresentation("Binary labelmap")
    matrix, volume = vtk.vtkMatrix4x4(), slicer.vtkMRMLScalarVolumeNode()
    labels.GetImageToWorldMatrix(matrix)
    volume.SetIJKToRASMatrix(matrix)
    volume.SetAndObserveImageData(labels)
    np.testing.assert_allclose(lps_affine_of(volume), details.affine, atol=1e-9)
    np.testing.assert_array_equal(array_of(volume), regions())


def test_all_of_it_lies_in_one_folder_under_patient_and_study(scene, details):
    results = show(scene, details)
    hierarchy = hierarchy_of(scene)
    for node in nodes_of(results):
        folder = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node))
        assert hierarchy.GetItemName(folder) == f"MIMIR - {LABEL}"
        assert hierarchy.GetItemLevel(folder) == "Folder"
        study = hierarchy.GetItemParent(folder)
        assert (hierarchy.GetItemLevel(study), hierarchy.GetItemUID(study, "DICOM")) == (
            "Study",
            "1.2.3",
        )
        patient = hierarchy.GetItemParent(study)
        assert (hierarchy.GetItemLevel(patient), hierarchy.GetItemUID(patient, "DICOM")) == (
            "Patient",
            "P1",
        )


def test_items_that_slicer_made_for_patient_and_study_are_used(scene, details):
    hierarchy = hierarchy_of(scene)
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "as Slicer names it")
    study = hierarchy.CreateStudyItem(patient, "as Slicer names it")
    hierarchy.SetItemUID(study, "DICOM", "1.2.3")
    results = show(scene, details)
    folder = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(results.table))
    assert hierarchy.GetItemParent(folder) == study
    assert hierarchy.GetNumberOfItemChildren(hierarchy.GetSceneItemID()) == 1


def test_studies_in_files_have_a_folder_at_the_top(scene, tmp_path):
    results = show(scene, study_details(tmp_path / "s", "scan 1.zip"), Subject())
    hierarchy = hierarchy_of(scene)
    folder = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(results.water))
    assert hierarchy.GetItemName(folder) == "MIMIR - scan 1.zip"
    assert hierarchy.GetItemParent(folder) == hierarchy.GetSceneItemID()


def test_without_volumes_there_are_none(scene, details):
    results = show(scene, details, volumes=False)
    assert (results.water, results.fat, results.fraction, results.regions) == (None,) * 4
    assert results.projection is not None


def test_volumes_that_were_not_kept_are_not_asked_for(scene, tmp_path):
    results = show(scene, study_details(tmp_path / "s", volumes=False))
    assert results.water is None


def test_a_study_that_was_only_fused_has_neither_table_nor_chart(scene, tmp_path):
    results = show(scene, study_details(tmp_path / "s", measurements=(), direct=()))
    assert (results.table, results.chart, results.profile) == (None, None, None)
    assert results.water is not None


def test_running_again_leaves_one_set_of_nodes(scene, details):
    first = show(scene, details)
    before = state_of(scene)
    ids = [node.GetID() for node in nodes_of(first)]
    second = show(scene, details)
    assert not set(ids) & {node.GetID() for node in nodes_of(second)}
    names, items = state_of(scene)
    assert len(names) == len(before[0])
    assert items == before[1]
    assert all(node.GetScene() is None for node in nodes_of(first))


def test_running_again_without_volumes_keeps_the_earlier_ones(scene, details):
    first = show(scene, details)
    second = show(scene, details, volumes=False)
    assert second.water is first.water
    assert second.table is not first.table


def test_running_again_leaves_the_users_own_nodes(scene, details):
    results = show(scene, details)
    own = slicer.vtkMRMLScalarVolumeNode()
    own.SetName(f"Water - {LABEL}")
    scene.AddNode(own)
    clones = [clone(scene, results.water), clone(scene, results.table)]
    again = show(scene, details)
    for node in (own, *clones):
        assert node.GetScene() is scene
        assert node not in nodes_of(again)


def test_running_again_leaves_other_studies(scene, details, tmp_path):
    other = show(scene, study_details(tmp_path / "other", "1.2.4"))
    show(scene, details)
    show(scene, details)
    assert find_results(scene, "1.2.4") == other
    assert all(node.GetScene() is scene for node in nodes_of(other))


def test_views_of_the_old_nodes_show_the_new(scene, details):
    first = show(scene, details)
    slice_view = slicer.vtkMRMLSliceCompositeNode()
    slice_view.SetLayoutName("Red")
    plot_view = slicer.vtkMRMLPlotViewNode()
    plot_view.SetLayoutName("Plot")
    scene.AddNode(slice_view)
    scene.AddNode(plot_view)
    slice_view.SetBackgroundVolumeID(first.water.GetID())
    slice_view.SetForegroundVolumeID(first.fraction.GetID())
    plot_view.SetPlotChartNodeID(first.chart.GetID())
    second = show(scene, details)
    assert slice_view.GetBackgroundVolumeID() == second.water.GetID()
    assert slice_view.GetForegroundVolumeID() == second.fraction.GetID()
    assert plot_view.GetPlotChartNodeID() == second.chart.GetID()


def test_a_users_node_refers_to_the_new_node(scene, details):
    first = show(scene, details)
    series = slicer.vtkMRMLPlotSeriesNode()
    scene.AddNode(series)
    series.SetAndObserveTableNodeID(first.table.GetID())
    second = show(scene, details)
    assert series.GetTableNode() is second.table


@pytest.mark.parametrize("steps", range(9))
def test_cancelling_at_any_step_leaves_the_scene_as_it_was(scene, details, steps):
    before = state_of(scene)
    making = show_studies(scene, [(details, SUBJECT)])
    for _ in range(steps):
        next(making)
    making.close()
    assert state_of(scene) == before


@pytest.mark.parametrize("steps", range(9))
def test_cancelling_a_second_run_leaves_the_first_ones_results(scene, details, steps):
    first = show(scene, details)
    before = state_of(scene)
    making = show_studies(scene, [(details, SUBJECT)])
    for _ in range(steps):
        next(making)
    making.close()
    assert state_of(scene) == before
    assert find_results(scene, "1.2.3") == first


def test_cancelling_leaves_items_that_were_there(scene, details):
    hierarchy = hierarchy_of(scene)
    hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "the user's")
    study = tree_items(hierarchy)[0]
    hierarchy.SetItemUID(study, "DICOM", "1.2.3")
    before = state_of(scene)
    making = show_studies(scene, [(details, SUBJECT)])
    next(making)
    making.close()
    assert state_of(scene) == before


def test_a_damaged_folder_leaves_the_scene_as_it_was(scene, details):
    before = state_of(scene)
    (details.path / "fat.npy").write_bytes(b"damaged")
    with pytest.raises(MimirError, match="DETAILS_INVALID"):
        list(show_studies(scene, [(details, SUBJECT)]))
    assert state_of(scene) == before


def test_several_studies_get_a_cohort_table_too(scene, details, tmp_path):
    other = study_details(tmp_path / "other", "1.2.4")
    list(show_studies(scene, [(details, SUBJECT), (other, Subject("1.2.4", "P2"))], False))
    assert find_cohort(scene).GetNumberOfRows() == 2


def test_cancelling_several_studies_leaves_none_of_them(scene, details, tmp_path):
    other = study_details(tmp_path / "other", "1.2.4")
    before = state_of(scene)
    making = show_studies(scene, [(details, SUBJECT), (other, Subject("1.2.4", "P2"))])
    for _ in range(16):
        next(making)
    making.close()
    assert state_of(scene) == before


def test_the_cohort_table_stays_when_studies_are_measured_again(scene, details, tmp_path):
    studies = [(details, SUBJECT), (study_details(tmp_path / "2", "1.2.4"), SUBJECT)]
    list(show_studies(scene, studies, False))
    cohort = find_cohort(scene)
    list(show_studies(scene, studies, False))
    assert find_cohort(scene) is cohort
    assert cohort.GetNumberOfRows() == 2


@pytest.mark.parametrize(
    "name",
    ['a|b^c<d>&"e".zip', "line\nbreak\x00\x1b[31m", "ä 中 \u202e.zip", "x" * 500, "../..", " "],
)
def test_a_study_of_any_name_is_found_again(scene, tmp_path, name):
    results = show(scene, study_details(tmp_path / "s", name), Subject(), volumes=False)
    again = show(scene, study_details(tmp_path / "s2", name), Subject(), volumes=False)
    assert results.table.GetScene() is None
    assert again.table.GetName().isprintable()
    assert len(again.table.GetName()) < 150


def test_volumes_alone_can_be_shown_and_measured_later(scene, details):
    nodes = show_volumes(scene, "1.2.3", FusedVolumes(*fused()), ORIGIN, SUBJECT)
    assert [node.GetName() for node in nodes] == [
        f"Water - {LABEL}",
        f"Fat - {LABEL}",
        f"Fat fraction - {LABEL}",
    ]
    results = show(scene, details, volumes=False)
    assert (results.water, results.fat, results.fraction) == nodes
    assert results.table is not None


def test_a_node_that_the_user_deleted_is_not_a_result(scene, details):
    results = show(scene, details)
    scene.RemoveNode(results.water)
    assert find_results(scene, "1.2.3").water is None
    for node in nodes_of(results)[1:]:
        scene.RemoveNode(node)
    assert find_results(scene, "1.2.3") is None


def test_no_results_are_found_in_an_empty_scene(scene):
    assert find_results(scene, "1.2.3") is None
    assert find_cohort(scene) is None


def test_measurements_of_a_second_module_take_the_place_of_the_first(scene, details, tmp_path):
    show(scene, details)
    age = [quantity("age", 55.0, unit="years")]
    other = study_details(tmp_path / "other", "1.2.3", age, direct=())
    results = show(scene, other)
    assert results.table.GetNumberOfRows() == 1
