"""Commands measure stitched volumes as they measure scans."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("nibabel", reason="NIfTI files are read with nibabel (extra nifti)")

from pair_builder import write_pair

from mimir_engine import fuse, read_study
from mimir_engine.cli import DONE, SOME_FAILED, main
from mimir_engine.cohort.study_folder import StudyFolders, read_study_folder
from mimir_engine.fusion.volume_files.image_file import read_image, write_image
from mimir_engine.fusion.volume_files.sidecar import Sidecar, write_sidecar
from mimir_engine.fusion.volume_pair import VolumePair
from mimir_engine.headers.scanner import Scanner
from mimir_engine.study.volume import Volume

Capture = pytest.CaptureFixture[str]
UNKNOWN = ["SCANNER_UNKNOWN", "ENDS_UNKNOWN"]


@pytest.fixture(scope="module")
def pair(study_zip: Path, tmp_path_factory: pytest.TempPathFactory) -> VolumePair:
    """Volumes of a small study; tests must not change them."""
    folder = tmp_path_factory.mktemp("pair")
    return write_pair(folder, fuse(read_study(study_zip).stations), "1234567_20201_2_0")


def pair_options(pair: VolumePair) -> list[str]:
    return ["--water", str(pair.water), "--fat", str(pair.fat)]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def events(capfd: Capture) -> list[dict[str, object]]:
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


@pytest.fixture
def cohort(pair: VolumePair, tmp_path: Path) -> Path:
    """A table of two sound pairs, and of one whose fat is cut off."""
    folder = tmp_path / "cohort"
    folder.mkdir()
    for name in ("good", "bad", "late"):
        shutil.copy(pair.water, folder / f"{name}_water.nii")
        shutil.copy(pair.fat, folder / f"{name}_fat.nii")
    (folder / "bad_fat.nii").write_bytes(pair.fat.read_bytes()[:-1000])
    lines = [f"{name},{name}_water.nii,{name}_fat.nii" for name in ("good", "bad", "late")]
    (folder / "studies.csv").write_text("\n".join(["name,water,fat", *lines, ""]), "utf-8")
    return folder


def measure(cohort: Path, *options: str) -> int:
    table, output = cohort / "studies.csv", cohort.parent / "results"
    command = ["measure", "--volumes", str(table), "--output", str(output), "--jobs", "2"]
    return main([*command, *options])


def test_a_pair_is_measured_as_one_study(pair: VolumePair, study_zip: Path, tmp_path: Path) -> None:
    assert main(["measure", *pair_options(pair), "--output", str(tmp_path / "volumes")]) == DONE
    assert main(["measure", str(study_zip), "--output", str(tmp_path / "scan")]) == DONE
    (found,), (own,) = (rows(tmp_path / name / "measurements.csv") for name in ("volumes", "scan"))
    assert found["name"] == own["name"] == "1234567_20201_2_0"
    assert (found["eid"], found["instance"]) == ("1234567", "2")
    assert found["flags"].split(";")[:2] == UNKNOWN
    for column in ("direct_body_volume_in_L", "direct_fat_volume_in_L"):
        assert float(found[column]) == pytest.approx(float(own[column]), rel=1e-3)


def test_a_pair_gets_the_name_that_is_given(pair: VolumePair, capfd: Capture) -> None:
    assert main(["check", *pair_options(pair), "--name", "visit 2"]) == DONE
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == "visit 2: flagged"
    assert [line.split()[1].rstrip(":") for line in lines[1:3]] == UNKNOWN


def test_a_pair_that_fails_stops_no_other(cohort: Path) -> None:
    assert measure(cohort) == SOME_FAILED
    results = cohort.parent / "results"
    assert [row["name"] for row in rows(results / "measurements.csv")] == ["good", "late"]
    (failure,) = rows(results / "failures.csv")
    assert (failure["name"], failure["code"]) == ("bad", "VOLUME_UNREADABLE")
    assert "bad_fat.nii" in failure["reason"]


def test_only_changed_pairs_are_measured_again(cohort: Path, capfd: Capture) -> None:
    measure(cohort)
    capfd.readouterr()
    assert measure(cohort, "--events") == SOME_FAILED
    (run,) = (event for event in events(capfd) if event["event"] == "run")
    assert (run["studies"], run["already_done"]) == (3, 2), "a failed one is tried again"
    shutil.copy(cohort / "good_fat.nii", cohort / "bad_fat.nii")
    write_sidecar(cohort / "late.json", Sidecar("late", "0.9.0", Scanner("SIEMENS", "Aera", 1.5)))
    assert measure(cohort, "--events") == DONE
    (run,) = (event for event in events(capfd) if event["event"] == "run")
    assert (run["studies"], run["already_done"]) == (3, 1), "a new sidecar changes a study"
    flags = {row["name"]: row["flags"] for row in rows(cohort.parent / "results/measurements.csv")}
    assert flags["good"].split(";")[:2] == flags["bad"].split(";")[:2] == UNKNOWN
    assert not {*UNKNOWN} & {*flags["late"].split(";")}


def test_a_study_s_folder_has_the_volumes_and_can_be_measured_again(
    cohort: Path, tmp_path: Path
) -> None:
    details = tmp_path / "details"
    measure(cohort, "--details", str(details))
    place = StudyFolders(details).path("good")
    folder = read_study_folder(place, "good")
    assert folder.has_volumes
    assert [finding.code for finding in folder.result.findings][:2] == UNKNOWN
    lines = tmp_path / "again.jsonl"
    lines.write_text(json.dumps({"name": "good", "fused": str(place)}), "utf-8")
    assert main(["measure", "--sources", str(lines), "--output", str(tmp_path / "again")]) == DONE
    (again,) = rows(tmp_path / "again" / "measurements.csv")
    (first,) = (
        row for row in rows(tmp_path / "results" / "measurements.csv") if row["name"] == "good"
    )
    assert again == first


def test_progress_and_the_page_of_a_cohort_show_volumes(cohort: Path, capfd: Capture) -> None:
    measure(cohort)
    capfd.readouterr()
    results = str(cohort.parent / "results")
    assert main(["status", results]) in (DONE, SOME_FAILED)
    assert "3" in capfd.readouterr().out
    assert main(["gallery", results, "--output", str(cohort / "page")]) == DONE


def test_names_are_hidden_if_that_is_asked_for(cohort: Path, capfd: Capture) -> None:
    measure(cohort, "--anonymous-names")
    results = cohort.parent / "results"
    written = b"".join(path.read_bytes() for path in results.glob("*.*"))
    shown = "".join(capfd.readouterr())
    for name in ("good_water", "bad_fat", "late_fat", "studies.csv"):
        assert name.encode() not in written
        assert name not in shown


def test_volumes_of_another_program_are_still_unknown_after_mimir_fuse(
    pair: VolumePair, tmp_path: Path, capfd: Capture
) -> None:
    lines = tmp_path / "studies.jsonl"
    fields = {"name": "a", "water": str(pair.water), "fat": str(pair.fat)}
    lines.write_text(json.dumps(fields), "utf-8")
    assert main(["fuse", "--sources", str(lines), "--output", str(tmp_path)]) == DONE
    again = VolumePair(*(tmp_path / "volumes/a" / f"a_{c}.nii.gz" for c in ("water", "fat")))
    for name in ("water", "fat"):
        one, other = (read_image(getattr(source, name)).array for source in (pair, again))
        np.testing.assert_array_equal(one, other)
    capfd.readouterr()
    assert main(["check", *pair_options(again)]) == DONE
    shown = capfd.readouterr().out
    assert all(shown.count(code) == 1 for code in UNKNOWN)
    (row,) = rows(tmp_path / "volumes.csv")
    assert main(["measure", *pair_options(again), "--output", str(tmp_path / "m")]) == DONE
    (measured,) = rows(tmp_path / "m" / "measurements.csv")
    assert {*UNKNOWN} <= {*measured["flags"].split(";")}
    assert {*UNKNOWN} <= {*row["findings"].split(";")}


def test_a_scan_of_volumes_is_refused_with_what_to_do(
    pair: VolumePair, tmp_path: Path, capfd: Capture
) -> None:
    lines = tmp_path / "studies.jsonl"
    fields = {"name": "a", "water": str(pair.water), "fat": str(pair.fat)}
    lines.write_text(json.dumps(fields), "utf-8")
    assert main(["scan", "--sources", str(lines)]) == SOME_FAILED
    assert "SOURCES_INVALID: volumes have no headers to scan." in capfd.readouterr().out


@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz", "scan.nrrd"])
def test_volumes_that_are_given_as_a_scan_are_refused_with_what_to_do(
    name: str, pair: VolumePair, tmp_path: Path, capfd: Capture
) -> None:
    write_image(tmp_path / name, Volume(read_image(pair.water).array[:5], np.diag([2, 2, 3, 1.0])))
    assert main(["check", str(tmp_path / name)]) == SOME_FAILED
    assert "Give stitched volumes with --water and --fat." in capfd.readouterr().out


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--water", "w.nii"], "give both --water and --fat"),
        (["--in-phase", "i.nii"], "give both --water and --fat"),
        (["--name", "a"], "give both --water and --fat"),
        (["--water", "w", "--fat", "f", "--volumes", "t"], "give either --water and --fat, or"),
        (["--water", "w", "--fat", "f", "a.zip"], "give one of SOURCE"),
        (["--volumes", "t.csv", "--sources", "s"], "give one of SOURCE"),
        ([], "give one of SOURCE"),
    ],
)
def test_contradictory_options_are_refused(options: list[str], reason: str, capfd: Capture) -> None:
    main(["check", *options])
    assert f"WRONG_USE: {reason}" in capfd.readouterr().err


def test_a_missing_file_is_named(tmp_path: Path, capfd: Capture) -> None:
    options = ["--water", str(tmp_path / "w.nii"), "--fat", str(tmp_path / "f.nii")]
    assert main(["check", *options]) == SOME_FAILED
    assert "FILE_UNREADABLE: file 'w.nii'" in capfd.readouterr().out
