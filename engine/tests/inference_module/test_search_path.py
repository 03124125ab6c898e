from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from mimir_engine.inference_module import search_path
from mimir_engine.inference_module.search_path import locate


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the variables that name folders."""
    for name in ("MIMIR_WEIGHTS", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)


def module_in(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "module.json").touch()


def test_the_variable_comes_first_then_the_users_then_the_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_path, "PACKAGE", tmp_path / "clone" / "engine" / "mimir_engine")
    module_in(tmp_path / "clone" / "weights" / "phantom")
    named = os.pathsep.join([str(tmp_path / "a"), "", str(tmp_path / "b")])
    monkeypatch.setenv("MIMIR_WEIGHTS", named)
    places = locate()
    assert places.modules == (
        tmp_path / "a",
        tmp_path / "b",
        places.user_modules,
        tmp_path / "clone" / "weights",
    )


def test_an_installed_tree_is_searched_upwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slicer = tmp_path / "lib" / "Slicer-5.8"
    monkeypatch.setattr(search_path, "PACKAGE", slicer / "engine" / "mimir_engine")
    module_in(slicer / "weights" / "phantom")
    assert locate().modules[-1] == slicer / "weights"


def test_a_folder_called_weights_without_modules_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_path, "PACKAGE", tmp_path / "site-packages" / "mimir_engine")
    (tmp_path / "site-packages" / "weights").mkdir(parents=True)
    places = locate()
    assert places.modules == (places.user_modules,)


def test_modules_are_added_where_they_are_looked_up_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert locate().added == locate().user_modules
    monkeypatch.setenv("MIMIR_WEIGHTS", os.pathsep.join([str(tmp_path / "a"), str(tmp_path)]))
    assert locate().added == tmp_path / "a"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the freedesktop rule")
def test_the_users_modules_lie_in_the_platforms_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    assert locate().user_modules == Path.home() / ".local" / "share" / "mimir" / "modules"
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert locate().user_modules == Path("/data/mimir/modules")
