"""A list of files in a source shows which images are absent."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from assembly_builder import BELOW, SCAN, plans_of, refusal
from dicom_builder import File

from mimir_engine.headers.manifest import MAX_MANIFEST_BYTES, is_manifest, read_manifest
from mimir_engine.source.open_source import Entry

FILES = [file for scan in (SCAN, BELOW) for file in scan.files(("in", "opp", "F", "W"))]
DESCRIPTIONS = {"in": "noBH_in", "opp": "noBH_opp", "F": "noBH_F", "W": "noBH_W"}


def suffix_of(name: str) -> str:
    return name.split("_")[1]


def listed(files: Iterable[File], line: str = "{name},7,MR,Dixon_{description},3") -> str:
    """Return a manifest with one line per file."""
    lines = [
        line.format(name=file.name, description=DESCRIPTIONS[suffix_of(file.name)])
        for file in files
    ]
    return "\n".join(["filename,study,modality,series description,series number", *lines])


def manifest(text: str, name: str = "manifest.csv") -> list[File]:
    return [File(name, text.encode())]


def without(suffixes: str | tuple[str, ...]) -> list[File]:
    """Return all files but the last of each of these contrasts."""
    lost = {[f.name for f in FILES if suffix_of(f.name) == suffix][-1] for suffix in suffixes}
    return [file for file in FILES if file.name not in lost]


def test_a_complete_study_says_nothing() -> None:
    assert plans_of(FILES, manifest(listed(FILES)))[1] == []


@pytest.mark.parametrize("suffixes", [("W",), ("F",), ("W", "F"), ("in", "opp", "F", "W")])
def test_a_study_that_lost_water_or_fat_is_refused(suffixes: tuple[str, ...]) -> None:
    error = refusal(without(suffixes), manifest(listed(FILES)))
    assert error.code == "SLICE_MISSING"
    assert "manifest names" in error.what
    assert ".dcm" in error.what


@pytest.mark.parametrize("suffixes", [("in",), ("opp",), ("in", "opp")])
def test_in_phase_and_opposed_phase_may_be_absent(suffixes: tuple[str, ...]) -> None:
    assert plans_of(without(suffixes), manifest(listed(FILES)))[1] == []


@pytest.mark.parametrize(
    "line",
    [
        "7,{description},{name},MR",
        "{name},7,MR,Dixon, three slabs, {description},3",
        '"{name}","7","Dixon_{description}"',
        "{name};7;Dixon_{description}",
        "{name}\tDixon_{description}",
        "{name}",
        "1234567/20201/{name},Dixon_{description}",
        "1234567\\20201\\{name},Dixon_{description}",
    ],
    ids=["shuffled", "comma", "quoted", "semicolon", "tab", "names alone", "folders", "backslash"],
)
def test_columns_do_not_matter(line: str) -> None:
    complete = listed(FILES, line)
    assert plans_of(FILES, manifest(complete))[1] == []
    assert refusal(without(("W",)), manifest(complete)).code == "SLICE_MISSING"


@pytest.mark.parametrize("change", [str.upper, str.lower, str.title])
def test_letter_case_does_not_matter(change: type[str]) -> None:
    text = change(listed(FILES))
    assert plans_of(FILES, manifest(text))[1] == []
    assert refusal(without(("F",)), manifest(text)).code == "SLICE_MISSING"


def test_folders_of_the_source_do_not_matter() -> None:
    moved = [File(f"export/{k % 3}/{file.name}", file.content) for k, file in enumerate(FILES)]
    assert plans_of(moved, manifest(listed(FILES), "export/manifest.csv"))[1] == []


@pytest.mark.parametrize("text", ["", "\0\1\2,,\n,", "notes about the visit"])
def test_a_broken_manifest_lists_nothing(text: str) -> None:
    assert plans_of(FILES, manifest(text))[1] == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("manifest.csv", True),
        ("a/MANIFEST.CSV", True),
        ("1234567_manifest.txt", True),
        ("manifest.cvs", True),
        ("manifest.dcm", False),
        ("files.csv", False),
        ("manifest/notes.csv", False),
    ],
)
def test_a_manifest_is_known_by_its_name(name: str, expected: bool) -> None:
    assert is_manifest(Entry(name, 0, lambda count: b"")) is expected


def test_a_manifest_that_is_very_large_is_not_read() -> None:
    def read(count: int) -> bytes:
        raise AssertionError("must not be read")

    large = Entry("manifest.csv", MAX_MANIFEST_BYTES + 1, read)
    assert read_manifest(large).text == ""


def test_a_list_whose_files_were_all_renamed_says_nothing() -> None:
    renamed = [File(f"{k:05d}", file.content) for k, file in enumerate(FILES)]
    assert plans_of(renamed, manifest(listed(FILES)))[1] == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["manifest.csv", "manifest.cvs"])
@pytest.mark.parametrize("line", ["{name},{description}", "'{name}','{description}'"])
def test_a_list_is_read_in_other_forms(encoding: str, name: str, line: str) -> None:
    lists = [File(name, listed(FILES, line).encode(encoding))]
    assert plans_of(FILES, lists)[1] == []
    assert refusal(without("W"), lists).code == "SLICE_MISSING"
