from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from mimir_engine.cohort.fingerprint import fingerprint, fingerprint_and_state
from mimir_engine.fusion.volume_pair import VolumePair


def test_a_changed_file_changes_the_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"one")
    before = fingerprint(path)
    assert fingerprint(str(path)) == before
    path.write_bytes(b"three")
    assert fingerprint(path) != before


def test_a_file_of_the_same_size_written_later_changes_the_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"one")
    before = fingerprint(path)
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1000))
    assert fingerprint(path) != before


def test_a_change_deep_in_a_folder_changes_its_fingerprint(tmp_path: Path) -> None:
    inner = tmp_path / "study" / "series" / "1.dcm"
    inner.parent.mkdir(parents=True)
    inner.write_bytes(b"one")
    before = fingerprint(tmp_path / "study")
    inner.write_bytes(b"three")
    assert fingerprint(tmp_path / "study") != before


def test_a_moved_study_has_the_same_content_in_another_place(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "a.zip").write_bytes(b"one")
    before = fingerprint(tmp_path / "old" / "a.zip")
    (tmp_path / "old").rename(tmp_path / "new")
    after = fingerprint(tmp_path / "new" / "a.zip")
    assert after.content == before.content
    assert after.place != before.place


def test_missing_files_have_a_fingerprint_of_their_own(tmp_path: Path) -> None:
    files = [tmp_path / "a.dcm", tmp_path / "b.dcm", Path("no\0path")]
    before = fingerprint(files)
    files[1].write_bytes(b"now")
    assert fingerprint(files) != before
    assert fingerprint(files[::-1]) == fingerprint(files), "their order does not matter"


def test_a_change_behind_a_link_to_a_folder_changes_the_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "series").symlink_to(tmp_path / "store")
    (tmp_path / "study" / "series" / "loop").symlink_to(tmp_path / "study")
    (tmp_path / "store" / "1.dcm").write_bytes(b"one")
    before = fingerprint(tmp_path / "study")
    (tmp_path / "store" / "1.dcm").write_bytes(b"three")
    assert fingerprint(tmp_path / "study") != before


def test_a_change_in_one_of_several_archives_or_folders_changes_the_fingerprint(
    tmp_path: Path,
) -> None:
    files = [tmp_path / "a.zip", tmp_path / "series" / "1.dcm"]
    files[1].parent.mkdir()
    for file in files:
        file.write_bytes(b"one")
    source = (files[0], files[1].parent)
    seen = [fingerprint(source)]
    for file in files:
        file.write_bytes(b"three")
        seen.append(fingerprint(source))
    assert len({one.content for one in seen}) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="there, a file's ctime is its creation")
@pytest.mark.parametrize("in_place", [True, False])
def test_a_file_replaced_by_one_of_the_same_size_and_time_changes_the_state(
    tmp_path: Path, in_place: bool
) -> None:
    path, other = tmp_path / "a.zip", tmp_path / "b.zip"
    path.write_bytes(b"one")
    other.write_bytes(b"two")
    shutil.copystat(path, other)
    before, state = fingerprint_and_state(path)
    if in_place:
        shutil.copyfile(other, path)
        shutil.copystat(other, path)
    else:
        other.replace(path)
    assert fingerprint_and_state(path) == (before, fingerprint_and_state(path)[1])
    assert fingerprint_and_state(path)[1] != state


def test_a_copy_on_another_disk_is_the_same_study(tmp_path: Path) -> None:
    for name in ("disk", "copy"):
        (tmp_path / name).mkdir()
    (tmp_path / "disk" / "a.zip").write_bytes(b"one")
    shutil.copy2(tmp_path / "disk" / "a.zip", tmp_path / "copy" / "a.zip")
    one, other = (fingerprint(tmp_path / name / "a.zip") for name in ("disk", "copy"))
    assert one.content == other.content


def test_reading_a_file_leaves_its_state(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(b"one")
    before = fingerprint_and_state(tmp_path)
    (tmp_path / "a.dcm").read_bytes()
    assert fingerprint_and_state(tmp_path) == before


def test_volumes_and_labels_are_known_by_their_role(tmp_path: Path) -> None:
    water, fat, labels = (tmp_path / name for name in ("w.nii", "f.nii", "organs.nii"))
    for number, path in enumerate((water, fat, labels)):
        path.write_bytes(bytes(number))
    pair = VolumePair(water, fat)
    before = fingerprint(pair)
    assert fingerprint(VolumePair(fat, water)).content != before.content
    assert fingerprint(pair, labels).content != before.content
    assert fingerprint(pair, labels).place == before.place
    with_labels = fingerprint(pair, labels)
    labels.write_bytes(b"others")
    assert fingerprint(pair, labels) != with_labels
    fat.write_bytes(b"another fat")
    assert fingerprint(pair) != before
