from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from cohort_builder import run_infer, write_studies, write_trial_module

import mimir_engine
from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.outcomes import LEDGER_FILE
from mimir_engine.cohort.sources import NamedSource
from mimir_engine.cohort.study_folder import (
    FRACTION_FILE,
    MEASUREMENTS_FILE,
    PROJECTION_FILE,
    StudyFolders,
    read_study_folder,
)
from mimir_engine.direct import measure_directly
from mimir_engine.errors import MimirError
from mimir_engine.fusion.fused_folder import FusedFolder
from mimir_engine.inference_module import InferenceModule, module_sha256
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


def test_a_folder_names_what_made_its_numbers(
    trial: InferenceModule, archive: Path, tmp_path: Path
) -> None:
    folders = StudyFolders(tmp_path / "details", volumes=False)
    run_infer([archive], [trial], tmp_path / "out", folders=folders)
    made_with = read_study_folder(folders.path(archive.stem)).made_with
    assert made_with.run["mimir"] == mimir_engine.__version__
    (card,) = made_with.modules
    assert (card.name, card.valid_for) == ("trial", str(trial.accepts))
    assert card.sha256 == module_sha256(trial)


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
    assert (folders.path(archive.stem) / MEASUREMENTS_FILE).is_file()


@pytest.fixture(scope="module")
def kept(trial: InferenceModule, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A finished run of two studies with their folders; not to be changed."""
    root = tmp_path_factory.mktemp("kept")
    names = ["scan (1)", "scan [1]"]
    run_infer(
        write_studies(root / "archives", names),
        [trial],
        root / "out",
        folders=StudyFolders(root / "details"),
    )
    with Ledger(root / "out", first_line(root / "out")) as ledger:
        entries = dict(ledger.entries())
    return Kept(root, entries)


@dataclass
class Kept:
    """A run's folder, and the entries of its ledger."""

    root: Path
    entries: dict[str, dict[str, Any]]

    def copy(self, folder: Path) -> StudyFolders:
        shutil.copytree(self.root / "details", folder / "details")
        return StudyFolders(folder / "details")


def first_line(output: Path) -> dict[str, Any]:
    """The description of a run."""
    run: dict[str, Any] = json.loads((output / LEDGER_FILE).read_text("ascii").splitlines()[0])
    del run["crc32"]
    return run


def test_studies_of_similar_names_keep_their_own_numbers(kept: Kept, tmp_path: Path) -> None:
    folders = kept.copy(tmp_path)
    results = [read_study_folder(folders.path(name), name).result for name in kept.entries]
    assert [result.name for result in results] == ["scan (1)", "scan [1]"]
    assert results[0].measurements != results[1].measurements
    assert all(folders.has(entry) for entry in kept.entries.values())


def test_a_folder_of_another_study_is_never_taken_for_the_one_asked_for(
    kept: Kept, tmp_path: Path
) -> None:
    folders = kept.copy(tmp_path)
    one, other = (folders.path(name) for name in kept.entries)
    shutil.rmtree(one)
    other.rename(one)
    assert not folders.has(kept.entries["scan (1)"])
    with pytest.raises(MimirError, match=r"DETAILS_INVALID: .* holds another study"):
        read_study_folder(one, "scan (1)")


def test_a_folder_of_another_run_is_not_this_runs(kept: Kept, tmp_path: Path) -> None:
    folders = kept.copy(tmp_path)
    entry = json.loads(json.dumps(kept.entries["scan (1)"]))
    entry["measurements"][0]["value"] += 1
    assert not folders.has(entry)
    water = np.load(folders.path("scan (1)") / "water.npy", mmap_mode="r+")
    water[:] = 0
    water.flush()
    assert not folders.has(kept.entries["scan (1)"]), "as after a power cut"
    (folders.path("scan [1]") / MEASUREMENTS_FILE).unlink()
    assert not folders.has(kept.entries["scan [1]"])


def test_volumes_that_were_left_out_before_are_made(
    trial: InferenceModule, archive: Path, tmp_path: Path
) -> None:
    for volumes, already_done in ((False, 0), (True, 0), (True, 1), (False, 1)):
        folders = StudyFolders(tmp_path / "details", volumes)
        run = run_infer([archive], [trial], tmp_path / "out", folders=folders)
        assert run.events[0]["already_done"] == already_done


@pytest.mark.parametrize("file", ["water.npy", "fat.npy", FRACTION_FILE, PROJECTION_FILE])
def test_images_of_another_study_are_noticed(kept: Kept, tmp_path: Path, file: str) -> None:
    folders = kept.copy(tmp_path)
    one, other = (folders.path(name) for name in kept.entries)
    shutil.copy(other / file, one / file)
    folder = read_study_folder(one)
    read = {
        "water.npy": folder.water,
        "fat.npy": folder.fat,
        FRACTION_FILE: folder.fat_fraction,
        PROJECTION_FILE: folder.projection,
    }
    with pytest.raises(MimirError, match=r"DETAILS_INVALID: .* is not the image"):
        read.pop(file)()
    for intact in read.values():
        intact()


@pytest.mark.parametrize("damage", ["type", "axes", "empty", "zeros", "text", "zip", "header"])
def test_a_damaged_image_is_one_sentence(kept: Kept, tmp_path: Path, damage: str) -> None:
    folders = kept.copy(tmp_path)
    path = folders.path("scan (1)") / PROJECTION_FILE
    image = np.load(path)
    if damage in ("type", "axes"):
        np.save(path, image.astype(np.int8) if damage == "type" else image[0])
    elif damage == "zip":
        with path.open("wb") as file:
            np.savez(file, image)
    else:
        content = path.read_bytes()
        path.write_bytes(
            {
                "empty": b"",
                "zeros": bytes(len(content)),
                "text": b"no array",
                "header": content[:10] + b"[" * 118 + content[128:],
            }[damage]
        )
    with pytest.raises(MimirError, match=r"DETAILS_INVALID: projection\.npy .* Measure"):
        read_study_folder(path.parent).projection()
    assert not folders.has(kept.entries["scan (1)"])


def without(content: dict[str, Any], key: str) -> dict[str, Any]:
    return {other: value for other, value in content.items() if other != key}


def with_hash(text: str) -> str:
    """Complete the content of ``measurements.json`` with the hash that it needs."""
    return f'{text[:-1]}, "content_sha256": "{hashlib.sha256(text.encode()).hexdigest()}"}}'


def test_damaged_measurements_are_one_sentence(kept: Kept, tmp_path: Path) -> None:
    path = kept.copy(tmp_path).path("scan (1)") / MEASUREMENTS_FILE
    text = path.read_text("ascii")
    content = without(json.loads(text), "content_sha256")
    path.write_text(with_hash(json.dumps(content)), "ascii")
    assert read_study_folder(path.parent).result.name == "scan (1)"
    (first, *others) = content["measurements"]
    wrong: dict[str, list[Any]] = {
        **{key: [None, 7, "x", {}, [7], [None]] for key in ("measurements", "findings")},
        **{key: [None, 7, [], {}] for key in ("name", "eid", "instance", "projection")},
        "schema_version": [None, 2, 99, "3"],
        "image_sha256": [None, 7, "x", [], {"../x": "0"}],
    }
    damaged: list[Any] = [text.replace("0", "1", 1), text.replace(".", ".1", 1)]
    damaged += ["", "[]", "7", "null", "{", "[" * 99_999, "\0" * len(text), text[:-9]]
    changed = [without(content, key) for key in wrong]
    changed += [{**content, k: value} for k, values in wrong.items() for value in values]
    for key, value in first.items():
        strange: list[Any] = [{}, [1], 7 if isinstance(value, (str, bool, list)) else "7"]
        strange = strange[:2] if value is None else strange
        for one in (without(first, key), *({**first, key: other} for other in strange)):
            changed.append({**content, "measurements": [one, *others]})
    for number in (float("nan"), float("inf"), 10**400):
        changed.append({**content, "measurements": [{**first, "value": number}, *others]})
    damaged += [with_hash(json.dumps(one)) for one in changed]
    for text in damaged:
        path.write_text(text, "ascii")
        with pytest.raises(MimirError) as error:
            read_study_folder(path.parent)
        assert error.value.code == "DETAILS_INVALID", text[:200]


def test_images_of_a_new_reading_never_stand_beside_earlier_measurements(
    kept: Kept, archive: Path, tmp_path: Path
) -> None:
    folders = kept.copy(tmp_path)
    study, fused = read_and_fuse(archive, "scan (1)")
    direct = measure_directly(fused)
    folders.write_images(study, fused, project(fused), direct)  # and then the process is killed
    with pytest.raises(MimirError, match="DETAILS_INVALID"):
        read_study_folder(folders.path("scan (1)"))


def test_two_runs_never_write_to_the_same_folders(
    trial: InferenceModule, archive: Path, tmp_path: Path
) -> None:
    folders = StudyFolders(tmp_path / "details")
    held = folders.held_for(tmp_path / "first")
    with held, pytest.raises(MimirError, match="OUTPUT_IN_USE: another run of MIMIR is writing"):
        run_infer([archive], [trial], tmp_path / "second", folders=folders)
    run = run_infer([archive], [trial], tmp_path / "details", folders=folders)
    assert run.values, "results and folders may lie in one folder"


def test_names_cannot_lead_to_another_folder(tmp_path: Path) -> None:
    folders = StudyFolders(tmp_path)
    for name in ("../up", "/etc/passwd", "..", "a/b", "con\\x"):
        assert folders.path(name).parent == tmp_path
