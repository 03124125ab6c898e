from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from cohort_builder import run_infer, write_studies, write_trial_module

from mimir_engine.cohort.sources import NamedSource
from mimir_engine.cohort.study_folder import (
    FRACTION_FILE,
    MEASUREMENTS_FILE,
    PROJECTION_FILE,
    StudyFolders,
    read_study_folder,
)
from mimir_engine.errors import MimirError
from mimir_engine.fusion.fused_folder import FusedFolder
from mimir_engine.inference_module import InferenceModule
from mimir_engine.measuring.one_study import read_and_fuse
from mimir_engine.projection.project import project


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> InferenceModule:
    """A module that accepts the small studies."""
    return write_trial_module(tmp_path_factory.mktemp("modules") / "trial")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One small study; not to be changed."""
    (path,) = write_studies(tmp_path_factory.mktemp("archives"), ["1000000_20201_2_0"])
    return path


def test_a_study_is_kept_with_its_images_and_its_measurements(
    trial: InferenceModule, archive: Path, tmp_path: Path
) -> None:
    folders = StudyFolders(tmp_path / "details")
    run = run_infer([archive], [trial], tmp_path / "out", folders=folders)
    folder = read_study_folder(Path(run.studies[archive.stem]["details"]))
    study, fused = read_and_fuse(archive)
    assert folder.result.name == archive.stem
    assert folder.has_volumes
    assert np.array_equal(folder.water().array, fused.water.array)
    assert np.array_equal(folder.fat().array, fused.fat.array)
    assert np.array_equal(folder.water().affine, fused.water.affine)
    assert folder.fat_fraction().array.max() <= 100
    assert np.array_equal(folder.projection(), project(fused).image)
    assert folder.description["scanner"]["vendor"] == study.scanner.vendor
    (result,) = run.cohort.results
    assert folder.result == result, "JSON keeps every digit"
    assert result.measurements[0].module == "trial"


def test_volumes_can_be_left_out(trial: InferenceModule, archive: Path, tmp_path: Path) -> None:
    folders = StudyFolders(tmp_path / "details", volumes=False)
    run_infer([archive], [trial], tmp_path / "out", folders=folders)
    folder = read_study_folder(folders.path(archive.stem))
    assert not folder.has_volumes
    assert folder.projection().shape == (3, 256, 256)
    with pytest.raises(MimirError) as error:
        folder.water()
    assert error.value.code == "DETAILS_INVALID"


def test_stored_volumes_are_measured_like_their_study(
    trial: InferenceModule, archive: Path, tmp_path: Path
) -> None:
    folders = StudyFolders(tmp_path / "details")
    first = run_infer([archive], [trial], tmp_path / "out", folders=folders)
    kept = NamedSource("kept", FusedFolder(folders.path(archive.stem)))
    second = run_infer([kept], [trial], tmp_path / "again")
    assert np.allclose(second.values["kept"], first.values[archive.stem], rtol=1e-2), (
        "but for the fraction's planes the image is the same"
    )


def test_a_study_whose_folder_is_incomplete_is_done_again(
    trial: InferenceModule, archive: Path, tmp_path: Path
) -> None:
    folders = StudyFolders(tmp_path / "details")
    run_infer([archive], [trial], tmp_path / "out", folders=folders)
    again = run_infer([archive], [trial], tmp_path / "out", folders=folders)
    assert again.events[0]["already_done"] == 1
    (folders.path(archive.stem) / MEASUREMENTS_FILE).unlink()
    again = run_infer([archive], [trial], tmp_path / "out", folders=folders)
    assert again.events[0]["already_done"] == 0
    assert folders.has(archive.stem)


@pytest.mark.parametrize("content", ["", "[]", '{"name": 1}', json.dumps({"measurements": [{}]})])
def test_a_damaged_study_folder_is_refused(
    trial: InferenceModule, archive: Path, tmp_path: Path, content: str
) -> None:
    folders = StudyFolders(tmp_path / "details", volumes=False)
    run_infer([archive], [trial], tmp_path / "out", folders=folders)
    folder = folders.path(archive.stem)
    (folder / MEASUREMENTS_FILE).write_text(content)
    with pytest.raises(MimirError) as error:
        read_study_folder(folder)
    assert error.value.code == "DETAILS_INVALID"


def test_names_cannot_lead_to_another_folder(tmp_path: Path) -> None:
    folders = StudyFolders(tmp_path)
    for name in ("../up", "/etc/passwd", "..", "a/b", "con\\x"):
        assert folders.path(name).parent == tmp_path
    assert {FRACTION_FILE, PROJECTION_FILE}.isdisjoint({MEASUREMENTS_FILE})
