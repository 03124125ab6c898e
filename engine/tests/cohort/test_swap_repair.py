"""Exchanged water and fat are refused, or exchanged back if that is asked for."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from exchanged_archive import exchanged_archive

from mimir_engine.cli import DONE, SOME_FAILED, main
from mimir_engine.phantom.dicom_study import write_study

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "sound.zip"
    write_study(path, 7, ("water", "fat"))
    return path


@pytest.fixture(scope="module")
def exchanged(sound: Path) -> Path:
    return exchanged_archive(sound, sound.with_name("exchanged.zip"), 2)


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_an_exchange_has_no_image_until_it_is_exchanged_back(
    sound: Path, exchanged: Path, tmp_path: Path, capfd: Capture
) -> None:
    images = [tmp_path / f"{name}.npy" for name in ("sound", "refused", "repaired")]
    assert main(["project", str(sound), "--output", str(images[0])]) == DONE
    assert main(["project", str(exchanged), "--output", str(images[1])]) == SOME_FAILED
    words = capfd.readouterr().err
    assert "WATER_FAT_EXCHANGED: exchanged: " in words
    assert "station 3" in words
    assert "--swap-repair" in words
    assert not images[1].exists()
    assert main(["project", str(exchanged), "--output", str(images[2]), "--swap-repair"]) == DONE
    assert "WATER_FAT_REPAIRED" in capfd.readouterr().err
    assert np.array_equal(np.load(images[2]), np.load(images[0]))


def test_a_run_measures_a_repaired_study_only_as_long_as_repair_is_asked_for(
    sound: Path, exchanged: Path, tmp_path: Path, capfd: Capture
) -> None:
    def measure(*options: str) -> int:
        words = ["measure", str(sound), str(exchanged), "--output", str(tmp_path / "out")]
        return main([*words, *options])

    def failed() -> list[str]:
        return [row["code"] for row in rows(tmp_path / "out" / "failures.csv")]

    assert measure() == SOME_FAILED
    assert failed() == ["WATER_FAT_EXCHANGED"]
    assert measure("--swap-repair") == DONE
    repaired, plain = rows(tmp_path / "out" / "measurements.csv")
    assert (repaired.pop("name"), plain.pop("name")) == ("exchanged", "sound")
    assert repaired.pop("flags") == "WATER_FAT_REPAIRED"
    plain.pop("flags")
    assert repaired == plain
    assert measure() == SOME_FAILED
    assert failed() == ["WATER_FAT_EXCHANGED"]
