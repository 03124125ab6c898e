from __future__ import annotations

import json
import os
import shutil
import stat
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
from random_modules import module_spec, write_without_network

from mimir_engine.cli import DONE, main
from mimir_engine.errors import MimirError
from mimir_engine.files import bounded_zip
from mimir_engine.files.folder_lock import name_lock
from mimir_engine.inference_module import (
    find_module,
    load_module,
    source_files,
    verify_module,
)
from mimir_engine.inference_module.add_module import add_module
from mimir_engine.inference_module.format import WeightsFile, module_to_json


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


def test_a_module_of_the_same_name_is_not_replaced(source: Path, tmp_path: Path) -> None:
    add_module(source, tmp_path / "into")
    other = write_without_network(tmp_path / "other", title="Another trial")
    with pytest.raises(MimirError, match="MODULE_EXISTS"):
        add_module(other, tmp_path / "into")
    assert load_module(tmp_path / "into" / "trial").title == "A trial"


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_the_same_module_is_there_already(
    source: Path, tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    add_module(source, tmp_path / "into")
    before = (tmp_path / "into" / "trial" / "module.json").stat()
    if form == "zip":
        source = packed(source, tmp_path / "a.zip")
    assert main(["modules", "add", str(source), "--into", str(tmp_path / "into")]) == DONE
    assert "trial is there already: 3 measurements" in capsys.readouterr().out
    assert (tmp_path / "into" / "trial" / "module.json").stat() == before


def test_a_module_is_added_to_the_folder_of_the_environment_and_found_there(
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place, other = tmp_path / "weights", tmp_path / "others"
    monkeypatch.setenv("MIMIR_WEIGHTS", os.pathsep.join([str(place), str(other)]))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert main(["modules", "add", str(source)]) == DONE
    assert find_module("trial").folder == place / "trial"
    assert capsys.readouterr().err == ""
    assert main(["modules", "add", str(source), "--into", str(tmp_path / "into")]) == DONE
    assert f"Use the module as {tmp_path / 'into' / 'trial'}" in capsys.readouterr().err
    write_without_network(other / "trial", title="Another trial")
    assert main(["modules", "add", str(source)]) == DONE
    assert f"A different module of this name is in {other / 'trial'}" in capsys.readouterr().err


def test_a_damaged_module_is_restored_by_adding_it_again(source: Path, tmp_path: Path) -> None:
    module = add_module(source, tmp_path / "into")
    damage_weights(module.folder)
    verify_module(add_module(source, tmp_path / "into"))


def test_a_module_is_added_by_one_process_at_a_time(source: Path, tmp_path: Path) -> None:
    with name_lock(tmp_path / "into" / "trial"), pytest.raises(MimirError, match="OUTPUT_IN_USE"):
        add_module(source, tmp_path / "into")
    add_module(source, tmp_path / "into")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no fork")
@pytest.mark.parametrize("moment", ["fsync", "replace", "rename"])
def test_a_killed_addition_does_not_block_the_next(
    source: Path, tmp_path: Path, moment: str
) -> None:
    child = os.fork()
    if child == 0:  # ends at once at this call, as by a kill
        setattr(os, moment, lambda *_, **__: os._exit(9))
        add_module(source, tmp_path / "into")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    verify_module(add_module(source, tmp_path / "into"))
    assert [path.name for path in (tmp_path / "into").iterdir()] == ["trial"]


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


posix = pytest.mark.skipif(os.name == "nt", reason="devices, pipes and links of POSIX")


@posix
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/full", "/dev/tty", "a pipe"])
def test_a_device_or_a_pipe_is_not_a_module(tmp_path: Path, device: str) -> None:
    path = Path(device)
    if device == "a pipe":
        path = tmp_path / "pipe"
        os.mkfifo(path)
    elif not path.exists():
        pytest.skip(f"no {device}")
    with pytest.raises(MimirError, match="MODULE_INVALID"):
        add_module(path, tmp_path / "into")
    assert not (tmp_path / "into").exists()


@posix
@pytest.mark.parametrize("name", ["weights.safetensors", "module.json", "README.md"])
@pytest.mark.parametrize("kind", ["pipe", "device", "link to itself", "link to a device"])
def test_a_module_with_special_files_is_refused(
    source: Path, tmp_path: Path, name: str, kind: str
) -> None:
    path = source / name
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link to itself":
        path.symlink_to(path)
        if name == "README.md":  # a text that leads nowhere is left out
            return
    elif kind == "link to a device":
        path.symlink_to("/dev/zero")
    else:
        try:
            os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5))
        except OSError:
            pytest.skip("only administrators make devices")
    with pytest.raises(MimirError, match=r"^(PUBLISHED_)?MODULE_(INVALID|FILE_MISSING)"):
        add_module(source, tmp_path / "into")
    assert not any((tmp_path / "into").rglob("*"))


def test_a_file_that_is_linked_in_a_folder_is_copied(source: Path, tmp_path: Path) -> None:
    (source / "weights.safetensors").rename(tmp_path / "blob")
    try:
        (source / "weights.safetensors").symlink_to(tmp_path / "blob")
    except OSError:
        pytest.skip("links are not allowed")
    copy = add_module(source, tmp_path / "into").folder / "weights.safetensors"
    assert not copy.is_symlink()
    assert copy.read_bytes() == b"not weights"


