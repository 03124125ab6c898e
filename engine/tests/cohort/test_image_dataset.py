"""Projections of many studies, made once: a folder that grows and can be resumed."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cohort_builder import write_studies

from mimir_engine.cli import DONE, SOME_FAILED, WRONG_USE, main
from mimir_engine.cohort import image_dataset
from mimir_engine.cohort.image_dataset import project_studies
from mimir_engine.cohort.images.growing_array import GrowingArray
from mimir_engine.cohort.inclusion.chosen_studies import StudyChoice
from mimir_engine.cohort.inclusion.persons import PersonRule
from mimir_engine.cohort.sources import named_sources
from mimir_engine.errors import MimirError
from mimir_engine.measuring.one_study import prepare
from mimir_engine.training.data_selection import choose_data
from mimir_engine.training.dataset import load_images

NAMES = ("1000001_20201_2_0", "1000001_20201_3_0", "study")


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_studies(tmp_path_factory.mktemp("archives"), NAMES)


@pytest.fixture(scope="module")
def made(archives: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All three, and an unreadable one; not to be changed."""
    folder = tmp_path_factory.mktemp("made") / "data"
    broken = folder.parent / "broken.zip"
    broken.write_bytes(b"no archive")
    project_studies(named_sources([*map(str, archives), str(broken)]).studies, folder, ignore)
    return folder


def ignore(event: Mapping[str, Any]) -> None:
    """Ignore an event."""


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_each_study_has_its_image_or_a_reason(made: Path, archives: list[Path]) -> None:
    images, studies = np.load(made / "images.npy"), rows_of(made / "studies.csv")
    assert [study["name"] for study in studies] == list(NAMES)
    assert [(s["eid"], s["instance"]) for s in studies] == [
        ("1000001", "2"), ("1000001", "3"), ("", ""),
    ]  # fmt: skip
    for archive, study in zip(archives, studies):
        image = images[int(study["row"])]
        assert np.array_equal(image, prepare(archive).projection.image)
        assert study["image_sha256"] == hashlib.sha256(image.tobytes()).hexdigest()
        assert (study["stations"], study["extent_mm"]) == ("3", "120")
        assert study["findings"] == "EXTENT_SHORT"  # as if stations had been lost
    assert [(f["name"], f["code"]) for f in rows_of(made / "failures.csv")] == [
        ("broken", "NOT_A_ZIP")
    ]


def test_the_folder_is_a_data_set_as_soon_as_there_are_targets(made: Path, tmp_path: Path) -> None:
    table = tmp_path / "targets.csv"
    table.write_text("study,target,value\n1000001_3,age,70\nstudy,age,60\nbroken,age,50\n")
    dataset = choose_data((made,), (table,), persons=PersonRule(each_its_own=True))
    assert [study.person for study in dataset.studies] == ["1000001", "study"]
    assert dataset.targets.tolist() == [[70], [60]]
    assert dataset.left_out == {
        "excluded": (), "unasked": (), "unlabelled": ("1000001_20201_2_0",), "unknown": ("broken",),
    }  # fmt: skip


def test_a_withdrawn_participant_leaves_a_folder_that_holds_its_images(
    made: Path, archives: list[Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "data"))
    (tmp_path / "gone.txt").write_text("1000001\n")
    choice = StudyChoice(exclude=tmp_path / "gone.txt")
    sources = named_sources([str(archives[2])]).studies  # the archives are gone as well
    events: list[Mapping[str, Any]] = []
    assert project_studies(sources, folder, events.append, choice=choice) == (1, 1)
    assert [study["name"] for study in rows_of(folder / "studies.csv")] == ["study"]
    matched, kept = events[0]["sentences"]
    assert matched == "--exclude: matched 1 of 1 ids; studies left out: 2"
    assert "2 excluded studies were measured by earlier runs" in kept
    again = named_sources([*map(str, archives)]).studies
    assert project_studies(again, folder, ignore) == (3, 1)
    assert rows_of(folder / "studies.csv") == rows_of(made / "studies.csv")


def test_studies_are_added_and_none_is_done_twice(archives: list[Path], tmp_path: Path) -> None:
    events: list[Mapping[str, Any]] = []
    folder = tmp_path / "data"
    project_studies(named_sources([str(archives[2])]).studies, folder, ignore)
    counts = project_studies(named_sources(map(str, archives)).studies, folder, events.append)
    assert counts == (3, 0)
    assert [event["name"] for event in events if event["event"] == "study"] == list(NAMES[:2])
    assert events[0]["already_done"] == 1
    assert [row["row"] for row in rows_of(folder / "studies.csv")] == ["1", "2", "0"]


