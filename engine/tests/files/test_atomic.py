"""Tests of files and folders that appear whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import atomic_file, atomic_folder
from mimir_engine.files.folder_lock import folder_lock

posix = pytest.mark.skipif(os.name == "nt", reason="links, pipes and permissions of POSIX")


def write(path: Path, content: bytes = b"new") -> None:
    with atomic_file(path) as file:
        file.write(content)


def refused(path: Path, why: str) -> None:
    with pytest.raises(MimirError, match=f"OUTPUT_UNWRITABLE: .* is {why}"):
        write(path)


def test_a_file_appears_whole_and_nothing_stays_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "made" / "file.txt"
    with atomic_file(path) as file:
        file.write(b"half")
        file.flush()
        assert not path.exists()
        file.write(b", whole")
    assert path.read_bytes() == b"half, whole"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_leaves_the_old_file(tmp_path: Path) -> None:
    write(tmp_path / "file", b"old")
    with pytest.raises(ZeroDivisionError), atomic_file(tmp_path / "file") as file:
        file.write(bytes(1 // file.write(b"")))
    assert (tmp_path / "file").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_longest_name_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    write(path)
    assert path.read_bytes() == b"new"


@posix
def test_a_planted_temporary_file_is_not_written_through(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.write_bytes(b"private")
    (tmp_path / ".file.part").symlink_to(private)
    write(tmp_path / "file")
    assert private.read_bytes() == b"private"
    assert not (tmp_path / "file").is_symlink()


@posix
def test_links_folders_pipes_and_devices_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"target")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "link", "a link")
    refused(tmp_path / "dangling", "a link")
    refused(tmp_path / "folder", "a folder")
    refused(tmp_path / "pipe", "a device or a pipe")
    refused(Path("/dev/full"), "a device or a pipe")
    assert (tmp_path / "target").read_bytes() == b"target"
    assert (tmp_path / "link").is_symlink()
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert not (tmp_path / "nothing").exists()


@posix
def test_permissions_are_those_of_a_plain_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "new")
        (tmp_path / "plain").touch()
    finally:
        os.umask(before)
    plain = (tmp_path / "plain").stat().st_mode
    assert (tmp_path / "new").stat().st_mode == plain
    (tmp_path / "new").chmod(0o600)
    write(tmp_path / "new")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600


@posix
def test_a_file_is_on_the_disk_before_it_appears_and_its_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, original = [], os.fsync

    def record(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append(("folder" if is_folder else "file", (tmp_path / "file").exists()))
        original(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    write(tmp_path / "file")
    assert synced == [("file", False), ("folder", True)]


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "folder") as new:
        write(new / "a")
        assert not (tmp_path / "folder").exists()
    with atomic_folder(tmp_path / "folder", overwrite=True) as new:
        write(new / "b")
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "b"]


def test_a_folder_that_cannot_be_replaced_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "folder" / "old")
    original = os.rename

    def fail(path: Path, target: Path) -> None:
        if path.name == "new":
            raise OSError("no space")
        original(path, target)

    monkeypatch.setattr(os, "rename", fail)
    with (
        pytest.raises(MimirError, match="OUTPUT_UNWRITABLE"),
        atomic_folder(tmp_path / "folder", overwrite=True) as new,
    ):
        write(new / "b")
    assert (tmp_path / "folder" / "old").read_bytes() == b"new"


@posix
@pytest.mark.parametrize("moment", ["fsync", "replace", "rename"])
def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path, moment: str) -> None:
    write(tmp_path / "folder" / "old")
    child = os.fork()
    if child == 0:  # ends at once at this call, as by a kill
        setattr(os, moment, lambda *_, **__: os._exit(9))
        with atomic_folder(tmp_path / "folder", overwrite=True) as new:
            write(new / "a")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert any(path.name.startswith(".mimir-") for path in tmp_path.iterdir())
    with folder_lock(tmp_path):
        assert not any(".part" in path.name for path in tmp_path.iterdir())
    assert (tmp_path / "folder" / "old").read_bytes() == b"new"


def test_a_folder_moved_away_by_a_killed_process_is_put_back(tmp_path: Path) -> None:
    write(tmp_path / ".mimir-0123456789abcdef.part", b"")
    write(tmp_path / ".mimir-0123456789abcdef.part.d" / "replaced" / "folder" / "old")
    with folder_lock(tmp_path):
        pass
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "old"]


def test_what_others_use_or_own_stays(tmp_path: Path) -> None:
    write(tmp_path / ".file.part")
    write(tmp_path / ".mimir-notes")
    with (
        atomic_file(tmp_path / "file") as file,
        atomic_folder(tmp_path / "folder") as new,
        folder_lock(tmp_path),
    ):
        file.write(b"new")
        write(new / "a")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [".file.part", ".mimir-notes", "file", "folder"]


@posix
def test_only_old_leftovers_are_removed_where_files_cannot_be_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mimir_engine.files.leftovers.lock_file", lambda descriptor: None)
    young, old = (tmp_path / f".mimir-{digit * 16}.part" for digit in "12")
    young.touch()
    old.touch()
    os.utime(old, (0, 0))
    with folder_lock(tmp_path):
        assert young.exists()
        assert not old.exists()