def zeros(tmp_path: Path, count: int, size: int) -> Path:
    """An archive of a module whose weights are zeros that have the right hash."""
    digest = sha256(bytes(size)).hexdigest()
    names = [f"weights{n}.safetensors" for n in range(count)]
    weights = tuple(WeightsFile(name, digest) for name in names)
    record = module_to_json(module_spec(weights=weights))
    with zipfile.ZipFile(tmp_path / "zeros.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("module.json", json.dumps(record))
        for name in names:
            with archive.open(name, "w") as file:
                file.write(bytes(size))
    return tmp_path / "zeros.zip"


@pytest.mark.parametrize(
    ("limit", "value"),
    [("add_module.MAX_MODULE_BYTES", 7 << 20), ("add_module.MAX_WEIGHTS_BYTES", 1 << 20)],
)
def test_weights_that_are_too_large_are_refused_before_any_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(f"mimir_engine.inference_module.{limit}", value)
    monkeypatch.setattr(source_files, "MAX_RATIO", 10_000)
    with pytest.raises(MimirError, match=r"MODULE_INVALID: .* larger than"):
        add_module(zeros(tmp_path, count=4, size=2 << 20), tmp_path / "into")
    assert list((tmp_path / "into").iterdir()) == []


def test_a_bomb_of_zeros_is_not_unpacked(tmp_path: Path) -> None:
    with pytest.raises(MimirError, match=r"MODULE_INVALID: .* more than 100 times"):
        add_module(zeros(tmp_path, count=2, size=4 << 20), tmp_path / "into")
    assert list((tmp_path / "into").iterdir()) == []


def test_a_module_of_too_many_networks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MimirError, match=r"MODULE_INVALID: .* more than 50 networks"):
        add_module(zeros(tmp_path, count=51, size=8), tmp_path / "into")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compression_that_is_not_read_is_named(source: Path, tmp_path: Path, method: int) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        for path in source.iterdir():
            archive.write(path, path.name)
    with pytest.raises(MimirError, match=r"MODULE_INVALID: .*compression method"):
        add_module(tmp_path / "a.zip", tmp_path / "into")


def changed_directory(archive: Path, offset: int, value: bytes) -> None:
    """Change the field at this offset of every entry of an archive's directory."""
    content = bytearray(archive.read_bytes())
    at = content.find(b"PK\1\2")
    while at >= 0:
        content[at + offset : at + offset + len(value)] = value
        at = content.find(b"PK\1\2", at + 4)
    archive.write_bytes(content)


@pytest.mark.parametrize(
    ("offset", "value", "why"),
    [
        (8, b"\1\0", "it is encrypted"),
        (10, b"\x63\0", "compression method"),
        (24, b"\xff\xff\xff\x7f", "larger than 4 MB"),
        (24, b"\1\0\0\0", "cannot be read|is not valid JSON"),
        (20, b"\xff\xff\xff\xff\xff\xff\xff\xff", ""),
        (42, b"\xff\xff\xff\x7f", ""),
        (28, b"\xff\xff", ""),
        (30, b"\xff\xff", ""),
    ],
)
def test_an_archive_whose_directory_lies_is_refused(
    source: Path, tmp_path: Path, offset: int, value: bytes, why: str
) -> None:
    archive = packed(source, tmp_path / "a.zip")
    changed_directory(archive, offset, value)
    with pytest.raises(MimirError, match=rf"MODULE_INVALID: .*({why})"):
        add_module(archive, tmp_path / "into")


def test_an_archive_with_a_huge_directory_is_refused_unread(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = packed(source, tmp_path / "a.zip")
    monkeypatch.setattr(bounded_zip, "MAX_DIRECTORY_BYTES", 100)
    with pytest.raises(MimirError, match=r"MODULE_INVALID: .*too many files"):
        add_module(archive, tmp_path / "into")


def test_an_archive_or_folder_of_too_many_files_is_refused(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_files, "MAX_ENTRIES", 3)
    for path in (packed(source, tmp_path / "a.zip"), source):
        with pytest.raises(MimirError, match=r"MODULE_INVALID: .*more than 3 files"):
            add_module(path, tmp_path / "into")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000])
def test_a_description_that_is_nested_too_deeply_is_refused(
    source: Path, tmp_path: Path, text: str
) -> None:
    (source / "module.json").write_text(text)
    with pytest.raises(MimirError, match="MODULE_INVALID"):
        add_module(source, tmp_path / "into")


def test_a_provenance_that_is_nested_too_deeply_is_refused(source: Path, tmp_path: Path) -> None:
    record = json.loads((source / "module.json").read_text())
    nested = "[" * 900 + "]" * 900
    record["provenance"] = {"x": json.loads(nested)}
    (source / "module.json").write_text(json.dumps(record))
    with pytest.raises(MimirError, match=r"MODULE_INVALID: .*nested more than 20 times"):
        add_module(source, tmp_path / "into")


def test_a_folder_that_cannot_be_read_is_named(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", fail)
    with pytest.raises(MimirError, match=r"'received' cannot be read \(Permission denied\)"):
        add_module(source, tmp_path / "into")
