"""Test adding studies and inference modules."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Callable

import pytest

pytest.importorskip("slicer")

from panel_in_use import Panel

from mimir_engine import MimirError
from MIMIRLib.job import Job


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


@pytest.fixture
def without_safetensors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that hides safetensors from the engine's process, as if it were not installed."""
    path = tmp_path / "hidden" / "sitecustomize.py"
    path.parent.mkdir()
    path.write_text("import sys\nsys.modules['safetensors'] = None\n", "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(path.parent), prepend=os.pathsep)
    return path


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A module of the published layout, but for its snapshot."""
    folder = tmp_path / "module_trial"
    folder.mkdir()
    for name, text in (
        ("metadata.txt", "Name,Field,Unit,Divisor\nliverVolume,/,L,1000\n"),
        ("standardization_parameters.txt", "mean,sd\n1450.5,330.25\n"),
        ("calibration_factors.txt", "calibration_factor\n1.31\n"),
        ("snapshot.pth.tar", "no snapshot"),
    ):
        (folder / name).write_text(text, "utf-8")
    return folder


def test_what_a_published_module_needs_is_installed_and_the_module_added(
    without_safetensors: Path,
    own_modules: Path,
    published: Path,
    panel: Panel,
    wait_until: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("safetensors", reason="stands for the package that is installed")
    install_job = panel.rest.install_job

    def install(runtime: str) -> Job:
        job = install_job(runtime)
        job.ended.connect(lambda _: without_safetensors.unlink())
        return job

    monkeypatch.setattr(panel.rest, "install_job", install)
    panel.rest.missing = "safetensors"
    panel.presenter.add_module(str(published))
    wait_until(lambda: panel.presenter.step() or not panel.shown.state.is_busy)

    assert panel.rest.missing is None
    codes = ("PUBLISHED_MODULE_INVALID: ", "SNAPSHOT_UNREADABLE: ")
    assert panel.shown.state.status.startswith(codes), "its snapshot was read"


def test_an_addition_whose_installation_is_declined_says_so(
    without_safetensors: Path,
    own_modules: Path,
    published: Path,
    panel: Panel,
    wait_until: Callable,
) -> None:
    panel.rest.missing = MimirError("INSTALLATION_DECLINED", "safetensors is missing")
    panel.presenter.add_module(str(published))
    wait_until(lambda: panel.presenter.step() or not panel.shown.state.is_busy)

    assert panel.shown.state.status == "INSTALLATION_DECLINED: safetensors is missing."


@pytest.fixture
def own_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the user's own inference modules."""
    monkeypatch.delenv("MIMIR_WEIGHTS", raising=False)
    for variable in ("XDG_DATA_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    from mimir_engine.inference_module.search_path import locate

    folder = locate().user_modules
    assert folder is not None
    assert tmp_path in folder.parents
    return folder


def test_an_added_inference_module_is_ticked_and_selected_and_removed_after_a_question(
    own_modules: Path, panel: Panel, tmp_path: Path, wait_until: Callable
) -> None:
    from mimir_engine.inference_module import find_module

    copy = tmp_path / "copied"
    shutil.copytree(find_module("phantom").folder, copy)
    description = copy / "module.json"
    text = description.read_text("utf-8")
    description.write_text(text.replace('"name": "phantom"', '"name": "copied"', 1), "utf-8")
    panel.presenter.tick_module("phantom", False)

    panel.presenter.add_module(str(copy))
    wait_until(lambda: panel.presenter.step() or not panel.shown.state.is_busy)

    assert panel.choices.module_names == ["copied"]
    assert panel.shown.modules.selected == "copied"
    assert panel.shown.state.can_remove_module

    panel.rest.agrees = False
    panel.presenter.remove_module()
    assert panel.rest.questions == [
        "Remove the inference module copied? Its files are deleted from this computer."
    ]
    assert (own_modules / "copied").is_dir()

    panel.rest.agrees = True
    panel.presenter.remove_module()
    assert panel.shown.state.status == "The inference module copied was removed."
    assert not (own_modules / "copied").exists()
