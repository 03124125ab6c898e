"""Test that slice views show one study's volumes, and that their corners say whose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("slicer")

import slicer
from scene_study import study_details

from MIMIRLib.scene.corner_text import corner_text
from MIMIRLib.scene.projection_places import label_places
from MIMIRLib.scene.results import StudyNodes, find_results, show_studies
from MIMIRLib.scene.slice_layers import (
    PROJECTION_VIEW,
    leave_others,
    show_layers,
    visible_layers,
)
from MIMIRLib.scene.subject import Subject

JANE = Subject("1.1", "P1", "Doe^Jane", "2020-02-29", "Body MRI")
RICHARD = Subject("1.2", "P2", "Roe^Richard", "2021-03-01", "Body MRI")


@pytest.fixture
def scene(tmp_path: Path) -> Any:
    """Two patients' results, and three slice views, the last one for the projection."""
    scene = slicer.vtkMRMLScene()
    slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    for name in ("Red", "MIMIRCoronal", PROJECTION_VIEW):
        composite = slicer.vtkMRMLSliceCompositeNode()
        composite.SetLayoutName(name)
        scene.AddNode(composite)
    details = [
        (study_details(tmp_path / "a", "1.1"), JANE),
        (study_details(tmp_path / "b", "1.2"), RICHARD),
    ]
    for _node in show_studies(scene, details):
        pass
    yield scene
    scene.Clear(True)


def test_all_slice_views_show_the_study_and_one_its_projection(scene: Any) -> None:
    jane = results(scene, "1.1")

    show_layers(scene, jane)

    assert shown(scene) == [[jane.water, jane.fraction]] * 2 + [[jane.projection]]
    assert composites(scene)[0].GetForegroundOpacity() == 1.0


def test_what_another_study_lacks_is_emptied(scene: Any) -> None:
    mine = volume(scene, "mine")
    show_layers(scene, results(scene, "1.1"))
    composites(scene)[0].SetLabelVolumeID(mine.GetID())
    richard = results(scene, "1.2")

    show_layers(scene, StudyNodes(projection=richard.projection, key="1.2"))

    assert shown(scene) == [[], [], [richard.projection]]


def test_no_result_empties_all_slice_views(scene: Any) -> None:
    show_layers(scene, results(scene, "1.1"))

    show_layers(scene, StudyNodes())

    assert shown(scene) == [[], [], []]


def test_the_opacity_that_the_user_has_set_stays_for_the_next_patient(scene: Any) -> None:
    show_layers(scene, results(scene, "1.1"))
    composites(scene)[0].SetForegroundOpacity(0.4)

    show_layers(scene, results(scene, "1.2"))

    assert composites(scene)[0].GetForegroundOpacity() == 0.4


def test_without_a_choice_of_the_user_only_other_studies_volumes_go(scene: Any) -> None:
    jane, mine = results(scene, "1.1"), volume(scene, "mine")
    show_layers(scene, jane)
    composites(scene)[0].SetForegroundVolumeID(mine.GetID())

    leave_others(scene, "1.1")
    assert shown(scene)[:2] == [[jane.water, mine], [jane.water, jane.fraction]]

    leave_others(scene, "1.2")
    assert shown(scene) == [[mine], [], []]


def test_parts_of_another_body_are_hidden(scene: Any) -> None:
    jane, richard = results(scene, "1.1"), results(scene, "1.2")
    for nodes in (jane, richard):
        nodes.regions.GetDisplayNode().SetVisibility(True)

    show_layers(scene, richard)

    assert not jane.regions.GetDisplayNode().GetVisibility()
    assert richard.regions.GetDisplayNode().GetVisibility()


def test_the_corner_names_patient_date_and_purpose(scene: Any) -> None:
    jane = results(scene, "1.1")

    text = corner_text(scene, [jane.water, jane.fraction])

    assert text.text.split("\n") == ["Doe, Jane", "2020-02-29", "Body MRI", "research use only"]
    assert not text.is_warning


def test_a_copy_of_a_volume_is_still_of_its_patient(scene: Any) -> None:
    copy = volume(scene, "copy")
    copy.CopyContent(results(scene, "1.1").water)
    copy.SetAttribute("MIMIR.Study", results(scene, "1.1").water.GetAttribute("MIMIR.Study"))

    assert corner_text(scene, [copy]).text.startswith("Doe, Jane\n")


def test_the_corner_warns_of_two_patients_in_one_view(scene: Any) -> None:
    layers = [results(scene, "1.1").water, results(scene, "1.2").fraction]

    text = corner_text(scene, layers)

    assert text.is_warning
    assert text.text.startswith("TWO PATIENTS\n")
    assert "Doe, Jane" in text.text
    assert "Roe, Richard" in text.text


def test_the_corner_warns_of_another_patients_volume_that_slicer_has_loaded(scene: Any) -> None:
    other = volume(scene, "t2")
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    poe = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "Poe^Ed")
    hierarchy.CreateItem(hierarchy.CreateStudyItem(poe, "MRI"), other)

    text = corner_text(scene, [results(scene, "1.1").water, other])

    assert text.is_warning
    assert "and t2" in text.text


def test_the_corner_names_other_volumes_and_is_silent_without_our_own(scene: Any) -> None:
    mine = volume(scene, "mine")

    assert "and mine" in corner_text(scene, [results(scene, "1.1").water, mine]).text
    assert corner_text(scene, [mine]).text == ""
    assert corner_text(scene, []).text == ""


def test_an_invisible_layer_is_not_in_the_corner(scene: Any) -> None:
    jane, (red, *_others) = results(scene, "1.1"), composites(scene)
    show_layers(scene, jane)

    red.SetForegroundOpacity(0.0)

    assert visible_layers(scene, red) == [jane.water]


def test_each_channel_of_the_projection_and_each_half_is_labelled(scene: Any) -> None:
    places = label_places(results(scene, "1.1").projection)

    halves, channels = ([place for place in places if place.line == line] for line in (0, 1))
    assert [place.text for place in channels] == ["water", "fat", "fat fraction"]
    assert [place.text for place in halves] == ["coronal", "sagittal"] * 3
    # Slicer's axial view shows R on its left and A on top.
    assert [place.ras[0] for place in channels] == pytest.approx([256.0, 0.0, -256.0])
    assert min(place.ras[1] for place in places) > 0
    assert label_places(results(scene, "1.1").water) == label_places(None) == []


def results(scene: Any, key: str) -> StudyNodes:
    """A study's nodes."""
    nodes = find_results(scene, key)
    assert nodes is not None
    return nodes


def volume(scene: Any, name: str) -> Any:
    """A user's own volume."""
    return scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)


def composites(scene: Any) -> list[Any]:
    """What each slice view shows, in the order in which the views were made."""
    kind = "vtkMRMLSliceCompositeNode"
    return [scene.GetNthNodeByClass(n, kind) for n in range(scene.GetNumberOfNodesByClass(kind))]


def shown(scene: Any) -> list[list[Any]]:
    """The volumes in each slice view."""
    return [visible_layers(scene, composite) for composite in composites(scene)]
