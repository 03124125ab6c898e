from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import pytest

from mimir_engine import MimirError
from MIMIRLib.engine.requirements import (
    REQUIREMENTS,
    check_installed,
    install_missing,
    missing,
)

MODULE_FOLDER = Path(__file__).resolve().parents[2]

NOT_THERE = {"mimir_trial_package": "1.0"}
TOO_OLD = {"torch": "99.0", "torchvision": "0.1"}


@dataclass
class Hand:
    """An installer that writes packages into a folder by itself."""

    folder: Optional[Path] = None
    agrees: bool = True
    with_extension: bool = True
    fault: Optional[Exception] = None
    questions: list[str] = field(default_factory=list)
    pytorch: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def has_pytorch_extension(self) -> bool:
        return self.with_extension

    def ask(self, question: str) -> bool:
        self.questions.append(question)
        return self.agrees

    def install_pytorch(self, torch: str, torchvision: str) -> None:
        self.pytorch += [torch, torchvision]
        if self.fault:
            raise self.fault

    def install(self, requirements: Sequence[str]) -> None:
        self.others += requirements
        if self.fault:
            raise self.fault
        if self.folder is not None:
            for requirement in requirements:
                (self.folder / f"{requirement.partition('>=')[0]}.py").write_text("", "utf-8")


def refusal(hand: Hand, requirements: dict[str, str]) -> str:
    """Return the error text if packages cannot be installed."""
    with pytest.raises(MimirError) as caught:
        install_missing(hand, requirements)
    return str(caught.value)


def test_the_list_is_that_of_the_engines_extra() -> None:
    text = (MODULE_FOLDER.parent / "engine" / "pyproject.toml").read_text("utf-8")
    extra = re.search(r"^network = \[(.*)\]$", text, re.MULTILINE)
    assert extra is not None
    assert dict(re.findall(r'"(\w+)>=([\d.]+)"', extra[1])) == REQUIREMENTS


def test_the_check_imports_no_package() -> None:
    code = (
        "from MIMIRLib.engine.requirements import REQUIREMENTS, missing\n"
        "missing(); import sys; print(sorted(set(REQUIREMENTS) & set(sys.modules)))"
    )
    script = f"import sys; sys.path.insert(0, {str(MODULE_FOLDER)!r})\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_python_without_them_lacks_all_of_them() -> None:
    code = (
        "from MIMIRLib.engine.requirements import check_installed, missing\n"
        "print(missing())\n"
        "try: check_installed()\n"
        "except Exception as error: print(error)"
    )
    script = f"import sys; sys.path.insert(0, {str(MODULE_FOLDER)!r})\n{code}"
    done = subprocess.run(
        [sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True
    )
    names, sentence = done.stdout.splitlines()
    assert names == "('torch', 'torchvision', 'safetensors')"
    assert sentence.startswith("PACKAGES_MISSING: ")
    assert "torch, torchvision, safetensors" in sentence


def test_installed_packages_need_neither_pip_nor_a_question() -> None:
    hand = Hand()
    assert missing({"pytest": "8.0"}) == ()
    check_installed({"pytest": "8.0"})
    install_missing(hand, {"pytest": "8.0"})
    assert hand.questions == []


def test_old_packages_count_as_missing() -> None:
    pytest.importorskip("torch")
    assert missing(TOO_OLD) == ("torch",)


def test_missing_packages_are_installed_after_a_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    hand = Hand(tmp_path)
    assert missing(NOT_THERE) == ("mimir_trial_package",)
    install_missing(hand, NOT_THERE)
    assert missing(NOT_THERE) == ()
    assert hand.others == ["mimir_trial_package>=1.0"]
    assert hand.pytorch == []
    (question,) = hand.questions
    assert "mimir_trial_package" in question


def test_torch_comes_by_the_pytorch_extension_alone() -> None:
    pytest.importorskip("torch")
    hand = Hand()
    sentence = refusal(hand, TOO_OLD)
    assert hand.pytorch == [">=99.0", ">=0.1"]
    assert hand.others == []
    assert sentence.startswith("RESTART_NEEDED: ")  # nothing was really installed


def test_without_the_pytorch_extension_its_installation_is_explained() -> None:
    pytest.importorskip("torch")
    hand = Hand(with_extension=False)
    sentence = refusal(hand, TOO_OLD)
    assert sentence.startswith("PYTORCH_EXTENSION_MISSING: ")
    assert "Extensions Manager" in sentence
    assert "Restart Slicer" in sentence
    assert hand.questions == hand.pytorch == []


def test_after_a_refusal_nothing_is_installed_and_the_next_step_is_shown() -> None:
    hand = Hand(agrees=False)
    sentence = refusal(hand, NOT_THERE)
    assert sentence.startswith("INSTALLATION_DECLINED: ")
    assert "Press Apply again" in sentence
    assert hand.others == []


def test_a_failed_installation_explains_what_to_do_also_offline() -> None:
    hand = Hand(fault=subprocess.CalledProcessError(1, ["pip"]))
    sentence = refusal(hand, NOT_THERE)
    assert sentence.startswith("INSTALLATION_FAILED: ")
    assert "internet connection" in sentence
    assert "pip download mimir_trial_package" in sentence
