"""Runs and batches are compared with the scans that a module knows."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from cohort_builder import write_studies, write_trial_module

from mimir_engine.cli import DONE, WRONG_USE, main
from mimir_engine.cohort.scanners.scan_number_table import (
    SCAN_NUMBERS_FILE,
    ScanRow,
    write_scan_numbers,
)
from mimir_engine.inference_module import rewrite_module
from mimir_engine.inference_module.fit_profile import UsualScans, fit_profile
from mimir_engine.study.site import read_site

Capture = pytest.CaptureFixture[str]
NAMES = ("lean_to_fat", "noise", "extent")


def numbers(count: int, seed: int, water: float = 1.0) -> np.ndarray:
    """Made-up numbers of usual scans."""
    rng = np.random.default_rng(seed)
    columns = (0.8 * water * rng.lognormal(0, 0.05, count), rng.lognormal(-4, 0.1, count))
    return np.stack([*columns, rng.normal(1100, 5, count)], axis=1)


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a module that knows what usual scans are like."""
    own = write_trial_module(tmp_path_factory.mktemp("modules") / "trial")
    persons = [f"person {k}" for k in range(300)]
    scans = UsualScans(persons, np.zeros(300, bool), NAMES, numbers(300, 1), {})
    rewrite_module(
        own.folder,
        own,
        statistics=None,
        profile=fit_profile(scans, own.weights[0].sha256),
        card="Random weights.\n",
        overwrite=True,
    )
    return own.folder


def write_batch(folder: Path, count: int, water: float) -> str:
    folder.mkdir()
    rows = [
        ScanRow(f"study{k}", [], dict(zip(NAMES, map(float, row))), "SIEMENS Aera 1.5 T", "2024-03")
        for k, row in enumerate(numbers(count, 2, water))
    ]
    write_scan_numbers(folder / SCAN_NUMBERS_FILE, rows)
    return str(folder)


def test_a_run_of_scans_unlike_those_of_the_module_has_drifted(
    module: Path, tmp_path: Path, capsys: Capture
) -> None:
    archives = write_studies(tmp_path / "studies", [f"study{k}" for k in range(12)])
    arguments = [*map(str, archives), "--modules", str(module), "--device", "cpu"]
    assert main(["infer", *arguments, "--output", str(tmp_path / "out")]) == DONE
    lines = capsys.readouterr().err.splitlines()
    assert any("do not tell which" in line for line in lines)
    said = [line for line in lines if "BATCH_DRIFTED" in line]
    assert len(said) == 1
    assert "12 scans, on average unlike the reference" in said[0]
    assert "extent (mm)" in said[0], "the small studies are short"
    (drift,) = json.loads((tmp_path / "out" / "run.json").read_text())["drift"]
    assert (drift["reference"], drift["code"]) == ("trial", "BATCH_DRIFTED")
    with (tmp_path / "out" / "drift.csv").open(encoding="utf-8") as file:
        verdicts = {row["number"]: row["verdict"] for row in csv.DictReader(file)}
    assert verdicts["extent"] == verdicts["all"] == "drifted"
    with (tmp_path / "out" / "predictions.csv").open(encoding="utf-8") as file:
        assert "BATCH_DRIFTED" not in file.read(), "no single value is flagged by it"


@pytest.mark.parametrize(("water", "has_drifted"), [(1.0, False), (0.85, True)])
def test_a_batch_is_compared_with_a_module(
    module: Path, tmp_path: Path, capsys: Capture, water: float, has_drifted: bool
) -> None:
    batch = write_batch(tmp_path / "batch", 40, water)
    arguments = ["drift", batch, "--module", str(module), "--output", str(tmp_path / "out")]
    assert main(arguments) == DONE
    assert ("BATCH_DRIFTED" in capsys.readouterr().err) == has_drifted


def test_the_constant_of_a_scanner_is_written_for_later_runs(
    module: Path, tmp_path: Path, capsys: Capture
) -> None:
    batch = write_batch(tmp_path / "batch", 60, water=0.8)
    path = tmp_path / "site.json"
    assert main(["harmonise", batch, "--module", str(module), "--output", str(path)]) == DONE
    site = read_site(path)
    assert site.water_factor == pytest.approx(1.25, rel=0.03)
    assert (site.module, site.scanner) == ("trial", "SIEMENS Aera 1.5 T")
    said = capsys.readouterr()
    assert "60 scans of SIEMENS Aera 1.5 T" in said.err
    assert said.out.strip() == str(path)


def test_scans_that_are_left_out_do_not_count_for_the_constant(
    module: Path, tmp_path: Path, capsys: Capture
) -> None:
    batch = write_batch(tmp_path / "batch", 60, water=0.8)
    wanted, path = tmp_path / "wanted.csv", tmp_path / "site.json"
    wanted.write_text("\n".join(f"study{k}" for k in range(55)))
    arguments = ["--module", str(module), "--output", str(path), "--only", str(wanted)]
    assert main(["harmonise", batch, *arguments]) == DONE
    assert "--only: matched 55 of 55 ids; studies left out: 5" in capsys.readouterr().err
    assert read_site(path).scans == 55


def test_scans_are_read_for_the_constant_and_their_numbers_kept(
    module: Path, tmp_path: Path, capsys: Capture
) -> None:
    archives = write_studies(tmp_path / "studies", ["a", "b"])
    arguments = ["--module", str(module), "--output", str(tmp_path / "site.json")]
    assert main(["harmonise", *map(str, archives), *arguments]) == WRONG_USE
    assert "SITE_TOO_FEW: " in capsys.readouterr().err
    assert (tmp_path / "site_scans" / SCAN_NUMBERS_FILE).is_file()
    assert not (tmp_path / "site.json").exists()
    withdrawn = tmp_path / "withdrawn.csv"
    withdrawn.write_text("a\n")
    asked = ["--exclude", str(withdrawn)]
    assert main(["harmonise", *map(str, archives), *arguments, *asked]) == WRONG_USE
    assert "SITE_TOO_FEW: 1 scan" in capsys.readouterr().err
