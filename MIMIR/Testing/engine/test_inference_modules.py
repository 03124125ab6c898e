from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from MIMIRLib.engine import inference_modules
from MIMIRLib.engine.add_module_job import AddModuleJob
from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.engine.inference_modules import InferenceModuleRow, list_rows
from MIMIRLib.job import JobState
from MIMIRLib.presenter.module_picker import describe

MimirError = import_engine().MimirError

SHIPPED = Path(__file__).resolve().parents[3] / "weights" / "phantom"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user's own modules, of a user who has none yet."""
    from mimir_engine.inference_module.search_path import locate

    for variable in ("HOME", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    monkeypatch.delenv("MIMIR_WEIGHTS", raising=False)
    return locate().user_modules


def row_of(name: str) -> InferenceModuleRow:
    (row,) = [row for row in list_rows() if row.name == name]
    return row


def added(source: Path) -> AddModuleJob:
    """The job that adds a module, at its end."""
    job = AddModuleJob(str(source))
    job.run(lambda: None)
    return job


def test_a_module_is_described_in_plain_words(own: Path) -> None:
    row = row_of("phantom")
    title, measures, valid_for, provenance, location = describe(row).splitlines()
    assert title == "Demonstration on synthetic phantoms (phantom 2.0)"
    assert measures.startswith("Measures 11 measurements: sex, height (cm), weight (kg), visceral")
    assert valid_for == (
        "Valid for scanners by SIEMENS, model synthetic, 1.5 T, 6 stations,"
        " 1000 to 1250 mm from head to foot."
    )
    assert provenance.startswith("Trained on computer-made phantoms only.")
    assert provenance.endswith("Licence: Apache-2.0.")
    assert location == f"Folder: {SHIPPED}"
    assert (row.folder, row.is_own, row.is_demonstration, row.error) == (SHIPPED, False, True, None)


def test_a_module_that_names_no_limits_is_valid_for_any_study(own: Path) -> None:
    description = json.loads((SHIPPED / "module.json").read_text("utf-8"))
    description["accepts"] = {}
    folder = own / "any"
    folder.mkdir(parents=True)
    (folder / "module.json").write_text(json.dumps({**description, "name": "any"}), "utf-8")
    assert "Valid for any neck-to-knee Dixon study." in describe(row_of("any"))


def test_a_damaged_module_is_a_row_that_says_what_is_wrong(own: Path) -> None:
    (own / "broken").mkdir(parents=True)
    (own / "broken" / "module.json").write_text('{"schema_version": 1}', "utf-8")
    row = row_of("broken")
    assert str(row.error).startswith("MODULE_INVALID: ")
    assert (row.folder, row.is_own, row.module) == (own / "broken", True, None)
    assert row_of("phantom").error is None


def test_the_remains_of_a_killed_addition_are_not_listed(own: Path) -> None:
    shutil.copytree(SHIPPED, own / ".adding.x1y2")
    assert [row.name for row in list_rows()] == ["phantom"]


def test_an_added_module_is_the_users_own_comes_first_and_can_be_removed(own: Path) -> None:
    job = added(SHIPPED)
    assert job.summary.startswith("phantom added: 11 measurements")
    assert job.error is None
    assert (row_of("phantom").is_own, row_of("phantom").folder) == (True, own / "phantom")
    inference_modules.verify("phantom")
    inference_modules.remove("phantom")
    assert list(own.iterdir()) == []
    assert not row_of("phantom").is_own


def test_a_module_of_the_published_layout_is_converted(own: Path, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from mimir_engine.inference_module.architecture import build_network

    source = tmp_path / "module_trial"
    source.mkdir()
    (source / "metadata.txt").write_text("Name,Field,Unit,Divisor\nliverVolume,/,L,1000\n", "utf-8")
    (source / "standardization_parameters.txt").write_text("mean,sd\n1450.5,330.25\n", "utf-8")
    (source / "calibration_factors.txt").write_text("calibration_factor\n1.31\n", "utf-8")
    snapshot = {"state_dict": build_network("resnet50", 1).state_dict(), "iteration": 1}
    torch.save({**snapshot, "optimizer": {}}, source / "snapshot.pth.tar")

    assert added(source).summary.startswith("trial added: 1 measurement,")
    description = describe(row_of("trial"))
    assert "Measures 1 measurement: liver volume (L)." in description
    assert "Valid for scanners by SIEMENS, 1.5 T, 6 stations" in description
    assert "Imported from module_trial." in description


def test_another_file_is_refused_with_the_engines_error(own: Path, tmp_path: Path) -> None:
    archive = tmp_path / "no-module.zip"
    archive.write_bytes(b"no zip")
    job = added(archive)
    assert job.state is JobState.FAILED
    assert isinstance(job.error, MimirError)
    assert job.error.code == "MODULE_INVALID"
    assert job.error.reason.startswith("'no-module.zip' ")
    assert not own.exists() or list(own.iterdir()) == []


def test_a_cancelled_addition_adds_nothing(own: Path) -> None:
    job = AddModuleJob(str(SHIPPED))
    job.start()
    job.step()
    job.cancel()
    assert job.summary == "Cancelled. No inference module was added."
    assert not (own / "phantom").exists()


def test_a_shipped_module_is_not_removed(own: Path) -> None:
    with pytest.raises(MimirError) as caught:
        inference_modules.remove("phantom")
    assert caught.value.code == "MODULE_NOT_OWN"
    assert (SHIPPED / "module.json").is_file()


@pytest.mark.parametrize("name", ["no-such", "..", "phantom/..", ""])
def test_only_what_is_listed_can_be_removed(own: Path, name: str) -> None:
    with pytest.raises(MimirError) as caught:
        inference_modules.remove(name)
    assert caught.value.code == "MODULE_NOT_FOUND"


@pytest.mark.skipif(os.name == "nt", reason="Windows allows links to administrators only")
def test_removing_a_link_leaves_what_it_points_to(own: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(SHIPPED, elsewhere)
    own.mkdir(parents=True)
    (own / "linked").symlink_to(elsewhere)
    inference_modules.remove("linked")
    assert not (own / "linked").exists()
    assert (elsewhere / "module.json").is_file()


def test_a_changed_file_is_found_by_verifying(own: Path) -> None:
    shutil.copytree(SHIPPED, own / "phantom")
    inference_modules.verify("phantom")
    with open(own / "phantom" / "weights.safetensors", "r+b") as file:
        file.seek(1000)
        file.write(b"?")
    with pytest.raises(MimirError) as caught:
        inference_modules.verify("phantom")
    assert caught.value.code == "MODULE_DAMAGED"
