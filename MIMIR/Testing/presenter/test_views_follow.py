"""Test that Slicer's views follow the chosen result, and nothing but the user's choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("slicer")

from panel_in_use import Panel
from scene_study import study_details

from MIMIRLib.presenter.chart_content import chart_content
from MIMIRLib.presenter.result_browser import COHORT_KEY
from MIMIRLib.scene.kept_result import RESULT_MARK
from MIMIRLib.scene.results import find_results, show_studies
from MIMIRLib.scene.subject import Subject
from MIMIRLib.scene.transaction import discard


def test_a_chosen_result_is_shown_with_its_chart(panel: Panel, tmp_path: Path) -> None:
    show(panel.scene, study_details(tmp_path / "a", "a"), study_details(tmp_path / "b", "b"))
    panel.presenter.refresh_results()
    assert not panel.shown.results.nodes

    panel.presenter.results.select("b")

    (nodes,) = panel.shown.results.nodes
    assert (nodes.key, nodes.water) == ("b", find_results(panel.scene, "b").water)
    assert panel.shown.results.chart.key == "b"


def test_a_result_without_volumes_empties_their_views(panel: Panel, tmp_path: Path) -> None:
    show(panel.scene, study_details(tmp_path / "a", "a"))
    show(panel.scene, study_details(tmp_path / "b", "b", volumes=False))
    panel.presenter.refresh_results()

    panel.presenter.results.select("a")
    panel.presenter.results.select("b")

    nodes = panel.shown.results.nodes[-1]
    assert (nodes.key, nodes.water, nodes.fraction) == ("b", None, None)


def test_the_cohort_has_a_table_and_no_patients_images(panel: Panel, tmp_path: Path) -> None:
    show(panel.scene, study_details(tmp_path / "a", "a"), study_details(tmp_path / "b", "b"))
    panel.presenter.refresh_results()

    panel.presenter.results.select(COHORT_KEY)

    nodes = panel.shown.results.nodes[-1]
    assert nodes.table is not None
    assert (nodes.water, nodes.chart, nodes.profile) == (None, None, None)
    assert not panel.shown.results.chart.measurements
    assert panel.shown.results.chart.sentence


def test_a_refresh_leaves_the_users_views_alone(panel: Panel, tmp_path: Path) -> None:
    show(panel.scene, study_details(tmp_path / "a", "a"))
    panel.presenter.refresh_results()
    panel.presenter.results.select("a")
    panel.shown.results.forget()

    panel.presenter.refresh_results()

    assert not panel.shown.results.nodes
    assert not panel.shown.results.left


def test_views_of_a_deleted_result_are_emptied(panel: Panel, tmp_path: Path) -> None:
    show(panel.scene, study_details(tmp_path / "a", "a"))
    show(panel.scene, study_details(tmp_path / "b", "b"))
    panel.presenter.refresh_results()
    panel.presenter.results.select("b")
    panel.shown.results.forget()

    discard(panel.scene, [find_results(panel.scene, "b").table])
    panel.presenter.refresh_results()

    (nodes,) = panel.shown.results.left
    assert nodes.key == panel.shown.results.chart.key == "a"


def test_without_results_nothing_is_shown(panel: Panel, tmp_path: Path) -> None:
    show(panel.scene, study_details(tmp_path / "a", "a"))
    panel.presenter.refresh_results()

    panel.scene.Clear(False)
    panel.presenter.refresh_results()

    assert panel.shown.results.left[-1] is None
    assert not panel.shown.results.chart.measurements


def test_what_is_measured_while_another_module_is_open_waits(panel: Panel, tmp_path: Path) -> None:
    show(panel.scene, study_details(tmp_path / "a", "a"))
    panel.presenter.refresh_results()
    panel.presenter.results.select("a")
    panel.shown.results.forget()
    panel.presenter.results.leave()
    show(panel.scene, study_details(tmp_path / "b", "b"))

    panel.presenter.results.show_new("b")

    assert not panel.shown.results.nodes
    assert "b" in [key for key, _title in panel.shown.results.titles]
    assert panel.shown.results.selected == "a"

    panel.presenter.results.enter()
    panel.presenter.results.enter()

    assert [nodes.key for nodes in panel.shown.results.nodes] == ["b"]


def test_fat_in_3d_follows_the_check_box(panel: Panel, tmp_path: Path) -> None:
    show(panel.scene, study_details(tmp_path / "a", "a"))
    panel.presenter.refresh_results()

    panel.presenter.results.show_fat_in_3d(True)
    panel.presenter.results.show_fat_in_3d(False)

    assert [(nodes.key, on) for nodes, on in panel.shown.results.fat] == [("a", True), ("a", False)]


def test_a_result_of_an_earlier_version_has_no_chart(panel: Panel, tmp_path: Path) -> None:
    show(panel.scene, study_details(tmp_path / "a", "a"))
    nodes = find_results(panel.scene, "a")
    assert [m.name for m in chart_content(nodes).measurements][:2] == ["visceralFatVolume", "sex"]

    nodes.table.RemoveAttribute(RESULT_MARK)

    content = chart_content(nodes)
    assert not content.measurements
    assert content.label == nodes.label
    assert "earlier version" in content.sentence


def test_the_chart_shows_what_the_table_shows_and_is_ticked(panel: Panel, tmp_path: Path) -> None:
    show(panel.scene, study_details(tmp_path / "a", "a"))
    panel.presenter.refresh_results()
    content, results = panel.shown.results.chart, panel.presenter.results
    assert len(content.only(None)) == len(content.only(results.shown_measurements)) == 3

    results.search("visceral")
    assert [m.name for m in content.only(results.shown_measurements)] == ["visceralFatVolume"]

    results.tick_measurements(["visceralFatVolume"], False)
    assert content.only(results.shown_measurements) == []


def show(scene: Any, *all_details: Any) -> None:
    """Show studies as a run does."""
    for _node in show_studies(scene, [(details, Subject()) for details in all_details]):
        pass
