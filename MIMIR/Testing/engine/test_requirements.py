from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from mimir_engine import MimirError
from MIMIRLib.engine import requirements
from MIMIRLib.engine.requirements import (
    ONNX,
    PDF,
    TORCH,
    check_installed,
    missing,
    numbers,
    required,
)
from MIMIRLib.engine.slicer_packages import LEFT_OUT, LOWEST, log_packages_outside_bounds

MODULE_FOLDER = Path(__file__).resolve().parents[2]


def answer(code: str, *options: str) -> list[str]:
    """What a new Python prints."""
    script = f"import sys; sys.path.insert(0, {str(MODULE_FOLDER)!r})\n{code}"
    command = [sys.executable, *options, "-c", script]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def engine_bounds(extra: str = "") -> dict[str, Requirement]:
    """The requirements of an extra, or those of the engine itself, that hold for this Python."""
    tomllib = pytest.importorskip("tomllib", reason="needs Python 3.11: it reads pyproject.toml")
    text = (MODULE_FOLDER.parent / "engine" / "pyproject.toml").read_text("utf-8")
    project = tomllib.loads(text)["project"]
    lines = project["optional-dependencies"][extra] if extra else project["dependencies"]
    requirements = map(Requirement, lines)
    return {r.name: r for r in requirements if r.marker is None or r.marker.evaluate()}


def lowest_version(requirement: Requirement) -> str:
    [version] = [bound.version for bound in requirement.specifier if bound.operator == ">="]
    return version


@pytest.mark.parametrize(
    ("extra", "packages"), [("onnx", ONNX), ("network", TORCH), ("report", PDF)]
)
def test_the_lists_are_those_of_the_engines_extras(extra: str, packages: dict[str, str]) -> None:
    bounds = {name: lowest_version(bound) for name, bound in engine_bounds(extra).items()}
    bounds.pop("pillow", None)  # Slicer has its own
    assert bounds == packages


def test_the_versions_of_slicers_own_packages_are_those_of_the_engine() -> None:
    bounds = engine_bounds()
    assert {name: lowest_version(bound) for name, bound in bounds.items()} == {
        name: lowest for name, lowest in LOWEST.items() if name != "pillow"
    }
    for name, bound in bounds.items():
        left_out = {part.version for part in bound.specifier if part.operator == "!="}
        assert left_out == {*LEFT_OUT.get(name, ())}


@pytest.mark.parametrize(
    ("version", "is_outside"),
    [("2.4.3", True), ("2.4.4", False), ("3.0.1", True), ("3.0.2", False), ("2.10", False)],
)
def test_an_old_package_of_slicer_is_said_in_one_line(
    version: str,
    is_outside: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    versions = {"numpy": "1.26.1", "pydicom": version}

    def installed(name: str) -> str:
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(metadata, "version", installed)
    caplog.set_level("INFO")
    log_packages_outside_bounds()
    assert len(caplog.messages) == is_outside
    assert all(f"Slicer's own pydicom {version};" in line for line in caplog.messages)


def test_the_check_imports_no_package() -> None:
    names = {*ONNX, *TORCH}
    code = (
        "from MIMIRLib.engine.requirements import missing\n"
        f"missing(); import sys; print(sorted({names} & set(sys.modules)))"
    )
    assert answer(code) == ["[]"]


def test_a_python_without_them_is_to_have_onnx_runtime() -> None:
    code = (
        "from MIMIRLib.engine.requirements import check_installed, missing\n"
        "print(missing()); print(missing('torch'))\n"
        "try: check_installed()\n"
        "except Exception as error: print(error)"
    )
    small, large, sentence = answer(code, "-S")
    assert small == "('onnxruntime', 'onnx', 'safetensors')"
    assert large == "('torch', 'torchvision', 'safetensors')"
    assert sentence.startswith("PACKAGES_MISSING: ")
    assert "onnxruntime, onnx, safetensors" in sentence


@pytest.mark.parametrize(
    ("installed", "chosen", "lacking"),
    [
        ({*ONNX}, ONNX, ()),
        ({*TORCH}, TORCH, ()),
        ({*ONNX, *TORCH}, ONNX, ()),
        ({"torch", "torchvision"}, TORCH, ("safetensors",)),
        ({"torch"}, ONNX, ("onnxruntime", "onnx", "safetensors")),
        ({"onnxruntime", "safetensors"}, ONNX, ("onnx",)),
    ],
)
def test_an_installed_pytorch_is_enough(
    installed: set[str],
    chosen: dict[str, str],
    lacking: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(requirements, "_is_present", lambda name, lowest: name in installed)
    assert required() == chosen
    assert missing() == lacking


def test_a_chosen_runtime_is_needed_whatever_else_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(requirements, "_is_present", lambda name, lowest: name in ONNX)
    assert missing("onnx") == ()
    assert missing("torch") == ("torch", "torchvision")
    with pytest.raises(MimirError, match=r"PACKAGES_MISSING: .*torch, torchvision"):
        check_installed("torch")


def test_old_packages_count_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "ONNX", {"pytest": "8.0"})
    assert missing("onnx") == ()
    check_installed("onnx")
    monkeypatch.setattr(requirements, "ONNX", {"pytest": "99.0"})
    assert missing("onnx") == ("pytest",)


def test_versions_are_compared_number_by_number() -> None:
    assert numbers("4.0") < numbers("4.0.4") < numbers("4.1") < numbers("4.10")
    assert numbers("2.1+cu121") == numbers("2.1.0")
