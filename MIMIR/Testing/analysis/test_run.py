from __future__ import annotations

import os
import shutil
import signal
import stat
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Callable

import pytest

from MIMIRLib.analysis.progress import Progress
from MIMIRLib.analysis.request import BYTES_WITH_VOLUMES, AnalysisRequest, StudyRequest
from MIMIRLib.analysis.workflow import AnalysisRun, RunState
from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.scene.hierarchy import Subject

pytestmark = pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX processes")


@dataclass(frozen=True)
class Heard:
    """What a run's signals have said."""

    progress: list[Progress]
    lines: list[str]
    ends: list[RunState]


def listen(run: AnalysisRun) -> Heard:
    heard = Heard([], [], [])
    run.progressed.connect(heard.progress.append)
    run.logged.connect(heard.lines.append)
    run.ended.connect(heard.ends.append)
    return heard


def drive(run: AnalysisRun, wait_until: Callable, until: Callable = lambda run: False) -> None:
    """Poll as a timer would, until the run is over or as asked."""

    def is_enough() -> bool:
        run.poll()
        return run.state.is_over or until(run)

    wait_until(is_enough)


def one_study(path: Path, key: str = "study") -> AnalysisRequest:
    return AnalysisRequest((StudyRequest(key, path=str(path)),), ("phantom",))


@dataclass(frozen=True)
class Finished:
    """A run over a good study between two bad ones, and what was heard of it."""

    run: AnalysisRun
    heard: Heard
    scratch: Path


SUBJECT = Subject("1.2.3.4", "MRN-17", "Doe^Jane", "Jane's study")


@pytest.fixture(scope="module")
def finished(
    phantom_zip: Path, tmp_path_factory: pytest.TempPathFactory, wait_until: Callable
) -> Finished:
    scratch = tmp_path_factory.mktemp("scratch")
    truncated = tmp_path_factory.mktemp("bad") / "truncated.zip"
    truncated.write_bytes(phantom_zip.read_bytes()[:1_000_000])
    studies = (
        StudyRequest("truncated.zip", path=str(truncated)),
        StudyRequest("1.2.3.4", path=str(phantom_zip), subject=SUBJECT),
        StudyRequest("missing", files=("/no/such/file.dcm",)),
    )
    run = AnalysisRun(AnalysisRequest(studies, ("phantom",), level=0.9, device="cpu"), scratch)
    heard = listen(run)
    run.start()
    assert run.state is RunState.STARTING
    drive(run, wait_until)
    return Finished(run, heard, scratch)


def test_it_finishes_although_some_studies_failed(finished: Finished) -> None:
    assert finished.run.state is RunState.FINISHED
    assert finished.heard.ends == [RunState.FINISHED]
    assert finished.run.error == ""


def test_the_study_that_is_done_is_given_with_its_request_and_details(finished: Finished) -> None:
    from mimir_engine.cohort.study_folder import read_study_folder

    ((study, folder),) = finished.run.details
    assert (study.key, study.subject) == ("1.2.3.4", SUBJECT)
    content = read_study_folder(folder)
    result = content.result
    assert result.name == "1.2.3.4"
    assert content.has_volumes
    assert len(result.measurements) == 11
    assert {measurement.level for measurement in result.measurements} == {0.9}


def test_each_failure_has_its_studys_key_a_code_and_a_reason(finished: Finished) -> None:
    first, second = finished.run.failures
    assert (first.key, first.code) == ("truncated.zip", "NOT_A_ZIP")
    assert (second.key, second.code) == ("missing", "FILE_UNREADABLE")
    assert all(failure.reason.endswith(".") for failure in finished.run.failures)


def test_progress_never_falls_and_ends_with_all(finished: Finished) -> None:
    fractions = [progress.fraction for progress in finished.heard.progress]
    assert fractions == sorted(fractions)
    assert len(set(fractions)) > 5
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert finished.heard.progress[-1].sentence == "3 of 3 studies done (2 failed)"
    assert finished.run.progress == finished.heard.progress[-1]


def test_time_left_is_unknown_until_a_study_is_over(finished: Finished) -> None:
    for progress in finished.heard.progress:
        assert (progress.seconds_left is None) == (progress.done == 0)


def test_progress_says_in_words_what_goes_on(finished: Finished) -> None:
    sentences = [progress.sentence for progress in finished.heard.progress]
    assert sentences[0] == "Starting the engine"
    assert "0 of 3 studies done; reading truncated.zip" in sentences


