"""``mimir measure --labels``: labels of several studies, their tables, and what lacks."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from cohort_builder import write_studies

from mimir_engine.cli import DONE, WRONG_USE, main
from mimir_engine.cohort.study_folder import StudyFolders, read_study_folder
from mimir_engine.files.optional_packages import is_installed
from mimir_engine.fusion.volume_files.image_file import write_image
from mimir_engine.measuring.one_study import read_and_fuse
from mimir_engine.study.volume import Volume

NAMES = ("a", "b", "c")
TABLE = "label,name\n1,Trunk (right)\n2,Trunk (left)\n"


def write_labels(scan: Path, path: Path) -> None:
    """Label the right and the left half of a small study's body, by its water."""
    _, fused = read_and_fuse(scan)
    signal = fused.water.array + fused.fat.array
    is_body = signal > signal.max() / 3
    middle = int(np.median(np.nonzero(is_body)[2]))
    half = np.where(np.arange(signal.shape[2]) < middle, 1, 2).astype(np.uint8)
    write_image(path, Volume(np.where(is_body, half, 0).astype(np.uint8), fused.water.affine))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three studies; two have a label map. Not to be changed."""
    place = tmp_path_factory.mktemp("labelled")
    scans = write_studies(place / "scans", NAMES)
    (place / "maps").mkdir()
    (place / "names.csv").write_text(TABLE, "utf-8")
    write_labels(scans[0], place / "maps" / "a.labels.nii.gz")
    write_labels(scans[1], place / "maps" / "b.nrrd")
    assert measure(place, place / "out", "--details", str(place / "details")) == DONE
    return place


def measure(place: Path, output: Path, *more: str, maps: str = "maps") -> int:
    labels = ["--labels", str(place / maps), "--names", str(place / "names.csv")]
    scans = [str(place / "scans"), "--output", str(output), "--jobs", "1"]
    return main(["measure", *scans, *labels, *more])


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_label_of_each_study_has_a_row(place: Path) -> None:
    found = rows(place / "out" / "labels.csv")
    assert [(row["name"], row["label"], row["label_name"]) for row in found] == [
        *(("a", "1", "trunk_right"), ("a", "2", "trunk_left")),
        *(("b", "1", "trunk_right"), ("b", "2", "trunk_left")),
    ]
    for row in found:
        assert float(row["volume_litres"]) > 0.5
        assert 0 < float(row["core_fat_fraction_percent"]) < 100
        assert float(row["fat_fraction_q1_percent"]) < float(row["fat_fraction_q3_percent"])
        assert 0 <= float(row["edge_share"]) <= 1
        assert row["seams"] == "2", "three stations"
        assert row["title"].startswith("Trunk (")


def test_a_study_without_a_label_map_says_so_and_is_measured(place: Path) -> None:
    flags = {
        row["name"]: row["flags"].split(";") for row in rows(place / "out" / "measurements.csv")
    }
    assert ["LABELS_MISSING" in flags[name] for name in NAMES] == [False, False, True]
    codebook = rows(place / "out" / "codebook.csv")
    assert any(row["code"] == "LABELS_MISSING" for row in codebook)


def test_labels_have_no_columns_unless_asked_for(place: Path) -> None:
    assert not any("label" in name for name in rows(place / "out" / "measurements.csv")[0])


@pytest.mark.parametrize("style", ["long", "short"])
def test_labels_have_columns_on_request(place: Path, style: str, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert measure(place, output, "--label-columns", "--columns", style) == DONE
    table, long = rows(output / "measurements.csv"), rows(output / "labels.csv")
    codebook = {row["column"]: row for row in rows(output / "codebook.csv")}
    columns = [name for name in table[0] if name.startswith("label_")]
    ends = ("_vol", "_ff", "_cff", "_edge")
    if style == "long":
        ends = ("_volume_litres", "_fat_fraction_percent", "_core_fat_fraction_percent")
        ends += ("_edge_share",)
    assert columns == [f"label_trunk_{side}{end}" for side in ("right", "left") for end in ends]
    assert all(len(name) <= 32 for name in columns) or style == "long"
    assert codebook[columns[1]]["measurement"] == "label_trunk_right"
    assert "not PDFF" in codebook[columns[1]]["label"]
    assert table[0][columns[0]] == long[0]["volume_litres"]
    assert table[1][columns[5]] == long[3]["fat_fraction_percent"]
    assert table[2][columns[0]] == "", "the third study has no labels"


def test_chosen_labels_have_columns_even_if_no_study_has_them(place: Path, tmp_path: Path) -> None:
    assert measure(place, tmp_path / "out", "--label-columns", "trunk_left,spleen") == DONE
    table = rows(tmp_path / "out" / "measurements.csv")
    names = {name for name in table[0] if name.endswith("_volume_litres")}
    assert names == {"label_trunk_left_volume_litres", "label_spleen_volume_litres"}
    assert table[0]["label_spleen_volume_litres"] == ""


@pytest.mark.parametrize("names", ["", ",", "Liver", "a b"])
def test_columns_are_asked_for_by_their_names(place: Path, names: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        measure(place, tmp_path / "out", f"--label-columns={names}")
    assert ended.value.code == WRONG_USE
    assert not (tmp_path / "out").exists()


def test_a_study_folder_keeps_its_labels(place: Path) -> None:
    folder = read_study_folder(StudyFolders(place / "details").path("a"))
    assert [label.title for label in folder.result.labels] == ["Trunk (right)", "Trunk (left)"]


def run_event(capfd: pytest.CaptureFixture[str]) -> dict[str, int]:
    events = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    (run,) = (event for event in events if event["event"] == "run")
    return dict(run)


def test_only_studies_whose_label_map_changed_are_measured_again(
    place: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scans").symlink_to(place / "scans")
    (tmp_path / "names.csv").write_text(TABLE, "utf-8")
    (tmp_path / "maps").mkdir()
    for path in (place / "maps").iterdir():
        (tmp_path / "maps" / path.name).write_bytes(path.read_bytes())
    output = tmp_path / "out"
    assert measure(tmp_path, output) == DONE
    capfd.readouterr()
    assert measure(tmp_path, output, "--events") == DONE
    assert run_event(capfd)["already_done"] == 3
    write_labels(place / "scans" / "c.zip", tmp_path / "maps" / "c.nii.gz")
    assert measure(tmp_path, output, "--events") == DONE
    assert run_event(capfd)["already_done"] == 2
    assert len(rows(output / "labels.csv")) == 6
    assert main(["measure", str(tmp_path / "scans"), "--output", str(output)]) == WRONG_USE
    assert "OUTPUT_IN_USE" in capfd.readouterr().err, "names of labels are those of the run"


def test_a_run_without_labels_leaves_no_table_of_them(place: Path, tmp_path: Path) -> None:
    scans, output = str(place / "scans" / "a.zip"), tmp_path / "out"
    labels = ["--labels", str(place / "maps" / "a.labels.nii.gz")]
    assert main(["measure", scans, "--output", str(output), *labels]) == DONE
    assert [row["label_name"] for row in rows(output / "labels.csv")] == ["label_1", "label_2"]
    assert main(["measure", scans, "--output", str(output)]) == DONE
    assert not (output / "labels.csv").exists()


@pytest.mark.parametrize("maps", ["none", "scans", "names.csv"])
def test_labels_that_are_of_no_study_are_refused_before_any_work(
    place: Path, maps: str, tmp_path: Path
) -> None:
    assert measure(place, tmp_path / "out", maps=maps) == WRONG_USE
    assert not (tmp_path / "out").exists()


def test_an_unreadable_label_map_stops_nothing(place: Path, tmp_path: Path) -> None:
    (tmp_path / "scans").symlink_to(place / "scans")
    (tmp_path / "names.csv").write_text(TABLE, "utf-8")
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "a.nii.gz").write_bytes(b"\x1f\x8b damaged")
    assert measure(tmp_path, tmp_path / "out") == DONE
    flags = [row["flags"] for row in rows(tmp_path / "out" / "measurements.csv")]
    assert "LABELS_UNREADABLE" in flags[0]
    assert not (tmp_path / "out" / "labels.csv").exists()


def test_names_of_hidden_studies_are_in_no_file(place: Path, tmp_path: Path) -> None:
    scans = write_studies(tmp_path / "scans", ["secret"])
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "secret.nii.gz").write_bytes(b"\x1f\x8b damaged")
    options = ["--anonymous-names", "--labels", str(tmp_path / "maps" / "secret.nii.gz")]
    assert main(["measure", str(scans[0]), "--output", str(tmp_path / "out"), *options]) == DONE
    for path in (tmp_path / "out").rglob("*.*"):
        assert b"secret" not in path.read_bytes(), path.name


def test_merged_shards_have_the_labels_of_one_run(place: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        assert measure(place, tmp_path / f"s{number}", "--shard", f"{number}/2") == DONE
    folders = [str(tmp_path / "s1"), str(tmp_path / "s2")]
    both = ["--output", str(tmp_path / "both"), "--label-columns"]
    assert main(["merge", *folders, *both]) == DONE
    assert (tmp_path / "both" / "labels.csv").read_bytes() == (
        place / "out" / "labels.csv"
    ).read_bytes()
    assert "label_trunk_left_edge_share" in rows(tmp_path / "both" / "measurements.csv")[0]


def test_forgotten_people_leave_no_labels(place: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert measure(place, output) == DONE
    (tmp_path / "withdrawn.txt").write_text("a\n", "utf-8")
    assert main(["forget", str(output), f"--exclude={tmp_path / 'withdrawn.txt'}"]) == DONE
    assert {row["name"] for row in rows(output / "labels.csv")} == {"b"}


@pytest.mark.skipif(not is_installed("parquet"), reason="needs pyarrow")
def test_parquet_has_rows_of_labels(place: Path, tmp_path: Path) -> None:
    from pyarrow import parquet

    assert measure(place, tmp_path / "out", "--parquet") == DONE
    table = parquet.read_table(tmp_path / "out" / "predictions.parquet").to_pylist()
    found = [row for row in table if row["measurement"] == "label_trunk_left_fat_fraction"]
    assert [(row["study"], row["unit"], row["short_name"]) for row in found] == [
        ("a", "%", "label_trunk_left_ff"),
        ("b", "%", "label_trunk_left_ff"),
    ]
