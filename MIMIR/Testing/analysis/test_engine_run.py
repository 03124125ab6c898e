"""The engine's part of a run: its progress, its errors, its end."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import stat
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable

import pytest

pytest.importorskip("slicer")

import slicer

from mimir_engine import MimirError
from MIMIRLib.analysis import measure_job
from MIMIRLib.analysis.measure_job import MeasureJob
from MIMIRLib.analysis.request import BYTES_WITH_VOLUMES, AnalysisRequest, StudyRequest
from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.job import JobState, Progress
from MIMIRLib.scene.subject import Subject
from MIMIRLib.slicer_tests.reader_processes import LISTS_PROCESSES, Harm

pytestmark = pytest.mark.skipif(find_spec("onnxruntime") is None, reason="needs ONNX Runtime")
needs_processes = pytest.mark.skipif(
    not LISTS_PROCESSES, reason="this system does not list processes in /proc"
)
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX processes")


@pytest.fixture(autouse=True)
def end_runs() -> Iterator[None]:
    """Cancel a run that a failed test left behind: only one can run at a time."""
    yield
    if MeasureJob._running is not None:
        MeasureJob._running.cancel()


@dataclass(frozen=True)
class Heard:
    """Everything that a job has emitted."""

    progress: list[Progress]
    lines: list[str]
    ends: list[JobState]


def job_of(request: AnalysisRequest, scratch: Path) -> tuple[MeasureJob, Heard]:
    """A job in a scene of its own, and what is heard of it."""
    scene = slicer.vtkMRMLScene()
    slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    job, heard = MeasureJob(scene, request, scratch=scratch), Heard([], [], [])
    job.progressed.connect(heard.progress.append)
    job.logged.connect(heard.lines.append)
    job.ended.connect(lambda ended: heard.ends.append(ended.state))
    return job, heard


def drive(job: MeasureJob, wait_until: Callable, until: Callable = lambda job: False) -> None:
    """Step as a timer would, until the job is over or as asked."""

    def is_enough() -> bool:
        job.step()
        return job.is_over or until(job)

    wait_until(is_enough)


def is_measuring(job: MeasureJob) -> bool:
    """Return whether the engine has loaded its inference modules."""
    return any(line.startswith("Studies: ") for line in job.log)


def one_study(path: Path, key: str = "study") -> AnalysisRequest:
    return AnalysisRequest((StudyRequest(key, path=str(path)),), ("phantom",))


@dataclass(frozen=True)
class Finished:
    """A run over a good study between two bad ones, and what was heard of it."""

    job: MeasureJob
    heard: Heard
    scratch: Path


SUBJECT = Subject("1.2.3.4", "MRN-17", "Doe^Jane", "1987-06-05", "Jane's study")


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
    request = AnalysisRequest(studies, ("phantom",), level=0.9, device="cpu", volumes=False)
    job, heard = job_of(request, scratch)
    job.start()
    drive(job, wait_until)
    return Finished(job, heard, scratch)


def test_it_is_done_although_some_studies_failed(finished: Finished) -> None:
    assert finished.job.state is JobState.DONE
    assert finished.heard.ends == [JobState.DONE]
    assert finished.job.error is None


def test_the_study_that_is_done_has_its_measurements(finished: Finished) -> None:
    (outcome,) = finished.job.results
    assert outcome.key == "1.2.3.4"
    assert len(outcome.measurements) == 11
    assert {measurement.level for measurement in outcome.measurements} == {0.9}


def test_each_failure_has_its_studys_key_a_code_and_a_reason(finished: Finished) -> None:
    first, second = finished.job.failures
    assert (first.key, first.code) == ("truncated.zip", "NOT_A_ZIP")
    assert (second.key, second.code) == ("missing", "FILE_UNREADABLE")
    assert all(failure.reason.endswith(".") for failure in finished.job.failures)


def test_progress_never_falls_and_ends_with_all(finished: Finished) -> None:
    fractions = [progress.fraction for progress in finished.heard.progress]
    assert fractions == sorted(fractions)
    assert len(set(fractions)) > 5
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert finished.heard.progress[-1].sentence == "3 of 3 studies done (2 failed)"


def test_progress_is_given_in_words(finished: Finished) -> None:
    sentences = [progress.sentence for progress in finished.heard.progress]
    first, second = list(dict.fromkeys(sentences))[:2]
    assert (first, second) == ("Looking up the studies' files", "Starting the engine")
    assert "0 of 3 studies done; reading truncated.zip" in sentences


def test_the_log_lists_the_engine_and_every_study(finished: Finished) -> None:
    log = "\n".join(finished.job.log)
    assert finished.job.log == finished.heard.lines
    for expected in (
        "Engine 0.",
        "inference modules: phantom; runtime: onnx; device: cpu",
        "1.2.3.4: predict",
        "1.2.3.4: done",
        "truncated.zip: NOT_A_ZIP: ",
        "Finished: 1 done, 2 failed",
    ):
        assert expected in log


def test_the_log_has_no_name_of_the_patient(finished: Finished) -> None:
    log = "\n".join(finished.job.log)
    for private in ("Doe", "Jane", "MRN-17"):
        assert private not in log


def test_at_the_end_no_temporary_file_is_left(finished: Finished) -> None:
    assert list(finished.scratch.iterdir()) == []


def error_at_once(request: AnalysisRequest, scratch: Path) -> MimirError:
    """The error of a run that fails before the engine starts."""
    job, heard = job_of(request, scratch)
    job.start()
    while not job.is_over:
        job.step()
    assert heard.ends == [JobState.FAILED]
    assert isinstance(job.error, MimirError)
    assert job.log == [str(job.error)]
    assert not scratch.exists() or list(scratch.iterdir()) == []
    return job.error


def test_nothing_to_do_is_refused(tmp_path: Path) -> None:
    assert error_at_once(AnalysisRequest((), ("phantom",)), tmp_path).code == "NO_STUDIES"


def test_missing_packages_are_reported_before_anything_starts(
    tmp_path: Path, phantom_zip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_runtime: str) -> None:
        raise MimirError("PACKAGES_MISSING", "torch")

    monkeypatch.setattr(measure_job, "check_installed", refuse)
    assert error_at_once(one_study(phantom_zip), tmp_path).code == "PACKAGES_MISSING"


def test_too_little_disk_space_is_reported_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    almost = SimpleNamespace(free=2 * BYTES_WITH_VOLUMES)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: almost)
    studies = tuple(StudyRequest(str(number), path="a.zip") for number in range(2))
    error = error_at_once(AnalysisRequest(studies, ("phantom",)), tmp_path)
    assert error.code == "NO_DISK_SPACE"
    assert str(tmp_path) in error.reason
    assert "do not show the volumes" in error.reason


def test_a_missing_temporary_folder_is_an_error(tmp_path: Path, phantom_zip: Path) -> None:
    error = error_at_once(one_study(phantom_zip), tmp_path / "gone")
    assert error.code == "ENGINE_NOT_STARTED"
    assert str(tmp_path / "gone") in error.reason


def test_an_error_of_all_studies_is_the_engines_own(
    tmp_path: Path, wait_until: Callable, phantom_zip: Path
) -> None:
    studies = (StudyRequest("study", path=str(phantom_zip)),)
    job, _ = job_of(AnalysisRequest(studies, ("no-such",)), tmp_path)
    job.start()
    drive(job, wait_until)
    assert job.state is JobState.FAILED
    assert isinstance(job.error, MimirError)
    assert job.error.code == "MODULE_NOT_FOUND"
    assert job.log.count(str(job.error)) == 1


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
    job, heard = job_of(one_study(phantom_zip), scratch)
    job.start()
    drive(job, wait_until, is_measuring)
    assert len(list(scratch.iterdir())) == 1
    begun = time.monotonic()
    job.cancel()
    assert time.monotonic() - begun < 2
    with pytest.raises(ProcessLookupError):
        os.kill(engine_pid(), 0)
    assert list(scratch.iterdir()) == []
    assert (job.results, job.error) == ([], None)
    job.step()
    job.cancel()
    assert heard.ends == [JobState.CANCELLED]


@needs_processes
@pytest.mark.parametrize(
    ("harm_name", "code"), [("SIGKILL", "STUDY_CRASHED"), ("SIGSTOP", "STUDY_TIMEOUT")]
)
def test_a_study_that_ends_or_stops_its_reader_fails_alone(
    tmp_path: Path, phantom_zip: Path, wait_until: Callable, harm_name: str, code: str
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    bad = Path(shutil.copy(phantom_zip, tmp_path / "bad.zip"))
    studies = (StudyRequest("bad", path=str(bad)), StudyRequest("good", path=str(phantom_zip)))
    request = AnalysisRequest(studies, ("phantom",), volumes=False, timeout_s=10.0)
    job, heard = job_of(request, scratch)
    with Harm(bad, getattr(signal, harm_name)) as harm:
        job.start()
        drive(job, wait_until)
    assert [(failure.key, failure.code) for failure in job.failures] == [("bad", code)]
    assert [result.key for result in job.results] == ["good"]
    assert len(harm.victims) == 2, "it is tried once more"
    assert harm.survivors == []
    assert any("reading bad once more" in progress.sentence for progress in heard.progress)


@needs_processes
def test_results_are_in_the_order_of_the_studies_whichever_is_done_first(
    tmp_path: Path, phantom_zip: Path, wait_until: Callable
) -> None:
    slow = Path(shutil.copy(phantom_zip, tmp_path / "slow.zip"))
    studies = (StudyRequest("slow", path=str(slow)), StudyRequest("fast", path=str(phantom_zip)))
    job, _ = job_of(AnalysisRequest(studies, ("phantom",), volumes=False), tmp_path)
    with Harm(slow, signal.SIGSTOP) as harm:
        job.start()
        drive(job, wait_until, lambda job: any("fast: done" in s for s in job.log))
    for process in harm.victims:
        os.kill(process, signal.SIGCONT)
    drive(job, wait_until)
    assert [result.key for result in job.results] == ["slow", "fast"]


@needs_processes
def test_cancelling_ends_a_reader_that_hangs(
    tmp_path: Path, phantom_zip: Path, wait_until: Callable
) -> None:
    bad = Path(shutil.copy(phantom_zip, tmp_path / "bad.zip"))
    job, heard = job_of(one_study(bad), tmp_path)
    with Harm(bad, signal.SIGSTOP) as harm:
        job.start()
        drive(job, wait_until, lambda job: harm.victims)
    begun = time.monotonic()
    job.cancel()
    assert time.monotonic() - begun < 2
    assert heard.ends == [JobState.CANCELLED]
    wait_until(lambda: not harm.survivors, 2)


@pytest.fixture
def has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], bool]:
    """Finds out when the engine has ended: then one step takes all of its output."""
    programs, noted = tmp_path / "programs", tmp_path / "ended"
    write_pythonslicer(programs, f'"{sys.executable}" "$@"\ntouch "{noted}"')
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    return noted.exists


def start(job: MeasureJob, wait_until: Callable, has_ended: Callable[[], bool]) -> None:
    """Start a job, and wait until the engine has ended."""
    starting: list[Progress] = []
    job.progressed.connect(lambda p: starting.append(p) if "Starting" in p.sentence else None)
    job.start()
    while not starting:
        job.step()
    wait_until(has_ended)


@posix_only
@pytest.mark.parametrize("line", ["Engine", "Studies", "missing"])
def test_a_listener_of_the_log_may_cancel_at_any_line(
    tmp_path: Path, wait_until: Callable, has_ended: Callable[[], bool], line: str
) -> None:
    job, heard = job_of(one_study(tmp_path / "missing.zip", "missing"), tmp_path)
    job.logged.connect(lambda text: job.cancel() if text.startswith(line) else None)
    start(job, wait_until, has_ended)
    drive(job, wait_until)
    assert heard.ends == [JobState.CANCELLED]
    assert heard.lines[-1].startswith(line)


@posix_only
def test_a_listener_of_the_progress_may_cancel(
    tmp_path: Path, wait_until: Callable, has_ended: Callable[[], bool]
) -> None:
    job, heard = job_of(one_study(tmp_path / "missing.zip"), tmp_path)
    job.progressed.connect(lambda progress: job.cancel() if progress.fraction > 0 else None)
    start(job, wait_until, has_ended)
    drive(job, wait_until)
    assert heard.ends == [JobState.CANCELLED]
    assert len(heard.lines) == 1


@posix_only
def test_a_timer_that_strikes_while_listeners_are_at_work_changes_nothing(
    tmp_path: Path, wait_until: Callable, has_ended: Callable[[], bool]
) -> None:
    job, heard = job_of(one_study(tmp_path / "missing.zip"), tmp_path)
    job.progressed.connect(lambda progress: job.step())
    start(job, wait_until, has_ended)
    drive(job, wait_until)
    assert heard.ends == [JobState.DONE]
    assert job.failures[0].code == "SOURCE_MISSING"
    assert [line for line in heard.lines if line.startswith("Finished")] == [heard.lines[-1]]


def test_a_run_without_owner_leaves_nothing(
    tmp_path: Path, phantom_zip: Path, wait_until: Callable
) -> None:
    job, heard = job_of(one_study(phantom_zip), tmp_path)
    job.start()
    drive(job, wait_until, is_measuring)
    assert len(list(tmp_path.iterdir())) == 1
    MeasureJob._running = None
    del job, heard
    gc.collect()
    wait_until(lambda: not list(tmp_path.iterdir()), 5)


def failed(job: MeasureJob) -> Any:
    """The error of a job that has failed."""
    assert job.state is JobState.FAILED
    assert isinstance(job.error, MimirError)
    return job.error


@posix_only
def test_an_engine_that_the_system_kills_is_an_error_with_the_likely_cause(
    tmp_path: Path, phantom_zip: Path, wait_until: Callable, engine_pid: Callable[[], int]
) -> None:
    job, _ = job_of(one_study(phantom_zip), tmp_path)
    job.start()
    drive(job, wait_until, is_measuring)
    os.kill(engine_pid(), signal.SIGKILL)
    drive(job, wait_until)
    assert failed(job).code == "ENGINE_DIED"
    assert failed(job).reason.startswith("the system ended the engine's process")
    assert "memory" in failed(job).reason


@posix_only
def test_an_engine_that_ends_without_a_message_has_failed(
    tmp_path: Path, phantom_zip: Path, wait_until: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pythonslicer(tmp_path / "programs", "echo 'exit abnormally' >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path / "programs"), prepend=os.pathsep)
    job, _ = job_of(one_study(phantom_zip), tmp_path)
    job.start()
    drive(job, wait_until)
    assert failed(job).code == "ENGINE_DIED"
    assert failed(job).reason.startswith("the engine ended unexpectedly (exit code 1)")
    assert job.log == ["exit abnormally", str(job.error)]


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
    job, _ = job_of(one_study(phantom_zip), tmp_path)
    job.start()
    drive(job, wait_until)
    assert failed(job).code == "ENGINE_SHADOWED"
    assert str(other) in failed(job).reason
    assert job.failures == []
