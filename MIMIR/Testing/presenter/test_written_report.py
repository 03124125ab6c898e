"""Test how the report on a selected result is written."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("slicer")

from panel_in_use import Panel
from scene_study import study_details

from mimir_engine import MimirError
from MIMIRLib.presenter.result_browser import COHORT_KEY
from MIMIRLib.scene.results import show_studies
from MIMIRLib.scene.subject import Subject


def show(panel: Panel, folder: Path, *names: str) -> None:
    """Show studies as a run does."""
    studies = [(study_details(folder / name[:1], name), Subject()) for name in names]
    list(show_studies(panel.scene, studies))
    panel.presenter.refresh_results()


def test_a_report_is_written_and_opened_under_the_name_of_its_study(
    panel: Panel, tmp_path: Path
) -> None:
    show(panel, tmp_path, "a: b")

    panel.presenter.results.write_report(lambda name: str(tmp_path / name))

    (report,) = tmp_path.glob("*.html")
    assert report.name == "a_ b.html"
    assert panel.shown.results.opened == [str(report)]
    assert panel.shown.state.status == "Report written to a_ b.html."


def test_no_file_no_report(panel: Panel, tmp_path: Path) -> None:
    show(panel, tmp_path, "a")
    panel.presenter.results.write_report(lambda name: "")
    assert not panel.shown.state.status
    assert not panel.shown.results.opened


def test_a_cohort_has_no_report(panel: Panel, tmp_path: Path) -> None:
    show(panel, tmp_path, "a", "b")
    panel.presenter.results.select(COHORT_KEY)
    panel.presenter.results.write_report(lambda name: str(tmp_path / name))
    assert panel.shown.state.status == "Select one study to write its report."
    assert not [*tmp_path.glob("*.html")]


def test_a_pdf_file_is_written_only_with_what_it_needs(panel: Panel, tmp_path: Path) -> None:
    show(panel, tmp_path, "a")
    panel.rest.missing = MimirError("INSTALLATION_DECLINED", "declined")

    panel.presenter.results.write_report(lambda name: str(tmp_path / "report.pdf"))

    assert panel.shown.state.status.startswith("INSTALLATION_DECLINED: ")
    assert not (tmp_path / "report.pdf").exists()
