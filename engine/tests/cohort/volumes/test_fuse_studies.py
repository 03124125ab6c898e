"""Volumes that ``mimir fuse`` writes: layouts, formats, what is missing, what is stopped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from dicom_builder import complete_study, set_pixels, write_zip
from pydicom.dataset import Dataset
from stitched_builder import files_in, lps_array, table, write_scan

pytest.importorskip("nibabel", reason="NIfTI files need nibabel")

from mimir_engine.cli import DONE, SOME_FAILED, WRONG_USE, main
from mimir_engine.fusion import fuse
from mimir_engine.fusion.volume_files.sidecar import sidecar_of
from mimir_engine.projection.fat_fraction_map import fat_fraction_map
from mimir_engine.study import read_study

Capture = pytest.CaptureFixture[str]
NAME = "1000000_20201_2_0"
ALL = ("fat", "fat_fraction", "in_phase", "opposed_phase", "water")


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scan(tmp_path_factory.mktemp("scan") / f"{NAME}.zip")


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scan without in-phase and opposed-phase."""
    return write_scan(tmp_path_factory.mktemp("light") / "light.zip", ("F", "W"))


def test_all_volumes_of_a_study_are_those_of_its_stations(scan: Path, tmp_path: Path) -> None:
    assert main(["fuse", str(scan), "--output", str(tmp_path)]) == DONE
    place = f"volumes/{NAME}/{NAME}"
    assert files_in(tmp_path) == sorted([f"{place}.json", *(f"{place}_{n}.nii.gz" for n in ALL)])
    fused = fuse(read_study(scan).stations)
    expected = {"water": fused.water, "fat": fused.fat, "fat_fraction": fat_fraction_map(fused)}
    for name in ALL:
        array, affine = lps_array(tmp_path / f"{place}_{name}.nii.gz")
        assert array.dtype == np.float32
        assert np.allclose(affine, fused.water.affine, rtol=0, atol=1e-4)
        if name in expected:
            assert np.array_equal(array, expected[name].array)
    in_phase, _ = lps_array(tmp_path / f"{place}_in_phase.nii.gz")
    # In the phantom, in-phase is water and fat; only the ramps of the overlaps differ.
    middle = fused.water.array + fused.fat.array
    assert np.median(np.abs(in_phase - middle)[middle > 50] / middle[middle > 50]) < 0.02


def test_the_table_and_the_sidecar_describe_the_volumes(scan: Path, tmp_path: Path) -> None:
    assert main(["fuse", str(scan), "--output", str(tmp_path)]) == DONE
    (row,) = table(tmp_path / "volumes.csv")
    assert (row["name"], row["eid"], row["instance"]) == (NAME, "1000000", "2")
    assert row["contrasts"] == "water;fat;in_phase;opposed_phase;fat_fraction"
    assert (row["left_out"], row["ends_cut"]) == ("", "yes")
    fused = fuse(read_study(scan).stations)
    slices, rows, columns = fused.water.array.shape
    assert row["columns_rows_slices"] == f"{columns}x{rows}x{slices}"
    assert row["spacing_mm"] == "2.23214x2.23214x3"
    assert float(row["extent_mm"]) == pytest.approx(fused.water.extent_mm)
    assert row["description"] == f"volumes/{NAME}/{NAME}.json"
    sidecar = sidecar_of(tmp_path / f"volumes/{NAME}/{NAME}_water.nii.gz")
    assert sidecar is not None
    assert (sidecar.name, sidecar.stations, sidecar.ends_cut) == (NAME, 3, True)
    assert sidecar.scanner.vendor == "SIEMENS"
    codes = list(dict.fromkeys(finding.code for finding in sidecar.findings))
    assert codes == row["findings"].split(";")  # the small study is short
    assert "EXTENT_SHORT" in codes
    text = (tmp_path / row["description"]).read_text()
    assert not any(part in text for part in ("2.25.7", "20200229", "Nobody", "someone"))
    record = json.loads((tmp_path / "run.json").read_text())
    assert (record["done"], record["failed"], record["command"][:2]) == (1, 0, ["mimir", "fuse"])


