from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mimir_engine.cohort.sources import (
    NamedSource,
    check_names,
    file_names,
    named_sources,
    source_fields,
    sources_from_json,
)
from mimir_engine.errors import MimirError
from mimir_engine.fusion.volume_pair import VolumePair

needs_posix_names = pytest.mark.skipif(sys.platform == "win32", reason="Windows forbids such names")


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names_of(*paths: object) -> list[str]:
    return [source.name for source in named_sources(map(str, paths)).studies]


def parsed(*lines: object) -> list[NamedSource]:
    """Studies of a list whose lines are given as text, bytes or something to write as JSON."""
    texts = (line if isinstance(line, (bytes, str)) else json.dumps(line) for line in lines)
    return sources_from_json(t if isinstance(t, bytes) else t.encode() for t in texts)


def test_a_folder_represents_all_archives_below_it(tmp_path: Path) -> None:
    touch(tmp_path / "b.zip", tmp_path / "deep" / "er" / "a.ZIP", tmp_path / "notes.txt")
    touch(tmp_path / "._b.zip")
    assert sorted(names_of(tmp_path)) == ["a", "b"]


def test_a_folder_without_archives_is_one_study(tmp_path: Path) -> None:
    touch(tmp_path / "visit" / "1.dcm", tmp_path / "visit" / "2.dcm")
    assert named_sources([str(tmp_path / "visit")]).studies == (
        NamedSource("visit", tmp_path / "visit"),
    )


