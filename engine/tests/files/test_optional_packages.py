"""Tests of packages that only some commands need."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mimir_engine.cli import WRONG_USE, main
from mimir_engine.errors import MimirError
from mimir_engine.files import optional_packages
from mimir_engine.files.optional_packages import require


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a package that the network needs."""
    needed = {"onnx": ("networks need it", ("mimir_test_package",)), "network": ("", ("no",))}
    monkeypatch.setattr(optional_packages, "EXTRAS", needed)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "mimir_test_package", raising=False)
    return tmp_path / "mimir_test_package.py"


def test_the_error_says_what_the_package_is_for(package: Path) -> None:
    with pytest.raises(MimirError, match=r"EXTRA_MISSING: training needs it, which is not"):
        require("onnx", "training needs it")


def test_a_package_that_works_is_accepted(package: Path) -> None:
    package.touch()
    require("onnx")


def test_a_missing_package_is_named(package: Path) -> None:
    with pytest.raises(MimirError, match=r"EXTRA_MISSING: networks need .*mimir-engine\[onnx\]"):
        require("onnx")


@pytest.mark.parametrize(
    "fault",
    [
        "raise OSError('libtorch_cpu.so: cannot open shared object file')",
        "raise AttributeError('half of it is missing')",
        "import mimir_absent_package",
        "this is not Python",
    ],
)
def test_a_package_that_cannot_be_imported_is_an_error_of_one_line(
    package: Path, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    package.write_text(fault)
    with pytest.raises(MimirError, match=r"EXTRA_BROKEN: .*Install it again: pip install"):
        require("onnx")
    assert main(["infer", "scans", "--modules", "phantom", "--output", "out"]) == WRONG_USE
    assert "EXTRA_BROKEN: networks need it, but mimir_test_package" in capsys.readouterr().err