def test_the_table_is_one_of_volumes_to_be_measured(scan: Path, tmp_path: Path) -> None:
    stitched, measured = tmp_path / "stitched", tmp_path / "measured"
    assert main(["fuse", str(scan), "--output", str(stitched)]) == DONE
    command = ["measure", "--volumes", str(stitched / "volumes.csv"), "--output", str(measured)]
    assert main(command) == DONE
    assert main(["measure", str(scan), "--output", str(tmp_path / "scan")]) == DONE
    (row,), (own,) = table(measured / "measurements.csv"), table(tmp_path / "scan/measurements.csv")
    assert row["name"] == own["name"] == NAME
    volume = "direct_body_volume_in_L"
    assert float(row[volume]) == pytest.approx(float(own[volume]), rel=1e-6)


def test_month_and_uids_are_written_only_if_that_is_asked_for(scan: Path, tmp_path: Path) -> None:
    words = ["fuse", str(scan), "--output", str(tmp_path), "--contrasts", "water"]
    assert main([*words, "--identifiers"]) == DONE
    sidecar = sidecar_of(tmp_path / f"volumes/{NAME}/{NAME}_water.nii.gz")
    assert sidecar is not None
    assert sidecar.month == "2020-02"
    assert sidecar.identifiers is not None
    assert sidecar.identifiers.study_uid == "2.25.7"
    uids = [uid for station in sidecar.identifiers.series_uids for uid in station.values()]
    assert len({*uids}) == 6
    assert [*sidecar.identifiers.series_uids[0]] == ["water", "fat"]
    assert main(words) == WRONG_USE  # without them, another folder is needed


def test_a_missing_contrast_is_left_out_and_said(light: Path, tmp_path: Path) -> None:
    assert main(["fuse", str(light), "--output", str(tmp_path)]) == DONE
    (row,) = table(tmp_path / "volumes.csv")
    assert row["contrasts"] == "water;fat;fat_fraction"
    assert row["left_out"] == "in_phase;opposed_phase"
    assert "CONTRAST_LEFT_OUT" in row["findings"].split(";")
    sidecar = sidecar_of(tmp_path / "volumes" / "light" / "light_fat.nii.gz")
    assert sidecar is not None
    sentences = [f.sentence for f in sidecar.findings if f.code == "CONTRAST_LEFT_OUT"]
    assert [text.split(" is ")[0] for text in sentences] == ["in-phase", "opposed-phase"]


def test_a_study_without_any_of_the_named_volumes_is_listed(light: Path, tmp_path: Path) -> None:
    words = ["fuse", str(light), "--output", str(tmp_path), "--contrasts", "in_phase"]
    assert main(words) == SOME_FAILED
    (failure,) = table(tmp_path / "failures.csv")
    assert failure["code"] == "CONTRASTS_LEFT_OUT"
    assert "in-phase is left out" in failure["reason"]
    assert files_in(tmp_path) == []


def test_only_the_volumes_that_are_named_are_written(scan: Path, tmp_path: Path) -> None:
    words = ["fuse", str(scan), "--output", str(tmp_path), "--contrasts", "fat,opposed_phase"]
    assert main(words) == DONE
    names = ("fat.nii.gz", "opposed_phase.nii.gz")
    place = f"volumes/{NAME}/{NAME}"
    assert files_in(tmp_path) == [f"{place}.json", *(f"{place}_{name}" for name in names)]


def test_nrrd_holds_the_same_volumes(scan: Path, tmp_path: Path) -> None:
    nrrd = pytest.importorskip("nrrd", reason="NRRD files need pynrrd")
    words = ["fuse", str(scan), "--output", str(tmp_path), "--contrasts", "water"]
    assert main([*words, "--format", "nrrd"]) == DONE
    array, header = nrrd.read(str(tmp_path / f"volumes/{NAME}/{NAME}_water.nrrd"))
    fused = fuse(read_study(scan).stations)
    assert np.array_equal(array.transpose(2, 1, 0), fused.water.array)
    assert header["space"] == "left-posterior-superior"


def test_each_station_is_written_as_it_is_stored(scan: Path, tmp_path: Path) -> None:
    words = ["fuse", str(scan), "--output", str(tmp_path), "--layout", "stations"]
    assert main(words) == DONE
    study = read_study(scan)
    place = f"stations/{NAME}/{NAME}"
    assert len(files_in(tmp_path)) == 1 + 3 * 4
    for number, station in enumerate(study.stations, start=1):
        for name, image in (("water", station.water), ("fat", station.fat)):
            array, affine = lps_array(tmp_path / f"{place}_station{number}_{name}.nii.gz")
            assert array.dtype == np.uint16
            assert np.array_equal(array, image)
            assert np.allclose(affine, station.affine, rtol=0, atol=1e-4)
    in_phase, _ = lps_array(tmp_path / f"{place}_station1_in_phase.nii.gz")
    assert np.array_equal(in_phase, study.stations[0].water + study.stations[0].fat)
    (row,) = table(tmp_path / "volumes.csv")
    assert len(row["columns_rows_slices"].split(";")) == 3
    assert row["ends_cut"] == "no"


