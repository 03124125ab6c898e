"""The installation of packages: real calls of pip, without a network."""

from __future__ import annotations

import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import pytest

pytest.importorskip("pip")

from MIMIRLib.engine import requirements
from MIMIRLib.engine.install_job import InstallJob, _sentence
from MIMIRLib.engine.pip_process import PipProcess
from MIMIRLib.job import JobState

NAME = "mimir_trial_package"


@dataclass
class Hand:
    """An installer that answers and notes what it is asked."""

    agrees: bool = True
    with_extension: bool = True
    fault: Optional[Exception] = None
    questions: list[str] = field(default_factory=list)
    pytorch: list[str] = field(default_factory=list)

    def has_pytorch_extension(self) -> bool:
        return self.with_extension

    def ask(self, question: str) -> bool:
        self.questions.append(question)
        return self.agrees

    def install_pytorch(self, torch: str, torchvision: str) -> None:
        self.pytorch += [torch, torchvision]
        if self.fault:
            raise self.fault


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that pip installs into; it finds the wheels of another folder only."""
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_TARGET", str(tmp_path / "packages"))
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    monkeypatch.setattr(requirements, "ONNX", {NAME: "1.0"})
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    return tmp_path


def write_wheel(folder: Path, needs: str = "") -> None:
    """A wheel of the trial package."""
    info = f"{NAME}-1.0.dist-info"
    about = f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n"
    about += f"Requires-Dist: {needs}\n" if needs else ""
    with zipfile.ZipFile(folder / "wheels" / f"{NAME}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{NAME}.py", "")
        wheel.writestr(f"{info}/METADATA", about)
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


def ended(job: InstallJob) -> InstallJob:
    job.run(lambda: None)
    return job


def test_a_missing_package_is_installed_after_a_question(place: Path) -> None:
    write_wheel(place)
    hand, sentences = Hand(), []
    job = InstallJob(hand, "onnx", sys.executable)
    job.progressed.connect(lambda progress: sentences.append(progress.sentence))
    ended(job)
    assert job.state is JobState.DONE, job.log
    assert job.summary == f"Installed: {NAME}."
    assert requirements.missing("onnx") == ()
    (question,) = hand.questions
    assert NAME in question
    assert sentences[0] == f"Installing {NAME}"
    assert "Copying the packages into Slicer" in sentences
    assert any("Successfully installed" in line for line in job.log)


def test_without_missing_packages_there_is_neither_a_question_nor_a_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(requirements, "ONNX", {"pytest": "8.0"})
    hand = Hand()
    job = ended(InstallJob(hand, "onnx", "no such program"))
    assert (job.state, hand.questions) == (JobState.DONE, [])
    assert job.summary == "All packages are installed."


def test_after_a_refusal_nothing_is_installed_and_the_next_step_is_shown(place: Path) -> None:
    write_wheel(place)
    job = ended(InstallJob(Hand(agrees=False), "onnx", sys.executable))
    assert job.summary.startswith("INSTALLATION_DECLINED: ")
    assert "Try again and agree" in job.summary
    assert not (place / "packages").exists()


def test_a_failed_installation_explains_what_to_do_also_offline(place: Path) -> None:
    job = ended(InstallJob(Hand(), "onnx", sys.executable))  # there is no wheel
    assert job.summary.startswith("INSTALLATION_FAILED: ")
    assert "internet connection" in job.summary
    assert f"pip download {NAME}" in job.summary
    assert any("No matching distribution" in line for line in job.log), "the log names the cause"


def test_a_package_that_needs_another_numpy_is_not_installed(place: Path) -> None:
    write_wheel(place, needs="numpy<1.0")
    job = ended(InstallJob(Hand(), "onnx", sys.executable))
    assert job.summary.startswith("INSTALLATION_FAILED: ")
    assert not (place / "packages" / f"{NAME}.py").exists()


def test_cancel_ends_pip_at_once(place: Path, tmp_path: Path) -> None:
    write_wheel(place)
    slow = tmp_path / "slow.py"
    slow.write_text("import time; print('Collecting', flush=True); time.sleep(60)", "utf-8")
    with PipProcess([], python=str(_program(tmp_path, slow))) as process:
        assert process.is_running
        process.cancel()
    assert process.exit_code != 0


def _program(folder: Path, script: Path) -> Path:
    """A program that runs a script, whatever its arguments are."""
    if sys.platform == "win32":
        pytest.skip("a shell script stands for Python")
    program = folder / "python"
    program.write_text(f"#!/bin/sh\nexec {sys.executable} {script}\n", "utf-8")
    program.chmod(0o755)
    return program


def test_torch_comes_by_the_pytorch_extension_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "_is_present", lambda name, lowest: name == "safetensors")
    hand = Hand()
    job = ended(InstallJob(hand, "torch", "no such program"))
    assert hand.pytorch == [">=2.1", ">=0.16"]
    assert "3 GB" in hand.questions[0]
    assert job.summary.startswith("RESTART_NEEDED: "), "nothing was really installed"


def test_a_fault_of_the_pytorch_extension_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "_is_present", lambda name, lowest: False)
    job = ended(InstallJob(Hand(fault=OSError("no network")), "torch", "no such program"))
    assert job.summary.startswith("INSTALLATION_FAILED: ")
    assert "OSError" in job.summary


def test_without_the_pytorch_extension_its_installation_is_explained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(requirements, "_is_present", lambda name, lowest: False)
    hand = Hand(with_extension=False)
    job = ended(InstallJob(hand, "torch", "no such program"))
    assert job.summary.startswith("PYTORCH_EXTENSION_MISSING: ")
    assert "Extensions Manager" in job.summary
    assert hand.questions == hand.pytorch == []


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "  Downloading onnxruntime-1.32.0-cp312-cp312-manylinux_2_28_x86_64.whl (27.8 MB)",
            "Downloading onnxruntime (27.8 MB)",
        ),
        (
            "Downloading ml_dtypes-0.6.0-cp312-cp312-win_amd64.whl.metadata (9 kB)",
            "Downloading ml_dtypes (9 kB)",
        ),
        ("Installing collected packages: a, b", "Copying the packages into Slicer"),
        ("Collecting numpy", ""),
    ],
)
def test_lines_of_pip_become_progress(line: str, sentence: str) -> None:
    assert _sentence(line) == sentence


def test_without_its_package_a_pdf_file_is_refused_and_html_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(requirements, "PDF", {NAME: "1.0"})
    hand = Hand(agrees=False)
    job = InstallJob(hand, "pdf")
    job.run(lambda: None)
    assert NAME in hand.questions[0]
    assert "HTML" in str(job.error)
    assert "measure" not in str(job.error)


def test_nothing_is_asked_if_pdf_files_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "PDF", {"pytest": "1.0"})
    hand = Hand()
    job = InstallJob(hand, "pdf")
    job.run(lambda: None)
    assert job.state is JobState.DONE
    assert not hand.questions
