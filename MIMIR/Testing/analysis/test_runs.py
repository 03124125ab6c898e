"""A run of several studies that is cancelled, killed or repeated."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Callable

import pytest

pytest.importorskip("slicer")
pytest.importorskip("torch")  # the engine measures

import slicer
from scene_study import study_details

from MIMIRLib.analysis.measure_job import MeasureJob
from MIMIRLib.analysis.request import AnalysisRequest, StudyRequest
from MIMIRLib.analysis.run_folder import RunFolder, discard_run, interrupted_run
from MIMIRLib.analysis.study_outcome import StudyOutcome
from MIMIRLib.job import JobState
from MIMIRLib.scene.results import find_cohort, find_results

KEYS = ("a", "b", "c")
needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")


@pytest.fixture
def scene() -> Iterator[slicer.vtkMRMLScene]:
    scene = slicer.vtkMRMLScene()
    slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    yield scene
    scene.Clear(True)


@pytest.fixture
def request_of_three(phantom_zip: Path, tmp_path: Path) -> AnalysisRequest:
    """Three studies that are only measured if the scene does not have them."""
    paths = [Path(shutil.copy2(phantom_zip, tmp_path / f"{key}.zip")) for key in KEYS]
    studies = tuple(StudyRequest(path.stem, path=str(path)) for path in paths)
    return AnalysisRequest(studies, ("phantom",), volumes=False, repeat=False)


def drive(
    job: MeasureJob, wait_until: Callable, until: Callable[[MeasureJob], bool] = lambda job: False
) -> MeasureJob:
    """Step as a timer would, until the job is over or as asked."""

    def is_enough() -> bool:
        job.step()
        return job.is_over or until(job)

    job.start()
    wait_until(is_enough)
    return job


def cancelled_after(count: int, job: MeasureJob, wait_until: Callable) -> MeasureJob:
    """Cancel a job when some studies are shown."""
    job.measured.connect(lambda _outcome: job.cancel() if len(job.results) == count else None)
    return drive(job, wait_until)


def keys_measured(job: MeasureJob) -> set[str]:
    """The studies that the engine was asked for."""
    return {line.split(":")[0] for line in job.log if line.endswith(": read")}


def test_a_study_is_shown_while_the_next_ones_are_measured(
    scene: slicer.vtkMRMLScene, request_of_three: AnalysisRequest, wait_until: Callable
) -> None:
    job = MeasureJob(scene, request_of_three)
    seen: list[tuple[str, bool, bool]] = []

    def note(outcome: StudyOutcome) -> None:
        is_shown = find_results(scene, outcome.key) is not None
        seen.append((outcome.key, is_shown, "Finished" in job.log[-1]))

    job.measured.connect(note)
    drive(job, wait_until)

    assert {key for key, *_ in seen} == set(KEYS)
    assert all(is_shown and not is_over for _, is_shown, is_over in seen)
    assert [result.key for result in job.results] == [*KEYS]
    assert find_cohort(scene).GetNumberOfRows() == 3


def test_cancel_keeps_what_is_finished_and_the_same_run_measures_the_rest(
    scene: slicer.vtkMRMLScene, request_of_three: AnalysisRequest, wait_until: Callable
) -> None:
    first = cancelled_after(2, MeasureJob(scene, request_of_three), wait_until)
    kept = {result.key: result.nodes for result in first.results}

    second = drive(MeasureJob(scene, request_of_three), wait_until)
    third = drive(MeasureJob(scene, request_of_three), wait_until)

    assert first.state is JobState.CANCELLED
    assert first.summary == (
        "Cancelled. 2 of 3 studies were measured and are shown; press Apply to measure the other"
        " one."
    )
    assert keys_measured(second) == set(KEYS) - kept.keys()
    assert second.summary == "1 study measured. 2 were measured with these choices before."
    for key, nodes in kept.items():
        assert find_results(scene, key) == nodes
    assert find_cohort(scene).GetNumberOfRows() == 3
    assert keys_measured(third) == set()
    assert third.counts.is_nothing_left
    assert third.summary == (
        "All 3 studies are measured with these choices; Apply measures them again."
    )


def test_a_study_is_measured_again_if_anything_about_it_has_changed(
    scene: slicer.vtkMRMLScene, request_of_three: AnalysisRequest, wait_until: Callable
) -> None:
    one = replace(request_of_three, studies=request_of_three.studies[:1], modules=())
    drive(MeasureJob(scene, one), wait_until)
    path = Path(one.studies[0].path)

    def is_measured(request: AnalysisRequest) -> bool:
        job = drive(MeasureJob(scene, request), wait_until)
        assert job.state is JobState.DONE
        return len(job.results) == 1

    assert not is_measured(one)
    assert is_measured(replace(one, repeat=True))
    assert is_measured(replace(one, swap_repair=True))
    assert is_measured(one), "the table is that of the other options"
    assert is_measured(replace(one, volumes=True))
    assert not is_measured(one)
    os.utime(path, (1, 1))
    assert is_measured(one)
    scene.RemoveNode(find_results(scene, "a").table)
    assert is_measured(one)


@needs_signals
def test_an_engine_that_is_killed_leaves_the_studies_that_are_finished(
    scene: slicer.vtkMRMLScene, request_of_three: AnalysisRequest, wait_until: Callable
) -> None:
    job = MeasureJob(scene, request_of_three)

    def kill(_outcome: StudyOutcome) -> None:
        for process in children("mimir_engine infer") if len(job.results) == 1 else ():
            os.kill(process, signal.SIGKILL)

    job.measured.connect(kill)
    drive(job, wait_until)

    assert job.state is JobState.FAILED
    assert job.summary.startswith("ENGINE_DIED: ")
    assert "of 3 studies w" in job.summary
    assert all(find_results(scene, result.key) for result in job.results)
    assert job.results


def children(words: str) -> list[int]:
    """Process numbers of this process's children whose command line has these words."""
    listed = subprocess.run(
        ["ps", "--ppid", str(os.getpid()), "-o", "pid=,args="], capture_output=True, text=True
    )
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if words in line]


