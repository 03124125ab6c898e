"""Measuring again keeps what the user changed on MIMIR's own nodes, and never their data."""

import pytest

pytest.importorskip("slicer")

import numpy as np
import slicer
from scene_study import all_segments, fused, saved_and_loaded, study_details

from MIMIRLib.scene.results import find_results, show_studies
from MIMIRLib.scene.subject import Subject
from MIMIRLib.scene.volumes import INFERNO, array_of

SUBJECT = Subject("1.2.3", "P1", "Doe^Jane", "2020-02-29", "MRI")


@pytest.fixture
def scene():
    return slicer.vtkMRMLScene()


@pytest.fixture
def show(scene, tmp_path):
    """Measure the study, and return its nodes."""

    def measure(scene=scene, subject=SUBJECT, **options):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        list(show_studies(scene, [(study_details(folder), subject)], **options))
        return find_results(scene, "1.2.3")

    return measure


def test_a_transform_stays_on_the_volume(scene, show):
    transform = scene.AddNode(slicer.vtkMRMLLinearTransformNode())
    show().water.SetAndObserveTransformNodeID(transform.GetID())
    again = show()
    assert again.water.GetParentTransformNode() is transform
    assert again.fat.GetParentTransformNode() is None


def test_names_that_the_user_gave_stay(show):
    results = show()
    results.water.SetName("before treatment")
    results.table.SetName("my table")
    again = show()
    assert again.water.GetName() == "before treatment"
    assert again.table.GetName() == "my table"
    assert again.fat.GetName() == "Fat - Doe, Jane, 2020-02-29, MRI"


def test_a_name_that_mimir_gave_follows_the_patient(show):
    show(subject=Subject("1.2.3", "P1", "", "2020-02-29", "MRI"))
    assert show().water.GetName() == "Water - Doe, Jane, 2020-02-29, MRI"


def test_window_colours_opacity_and_visibility_stay(show):
    first = show()
    window = first.water.GetDisplayNode()
    window.SetWindowLevelMinMax(12.0, 345.0)
    first.fraction.GetDisplayNode().SetAndObserveColorNodeID("vtkMRMLColorTableNodeRainbow")
    first.fraction.GetDisplayNode().SetOpacity(0.25)
    first.regions.GetDisplayNode().SetVisibility(True)
    first.regions.GetDisplayNode().SetOpacity2DFill(0.9)
    again = show()
    window = again.water.GetDisplayNode()
    assert (window.GetWindowLevelMin(), window.GetWindowLevelMax()) == (12.0, 345.0)
    assert again.fraction.GetDisplayNode().GetColorNodeID() == "vtkMRMLColorTableNodeRainbow"
    assert again.fraction.GetDisplayNode().GetOpacity() == 0.25
    assert again.regions.GetDisplayNode().GetVisibility()
    assert again.regions.GetDisplayNode().GetOpacity2DFill() == pytest.approx(0.9)


def test_colours_of_segments_stay(show):
    trunk, thigh = all_segments(show().regions)
    trunk.SetColor(0.1, 0.2, 0.3)
    given = thigh.GetColor()
    again = all_segments(show().regions)
    assert [one.GetColor() for one in again] == [(0.1, 0.2, 0.3), given]


def test_changes_stay_at_every_further_run(show):
    show().water.GetDisplayNode().SetWindowLevelMinMax(12.0, 345.0)
    show()
    assert show().water.GetDisplayNode().GetWindowLevelMax() == 345.0


def test_what_the_user_did_not_change_is_as_for_a_new_study(scene, show):
    first = show()
    display = first.fraction.GetDisplayNode()
    # As if an earlier version had set other colours and another window.
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeRainbow")
    display.SetWindowLevelMinMax(0.0, 50.0)
    display.RemoveAttribute("MIMIR.Display")
    again = show().fraction.GetDisplayNode()
    assert again.GetColorNodeID() == INFERNO
    assert again.GetWindowLevelMax() == 100.0


def test_the_data_are_always_the_new_ones(show):
    first = show()
    array_of(first.water)[:] = 7.0
    first.water.GetImageData().Modified()
    first.water.GetDisplayNode().SetWindowLevelMinMax(12.0, 345.0)
    again = show()
    np.testing.assert_array_equal(array_of(again.water), fused()[0].array)
    assert again.water is not first.water


def test_a_saved_scene_tells_the_users_changes_from_rounded_numbers(show, tmp_path_factory, scene):
    show().fraction.GetDisplayNode().SetOpacity(0.25)
    loaded = saved_and_loaded(scene, tmp_path_factory.mktemp("saved") / "x")
    before = find_results(loaded, "1.2.3").water.GetDisplayNode().GetWindowLevelMax()
    again = show(scene=loaded)
    assert again.fraction.GetDisplayNode().GetOpacity() == 0.25
    other = slicer.vtkMRMLScene()
    fresh = show(scene=other).water.GetDisplayNode().GetWindowLevelMax()
    assert again.water.GetDisplayNode().GetWindowLevelMax() == fresh
    assert before == pytest.approx(fresh, rel=1e-4)
