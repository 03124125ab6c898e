"""Measure studies with the real engine, and show them in a real scene."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest

pytest.importorskip("slicer")
pytest.importorskip("onnxruntime")  # the engine measures

import slicer
from scene_study import state_of, study_details

from mimir_engine import MimirError
from mimir_engine.phantom.dicom_study import write_study
from MIMIRLib import job as job_module
from MIMIRLib.analysis import blocking_call
from MIMIRLib.analysis.measure_job import MeasureJob
from MIMIRLib.analysis.request import AnalysisRequest, StudyRequest
from MIMIRLib.analysis.run_folder import RunFolder
from MIMIRLib.analysis.studies import from_paths, from_volumes
from MIMIRLib.analysis.study_outcome import StudyOutcome
from MIMIRLib.job import JobState
from MIMIRLib.scene.results import find_cohort, find_results

GONE = StudyOutcome("1.2.3", code="FILES_GONE", reason="the files are gone.")


@pytest.fixture
def scene() -> Iterator[slicer.vtkMRMLScene]:
    scene = slicer.vtkMRMLScene()
    slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    yield scene
    scene.Clear(True)


def request(*paths: Path, **options: object) -> AnalysisRequest:
    studies = tuple(StudyRequest(path.stem, path=str(path)) for path in paths)
    return AnalysisRequest(studies, ("phantom",), **options)


def drive(
    job: MeasureJob,
    wait_until: Callable,
    until: Callable[[MeasureJob], bool] = lambda job: False,
) -> None:
    """Step as a timer would, until the job is over or as asked."""

    def is_enough() -> bool:
        job.step()
        return job.is_over or until(job)

    job.start()
    wait_until(is_enough)


def test_a_study_ends_as_measurements_and_nodes_one_that_fails_with_its_reason(
    scene: slicer.vtkMRMLScene, phantom_zip: Path, wait_until: Callable
) -> None:
    job = MeasureJob(scene, request(phantom_zip), iter([GONE]))
    ends: list[MeasureJob] = []
    sentences: list[str] = []
    job.ended.connect(ends.append)
    job.progressed.connect(lambda progress: sentences.append(progress.sentence))

    drive(job, wait_until)

    assert ends == [job]
    assert job.state is JobState.DONE
    assert job.failures == [GONE]
    (result,) = job.results
    assert result.key == phantom_zip.stem
    assert {m.name for m in result.measurements} >= {"phantom_liverVolume", "phantom_sex"}
    assert result.nodes == find_results(scene, phantom_zip.stem)
    assert None not in (result.nodes.water, result.nodes.table, result.nodes.chart)
    assert job.summary == (
        "1 study measured; 1 could not be measured. The reasons are listed below."
    )
    assert sentences[0] == "Looking up the studies' files"
    assert sentences[-1] == "1 of 1 study done"


def test_cancelled_while_the_engine_works_the_scene_is_as_before(
    scene: slicer.vtkMRMLScene, phantom_zip: Path, wait_until: Callable
) -> None:
    before = state_of(scene)
    job = MeasureJob(scene, request(phantom_zip))
    drive(job, wait_until, lambda job: any("predict" in line for line in job.log))

    job.cancel()

    assert job.state is JobState.CANCELLED
    assert state_of(scene) == before
    assert job.summary == "Cancelled. The scene is unchanged."


def test_cancelled_while_results_are_shown_the_scene_is_as_before(
    scene: slicer.vtkMRMLScene,
    phantom_zip: Path,
    wait_until: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(job_module, "MAX_STEP_S", 0.0)  # one node per step
    before = state_of(scene)
    job = MeasureJob(scene, request(phantom_zip, volumes=False))
    drive(job, wait_until, lambda job: state_of(scene) != before)
    assert job.state is JobState.RUNNING

    job.cancel()

    assert state_of(scene) == before
    assert job.results == []


def test_cancelled_by_a_listener_it_ends_after_that_step(
    scene: slicer.vtkMRMLScene, phantom_zip: Path, wait_until: Callable
) -> None:
    before = state_of(scene)
    job = MeasureJob(scene, request(phantom_zip))
    job.logged.connect(lambda line: job.cancel())

    drive(job, wait_until)

    assert job.state is JobState.CANCELLED
    assert state_of(scene) == before


def test_a_second_run_is_refused_and_the_first_continues(
    scene: slicer.vtkMRMLScene, phantom_zip: Path
) -> None:
    first, second = MeasureJob(scene, request(phantom_zip)), MeasureJob(scene, request(phantom_zip))
    first.start()

    with pytest.raises(MimirError, match="RUN_GOES_ON"):
        second.start()

    assert first.state is JobState.RUNNING
    first.cancel()
    second.start()
    second.cancel()


def test_an_unknown_inference_module_fails_with_the_engines_sentence(
    scene: slicer.vtkMRMLScene, phantom_zip: Path, wait_until: Callable
) -> None:
    before = state_of(scene)
    studies = request(phantom_zip).studies
    job = MeasureJob(scene, AnalysisRequest(studies, ("nowhere",)))

    drive(job, wait_until)

    assert job.state is JobState.FAILED
    assert job.error.code == "MODULE_NOT_FOUND"
    assert "nowhere" in job.summary
    assert job.summary.endswith(" The scene is unchanged.")
    assert state_of(scene) == before


def test_without_any_study_that_can_be_measured_the_engine_is_not_asked(
    scene: slicer.vtkMRMLScene, wait_until: Callable
) -> None:
    job = MeasureJob(scene, request(), iter([GONE]))

    drive(job, wait_until)

    assert job.state is JobState.DONE
    assert job.summary == (
        "No study measured; 1 could not be measured. The reasons are listed below."
    )


def test_several_studies_have_a_cohort_table(
    scene: slicer.vtkMRMLScene, phantom_zip: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.zip"
    shutil.copyfile(phantom_zip, other)
    fractions: list[float] = []

    results = blocking_call.measure(
        MeasureJob(scene, request(phantom_zip, other, volumes=False)),
        lambda: None,
        lambda progress: fractions.append(progress.fraction),
    )

    assert [result.key for result in results] == [phantom_zip.stem, "other"]
    assert results[0].measurements == results[1].measurements
    assert find_cohort(scene).GetNumberOfRows() == 2
    assert max(fractions) <= 1


def test_studies_of_similar_names_show_their_own_numbers(
    scene: slicer.vtkMRMLScene, phantom_zip: Path, tmp_path: Path
) -> None:
    names = ["scan (1)", "scan [1]"]
    paths = [tmp_path / f"{name}.zip" for name in names]
    shutil.copyfile(phantom_zip, paths[0])
    write_study(paths[1], 7, ("water", "fat"))

    together = blocking_call.measure(MeasureJob(scene, request(*paths)), lambda: None)
    alone = [
        blocking_call.measure(MeasureJob(scene, request(path, volumes=False)), lambda: None)[0]
        for path in paths
    ]

    assert [result.key for result in together] == names
    assert [result.measurements for result in together] == [r.measurements for r in alone]
    assert together[0].measurements != together[1].measurements


def test_a_folder_of_another_study_is_not_shown(
    scene: slicer.vtkMRMLScene,
    phantom_zip: Path,
    tmp_path: Path,
    wait_until: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = state_of(scene)
    study_details(tmp_path, "another")
    monkeypatch.setattr(RunFolder, "study", lambda run, name: tmp_path)
    monkeypatch.setattr(RunFolder, "drop", lambda run, name: None)
    job = MeasureJob(scene, request(phantom_zip, volumes=False))

    drive(job, wait_until)

    assert job.state is JobState.DONE
    (failure,) = job.failures
    assert (failure.key, failure.code) == (phantom_zip.stem, "DETAILS_INVALID")
    assert job.results == []
    assert state_of(scene) == before


def test_the_console_raises_what_the_engine_says(
    scene: slicer.vtkMRMLScene, tmp_path: Path
) -> None:
    (tmp_path / "study.zip").write_bytes(b"no archive")
    (study,) = from_paths(tmp_path / "study.zip")

    with pytest.raises(MimirError, match=r"study study: .*zip") as error:
        blocking_call.measure(
            MeasureJob(scene, AnalysisRequest((study,), ("phantom",))), lambda: None
        )

    assert error.value.code == "NOT_A_ZIP"


def test_an_interrupt_ends_the_run(scene: slicer.vtkMRMLScene, phantom_zip: Path) -> None:
    job = MeasureJob(scene, request(phantom_zip))

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        blocking_call.measure(job, interrupt)

    assert job.state is JobState.CANCELLED


def test_fused_volumes_measured_again_give_the_same_but_for_rounding(
    scene: slicer.vtkMRMLScene, phantom_zip: Path, tmp_path: Path
) -> None:
    (first,) = blocking_call.measure(MeasureJob(scene, request(phantom_zip)), lambda: None)

    study = from_volumes(first.nodes.water, first.nodes.fat, tmp_path)
    again = AnalysisRequest((study,), ("phantom",), volumes=False)
    (second,) = blocking_call.measure(MeasureJob(scene, again), lambda: None)

    for one, other in zip(first.measurements, second.measurements):
        assert (other.name, other.unit) == (one.name, one.unit)
        assert other.value == pytest.approx(one.value, abs=one.sd / 50)  # volumes are float32
    assert second.nodes.water is first.nodes.water
