"""Volumes and a segmentation of the scene, chosen in the panel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest

pytest.importorskip("slicer")

import slicer
from panel_in_use import Panel

from mimir_engine.measuring.one_study import read_and_fuse
from MIMIRLib.presenter.panel_state import PanelState
from MIMIRLib.presenter.scene_choice import scene_choice
from MIMIRLib.scene.results import find_results
from MIMIRLib.scene.volumes import image_of, volume_node


@pytest.fixture
def pair(panel: Panel, phantom_zip: Path) -> tuple[Any, Any]:
    """Water and fat of the phantom, as nodes that MIMIR knows nothing of."""
    _study, fused = read_and_fuse(phantom_zip)
    nodes = volume_node(fused.water, "my water"), volume_node(fused.fat, "my fat")
    for node in nodes:
        panel.scene.AddNode(node)
    return nodes


def choose(panel: Panel, **nodes: Any) -> None:
    for name, node in nodes.items():
        panel.presenter.choose_node(name, node)


def labels_on(panel: Panel, volume: Any) -> Any:
    """A label map node with one label in the body."""
    columns, rows, slices = volume.GetImageData().GetDimensions()
    array = np.zeros((slices, rows, columns), np.uint8)
    array[200:220, rows // 2 - 20 : rows // 2 + 20, columns // 2 - 30 : columns // 2 + 30] = 1
    node = slicer.vtkMRMLLabelMapVolumeNode()
    node.CopyOrientation(volume)
    node.SetAndObserveImageData(image_of(array))
    panel.scene.AddNode(node)
    return node


def test_one_volume_is_no_study(panel: Panel, pair: tuple[Any, Any]) -> None:
    choose(panel, water=pair[0])
    assert not panel.shown.state.can_apply
    assert panel.shown.state.apply_hint == "Choose the water volume and the fat volume, or neither."
    panel.presenter.apply()
    assert panel.rest.requests == []


def test_a_volume_cannot_be_two_contrasts(panel: Panel, pair: tuple[Any, Any]) -> None:
    choose(panel, water=pair[0], fat=pair[0])
    assert panel.shown.state.apply_hint == "Choose a different volume for each contrast."
    choose(panel, fat=pair[1], opposed_phase=pair[0])
    assert panel.shown.state.apply_hint == "Choose a different volume for each contrast."


def test_water_and_fat_are_one_more_study(panel: Panel, pair: tuple[Any, Any]) -> None:
    choose(panel, water=pair[0], fat=pair[1])
    assert panel.shown.state.can_apply
    assert panel.shown.state.apply_hint == "Measures 1 study."
    assert panel.shown.state.ticked_sentence == (
        "No study is ticked; the volumes chosen in the scene are measured."
    )
    panel.presenter.tick_study("1.1", True)
    assert panel.shown.state.apply_hint == "Measures 2 studies."
    (chosen,) = scene_choice(panel.choices).pairs
    assert dict(chosen.nodes()) == {"water": pair[0], "fat": pair[1]}


def test_volumes_and_labels_are_measured_and_shown(
    panel: Panel, pair: tuple[Any, Any], wait_until: Callable
) -> None:
    panel.presenter.tick_module("phantom", False)
    choose(panel, water=pair[0], fat=pair[1], segmentation=labels_on(panel, pair[0]))
    panel.presenter.apply()
    choose(panel, water=None)  # as the list of volumes does while nodes come and go
    wait_until(lambda: panel.presenter.step() or not panel.shown.state.is_busy)

    assert panel.shown.state.status == "1 study measured."
    assert panel.shown.results.titles == [(pair[0].GetID(), "my water")]
    keys = [row.key for row in panel.shown.results.measurements]
    assert "label_label_1_volume_litres" in keys
    assert find_results(panel.scene, pair[0].GetID()).table is not None
    assert panel.choices.water is pair[0]
    assert panel.shown.options is panel.choices, "the panel's lists show the choice again"


def test_what_cannot_be_measured_is_listed_by_the_volumes_name(
    panel: Panel, pair: tuple[Any, Any], wait_until: Callable
) -> None:
    empty = slicer.vtkMRMLSegmentationNode()
    panel.scene.AddNode(empty)
    panel.presenter.tick_module("phantom", False)
    choose(panel, water=pair[0], fat=pair[1], segmentation=empty)
    panel.presenter.apply()
    wait_until(lambda: panel.presenter.step() or not panel.shown.state.is_busy)
    (line,) = panel.shown.failures
    assert line.startswith("my water: SEGMENTATION_EMPTY: the segmentation 'Segmentation' has no")


def test_exchanged_volumes_are_exchanged_back_by_the_button(
    panel: Panel, pair: tuple[Any, Any], wait_until: Callable
) -> None:
    panel.presenter.tick_module("phantom", False)
    choose(panel, water=pair[1], fat=pair[0])
    panel.presenter.apply()
    wait_until(lambda: panel.presenter.step() or not panel.shown.state.is_busy)
    (line,) = panel.shown.failures
    assert line.startswith("my fat: WATER_FAT_EXCHANGED")
    assert panel.shown.state.repair_text == "Exchange water and fat back, and measure 1 study"
    panel.presenter.repair()
    wait_until(lambda: panel.presenter.step() or not panel.shown.state.is_busy)
    assert panel.shown.results.titles == [(pair[1].GetID(), "Repaired: my fat")]
    choose(panel, water=pair[0], fat=pair[1])
    assert not panel.shown.state.can_repair


READY = PanelState(studies=3, shown=3, ticked=1, modules_ticked=1)


def test_a_segmentation_belongs_to_one_study() -> None:
    hint = "The segmentation belongs to one study: choose that study alone."
    assert replace(READY, has_segmentation=True).can_apply
    for change in ({"ticked": 2}, {"of_scene": 1}):
        state = replace(READY, has_segmentation=True, **change)
        assert not state.can_apply
        assert state.apply_hint == hint


def test_a_segmentation_is_not_given_to_several_repaired_studies() -> None:
    one = replace(READY, ticked_refused=1, ticked_exchanged=1, has_segmentation=True)
    assert one.can_repair
    several = replace(one, ticked=2, ticked_refused=2, ticked_exchanged=2)
    assert not several.can_repair
    assert replace(several, has_segmentation=False).can_repair


def test_volumes_that_are_measured_need_memory_and_a_warning_without_modules() -> None:
    state = PanelState(of_scene=1, volumes=True)
    assert state.warnings == [
        "No inference module is ticked: the studies are only measured directly."
    ]