def test_the_log_tells_of_the_engine_and_of_every_study(finished: Finished) -> None:
    log = "\n".join(finished.run.log)
    assert finished.run.log == finished.heard.lines
    for expected in (
        "Engine 0.",
        "inference modules: phantom; device: cpu",
        "1.2.3.4: predict",
        "1.2.3.4: done",
        "truncated.zip: NOT_A_ZIP: ",
        "Finished: 1 done, 2 failed",
    ):
        assert expected in log


def test_the_log_says_nothing_of_whom_the_study_belongs_to(finished: Finished) -> None:
    log = "\n".join(finished.run.log)
    for private in ("Doe", "Jane", "MRN-17"):
        assert private not in log


def test_closing_removes_all_that_it_wrote(finished: Finished, phantom_zip: Path) -> None:
    ((_, folder),) = finished.run.details  # the last test that needs it
    kept = AnalysisRun(one_study(phantom_zip), finished.scratch)
    assert folder.is_dir()
    finished.run.close()
    finished.run.close()
    kept.close()
    assert list(finished.scratch.iterdir()) == []
    assert finished.run.state is RunState.FINISHED


def test_a_run_is_started_once(finished: Finished) -> None:
    with pytest.raises(RuntimeError, match="once"):
        finished.run.start()


def fails_at_once(request: AnalysisRequest, scratch: Path) -> str:
    """The error of a run that doesn't get as far as starting anything."""
    run = AnalysisRun(request, scratch)
    heard = listen(run)
    run.start()
    assert run.state is RunState.FAILED
    assert heard.ends == [RunState.FAILED]
    assert run.log == [run.error]
    run.poll()
    run.close()
    assert not scratch.exists() or list(scratch.iterdir()) == []
    return run.error


def test_nothing_to_do_is_refused_in_a_sentence(tmp_path: Path) -> None:
    assert fails_at_once(AnalysisRequest((), ("phantom",)), tmp_path).startswith("NO_STUDIES: ")


def test_too_little_room_on_disk_is_said_before_anything_starts(tmp_path: Path) -> None:
    too_many = shutil.disk_usage(tmp_path).total // BYTES_WITH_VOLUMES + 1
    studies = tuple(StudyRequest(str(number), path="a.zip") for number in range(too_many))
    error = fails_at_once(AnalysisRequest(studies, ("phantom",)), tmp_path)
    assert error.startswith("NO_DISK_SPACE: ")
    assert str(tmp_path) in error
    assert "leave the volumes out" in error


def test_a_temporary_folder_that_is_not_there_is_said(tmp_path: Path, phantom_zip: Path) -> None:
    error = fails_at_once(one_study(phantom_zip), tmp_path / "gone")
    assert error.startswith("ENGINE_NOT_STARTED: ")
    assert str(tmp_path / "gone") in error


def test_what_stops_the_whole_run_is_the_engines_own_sentence(
    tmp_path: Path, wait_until: Callable, phantom_zip: Path
) -> None:
    studies = (StudyRequest("study", path=str(phantom_zip)),)
    run = AnalysisRun(AnalysisRequest(studies, ("no-such",)), tmp_path)
    run.start()
    drive(run, wait_until)
    assert run.state is RunState.FAILED
    assert run.error.startswith("MODULE_NOT_FOUND: there is no inference module 'no-such'.")
    assert run.log.count(run.error) == 1


@pytest.fixture
def engine_pid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Asks for the number of the engine's process: ``PythonSlicer`` on the path notes it."""
    programs, noted = tmp_path / "programs", tmp_path / "pid"
    write_pythonslicer(programs, f'echo $$ > "{noted}"\nexec "{sys.executable}" "$@"')
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    return lambda: int(noted.read_text())


def write_pythonslicer(folder: Path, script: str) -> None:
    folder.mkdir()
    program = folder / "PythonSlicer"
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


@posix_only
def test_cancelling_ends_the_engine_at_once_and_leaves_nothing(
    tmp_path: Path, phantom_zip: Path, wait_until: Callable, engine_pid: Callable[[], int]
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    run = AnalysisRun(one_study(phantom_zip), scratch)
    heard = listen(run)
    run.start()
    drive(run, wait_until, lambda run: run.state is RunState.RUNNING)
    assert len(list(scratch.iterdir())) == 1
    begun = time.monotonic()
    run.cancel()
    assert time.monotonic() - begun < 2
    with pytest.raises(ProcessLookupError):
        os.kill(engine_pid(), 0)
    assert list(scratch.iterdir()) == []
    assert (run.state, heard.ends) == (RunState.CANCELLED, [RunState.CANCELLED])
    assert (run.details, run.error) == ([], "")
    run.poll()
    run.cancel()
    run.close()
    assert heard.ends == [RunState.CANCELLED]


@pytest.fixture
def has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], bool]:
    """Tells when the engine has said all: then one poll takes all of it."""
    programs, noted = tmp_path / "programs", tmp_path / "ended"
    write_pythonslicer(programs, f'"{sys.executable}" "$@"\ntouch "{noted}"')
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    return noted.exists


