from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from cohort_builder import Run, run_infer, write_studies, write_trial_module

from mimir_engine.cohort.projection_files import ProjectionFiles
from mimir_engine.errors import MimirError
from mimir_engine.files.leftovers import temporary_file
from mimir_engine.inference_module import InferenceModule
from mimir_engine.measuring.one_study import read_and_fuse
from mimir_engine.projection.project import project

NAMES = ["1000000_20201_2_0", "1000001_20201_2_0"]


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> InferenceModule:
    """A module that accepts the small studies."""
    return write_trial_module(tmp_path_factory.mktemp("modules") / "trial")


@pytest.fixture
def archives(tmp_path: Path) -> list[Path]:
    """Two small studies."""
    return write_studies(tmp_path / "archives", NAMES)


def already_done(run: Run) -> int:
    """Return the number of studies that a run did not measure again."""
    return int(next(e["already_done"] for e in run.events if e["event"] == "run"))


def kept(output: Path) -> list[str]:
    """Return the names of all files in the folder of projections."""
    folder = output / "projections"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_each_projection_is_kept_without_loss(
    trial: InferenceModule, archives: list[Path], tmp_path: Path
) -> None:
    run_infer(archives, [trial], tmp_path / "out")
    files = ProjectionFiles(tmp_path / "out")
    for archive in archives:
        image = project(read_and_fuse(archive)[1]).image
        assert np.array_equal(files.read(archive.stem), image)
    assert kept(tmp_path / "out") == sorted(files.path(name).name for name in NAMES)


def test_a_picture_shows_water_fat_and_fat_fraction_as_red_green_and_blue(
    archives: list[Path], tmp_path: Path
) -> None:
    image = pytest.importorskip("matplotlib.image")
    run_infer(archives[:1], [], tmp_path / "out")
    files = ProjectionFiles(tmp_path / "out")
    picture = np.rint(255 * image.imread(files.path(NAMES[0]))).astype(np.uint8)
    assert np.array_equal(np.moveaxis(picture, -1, 0), files.read(NAMES[0]))


def test_a_study_whose_projection_is_missing_is_measured_again_if_it_is_asked_for(
    archives: list[Path], tmp_path: Path
) -> None:
    output = tmp_path / "out"
    run_infer(archives, [], output)
    files = ProjectionFiles(output)
    files.path(NAMES[1]).unlink()
    assert already_done(run_infer(archives, [], output, keeps_projections=False)) == 2
    assert already_done(run_infer(archives, [], output)) == 1
    assert all(map(files.has, NAMES))


def test_without_images_none_is_kept_and_a_changed_study_loses_its_own(
    archives: list[Path], tmp_path: Path
) -> None:
    output = tmp_path / "out"
    run_infer(archives[:1], [], output)
    shutil.copy(archives[1], archives[0])
    run_infer(archives, [], output, keeps_projections=False)
    assert kept(output) == []


def test_a_changed_study_has_its_new_projection(archives: list[Path], tmp_path: Path) -> None:
    output = tmp_path / "out"
    run_infer(archives, [], output)
    shutil.copy(archives[1], archives[0])
    run_infer(archives, [], output)
    first, second = (ProjectionFiles(output).read(name) for name in NAMES)
    assert np.array_equal(first, second)


def test_a_failed_study_has_no_projection(archives: list[Path], tmp_path: Path) -> None:
    output = tmp_path / "out"
    run_infer(archives, [], output)
    archives[0].write_bytes(b"no archive")
    assert NAMES[0] in run_infer(archives, [], output).failed
    assert kept(output) == [ProjectionFiles(output).path(NAMES[1]).name]


def test_a_study_that_the_module_refuses_has_no_projection(
    archives: list[Path], tmp_path: Path
) -> None:
    from cohort_builder import write_variant

    from mimir_engine.inference_module.acceptance import Accepts

    module = write_trial_module(tmp_path / "trial")
    strict = write_variant(tmp_path / "strict", module, accepts=Accepts(vendors=("OTHER",)))
    assert run_infer(archives, [strict], tmp_path / "out").failed.keys() == set(NAMES)
    assert kept(tmp_path / "out") == []


def test_overwriting_removes_earlier_projections_but_nothing_else(
    archives: list[Path], tmp_path: Path
) -> None:
    output = tmp_path / "out"
    run_infer(archives, [], output)
    (output / "projections" / "notes.txt").write_text("mine")
    run_infer(archives[1:], [], output, overwrite=True)
    assert kept(output) == [ProjectionFiles(output).path(NAMES[1]).name, "notes.txt"]


def test_a_half_written_projection_of_a_killed_run_is_removed(
    archives: list[Path], tmp_path: Path
) -> None:
    import os

    output = tmp_path / "out"
    (output / "projections").mkdir(parents=True)
    descriptor, path = temporary_file(output / "projections")
    os.close(descriptor)
    run_infer(archives[:1], [], output)
    assert not path.exists()


def test_a_damaged_projection_is_refused(tmp_path: Path) -> None:
    files = ProjectionFiles(tmp_path)
    files.path("a").parent.mkdir()
    files.path("a").write_bytes(b"\x89PNG")
    with pytest.raises(MimirError, match="PROJECTION_UNREADABLE"):
        files.read("a")
