"""Folders are searched through links, each once; nothing is skipped without a word."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from archive_builder import contents, refusal, written

from mimir_engine.source.folder_files import folders_below
from mimir_engine.source.hidden_files import is_hidden


def link(path: Path, target: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target, target_is_directory=True)


def test_links_to_folders_are_followed(tmp_path: Path) -> None:
    written(tmp_path / "store" / "7" / "a.dcm", b"first")
    written(tmp_path / "store" / "8" / "b.dcm", b"second")
    for name in ("7", "8"):
        link(tmp_path / "study" / f"series_{name}", tmp_path / "store" / name)
    assert contents(tmp_path / "study") == {"a.dcm": b"first", "b.dcm": b"second"}


def test_loops_of_links_end(tmp_path: Path) -> None:
    written(tmp_path / "a" / "b" / "image.dcm", b"content")
    link(tmp_path / "a" / "b" / "up", tmp_path / "a")
    link(tmp_path / "a" / "self", tmp_path / "a" / "self")
    link(tmp_path / "a" / "b" / "round", tmp_path / "c")
    link(tmp_path / "c" / "back", tmp_path / "a")
    found = list(folders_below(str(tmp_path / "a")))
    assert [Path(folder.path).name for folder in found] == ["a", "b", "round"]
    assert found[0].files == ["self"]
    assert refusal(tmp_path / "a").code == "FILE_UNREADABLE"


def test_a_folder_reached_twice_counts_once(tmp_path: Path) -> None:
    written(tmp_path / "study" / "series" / "a.dcm", b"first")
    link(tmp_path / "study" / "again", tmp_path / "study" / "series")
    link(tmp_path / "study" / "more", tmp_path / "study" / "series")
    assert sum(len(folder.files) for folder in folders_below(str(tmp_path / "study"))) == 1


def test_a_link_upwards_does_not_lead_to_other_studies(tmp_path: Path) -> None:
    written(tmp_path / "one" / "a.dcm", b"first")
    written(tmp_path / "two" / "b.dcm", b"second")
    link(tmp_path / "one" / "up", tmp_path)
    assert contents(tmp_path / "one") == {"a.dcm": b"first"}


def test_a_broken_link_is_named(tmp_path: Path) -> None:
    link(tmp_path / "study" / "series_7", tmp_path / "gone")
    error = refusal(tmp_path / "study")
    assert error.code == "FILE_UNREADABLE"
    assert "'series_7'" in error.what


def test_a_folder_that_cannot_be_listed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "study" / "locked" / "a.dcm", b"first")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if os.path.basename(path) == "locked":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    error = refusal(tmp_path / "study")
    assert error.code == "FILE_UNREADABLE"
    assert "'locked' cannot be read (Permission denied)" in error.what


@pytest.mark.parametrize(
    "name",
    [
        *("._a.dcm", ".DS_Store", "Thumbs.db", "THUMBS.DB", "x/._a.dcm", "x\\._a.dcm"),
        *("__MACOSX/a.dcm", "x/__MACOSX/y/a.dcm", "._"),
    ],
)
def test_files_of_the_operating_system_are_hidden(name: str) -> None:
    assert is_hidden(name)


@pytest.mark.parametrize("name", ["a.dcm", ".a.dcm", "a._b", "x__MACOSX/a.dcm", "._x/a.dcm", ""])
def test_other_files_are_not_hidden(name: str) -> None:
    assert not is_hidden(name)


def test_hidden_files_and_folders_are_skipped_whatever_they_hold(tmp_path: Path) -> None:
    written(tmp_path / "a.dcm", b"content")
    for name in ("._a.dcm", "._b.zip", ".DS_Store", "__MACOSX/b.dcm"):
        written(tmp_path / name, b"")
    (tmp_path / "._gone.dcm").symlink_to(tmp_path / "nowhere")
    assert contents(tmp_path) == {"a.dcm": b"content"}