def test_a_killed_run_is_resumed_to_the_same_data_set(
    made: Path, archives: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(Exception):
        pass

    folder, append = tmp_path / "data", image_dataset._append

    def killed_after_the_image(prepared: Any, images: GrowingArray) -> Any:
        done = append(prepared, images)
        if images.rows == 2:
            raise Killed  # the image is on the disk, the ledger does not know it
        return done

    sources = named_sources(map(str, archives)).studies
    monkeypatch.setattr(image_dataset, "_append", killed_after_the_image)
    with pytest.raises(Killed):
        project_studies(sources, folder, ignore)
    monkeypatch.setattr(image_dataset, "_append", append)
    with (folder / "images.npy").open("ab") as file:
        file.write(b"half an image")
    project_studies(sources, folder, ignore)
    assert (folder / "images.npy").read_bytes() == (made / "images.npy").read_bytes()
    assert (folder / "studies.csv").read_bytes() == (made / "studies.csv").read_bytes()


def test_a_changed_study_is_made_again_after_the_others(
    archives: list[Path], tmp_path: Path
) -> None:
    folder, study = tmp_path / "data", tmp_path / "study.zip"
    shutil.copy(archives[0], study)
    sources = named_sources([str(study), str(archives[1])]).studies
    project_studies(sources, folder, ignore)
    shutil.copy(archives[2], study)
    project_studies(sources, folder, ignore)
    found = load_images(folder)
    assert dict(zip((s.name for s in found.studies), found.image_rows)) == {NAMES[1]: 1, "study": 2}
    image = np.load(folder / "images.npy")[2]
    assert np.array_equal(image, prepare(archives[2]).projection.image)
    other = tmp_path / "elsewhere" / "study.zip"
    other.parent.mkdir()
    shutil.copy(archives[1], other)
    with pytest.raises(MimirError, match="NAME_TAKEN"):
        project_studies(named_sources([str(other)]).studies, folder, ignore)


def test_a_folder_of_an_earlier_version_is_resumed(archives: list[Path], tmp_path: Path) -> None:
    project_studies(named_sources([str(archives[0])]).studies, tmp_path, ignore)
    ledger = tmp_path / "ledger.jsonl"
    lines = [json.loads(line) for line in ledger.read_text().splitlines()]
    run, entry = lines[0], lines[-1]
    del run["crc32"], entry["crc32"], entry["stations"], entry["extent_mm"]  # it knew none of them
    ledger.write_text(f"{json.dumps(run)}\n{json.dumps(entry)}\n")
    both = named_sources(map(str, archives[:2])).studies
    assert project_studies(both, tmp_path, ignore) == (2, 0)
    rows = rows_of(tmp_path / "studies.csv")
    assert [(row["stations"], row["extent_mm"]) for row in rows] == [("", ""), ("3", "120")]
    assert len(load_images(tmp_path).studies) == 2


def test_foreign_images_are_never_overwritten(archives: list[Path], tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", np.zeros((3, 3, 256, 256), np.uint8))
    sources = named_sources([str(archives[0])]).studies
    with pytest.raises(MimirError, match="OUTPUT_IN_USE"):
        project_studies(sources, tmp_path, ignore)
    assert len(np.load(tmp_path / "images.npy")) == 3
    project_studies(sources, tmp_path, ignore, overwrite=True)
    assert len(np.load(tmp_path / "images.npy")) == 1
    (tmp_path / "images.npy").unlink()
    with pytest.raises(MimirError, match="IMAGES_DAMAGED"):
        project_studies(sources, tmp_path, ignore)


def test_a_growing_file_is_an_array_at_any_time(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    expected = rng.integers(0, 256, (1200, 2, 3), np.uint8)  # the count gains digits on the way
    with GrowingArray(tmp_path / "images.npy", (2, 3), 0) as images:
        for row, image in enumerate(expected):
            assert images.append(image) == row
            if row in (0, 9, 10, 999, 1000):
                assert np.array_equal(np.load(tmp_path / "images.npy"), expected[: row + 1])
    with GrowingArray(tmp_path / "images.npy", (2, 3), 7):
        assert np.array_equal(np.load(tmp_path / "images.npy"), expected[:7])


def test_the_command_prints_each_study_and_its_time_left(
    archives: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, broken = tmp_path / "data", tmp_path / "broken.zip"
    broken.write_bytes(b"no archive")
    command = ["project", *map(str, archives[:2]), str(broken), "--dataset", str(folder)]
    assert main(command) == SOME_FAILED
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "3 studies"
    assert "1000001_20201_2_0 done" in lines[1]
    assert "[1/3" in lines[1]
    assert " left]" in lines[1]
    assert lines[3].startswith("NOT_A_ZIP: broken: ")
    assert lines[4] == f"2 studies done, 1 failed, listed in failures.csv; see {folder}"
    assert main(["project", str(archives[0]), "--dataset", str(tmp_path / "one")]) == DONE


@pytest.mark.parametrize(
    "arguments",
    [
        ["--dataset", "d"],
        ["a.zip", "b.zip", "--output", "image.npy"],
        ["a.zip", "--dataset", "d", "--sources", "list"],
        ["a.zip", "--dataset", "d", "--volumes", "v"],
        ["a.zip", "--dataset", "d", "--jobs", "0"],
    ],
)
def test_contradictory_options_are_refused_before_any_work(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["project", *arguments]) == WRONG_USE
    assert capsys.readouterr().err.startswith("WRONG_USE: ")


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    """A copy of the data set that may be changed."""
    return Path(shutil.copytree(made, tmp_path / "data"))


def change_image(folder: Path, row: int, zeros: int) -> None:
    """Let some bytes of an image be zeros, as after a power cut."""
    images = np.load(folder / "images.npy", mmap_mode="r+")
    begin = images[row].size // 2
    images[row].reshape(-1)[begin : begin + zeros] = 0
    images.flush()


@pytest.mark.parametrize("damage", ["zeros", "exchanged"])
def test_a_damaged_image_is_never_trained_on_and_is_made_again(
    data: Path, made: Path, archives: list[Path], damage: str
) -> None:
    if damage == "zeros":
        change_image(data, 1, 20_000)
    else:
        images = np.load(data / "images.npy", mmap_mode="r+")
        images[1] = images[0]
        images.flush()
    with pytest.raises(MimirError, match=rf"IMAGES_DAMAGED: 1 of 3 images .*'{NAMES[1]}'"):
        load_images(data)
    events: list[Mapping[str, Any]] = []
    project_studies(named_sources(map(str, archives)).studies, data, events.append)
    assert [event["name"] for event in events if event["event"] == "study"] == [NAMES[1]]
    rows = load_images(data).image_rows.tolist()
    assert rows == [0, 3, 2]
    assert np.array_equal(np.load(data / "images.npy")[3], np.load(made / "images.npy")[1])


def test_a_row_of_the_table_that_was_changed_is_noticed(data: Path) -> None:
    table = data / "studies.csv"
    text = table.read_text("utf-8")
    for row, code in (("0", "DATASET_INVALID"), ("-1", "DATASET_INVALID"), ("x", "UNREADABLE")):
        table.write_text(text.replace(f"1,{NAMES[1]}", f"{row},{NAMES[1]}"), "utf-8")
        with pytest.raises(MimirError, match=code):
            load_images(data)
    exchanged = text.replace(f"1,{NAMES[1]}", f"2,{NAMES[1]}").replace("2,study", "1,study")
    table.write_text(exchanged, "utf-8")
    with pytest.raises(MimirError, match="IMAGES_DAMAGED: 2 of 3"):
        load_images(data)


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), bytes(128)])
def test_a_file_that_is_no_array_is_one_sentence(data: Path, content: bytes) -> None:
    (data / "images.npy").write_bytes(content)
    with pytest.raises(MimirError, match="DATASET_UNREADABLE"):
        load_images(data)


def test_a_damaged_header_of_the_images_is_repaired(
    data: Path, made: Path, archives: list[Path]
) -> None:
    with (data / "images.npy").open("r+b") as file:
        file.write(bytes(128))
    project_studies(named_sources(map(str, archives)).studies, data, ignore)
    assert (data / "images.npy").read_bytes() == (made / "images.npy").read_bytes()


def test_studies_of_damaged_lines_are_made_again(
    data: Path, made: Path, archives: list[Path]
) -> None:
    ledger = data / "ledger.jsonl"
    first, *others = ledger.read_bytes().splitlines(keepends=True)
    outcomes = [line for line in others if b"begun" not in line]
    ledger.write_bytes(first + b"".join(line.replace(b"a", b"b", 1) for line in outcomes))
    events: list[Mapping[str, Any]] = []
    project_studies(named_sources(map(str, archives)).studies, data, events.append)
    assert len([event for event in events if event["event"] == "study"]) == 3
    assert (data / "images.npy").read_bytes() == (made / "images.npy").read_bytes()
    assert (data / "studies.csv").read_bytes() == (made / "studies.csv").read_bytes()


@pytest.mark.parametrize(
    "changes",
    [{"row": "0"}, {"row": -1}, {"row": True}, {"findings": 7}, {"findings": [7]}, {"eid": None},
     {"image_sha256": None}, {"files": []}, {"files": {"place": "", "content": 7}}],
)  # fmt: skip
def test_an_entry_of_another_form_is_a_damaged_line(
    data: Path, archives: list[Path], changes: dict[str, Any]
) -> None:
    ledger = data / "ledger.jsonl"
    lines = [json.loads(line) for line in ledger.read_text("ascii").splitlines()]
    for line in lines:
        del line["crc32"]
    entry = next(line for line in lines if line.get("name") == NAMES[0] and "begun" not in line)
    entry.update(changes)
    ledger.write_text("".join(f"{json.dumps(line)}\n" for line in lines), "ascii")
    events: list[Mapping[str, Any]] = []
    project_studies(named_sources(map(str, archives)).studies, data, events.append)
    assert [event["name"] for event in events if event["event"] == "study"] == [NAMES[0]]
    assert len(load_images(data).studies) == 3


def test_a_foreign_file_in_place_of_the_images_is_not_overwritten(
    archives: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "images.npy").write_bytes(b"PK somebody's" * 40_000)
    with pytest.raises(MimirError, match="OUTPUT_IN_USE"):
        project_studies(named_sources([str(archives[0])]).studies, tmp_path, ignore)
    assert (tmp_path / "images.npy").read_bytes().startswith(b"PK somebody's")