@posix_only
@pytest.mark.parametrize("line", ["Engine", "Studies", "missing"])
def test_a_listener_of_the_log_may_cancel_at_any_line(
    tmp_path: Path, wait_until: Callable, has_ended: Callable[[], bool], line: str
) -> None:
    run = AnalysisRun(one_study(tmp_path / "missing.zip", "missing"), tmp_path)
    heard = listen(run)
    run.logged.connect(lambda said: run.cancel() if said.startswith(line) else None)
    run.start()
    wait_until(has_ended)
    drive(run, wait_until)
    assert run.state is RunState.CANCELLED
    assert heard.ends == [RunState.CANCELLED]
    assert heard.lines[-1].startswith(line)


@posix_only
def test_a_listener_of_the_progress_may_cancel(
    tmp_path: Path, wait_until: Callable, has_ended: Callable[[], bool]
) -> None:
    run = AnalysisRun(one_study(tmp_path / "missing.zip"), tmp_path)
    heard = listen(run)
    run.progressed.connect(lambda progress: run.cancel() if progress.fraction > 0 else None)
    run.start()
    wait_until(has_ended)
    drive(run, wait_until)
    assert heard.ends == [RunState.CANCELLED]
    assert len(heard.lines) == 1


@posix_only
def test_a_timer_that_strikes_while_listeners_are_at_work_changes_nothing(
    tmp_path: Path, wait_until: Callable, has_ended: Callable[[], bool]
) -> None:
    run = AnalysisRun(one_study(tmp_path / "missing.zip"), tmp_path)
    run.progressed.connect(lambda progress: run.poll())
    heard = listen(run)
    run.start()
    wait_until(has_ended)
    drive(run, wait_until)
    assert run.state is RunState.FINISHED
    assert heard.ends == [RunState.FINISHED]
    assert run.failures[0].code == "SOURCE_MISSING"
    assert [line for line in heard.lines if line.startswith("Finished")] == [heard.lines[-1]]


def test_a_run_that_nobody_holds_any_more_leaves_nothing(
    tmp_path: Path, phantom_zip: Path, wait_until: Callable
) -> None:
    run = AnalysisRun(one_study(phantom_zip), tmp_path)
    run.start()
    assert len(list(tmp_path.iterdir())) == 1
    del run
    wait_until(lambda: not list(tmp_path.iterdir()), 5)


@posix_only
def test_an_engine_that_the_system_kills_is_told_with_the_likely_cause(
    tmp_path: Path, phantom_zip: Path, wait_until: Callable, engine_pid: Callable[[], int]
) -> None:
    run = AnalysisRun(one_study(phantom_zip), tmp_path)
    run.start()
    drive(run, wait_until, lambda run: run.state is RunState.RUNNING)
    os.kill(engine_pid(), signal.SIGKILL)
    drive(run, wait_until)
    assert run.state is RunState.FAILED
    assert run.error.startswith("ENGINE_DIED: the engine was ended by the system")
    assert "memory" in run.error
    assert "0 of 1 studies" in run.error
    run.close()


@posix_only
def test_an_engine_that_ends_without_a_word_is_no_success(
    tmp_path: Path, phantom_zip: Path, wait_until: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pythonslicer(tmp_path / "programs", "echo 'exit abnormally' >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path / "programs"), prepend=os.pathsep)
    run = AnalysisRun(one_study(phantom_zip), tmp_path)
    run.start()
    drive(run, wait_until)
    assert run.state is RunState.FAILED
    assert run.error.startswith("ENGINE_DIED: the engine ended unexpectedly (exit code 1)")
    assert run.log == ["exit abnormally", run.error]


@posix_only
def test_another_engine_than_the_bundled_one_is_not_trusted(
    tmp_path: Path, phantom_zip: Path, wait_until: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "site-packages" / "mimir_engine"
    shutil.copytree(
        import_engine().__path__[0],
        other,
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    write_pythonslicer(tmp_path / "programs", f'cd "{other.parent}"\nexec "{sys.executable}" "$@"')
    monkeypatch.setenv("PATH", str(tmp_path / "programs"), prepend=os.pathsep)
    run = AnalysisRun(one_study(phantom_zip), tmp_path)
    run.start()
    drive(run, wait_until)
    assert run.state is RunState.FAILED
    assert run.error.startswith("ENGINE_SHADOWED: ")
    assert str(other) in run.error
    assert run.failures == []
