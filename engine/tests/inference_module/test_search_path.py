from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import mimir_engine
from mimir_engine.inference_module.search_path import locate


def module_in(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "module.json").touch()


def test_the_engine_is_the_folder_that_python_needs() -> None:
    assert locate().engine == Path(mimir_engine.__file__).resolve().parent.parent


def test_the_variable_comes_first_then_the_users_then_the_shipped(tmp_path: Path) -> None:
    package = tmp_path / "clone" / "engine" / "mimir_engine"
    module_in(tmp_path / "clone" / "weights" / "phantom")
    environment = {
        "MIMIR_WEIGHTS": os.pathsep.join([str(tmp_path / "a"), "", str(tmp_path / "b")]),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "LOCALAPPDATA": str(tmp_path / "data"),
    }
    places = locate(environment, package)
    assert places.modules == (
        tmp_path / "a",
        tmp_path / "b",
        places.user_modules,
        tmp_path / "clone" / "weights",
    )


def test_an_installed_tree_is_searched_upwards(tmp_path: Path) -> None:
    package = tmp_path / "lib" / "Slicer-5.8" / "engine" / "mimir_engine"
    module_in(tmp_path / "lib" / "Slicer-5.8" / "weights" / "phantom")
    assert locate({}, package).modules[-1] == tmp_path / "lib" / "Slicer-5.8" / "weights"


def test_a_folder_of_that_name_without_modules_is_somebody_elses(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "mimir_engine"
    (tmp_path / "site-packages" / "weights").mkdir(parents=True)
    places = locate({}, package)
    assert places.modules == (places.user_modules,)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the freedesktop rule")
def test_the_users_modules_lie_where_the_platform_wants_them() -> None:
    assert locate({}).user_modules == Path.home() / ".local" / "share" / "mimir" / "modules"
    assert locate({"XDG_DATA_HOME": "/data"}).user_modules == Path("/data/mimir/modules")