def test_the_same_study_twice_counts_once(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    touch(archive)
    (tmp_path / "link.zip").symlink_to(archive)
    twice = [archive, tmp_path, tmp_path / ".." / tmp_path.name / "a.zip", tmp_path / "link.zip"]
    assert names_of(*twice) == ["a"]


def test_a_link_gives_the_study_its_own_name(tmp_path: Path) -> None:
    touch(tmp_path / "store" / "MD5-9e10.zip")
    link = tmp_path / "1234567_20201_2_0.zip"
    link.symlink_to(tmp_path / "store" / "MD5-9e10.zip")
    assert names_of(link) == ["1234567_20201_2_0"]


def test_equal_names_get_as_many_folders_in_front_as_distinct_names_need(
    tmp_path: Path,
) -> None:
    touch(tmp_path / "p/a/x.zip", tmp_path / "q/a/x.zip", tmp_path / "r/b/x.zip")
    touch(tmp_path / "r/y.zip")
    assert sorted(names_of(tmp_path)) == ["b/x", "p/a/x", "q/a/x", "y"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs names that are no text")
def test_names_that_only_unprintable_characters_distinguish_get_a_hash(tmp_path: Path) -> None:
    touch(*(tmp_path / f"{name}.zip" for name in ("M\udcfcller", "M\udcf6ller", "M\x07ller", "b")))
    names = names_of(tmp_path)
    assert len({*names}) == 4
    assert sorted(name[:7] for name in names) == ["M_ller-"] * 3 + ["b"]
    assert all(name.isprintable() for name in names)


def test_names_that_no_folder_distinguishes_are_refused(tmp_path: Path) -> None:
    touch(tmp_path / "x.zip", tmp_path / "x" / "1.dcm")
    with pytest.raises(MimirError, match=r"NAME_REPEATED: 2 studies are called '.*x'"):
        named_sources([str(tmp_path / "x.zip"), str(tmp_path / "x")])


@pytest.mark.parametrize("paths", [[], [""]])
def test_an_empty_path_is_not_the_current_folder(paths: list[str]) -> None:
    with pytest.raises(MimirError, match="NO_STUDIES"):
        named_sources(paths)


def test_a_missing_path_is_listed_and_fails_later_under_its_name(tmp_path: Path) -> None:
    assert names_of(tmp_path / "gone.zip") == ["gone"]


@needs_posix_names
def test_control_characters_of_file_names_stay_out_of_study_names(tmp_path: Path) -> None:
    touch(
        tmp_path / "a\x1b[31m\nb\u202ec.zip",
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.zip")),
    )
    assert sorted(names_of(tmp_path)) == ["_", "a_[31m_b_c"]


def test_names_outside_ascii_are_kept(tmp_path: Path) -> None:
    touch(tmp_path / "Zoë 頭.zip")
    assert names_of(tmp_path) == ["Zoë 頭"]


def test_a_list_names_archives_folders_and_files() -> None:
    assert parsed(
        {"name": "one", "path": "/data/1.zip"},
        {"path": "/data/2.zip"},
        {"name": "1.2.840", "files": ["/db/a.dcm", "/db/b"]},
    ) == [
        NamedSource("one", Path("/data/1.zip")),
        NamedSource("2", Path("/data/2.zip")),
        NamedSource("1.2.840", (Path("/db/a.dcm"), Path("/db/b"))),
    ]


def test_a_list_may_have_a_byte_order_mark_and_windows_line_ends() -> None:
    lines = [b'\xef\xbb\xbf{"path": "a.zip"}\r\n', b"\r\n", '{"path": "Zoë.zip"}\r\n'.encode()]
    assert [source.name for source in sources_from_json(lines)] == ["a", "Zoë"]


@pytest.mark.parametrize(
    "line",
    [
        "no JSON",
        b'{"path": "\xff.zip"}',
        "[" * 100_000,
        ["a.zip"],
        {},
        {"name": "a"},
        {"name": "a", "path": ""},
        {"name": "a", "path": 7},
        {"name": 7, "path": "a.zip"},
        {"name": "a", "path": "a.zip", "files": ["a.dcm"]},
        {"files": ["a.dcm"]},
        {"name": "a", "files": []},
        {"name": "a", "files": "a.dcm"},
        {"name": "a", "files": ["a.dcm", ""]},
        {"name": "a", "path": "a\0.zip"},
        {"name": "a" * 5000, "path": "a.zip"},
    ],
    ids=lambda line: str(line)[:30],
)
def test_an_invalid_line_is_refused_with_its_number(line: object) -> None:
    with pytest.raises(MimirError, match="SOURCES_INVALID: line 2 "):
        parsed({"path": "a.zip"}, line)


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(MimirError, match="NO_STUDIES"):
        parsed("", "\n")


def test_a_name_given_twice_is_refused_also_if_only_control_characters_differ() -> None:
    with pytest.raises(MimirError, match="NAME_REPEATED"):
        parsed({"name": "a\x07b", "path": "1.zip"}, {"name": "a_b", "path": "2.zip"})


def test_no_sources_have_no_repeated_names() -> None:
    assert check_names([]) == []


READER = """
import sys, time
from mimir_engine.cli._study_options import read_lines
from mimir_engine.cohort.sources import sources_from_json
print(len(sources_from_json(read_lines("-"))), flush=True)
time.sleep(60)
"""


def test_after_an_empty_line_the_process_ends_when_its_input_closes() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", READER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'{"path": "a.zip"}\n{"path": "b.zip"}\n\nwhatever comes later\n')
        process.stdin.flush()
        assert process.stdout.readline().strip() == b"2", "the list is read while it is still open"
        process.stdin.close()
        assert process.wait(timeout=30) == 130


def test_a_list_in_a_file_may_have_empty_lines(tmp_path: Path) -> None:
    from mimir_engine.cli._study_options import read_lines

    path = tmp_path / "list.jsonl"
    path.write_bytes(b'{"path": "a.zip"}\n\n{"path": "b\xe2\x80\xa8c.zip"}')
    assert [source.name for source in sources_from_json(read_lines(str(path)))] == ["a", "b_c"]
    with pytest.raises(MimirError, match=r"SOURCES_INVALID: the list of .* cannot be read"):
        read_lines(str(tmp_path / "none.jsonl"))


def test_a_line_names_stitched_volumes_and_labels(tmp_path: Path) -> None:
    volumes = {
        key: str(tmp_path / f"{key}.nii.gz")
        for key in ("water", "fat", "in_phase", "opposed_phase")
    }
    lines = [
        {"name": "a", "water": volumes["water"], "fat": volumes["fat"]},
        {"name": "b", **volumes, "labels": str(tmp_path / "labels.nrrd")},
        {"name": "c", "path": str(tmp_path / "c.zip"), "labels": str(tmp_path / "c.nii")},
    ]
    pair, complete, scan = parsed(*lines)
    assert pair.source == VolumePair(Path(volumes["water"]), Path(volumes["fat"]))
    assert complete.source == VolumePair(**{key: Path(path) for key, path in volumes.items()})
    assert complete.labels == tmp_path / "labels.nrrd"
    assert (scan.source, scan.labels, pair.labels) == (tmp_path / "c.zip", tmp_path / "c.nii", None)
    assert [source_fields(source) for source in (pair, complete, scan)] == lines


@pytest.mark.parametrize(
    "fields",
    [
        {"water": "w.nii"},
        {"fat": "f.nii"},
        {"water": "w.nii", "fat": ""},
        {"water": "w.nii", "fat": 3},
        {"water": "w.nii", "fat": "f.nii", "in_phase": ["i.nii"]},
        {"water": "w.nii", "fat": "f.nii", "path": "a.zip"},
        {"water": "w.nii", "fat": "f.nii", "labels": 7},
        {"path": "a.zip", "labels": ""},
        {"name": "", "water": "w.nii", "fat": "f.nii"},
    ],
)
def test_incomplete_or_contradictory_volumes_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(MimirError, match="SOURCES_INVALID: line 1"):
        parsed({"name": "a", **fields})


def test_the_names_of_volumes_lead_to_their_study() -> None:
    pair = VolumePair(Path("in/6000000_20201_2_0_water.nii.gz"), Path("in/x_fat.nrrd"))
    names = file_names(NamedSource("anybody", pair, labels=Path("organs.nii")))
    assert {"6000000_20201_2_0", "x_fat", "x_fat.nrrd", "organs", "organs.nii"} <= names
