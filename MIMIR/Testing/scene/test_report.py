from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("slicer")

import slicer
from scene_study import saved_and_loaded, study_details

from mimir_engine import MimirError
from mimir_engine.report.folder_report import report_of_folder
from mimir_engine.report.html_page import html_page
from MIMIRLib.scene.report import write_study_report
from MIMIRLib.scene.results import StudyNodes, find_results, show_studies
from MIMIRLib.scene.subject import Subject
from MIMIRLib.scene.subject_hierarchy import hierarchy_of

JANE = Subject("1.2.3", "P1", "Doe, Jane", "2020-02-29", "UK Biobank MRI")


@pytest.fixture
def shown(tmp_path: Path) -> tuple[Any, Any]:
    """A scene with a study's results, and the folder that they are of."""
    scene = slicer.vtkMRMLScene()
    hierarchy_of(scene)
    details = study_details(tmp_path / "details")
    list(show_studies(scene, [(details, JANE)]))
    return scene, details


def written(nodes: StudyNodes, path: Path) -> str:
    write_study_report(path, nodes)
    return path.read_text("utf-8")


def test_the_report_is_that_of_the_command_line(shown: tuple[Any, Any], tmp_path: Path) -> None:
    scene, details = shown
    nodes = find_results(scene, "1.2.3")
    assert nodes.label.startswith("Doe, Jane, 2020-02-29")
    page = written(nodes, tmp_path / "report.html")
    assert page == html_page(report_of_folder(details, nodes.label))
    assert "<h1>Doe, Jane, 2020-02-29" in page


def test_a_scene_from_a_file_has_the_same_report(shown: tuple[Any, Any], tmp_path: Path) -> None:
    scene, _ = shown
    page = written(find_results(scene, "1.2.3"), tmp_path / "report.html")
    loaded = saved_and_loaded(scene, tmp_path / "saved")
    assert written(find_results(loaded, "1.2.3"), tmp_path / "again.html") == page


def test_what_was_deleted_is_left_out(shown: tuple[Any, Any], tmp_path: Path) -> None:
    scene, _ = shown
    nodes = find_results(scene, "1.2.3")
    for node in (nodes.projection, nodes.water):
        scene.RemoveNode(node)
    page = written(find_results(scene, "1.2.3"), tmp_path / "report.html")
    assert "<img" not in page
    assert "VAT" in page


def test_without_the_table_there_is_no_report(shown: tuple[Any, Any], tmp_path: Path) -> None:
    scene, _ = shown
    scene.RemoveNode(find_results(scene, "1.2.3").table)
    with pytest.raises(MimirError) as error:
        write_study_report(tmp_path / "report.html", find_results(scene, "1.2.3"))
    assert error.value.code == "RESULT_NOT_KEPT"
    assert not (tmp_path / "report.html").exists()


def test_a_pdf_file_is_written_by_its_name(shown: tuple[Any, Any], tmp_path: Path) -> None:
    pytest.importorskip("reportlab")
    scene, _ = shown
    write_study_report(tmp_path / "report.PDF", find_results(scene, "1.2.3"))
    content = (tmp_path / "report.PDF").read_bytes()
    assert content.startswith(b"%PDF-")
    assert re.search(rb"/Title \(Doe, Jane, 2020-02-29", content)