def test_a_study_that_a_check_stops_has_no_volume(scan: Path, tmp_path: Path) -> None:
    top, *others = complete_study()

    def as_fat(dataset: Dataset, k: int) -> None:
        set_pixels(dataset, top.pixels("F", k))

    files = [*top.files(change=as_fat), *(file for scan in others for file in scan.files())]
    stopped = write_zip(tmp_path / "stopped.zip", files)
    (tmp_path / "broken.zip").write_bytes(b"PK")
    out = tmp_path / "out"
    sources = [str(path) for path in (scan, stopped, tmp_path / "broken.zip")]
    assert main(["fuse", *sources, "--output", str(out)]) == SOME_FAILED
    assert {row["name"]: row["code"] for row in table(out / "failures.csv")} == {
        "stopped": "CONTRASTS_IDENTICAL",
        "broken": "NOT_A_ZIP",
    }
    assert [row["name"] for row in table(out / "volumes.csv")] == [NAME]
    assert all(path.startswith(f"volumes/{NAME}/") for path in files_in(out))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--contrasts", "water,pdff"], "there is no such layout, format or volume"),
        (["--contrasts", "water,water"], "a volume is named twice"),
        (["--layout", "stations", "--contrasts", "fat_fraction"], "stitched volumes only"),
        (["--labels", "."], "--labels requires --layout nnunet"),
        (["--identifiers", "--anonymous-names"], "contradict each other"),
    ],
)
def test_options_that_contradict_each_other_are_refused_before_any_work(
    options: list[str], words: str, tmp_path: Path, capfd: Capture
) -> None:
    out = tmp_path / "out"
    assert main(["fuse", str(tmp_path / "gone.zip"), "--output", str(out), *options]) == WRONG_USE
    error = capfd.readouterr().err
    assert error.startswith("WRONG_USE: ")
    assert words in error
    assert not out.exists()


def test_with_anonymous_names_no_file_tells_the_name(scan: Path, tmp_path: Path) -> None:
    words = ["fuse", str(scan), "--output", str(tmp_path), "--anonymous-names"]
    assert main([*words, "--contrasts", "water"]) == DONE
    place = "volumes/study_0001/study_0001"
    assert files_in(tmp_path) == [f"{place}.json", f"{place}_water.nii.gz"]
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(b"1000000" in path.read_bytes() for path in kept)


def test_volumes_of_an_earlier_run_are_written_as_files(scan: Path, tmp_path: Path) -> None:
    details = tmp_path / "details"
    words = ["measure", str(scan), "--output", str(tmp_path / "m"), "--details", str(details)]
    assert main(words) == DONE
    (folder,) = (path for path in details.iterdir() if path.is_dir())
    sources = tmp_path / "sources.json"
    sources.write_text(json.dumps({"name": "again", "fused": str(folder)}))
    out = tmp_path / "out"
    words = ["fuse", "--sources", str(sources), "--output", str(out)]
    assert main(words) == DONE
    water, _ = lps_array(out / "volumes" / "again" / "again_water.nii.gz")
    assert np.array_equal(water, fuse(read_study(scan).stations).water.array)
    assert main([*words[:-1], str(tmp_path / "s"), "--layout", "stations"]) == SOME_FAILED
    (failure,) = table(tmp_path / "s" / "failures.csv")
    assert failure["code"] == "STATIONS_UNKNOWN"


def test_stitched_volumes_are_stitched_volumes_again(scan: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert main(["fuse", str(scan), "--output", str(first)]) == DONE
    place = first / "volumes" / NAME / NAME
    files = {name: f"{place}_{name}.nii.gz" for name in ("water", "fat", "in_phase")}
    sources = tmp_path / "sources.json"
    sources.write_text(json.dumps({"name": "again", **files}))
    assert main(["fuse", "--sources", str(sources), "--output", str(second)]) == DONE
    (row,) = table(second / "volumes.csv")
    assert (row["contrasts"], row["ends_cut"]) == ("water;fat;fat_fraction", "yes")
    for name in ("water", "fat"):
        again = second / "volumes" / "again" / f"again_{name}.nii.gz"
        assert again.read_bytes() == Path(files[name]).read_bytes()
