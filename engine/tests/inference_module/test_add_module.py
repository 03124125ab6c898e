from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from random_modules import write_without_network

from mimir_engine.errors import MimirError
from mimir_engine.inference_module.add_module import add_module


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A module in the engine's own format, in a folder of another name."""
    folder = write_without_network(tmp_path / "received")
    (folder / "README.md").write_text("About it.")
    (folder / "setup.py").write_text("not asked for")
    return folder


def packed(folder: Path, archive: Path, inside: str = "trial/") -> Path:
    with zipfile.ZipFile(archive, "w") as writer:
        for path in sorted(folder.iterdir()):
            writer.write(path, inside + path.name)
    return archive


@pytest.mark.parametrize("form", ["folder", "zip", "flat zip"])
def test_a_module_in_the_engines_format_is_copied_under_its_name(
    source: Path, tmp_path: Path, form: str
) -> None:
    if form != "folder":
        source = packed(source, tmp_path / "a.zip", "trial/" if form == "zip" else "")
    module = add_module(source, tmp_path / "into" / "modules")
    assert module.folder == tmp_path / "into" / "modules" / "trial"
    assert sorted(path.name for path in module.folder.iterdir()) == [
        "README.md", "module.json", "weights.safetensors",
    ]  # fmt: skip
    assert [path.name for path in module.folder.parent.iterdir()] == ["trial"]


def test_an_existing_module_is_not_replaced(source: Path, tmp_path: Path) -> None:
    add_module(source, tmp_path / "into")
    with pytest.raises(MimirError, match="MODULE_EXISTS"):
        add_module(source, tmp_path / "into")


def damage_weights(source: Path) -> None:
    (source / "weights.safetensors").write_bytes(b"other weights")


def remove_weights(source: Path) -> None:
    (source / "weights.safetensors").unlink()


def lead_out_of_the_folder(source: Path) -> None:
    record = json.loads((source / "module.json").read_text())
    record["weights"][0]["file"] = "../weights.safetensors"
    (source / "module.json").write_text(json.dumps(record))


def be_no_json(source: Path) -> None:
    (source / "module.json").write_text("{")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (damage_weights, "MODULE_DAMAGED"),
        (remove_weights, "MODULE_FILE_MISSING"),
        (lead_out_of_the_folder, "MODULE_INVALID"),
        (be_no_json, "MODULE_INVALID"),
    ],
)
@pytest.mark.parametrize("form", ["folder", "zip"])
def test_a_changed_module_leaves_no_files_behind(
    source: Path, tmp_path: Path, change: object, code: str, form: str
) -> None:
    change(source)  # type: ignore[operator]
    with pytest.raises(MimirError, match=code):
        add_module(
            packed(source, tmp_path / "a.zip") if form == "zip" else source, tmp_path / "into"
        )
    assert list((tmp_path / "into").iterdir()) == []


def test_a_source_without_a_module_is_refused(source: Path, tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("no zip")
    shutil.copytree(source, tmp_path / "two" / "a")
    two = tmp_path / "two.zip"
    with zipfile.ZipFile(two, "w") as archive:
        for folder in "ab":
            archive.write(source / "module.json", f"{folder}/module.json")
    content = packed(source, tmp_path / "cut.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(content[: len(content) // 2])
    for path, code in (
        (tmp_path / "gone", "SOURCE_MISSING"),
        (tmp_path / "text.zip", "MODULE_INVALID"),
        (tmp_path / "cut.zip", "MODULE_INVALID"),
        (two, "MODULE_INVALID: 'two.zip' contains 2 modules"),
    ):
        with pytest.raises(MimirError, match=code):
            add_module(path, tmp_path / "into")


def test_a_zip_whose_bytes_were_changed_is_refused(source: Path, tmp_path: Path) -> None:
    archive = packed(source, tmp_path / "a.zip")
    archive.write_bytes(archive.read_bytes().replace(b"not weights", b"bad weights"))
    with pytest.raises(MimirError, match="MODULE_INVALID"):
        add_module(archive, tmp_path / "into")


def test_a_module_in_the_engines_format_keeps_its_name(source: Path, tmp_path: Path) -> None:
    with pytest.raises(MimirError, match="WRONG_USE"):
        add_module(source, tmp_path / "into", "other")


def test_a_source_without_module_json_counts_as_a_published_module(tmp_path: Path) -> None:
    (tmp_path / "module_organs").mkdir()
    with pytest.raises(MimirError, match=r"PUBLISHED_MODULE_INVALID: .*metadata\.txt"):
        add_module(tmp_path / "module_organs", tmp_path / "into")


def test_an_unwritable_folder_gives_one_line(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MimirError, match="OUTPUT_UNWRITABLE"):
        add_module(source, tmp_path / "file" / "into")
