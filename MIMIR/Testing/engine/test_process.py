from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Callable

import pytest

from mimir_engine import MimirError
from MIMIRLib.engine.import_engine import is_bundled
from MIMIRLib.engine.process import EngineProcess, Event, slicer_python
from MIMIRLib.slicer_tests.reader_processes import LISTS_PROCESSES, Harm

MODULE_FOLDER = Path(__file__).resolve().parents[2]

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX processes")
needs_runtime = pytest.mark.skipif(find_spec("onnxruntime") is None, reason="needs ONNX Runtime")


def all_of(process: EngineProcess, wait_until: Callable) -> tuple[list[Event], list[str]]:
    """Events and log of a process, once it has ended."""
    process.start()
    wait_until(lambda: not process.is_running)
    return process.poll(), process.log_lines()


def infer(tmp_path: Path, *more: str) -> list[str]:
    return ["infer", "--sources=-", "--events", f"--output={tmp_path / 'results'}", *more]


def is_gone(pid: int) -> bool:
    """Return whether a process has ended; a zombie counts as ended."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return state.stdout.strip()[:1] in ("", "Z")


def pid_file_python(folder: Path, command: str) -> tuple[str, Path]:
    """Return a substitute for Python that writes its process ID to a file, and that file."""
    script, noted = folder / "noting-python", folder / "pid"
    script.write_text(f'#!/bin/sh\necho $$ > "{noted}"\n{command}\n', "utf-8")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return str(script), noted


def test_output_that_is_not_an_event_goes_to_the_log(wait_until: Callable) -> None:
    process = EngineProcess(["modules", "list"])
    events, lines = all_of(process, wait_until)
    assert events == []
    assert any(line.startswith("phantom") for line in lines)
    assert process.exit_code == 0


@needs_runtime
def test_an_error_has_its_code_and_is_in_the_log(tmp_path: Path, wait_until: Callable) -> None:
    process = EngineProcess(infer(tmp_path, "--modules=no-such"))
    events, lines = all_of(process, wait_until)
    assert [event["event"] for event in events] == ["engine"]
    assert process.exit_code == 2
    assert process.failure().code == "MODULE_NOT_FOUND"
    assert str(process.failure()) in lines


def test_before_the_start_it_neither_runs_nor_writes_anything() -> None:
    process = EngineProcess(["modules", "list"])
    assert not process.is_running
    assert process.exit_code is None
    assert process.poll() == process.log_lines() == []
    process.cancel()


def test_a_missing_python_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MimirError, match=r"ENGINE_NOT_STARTED: .*no-python"):
        EngineProcess(["modules", "list"], python=str(tmp_path / "no-python")).start()


def test_an_engine_installed_elsewhere_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wait_until: Callable
) -> None:
    older = tmp_path / "mimir_engine"
    older.mkdir()
    (older / "__init__.py").write_text("", "utf-8")
    (older / "__main__.py").write_text("print('the older one')", "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    process = EngineProcess(infer(tmp_path, "--modules=no-such"))
    (engine,), lines = all_of(process, wait_until)
    assert is_bundled(engine["path"])
    assert "the older one" not in lines


def test_input_that_nobody_reads_blocks_nothing(wait_until: Callable) -> None:
    process = EngineProcess(["modules", "list"], b"x" * (10 << 20))
    begun = time.monotonic()
    process.start()
    assert time.monotonic() - begun < 2
    wait_until(lambda: not process.is_running, 60)
    assert process.exit_code == 0


@needs_runtime
def test_lists_far_larger_than_a_pipe_holds_arrive_complete(
    tmp_path: Path, wait_until: Callable
) -> None:
    files = ", ".join(f'"/no/such/{"folder" * 10}/{number}.dcm"' for number in range(1328))
    lines = [f'{{"name": "study{number}", "files": [{files}]}}\n' for number in range(20)]
    process = EngineProcess(
        infer(tmp_path, "--modules=phantom"), "".join([*lines, "\n"]).encode("ascii")
    )
    events, _ = all_of(process, wait_until)
    studies = [event for event in events if event["event"] == "study"]
    assert sorted(study["name"] for study in studies) == sorted(f"study{n}" for n in range(20))
    assert {study["state"] for study in studies} == {"failed"}
    assert events[-1]["event"] == "finished"
    assert process.exit_code == 1


@needs_runtime
def test_text_of_any_kind_survives_the_pipe(tmp_path: Path, wait_until: Callable) -> None:
    process = EngineProcess(infer(tmp_path, "--modules=größe-é-日本"))
    _, lines = all_of(process, wait_until)
    assert "größe-é-日本" in str(process.failure())
    assert str(process.failure()) in lines


@posix_only
@needs_runtime
def test_cancel_ends_it_at_once_even_while_its_list_is_still_being_written(
    tmp_path: Path, wait_until: Callable
) -> None:
    python, noted = pid_file_python(tmp_path, f'exec "{sys.executable}" "$@"')
    line = b'{"name": "study", "path": "/no/such.zip"}\n'
    process = EngineProcess(infer(tmp_path, "--modules=phantom"), line * 500_000, python)
    process.start()
    wait_until(process.poll)
    begun = time.monotonic()
    process.cancel()
    assert time.monotonic() - begun < 2
    assert is_gone(int(noted.read_text()))
    assert not process.is_running
    assert process.exit_code == -signal.SIGKILL


@posix_only
@needs_runtime
@pytest.mark.parametrize("how", ["the launcher is killed", "cancelled"])
def test_an_engine_behind_a_launcher_ends_as_well(
    tmp_path: Path, phantom_zip: Path, wait_until: Callable, how: str
) -> None:
    engine_pid = tmp_path / "engine-pid"
    launcher, launcher_pid = pid_file_python(
        tmp_path, f'exec 3<&0\n"{sys.executable}" "$@" <&3 &\necho $! > "{engine_pid}"\nwait'
    )
    lines = f'{{"name": "a", "path": "{phantom_zip}"}}\n\n'.encode("ascii")
    process = EngineProcess(infer(tmp_path, "--modules=phantom"), lines, launcher)
    process.start()
    wait_until(lambda: any(event["event"] == "step" for event in process.poll()))
    if how == "cancelled":
        process.cancel()
    else:
        os.kill(int(launcher_pid.read_text()), signal.SIGKILL)
    wait_until(lambda: not process.is_running, 2)
    assert is_gone(int(engine_pid.read_text()))


@pytest.mark.skipif(not LISTS_PROCESSES, reason="this system does not list processes in /proc")
@needs_runtime
@pytest.mark.parametrize("how", ["reads", "hangs"])
def test_it_ends_with_its_readers_when_the_process_that_started_it_is_killed(
    tmp_path: Path, phantom_zip: Path, wait_until: Callable, how: str
) -> None:
    python, noted = pid_file_python(tmp_path, f'exec "{sys.executable}" "$@"')
    lines = f'{{"name": "a", "path": "{phantom_zip}"}}\n\n'.encode("ascii")
    arguments = infer(tmp_path, "--modules=phantom")
    script = (
        f"import sys, time; sys.path.insert(0, {str(MODULE_FOLDER)!r})\n"
        "from MIMIRLib.engine.process import EngineProcess\n"
        f"process = EngineProcess({arguments!r}, {lines!r}, {python!r})\n"
        "process.start()\n"
        "while not any(event['event'] == 'step' for event in process.poll()): time.sleep(0.02)\n"
        "print('measuring', flush=True)\n"
        "time.sleep(600)\n"
    )
    command = [sys.executable, "-c", script]
    with (
        Harm(phantom_zip, signal.SIGSTOP if how == "hangs" else 0) as harm,
        subprocess.Popen(command, stdout=subprocess.PIPE) as parent,
    ):
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"measuring\n"
        assert not is_gone(int(noted.read_text()))
        wait_until(lambda: harm.victims)
        parent.kill()
    wait_until(lambda: is_gone(int(noted.read_text())) and not harm.survivors, 2)


@posix_only
def test_in_slicer_the_python_is_pythonslicer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert slicer_python() == sys.executable
    (tmp_path / "PythonSlicer").symlink_to(sys.executable)
    assert slicer_python() == str(tmp_path / "PythonSlicer")
