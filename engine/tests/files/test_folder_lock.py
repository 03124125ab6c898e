"""Tests of the lock on output folders."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mimir_engine.errors import MimirError
from mimir_engine.files.folder_lock import LOCK_FILE, folder_lock, is_held

HOLDER = """
import sys
from pathlib import Path
from mimir_engine.files.folder_lock import folder_lock
with folder_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_folder_is_held_by_one_block_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "now"
    with folder_lock(folder):
        in_use = pytest.raises(MimirError, match="OUTPUT_IN_USE: another run of MIMIR is writing")
        with in_use, folder_lock(folder):
            pass
        with folder_lock(tmp_path):
            pass
    with folder_lock(folder):
        pass
    assert list(folder.iterdir()) == []


def test_a_folder_is_free_again_when_its_process_was_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"held"
        with pytest.raises(MimirError, match="OUTPUT_IN_USE"), folder_lock(tmp_path):
            pass
        holder.kill()
        holder.wait()
        with folder_lock(tmp_path):
            pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows allows links to administrators only")
def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".mimir.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MimirError, match="OUTPUT_UNWRITABLE"), folder_lock(tmp_path / "out"):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_without_locks_can_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mimir_engine.files.folder_lock.lock_file", lambda descriptor: None)
    with folder_lock(tmp_path), folder_lock(tmp_path):
        pass


def test_asking_whether_a_folder_is_held_disturbs_nobody(tmp_path: Path) -> None:
    assert is_held(tmp_path) is False
    assert is_held(tmp_path / "gone") is False
    with folder_lock(tmp_path):
        assert is_held(tmp_path) is True
        assert is_held(tmp_path) is True
        in_use = pytest.raises(MimirError, match="OUTPUT_IN_USE")
        with in_use, folder_lock(tmp_path):
            pass
    assert is_held(tmp_path) is False
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_a_killed_process_left_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / LOCK_FILE).touch()
    assert is_held(tmp_path) is False
    assert (tmp_path / LOCK_FILE).exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no shared locks")
def test_a_run_that_begins_while_somebody_asks_waits_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    lock = tmp_path / LOCK_FILE
    lock.touch()
    descriptor = os.open(lock, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)  # as is_held does
    monkeypatch.setattr(time, "sleep", lambda seconds: fcntl.flock(descriptor, fcntl.LOCK_UN))
    with folder_lock(tmp_path):
        assert is_held(tmp_path) is True
    os.close(descriptor)
