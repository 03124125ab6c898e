"""Test how results of a scene are shown and written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("slicer")

from panel_in_use import Panel
from scene_study import study_details

from mimir_engine import MimirError
from MIMIRLib.presenter.result_browser import COHORT_KEY
from MIMIRLib.scene.results import show_studies
from MIMIRLib.scene.subject import Subject


def test_results_of_a_scene_are_shown_in_words(panel: Panel, tmp_path: Path) -> None:
    show(panel.scene, study_details(tmp_path / "a", "1.1"))

    panel.presenter.refresh_results()

    rows = [tuple(cell.text for cell in row.cells) for row in panel.shown.results.measurements]
    fat = ("visceral fat volume", "3.1 L", "2.6 to 3.6", "61", "+0.1", "0.25")
    assert rows[0][:6] == fat
    assert rows[1][:3] == ("sex", "male (0.99)", "")
    assert panel.shown.results.findings.texts == [("warning", "Station 2 was scanned twice.")]
    assert len(panel.shown.results.flags) == len(set(panel.shown.results.flags)) == 2
    assert panel.shown.state.results


def test_a_cohorts_results_are_those_of_all_its_studies(panel: Panel, tmp_path: Path) -> None:
    names = ("a", "b", "c")
    details = [study_details(tmp_path / name, name) for name in names]
    show(panel.scene, *details[:2])
    show(panel.scene, details[2])

    panel.presenter.refresh_results()
    panel.presenter.results.select(COHORT_KEY)

    assert [title for _, title in panel.shown.results.titles] == [*names, "Cohort of 2 studies"]
    assert {row.key.split()[0] for row in panel.shown.results.measurements} == {"a", "b"}


def test_the_selected_results_are_written_as_csv(panel: Panel, tmp_path: Path) -> None:
    show(panel.scene, study_details(tmp_path / "a", "a"))
    panel.presenter.refresh_results()

    panel.presenter.results.export(str(tmp_path / "results.csv"))

    header, first, *_ = (tmp_path / "results.csv").read_text("utf-8").splitlines()
    assert header.startswith("measurement,value,unit,interval,lower,upper")
    assert first.split(",")[1] == "3.123456789012345"
    assert panel.shown.state.status == "Written to results.csv."


def test_a_folder_that_cannot_be_written_to_is_an_error(panel: Panel, tmp_path: Path) -> None:
    show(panel.scene, study_details(tmp_path / "a", "a"))
    panel.presenter.refresh_results()

    panel.presenter.results.export(str(tmp_path / "a" / "water.npy" / "results.csv"))

    assert panel.shown.state.status.startswith("OUTPUT_UNWRITABLE: ")


def test_a_report_is_written_and_opened_under_the_name_of_its_study(
    panel: Panel, tmp_path: Path
) -> None:
    show(panel.scene, study_details(tmp_path / "a", "a: b"))
    panel.presenter.refresh_results()

    panel.presenter.results.write_report(lambda name: str(tmp_path / name))

    (report,) = tmp_path.glob("*.html")
    assert report.name == "a_ b.html"
    assert panel.shown.results.opened == [str(report)]
    assert panel.shown.state.status == "Report written to a_ b.html."


def test_a_report_needs_a_study_and_a_file(panel: Panel, tmp_path: Path) -> None:
    show(panel.scene, *(study_details(tmp_path / name, name) for name in "ab"))
    panel.presenter.refresh_results()
    panel.presenter.results.write_report(lambda name: "")
    assert not panel.shown.state.status

    panel.presenter.results.select(COHORT_KEY)
    panel.presenter.results.write_report(lambda name: str(tmp_path / name))

    assert panel.shown.state.status == "Select one study to write its report."
    assert not panel.shown.results.opened


def test_a_pdf_file_is_written_only_with_what_it_needs(panel: Panel, tmp_path: Path) -> None:
    show(panel.scene, study_details(tmp_path / "a", "a"))
    panel.presenter.refresh_results()
    panel.rest.missing = MimirError("INSTALLATION_DECLINED", "declined")

    panel.presenter.results.write_report(lambda name: str(tmp_path / "report.pdf"))

    assert panel.shown.state.status.startswith("INSTALLATION_DECLINED: ")
    assert not (tmp_path / "report.pdf").exists()


def show(scene: Any, *all_details: Any) -> None:
    """Show studies as a run does."""
    for _node in show_studies(scene, [(details, Subject()) for details in all_details]):
        pass