CRASHING = """
import os, signal, sys, time
sys.path[:0] = sys.argv[1:5]
import slicer
from pathlib import Path
from test_runs import KEYS
from MIMIRLib.analysis.measure_job import MeasureJob
from MIMIRLib.analysis.request import AnalysisRequest, StudyRequest
folder = Path(sys.argv[5])
studies = tuple(StudyRequest(key, path=str(folder / f"{key}.zip")) for key in KEYS)
request = AnalysisRequest(studies, ("phantom",), volumes=False, repeat=False)
scene = slicer.vtkMRMLScene()
slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
job = MeasureJob(scene, request, runs=folder / "runs")
job.measured.connect(lambda outcome: os.kill(os.getpid(), signal.SIGKILL))
job.start()
while True:
    job.step()
    time.sleep(0.01)
"""


@needs_signals
def test_after_a_crash_of_slicer_a_run_goes_on(
    scene: slicer.vtkMRMLScene,
    request_of_three: AnalysisRequest,
    tmp_path: Path,
    wait_until: Callable,
) -> None:
    testing = Path(__file__).parents[1]
    engine = testing.parents[1] / "engine"
    folders = [testing / "analysis", testing / "builders", testing.parent, engine, tmp_path]
    crash = subprocess.run([sys.executable, "-c", CRASHING, *map(str, folders)], check=False)
    assert crash.returncode == -signal.SIGKILL
    runs = tmp_path / "runs"

    run = interrupted_run(runs)
    assert run is not None
    assert (set(run.conditions), run.done >= 1) == (set(KEYS), True)
    assert run.path.stat().st_mode & 0o077 == 0, "only for its owner"
    request = replace(run.request, studies=request_of_three.studies)
    job = drive(MeasureJob(scene, request, runs=runs), wait_until)

    assert job.state is JobState.DONE
    assert [result.key for result in job.results] == [*KEYS]
    assert len(keys_measured(job)) < len(KEYS), "what was measured is only shown"
    assert all(find_results(scene, key).table for key in KEYS)
    assert find_cohort(scene).GetNumberOfRows() == 3
    assert [*runs.iterdir()] == []
    assert interrupted_run(runs) is None


def abandoned(runs: Path, name: str, measured: int, seconds: float) -> RunFolder:
    """The folder of a run of three that was interrupted."""
    request = AnalysisRequest((), ("phantom",), volumes=False, repeat=False)
    run = RunFolder(runs / name, request, dict.fromkeys(KEYS, "conditions"))
    run.path.mkdir(parents=True)
    run._write()
    os.utime(run.path / "record.json", (seconds, seconds))
    for key in KEYS[:measured]:
        study_details(run.study(key), key, volumes=False)
    return run


def test_only_the_latest_interrupted_run_is_kept_and_none_without_a_result(tmp_path: Path) -> None:
    abandoned(tmp_path, "old", 1, 100)
    latest = abandoned(tmp_path, "latest", 2, 200)
    abandoned(tmp_path, "empty", 0, 300)
    damaged = abandoned(tmp_path, "damaged", 1, 400)
    (damaged.path / "record.json").write_text("{")

    found = interrupted_run(tmp_path)

    assert found == latest
    assert found.done == 2
    assert [path.name for path in tmp_path.iterdir()] == ["latest"]
    discard_run(found)
    assert interrupted_run(tmp_path) is None


def test_a_run_that_goes_on_is_not_interrupted(
    scene: slicer.vtkMRMLScene,
    request_of_three: AnalysisRequest,
    tmp_path: Path,
    wait_until: Callable,
) -> None:
    runs = tmp_path / "runs"
    job = MeasureJob(scene, request_of_three, runs=runs)
    found = []
    job.measured.connect(lambda _outcome: found.append(interrupted_run(runs)))
    job.measured.connect(lambda _outcome: found.append(len([*runs.iterdir()])))

    cancelled_after(1, job, wait_until)

    assert found == [None, 1]
    assert [*runs.iterdir()] == []


def test_volumes_are_deleted_when_they_are_shown(
    scene: slicer.vtkMRMLScene,
    request_of_three: AnalysisRequest,
    tmp_path: Path,
    wait_until: Callable,
) -> None:
    request = replace(request_of_three, studies=request_of_three.studies[:1], volumes=True)
    job = MeasureJob(scene, request, runs=tmp_path / "runs")
    left: list[str] = []
    job.measured.connect(
        lambda _: left.extend(path.name for path in tmp_path.glob("runs/*/details/*/*"))
    )

    drive(job, wait_until)

    assert job.results[0].nodes.water is not None
    assert "measurements.json" in left
    assert not {"water.npy", "fat.npy", "fat_fraction.npy", "regions.npy"} & set(left)
