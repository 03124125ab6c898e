"""``mimir profile`` describes usual scans; ``mimir infer --profile`` compares others with them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("safetensors")

from cohort_builder import write_studies, write_trial_module
from usual_images import usual_images

from mimir_engine.cli import DONE, WRONG_USE, main


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A module, a profile of 104 of a user's scans, and a study compared with them and without."""
    folder = tmp_path_factory.mktemp("compared")
    write_trial_module(folder / "trial")
    images = usual_images(folder / "images", 104)
    write_studies(folder / "scans", ["a"])
    assert main(["profile", "--dataset", str(images), *options(folder)]) == DONE
    for name, profile in (("own", ["--profile", str(folder / "own.safetensors")]), ("none", [])):
        output = ["--output", str(folder / name), "--details", str(folder / f"{name}_details")]
        modules = ["--modules", str(folder / "trial")]
        assert main(["infer", str(folder / "scans"), *modules, *profile, *output]) == DONE
    return folder


def options(folder: Path) -> list[str]:
    return ["--module", str(folder / "trial"), "--output", str(folder / "own.safetensors")]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_scan_unlike_ones_own_is_unusual_and_all_its_values_are_flagged(compared: Path) -> None:
    (row,) = rows(compared / "own" / "scan_profiles.csv")
    assert (row["name"], row["module"], row["scan"]) == ("a", "trial", "UNUSUAL")
    assert float(row["distance_ratio"]) > 1
    assert row["compared_with"] == "104 scans of your own"
    assert "is usual" in row["difference_1"]
    (measured,) = rows(compared / "own" / "predictions.csv")
    assert "UNUSUAL_SCAN" in measured["flags"].split(";")
    run = json.loads((compared / "own" / "run.json").read_text("utf-8"))
    assert run["modules"][0]["compared_with"] == "104 scans of your own"
    assert len(run["modules"][0]["profile_sha256"]) == 64


def test_without_a_profile_it_is_not_known(compared: Path) -> None:
    (row,) = rows(compared / "none" / "scan_profiles.csv")
    assert (row["scan"], row["distance_ratio"], row["difference_1"]) == ("NOT_KNOWN", "", "")
    assert "UNUSUAL_SCAN" not in rows(compared / "none" / "predictions.csv")[0]["flags"]


def test_a_run_is_not_continued_with_another_profile(
    compared: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--modules", str(compared / "trial"), "--output", str(compared / "own")]
    assert main(["infer", str(compared / "scans"), *arguments]) == WRONG_USE
    assert "another run (different modules)" in capfd.readouterr().err


def test_too_few_scans_are_one_sentence(
    compared: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    few = usual_images(tmp_path / "few", 12)
    assert main(["profile", "--dataset", str(few), *options(compared)]) == WRONG_USE
    assert "PROFILE_TOO_SMALL: no scan profile: it needs 100 scans" in capfd.readouterr().err


def test_excluded_people_are_not_described(
    compared: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    images = usual_images(tmp_path / "images", 104)
    (tmp_path / "gone.txt").write_text("\n".join(f"study {k}" for k in range(5)), "utf-8")
    command = ["profile", "--dataset", str(images), "--exclude", str(tmp_path / "gone.txt")]
    assert main([*command, *options(compared)]) == WRONG_USE
    told = capfd.readouterr().err
    assert "matched 5 of 5 ids" in told
    assert "there are 99" in told


def test_sources_or_a_folder_of_images_are_needed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["profile", *options(tmp_path)]) == WRONG_USE
    assert "give either SOURCE or --sources" in capfd.readouterr().err
