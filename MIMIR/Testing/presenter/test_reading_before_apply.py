"""Test what is read and checked of ticked studies before Apply is pressed."""

from __future__ import annotations

import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Callable

import pytest

pytest.importorskip("slicer")

from panel_in_use import Panel

from MIMIRLib.slicer_tests.exchanged_study import write_exchanged


def status(panel: Panel, study_uid: str) -> tuple[str, str, str]:
    """Status and its tooltip, and number of stations, as listed."""
    (row,) = [row for row in panel.shown.studies if row.key == study_uid]
    return row.cells[2].text, row.cells[2].tooltip, row.cells[3].text


def read_and_check(panel: Panel, wait_until: Callable) -> None:
    """Let the panel's timer run until nothing is left to do."""
    wait_until(lambda: panel.presenter.step() or not panel.shown.state.needs_steps)


def test_a_ticked_study_is_read_before_apply_is_pressed(panel: Panel, wait_until: Callable) -> None:
    panel.presenter.tick_study("1.1", True)
    assert panel.shown.state.study_lines == "Reading the headers of 1 study."
    assert panel.shown.state.can_apply

    read_and_check(panel, wait_until)

    text = "Headers and images were checked: 6 stations."
    assert status(panel, "1.1") == ("checked", text, "6")
    assert panel.shown.state.study_lines == f"Doe, Jane, 2020-02-29\n{text}"
    assert panel.shown.ticked == ["1.1"]
    assert panel.rest.scanned == panel.rest.checked == [["1.1"]]


def test_findings_are_shown_beside_the_study(
    panel: Panel, wait_until: Callable, tmp_path: Path
) -> None:
    panel.rest.archive = with_a_slice_twice(panel.rest.archive, tmp_path / "twice.zip")
    panel.presenter.select_study("1.2")

    read_and_check(panel, wait_until)

    text, tooltip, stations = status(panel, "1.2")
    assert (text, stations) == ("readable, 1 finding", "6")
    assert "was scanned more than once" in tooltip
    assert panel.shown.findings.texts == [("note", tooltip)]
    assert panel.rest.checked == []  # a study that is not ticked


def test_a_study_with_water_and_fat_exchanged_is_refused_with_a_picture_and_a_place(
    panel: Panel, wait_until: Callable, tmp_path: Path
) -> None:
    panel.rest.archive = write_exchanged(panel.rest.archive, tmp_path / "exchanged.zip")
    panel.presenter.tick_study("1.1", True)

    read_and_check(panel, wait_until)

    assert status(panel, "1.1")[0].startswith("refused: ")
    assert not panel.shown.state.can_apply
    assert panel.shown.state.repair_text.startswith("Exchange water and fat back")
    (row,) = panel.shown.findings.rows
    panel.presenter.select_finding(row.key)
    assert panel.shown.findings.text.startswith("Stop: ")
    assert panel.shown.findings.picture.startswith(b"\x89PNG")
    ((nodes, place),) = panel.shown.results.places
    assert (nodes, place.key, place.side) == (None, "1.1", "")

    pytest.importorskip("onnxruntime")  # the ticked module measures, too
    panel.presenter.repair()
    wait_until(lambda: panel.presenter.step() or not panel.shown.state.is_busy)

    assert panel.rest.requests[0].swap_repair
    assert panel.shown.results.titles == [("1.1", "Repaired: 1.1")]
    assert panel.shown.results.findings.texts[0][0] == "warning"
    panel.presenter.results.select_finding(panel.shown.results.findings.rows[0].key)
    assert panel.shown.results.findings.text.startswith("Warning: ")
    assert panel.shown.results.findings.picture == b""  # the check's picture shows them exchanged
    assert panel.shown.results.places[-1][0].table is not None


def test_checks_stop_when_the_tick_is_removed_or_apply_is_pressed(
    panel: Panel, wait_until: Callable
) -> None:
    panel.presenter.tick_study("1.1", True)
    wait_until(lambda: panel.presenter.step() or panel.rest.checked)
    assert panel.shown.state.study_lines.endswith("Checking the images of 1 study.")
    panel.presenter.tick_study("1.1", False)
    read_and_check(panel, wait_until)
    assert status(panel, "1.1")[0] == "readable"

    panel.presenter.tick_study("1.1", True)
    panel.presenter.tick_module("phantom", False)
    panel.presenter.apply()
    assert panel.rest.checked == [["1.1"], ["1.1"]]
    assert "Checking" not in panel.shown.state.study_lines
    panel.presenter.cancel()
    read_and_check(panel, wait_until)
    assert status(panel, "1.1")[0] == "checked"


