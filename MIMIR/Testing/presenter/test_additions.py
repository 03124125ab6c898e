"""Test adding studies and inference modules."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest

pytest.importorskip("slicer")

from panel_in_use import Panel


def test_an_import_shows_its_progress_and_outcome(panel: Panel, tmp_path: Path) -> None:
    panel.presenter.import_studies([str(tmp_path)])
    panel.presenter.step()
    assert (panel.shown.state.percent, panel.shown.state.status) == (50, "Unpacking")

    panel.presenter.step()
    assert panel.shown.state.status == "1 new study is in the database."
    assert not panel.shown.state.is_busy


def test_an_import_of_nothing_is_an_error(panel: Panel) -> None:
    panel.presenter.import_studies(["nowhere"])

    assert panel.shown.state.status == "SOURCE_MISSING: the folder does not exist. Check the path."
    assert not panel.shown.state.is_busy


def test_an_inference_module_is_described_and_verified(panel: Panel) -> None:
    panel.presenter.select_module("phantom")
    assert "11 measurements" in panel.shown.state.module_text
    assert not panel.shown.state.can_remove_module

    panel.presenter.verify_module()
    assert panel.shown.state.status == "All files of phantom are unchanged."

    panel.presenter.remove_module()
    assert panel.shown.state.status.startswith("MODULE_NOT_OWN: ")


def test_a_folder_without_an_inference_module_is_refused_with_the_reason(
    panel: Panel, tmp_path: Path, wait_until: Callable
) -> None:
    panel.presenter.add_module(str(tmp_path / "nowhere"))
    assert panel.shown.state.percent == -1

    wait_until(lambda: panel.presenter.step() or not panel.shown.state.is_busy)

    assert panel.shown.state.status.startswith("SOURCE_MISSING: ")


def test_an_addition_can_be_cancelled(panel: Panel, tmp_path: Path) -> None:
    panel.presenter.add_module(str(tmp_path))

    panel.presenter.cancel()

    assert panel.shown.state.status == "Cancelled. No inference module was added."
