from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mimir_engine.cohort.ledger import LEDGER_FILE, Ledger
from mimir_engine.errors import MimirError

RUN = {"mimir": "0.1.0", "modules": [{"name": "trial", "sha256": "0" * 64}]}


def filled(folder: Path, *names: str) -> Path:
    """A folder whose ledger knows these studies; returns the ledger's file."""
    with Ledger(folder, RUN) as ledger:
        for value, name in enumerate(names):
            ledger.add(name, {"value": value})
    return folder / LEDGER_FILE


def known(folder: Path) -> dict[str, int]:
    with Ledger(folder, RUN) as ledger:
        return {name: entry["value"] for name, entry in ledger.entries()}


def test_entries_are_known_to_the_next_run_sorted_by_name(tmp_path: Path) -> None:
    filled(tmp_path / "new" / "folder", "b", "a", "c")
    assert list(known(tmp_path / "new" / "folder").items()) == [("a", 1), ("b", 0), ("c", 2)]


def test_the_last_entry_of_a_study_counts(tmp_path: Path) -> None:
    filled(tmp_path, "a", "b", "a")
    assert known(tmp_path) == {"a": 2, "b": 1}
    with Ledger(tmp_path, RUN) as ledger:
        assert len(ledger) == 2


@pytest.mark.parametrize("incomplete", [b'{"name": "c", "va', b"\0\0\0\0", b"\xff\xfe"])
def test_an_incomplete_last_line_is_overwritten(tmp_path: Path, incomplete: bytes) -> None:
    path = filled(tmp_path, "a", "b")
    complete = path.read_bytes()
    path.write_bytes(complete + incomplete)
    with Ledger(tmp_path, RUN) as ledger:
        ledger.add("d", {"value": 7})
    assert known(tmp_path) == {"a": 0, "b": 1, "d": 7}
    assert path.read_bytes().startswith(complete + b'{"name": "d"')


def test_an_incomplete_first_line_starts_a_new_ledger(tmp_path: Path) -> None:
    path = filled(tmp_path)
    path.write_bytes(path.read_bytes()[:20])
    assert known(tmp_path) == {}
    assert json.loads(path.read_text("ascii")) == RUN


def test_another_run_is_refused_with_the_differences(tmp_path: Path) -> None:
    filled(tmp_path, "a")
    with pytest.raises(MimirError, match=r"OUTPUT_IN_USE: .* \(different modules\)"):
        Ledger(tmp_path, {**RUN, "modules": []})
    with pytest.raises(MimirError, match=r"\(different mimir, torch\)"):
        Ledger(tmp_path, {**RUN, "mimir": "9", "torch": "1"})
    assert known(tmp_path) == {"a": 0}, "a refused run changes nothing"


def test_overwriting_starts_again_and_removes_old_results(tmp_path: Path) -> None:
    filled(tmp_path, "a")
    (tmp_path / "predictions.csv").write_text("old")
    (tmp_path / "notes.txt").write_text("not ours")
    with Ledger(tmp_path, {"mimir": "9"}, overwrite=True) as ledger:
        assert len(ledger) == 0
    assert not (tmp_path / "predictions.csv").exists()
    assert (tmp_path / "notes.txt").exists()


def test_results_without_a_ledger_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "predictions.csv").write_text("somebody's")
    with pytest.raises(MimirError, match=r"OUTPUT_IN_USE: .* holds a predictions\.csv"):
        Ledger(tmp_path, RUN)
    assert (tmp_path / "predictions.csv").read_text() == "somebody's"


@pytest.mark.parametrize("damage", [b"{]\n", b"[]\n", b'{"value": 1}\n', b"[" * 99_999 + b"\n"])
def test_a_damaged_line_is_named_and_nothing_is_guessed(tmp_path: Path, damage: bytes) -> None:
    path = filled(tmp_path, "a", "b")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + damage + lines[2])
    with pytest.raises(MimirError, match="LEDGER_DAMAGED: line 2 "):
        Ledger(tmp_path, RUN)


def test_two_processes_do_not_write_to_one_folder(tmp_path: Path) -> None:
    with Ledger(tmp_path, RUN) as first:
        first.add("a", {"value": 1})
        for overwrite in (False, True):
            with pytest.raises(MimirError, match="OUTPUT_IN_USE: another run of MIMIR is writing"):
                Ledger(tmp_path, RUN, overwrite)
    assert known(tmp_path) == {"a": 1}


def test_a_folder_that_cannot_be_made_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MimirError, match="OUTPUT_UNWRITABLE"):
        Ledger(tmp_path / "file" / "out", RUN)


@contextmanager
def little_room(size: int) -> Iterator[None]:
    """No file of this process may grow beyond that size: a full disk, as the system reports it."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_an_error_of_one_line_and_the_run_can_be_resumed(
    tmp_path: Path,
) -> None:
    room = filled(tmp_path, "a").stat().st_size + 30
    refused = pytest.raises(MimirError, match="OUTPUT_UNWRITABLE")
    with Ledger(tmp_path, RUN) as ledger, little_room(room), refused:
        ledger.add("b", {"value": 1, "text": "x" * 100})
    assert (tmp_path / LEDGER_FILE).stat().st_size == room, "a part of the entry was written"
    with Ledger(tmp_path, RUN) as ledger:
        ledger.add("c", {"value": 2})
    assert known(tmp_path) == {"a": 0, "c": 2}


def test_a_disk_that_is_full_at_once_is_an_error_of_one_line(tmp_path: Path) -> None:
    with little_room(0), pytest.raises(MimirError, match="OUTPUT_UNWRITABLE"):
        Ledger(tmp_path, RUN)


def test_any_name_is_read_back_unchanged(tmp_path: Path) -> None:
    names = ["Zoë 頭", "a\nb", "\udcff", '"', "../../etc/passwd", sys.executable]
    path = filled(tmp_path, *names)
    assert path.read_bytes().isascii()
    assert list(known(tmp_path)) == sorted(names)
