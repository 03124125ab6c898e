"""The examples in docstrings and in the README run; every public function has one."""

from __future__ import annotations

import doctest
import importlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mimir_engine
from mimir_engine.phantom.dicom_study import study_name, write_study

PACKAGE = Path(mimir_engine.__file__).parent
#: Files whose docstrings have examples.
FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if ">>> " in path.read_text("utf-8")]
#: These run networks.
NEEDS_RUNTIME = ("mimir_engine.measuring.",)


def import_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


@pytest.fixture(scope="module")
def _in_a_folder_with_a_phantom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let the examples name the archive of phantom 0 as a user does."""
    folder, before = tmp_path_factory.mktemp("examples"), Path.cwd()
    write_study(folder / f"{study_name(0)}.zip", 0)
    os.chdir(folder)
    yield
    os.chdir(before)


@pytest.mark.usefixtures("_in_a_folder_with_a_phantom")
@pytest.mark.parametrize("name", [import_name(path) for path in FILES])
def test_the_examples_run(name: str) -> None:
    if name.startswith(NEEDS_RUNTIME):
        pytest.importorskip("onnxruntime")
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted
    assert not found.failed


@pytest.mark.usefixtures("_in_a_folder_with_a_phantom")
def test_the_python_lines_of_the_readme_run(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnxruntime")
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")
    (lines,) = re.findall(r"```python\n(import mimir_engine\n.*?)```", readme, re.DOTALL)
    names: dict[str, Any] = {}
    exec(lines.replace("phantoms/", ""), names)
    assert len(capsys.readouterr().out.splitlines()) == 11
    assert names["image"].shape == (3, 256, 256)


@pytest.mark.parametrize("name", sorted({*mimir_engine.__all__} - {"__version__", "MimirError"}))
def test_every_public_function_has_an_example(name: str) -> None:
    example = getattr(mimir_engine, name).__doc__.split(">>> ", 1)[1]
    assert "+SKIP" not in example
