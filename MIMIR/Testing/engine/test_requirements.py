from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mimir_engine import MimirError
from MIMIRLib.engine import requirements
from MIMIRLib.engine.requirements import ONNX, TORCH, check_installed, missing, required

MODULE_FOLDER = Path(__file__).resolve().parents[2]


def answer(code: str, *options: str) -> list[str]:
    """What a new Python prints."""
    script = f"import sys; sys.path.insert(0, {str(MODULE_FOLDER)!r})\n{code}"
    command = [sys.executable, *options, "-c", script]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize(("extra", "packages"), [("onnx", ONNX), ("network", TORCH)])
def test_the_lists_are_those_of_the_engines_extras(extra: str, packages: dict[str, str]) -> None:
    text = (MODULE_FOLDER.parent / "engine" / "pyproject.toml").read_text("utf-8")
    found = re.search(rf"^{extra} = \[(.*)\]$", text, re.MULTILINE)
    assert found is not None
    assert dict(re.findall(r'"(\w+)>=([\d.]+)"', found[1])) == packages


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