def test_a_study_that_would_be_refused_is_marked_with_the_reason(
    panel: Panel, wait_until: Callable
) -> None:
    panel.presenter.tick_study("1.3", True)
    assert any("may be incomplete" in warning for warning in panel.shown.state.warnings)

    read_and_check(panel, wait_until)

    assert status(panel, "1.3")[0] == "refused: the files are gone."
    assert panel.shown.state.study_text.endswith(
        "Cannot be measured: the files are gone. (FILES_GONE)"
    )
    assert not panel.shown.state.can_apply
    assert panel.shown.state.apply_hint.startswith("None of the ticked studies can be measured.")

    panel.presenter.tick_study("1.1", True)
    read_and_check(panel, wait_until)
    assert panel.shown.state.can_apply
    assert panel.shown.state.apply_hint == "Measures 1 study."
    assert "1 study cannot be measured. The list gives the reasons." in panel.shown.state.warnings
    assert not any("may be incomplete" in warning for warning in panel.shown.state.warnings)


def test_a_study_is_not_read_again_unless_its_files_change(
    panel: Panel, wait_until: Callable, tmp_path: Path
) -> None:
    panel.presenter.tick_study("1.1", True)
    read_and_check(panel, wait_until)
    panel.presenter.tick_study("1.1", False)
    panel.presenter.tick_study("1.1", True)
    panel.presenter.refresh_studies()
    assert panel.rest.scanned == panel.rest.checked == [["1.1"]]

    panel.presenter.read_again()
    panel.presenter.step()
    assert not panel.shown.state.needs_steps
    assert status(panel, "1.1")[0] == "checked"

    panel.rest.archive = tmp_path / "damaged.zip"
    panel.rest.archive.write_bytes(b"no archive")
    panel.presenter.read_again()
    read_and_check(panel, wait_until)
    assert status(panel, "1.1")[0].startswith("refused: ")


def test_a_refused_study_is_read_again_when_it_is_ticked_again(
    panel: Panel, wait_until: Callable, tmp_path: Path
) -> None:
    archive, panel.rest.archive = panel.rest.archive, tmp_path / "damaged.zip"
    panel.rest.archive.write_bytes(b"no archive")
    panel.presenter.tick_study("1.1", True)
    read_and_check(panel, wait_until)
    assert status(panel, "1.1")[0].startswith("refused: ")

    panel.rest.archive = archive
    panel.presenter.tick_study("1.1", False)
    panel.presenter.tick_study("1.1", True)
    read_and_check(panel, wait_until)
    assert status(panel, "1.1")[0] == "checked"


def test_a_study_is_read_again_when_the_database_has_more_of_its_images(
    panel: Panel, wait_until: Callable
) -> None:
    panel.presenter.tick_study("1.1", True)
    read_and_check(panel, wait_until)
    with closing(sqlite3.connect(panel.rest.database)) as connection, connection:
        connection.execute("UPDATE Series SET DisplayedCount = 64")

    panel.presenter.refresh_studies()

    assert panel.rest.scanned == [["1.1"], ["1.1"]]


def test_many_ticked_studies_are_read_a_few_at_a_time_and_unticked_ones_not_at_all(
    panel: Panel, wait_until: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("MIMIRLib.presenter.study_scans.STUDIES_AT_ONCE", 1)
    panel.presenter.tick_study("1.1", True)
    panel.presenter.tick_shown_studies()
    panel.presenter.tick_study("1.3", True)
    panel.presenter.tick_study("1.2", False)

    read_and_check(panel, wait_until)

    assert panel.rest.scanned == [["1.1"], ["1.3"]]


def test_closing_the_panel_stops_reading(panel: Panel) -> None:
    panel.presenter.tick_study("1.1", True)
    panel.presenter.step()

    panel.presenter.close()

    assert not panel.shown.state.needs_steps


def with_a_slice_twice(archive: Path, path: Path) -> Path:
    """Copy an archive, and scan its first station's water and fat once more, later."""
    import io

    import pydicom

    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, content)
            if not name.endswith(".dcm"):
                continue
            image = pydicom.dcmread(io.BytesIO(content))
            if image.SeriesNumber <= 5 and image.SeriesDescription[-2:] in ("_W", "_F"):
                image.SeriesInstanceUID = image.SeriesInstanceUID[:60] + ".9"
                image.SOPInstanceUID = image.SOPInstanceUID[:60] + ".9"
                image.SeriesNumber += 90
                image.AcquisitionTime = image.SeriesTime = image.ContentTime = "120000.000000"
                again = io.BytesIO()
                image.save_as(again)
                target.writestr(f"again/{name}", again.getvalue())
    return path
