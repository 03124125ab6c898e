from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from random_modules import module_spec, write_without_network

from mimir_engine.cli import DONE, main
from mimir_engine.errors import MimirError
from mimir_engine.inference_module import (
    check_columns,
    check_projection,
    find_module,
    find_modules,
    load_module,
    module_folders,
    module_sha256,
    rewrite_module,
    verify_module,
    write_module,
)
from mimir_engine.inference_module.folder import new_folder
from mimir_engine.inference_module.statistics import describe_predictions


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Two folders of modules in MIMIR_WEIGHTS; the user's own are elsewhere."""
    first, second = tmp_path / "first", tmp_path / "second"
    monkeypatch.setenv("MIMIR_WEIGHTS", f"{first}{os.pathsep}{second}")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return first, second


def test_a_module_is_found_by_folder_and_by_name(places: tuple[Path, Path]) -> None:
    first, second = places
    write_without_network(first / "trial", title="found")
    write_without_network(second / "other")
    assert find_module("trial").title == "found"
    assert find_module(first / "trial").title == "found"
    assert find_module("other").folder == second / "other"
    with pytest.raises(MimirError, match=r"MODULE_NOT_FOUND.*a known name:.* other, .*trial"):
        find_module("absent")


def test_a_name_of_two_different_modules_means_neither(
    places: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = places
    write_without_network(first / "trial", title="one")
    shutil.copytree(first / "trial", second / "trial")
    assert find_module("trial").folder == first / "trial"
    shutil.rmtree(second / "trial")
    write_without_network(second / "trial", title="other")
    with pytest.raises(MimirError, match="MODULE_AMBIGUOUS") as caught:
        find_module("trial")
    for folder in (first / "trial", second / "trial"):
        assert str(folder) in str(caught.value)
    assert find_module(second / "trial").title == "other"
    assert main(["modules", "list"]) == DONE
    assert f"A different module of this name is in {second / 'trial'}" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../second/trial", "..", "", "second/trial"])
def test_a_name_cannot_be_a_path_into_the_places(places: tuple[Path, Path], name: str) -> None:
    write_without_network(places[1] / "trial")
    with pytest.raises(MimirError, match="MODULE_NOT_FOUND"):
        find_module(name)


def test_a_bare_name_never_means_a_folder_of_the_working_directory(
    places: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_without_network(places[0] / "trial", title="known")
    write_without_network(tmp_path / "work" / "trial", title="here")
    write_without_network(tmp_path / "work" / "other", title="here")
    monkeypatch.chdir(tmp_path / "work")
    assert find_module("trial").title == "known"
    assert [module.title for module in find_modules(["trial=a", "./trial=b"])] == ["known", "here"]
    for path in (os.path.join(".", "trial"), str(Path("trial").absolute()), Path("trial")):
        assert find_module(path).title == "here"
    with pytest.raises(MimirError, match=r"MODULE_NOT_FOUND.*For the folder of this name, write "):
        find_module("other")
    monkeypatch.chdir(tmp_path / "work" / "other")
    assert find_module(".").title == "here"


@pytest.mark.parametrize(
    "name", ["n" * 5000, "./" + "n" * 5000, "a\0b", "./a\0b", "~nobody/a", "~"]
)
def test_a_name_that_no_file_can_have_is_not_found(name: str) -> None:
    with pytest.raises(MimirError, match="MODULE_NOT_FOUND"):
        find_module(name)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_special_file_in_place_of_weights_is_not_read(tmp_path: Path, kind: str) -> None:
    module = find_module(write_without_network(tmp_path / "trial"))
    path = module.folder / "weights.safetensors"
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(MimirError, match=r"MODULE_FILE_MISSING: .*not a regular file"):
        verify_module(module)


def test_all_modules_are_listed_but_not_those_of_interrupted_additions(
    places: tuple[Path, Path],
) -> None:
    write_without_network(places[0] / "trial")
    write_without_network(places[1] / "trial")
    write_without_network(places[1] / "other")
    write_without_network(places[0] / ".adding.x" / "half")
    write_without_network(places[0] / ".half")
    found = module_folders()
    assert found[:2] == [places[0] / "trial", places[1] / "other"]
    assert ".half" not in [folder.name for folder in found]


def test_two_modules_that_give_the_same_column_need_a_prefix(places: tuple[Path, Path]) -> None:
    write_without_network(places[0] / "one", name="one")
    write_without_network(places[0] / "two", name="two")
    with pytest.raises(MimirError, match=r"COLUMN_CONFLICT.*one and two both measure liverVolume"):
        find_modules(["one", "two"])
    one, two = find_modules(["one", "two=b_"])
    assert one.measurement_names[0] == "liverVolume"
    assert two.measurement_names[0] == "b_liverVolume"
    check_columns([one, two])
    with pytest.raises(MimirError, match="MODULE_INVALID: the column prefix"):
        find_modules(["one=1;"])


def test_a_changed_or_missing_file_is_noticed(tmp_path: Path) -> None:
    module = load_module(write_without_network(tmp_path / "trial"))
    verify_module(module)
    before = module_sha256(module)
    (module.folder / "weights.safetensors").write_bytes(b"other weights")
    with pytest.raises(MimirError, match=r"MODULE_DAMAGED: weights\.safetensors"):
        verify_module(module)
    (module.folder / "weights.safetensors").unlink()
    with pytest.raises(MimirError, match="MODULE_FILE_MISSING"):
        verify_module(module)
    assert module_sha256(module) == before
    (module.folder / "module.json").write_text("{}")
    assert module_sha256(module) != before


def test_a_folder_without_a_module_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MimirError, match="MODULE_NOT_FOUND"):
        load_module(tmp_path)


def test_images_of_another_projection_are_refused() -> None:
    check_projection(module_spec(), "mimir-2021")
    with pytest.raises(MimirError, match="PROJECTION_MISMATCH"):
        check_projection(module_spec(), "mimir-2030")


def test_a_new_folder_appears_complete_or_not_at_all(tmp_path: Path) -> None:
    def interrupted() -> None:
        with new_folder(tmp_path / "a") as made:
            (made / "file").touch()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    assert list(tmp_path.iterdir()) == []
    with new_folder(tmp_path / "a") as made:
        (made / "file").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "file"]
    with pytest.raises(MimirError, match="MODULE_EXISTS"), new_folder(tmp_path / "a"):
        pass
    with new_folder(tmp_path / "a", overwrite=True) as made:
        (made / "other").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "other"]


def test_a_module_is_written_with_its_statistics_and_hashes(tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    pytest.importorskip("safetensors")
    statistics = describe_predictions(
        ["height"], np.linspace(150, 190, 50)[:, None], ["male"] * 50, "50 made-up men"
    )
    weights = [{"w": np.ones((2, 2), np.float32)}] * 2
    written = write_module(tmp_path / "trial", module_spec(), weights, eight_bit=True)
    assert [file.storage for file in written.weights] == ["int8", "int8"]
    changes = {"profile": None, "card": "Two networks.", "overwrite": True}
    module = rewrite_module(written.folder, written, statistics=statistics, **changes)
    verify_module(module)
    assert module.statistics() == statistics
    assert load_module(tmp_path / "trial") == module
    with pytest.raises(MimirError, match="MODULE_EXISTS"):
        write_module(tmp_path / "trial", module_spec(), weights)
    newer = rewrite_module(module.folder, module, statistics=None, **changes)
    assert newer.statistics() is None
    assert len(list(newer.folder.iterdir())) == 4
