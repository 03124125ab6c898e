"""A run scales the water signal of one scanner, says so, and refuses other scanners."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cohort_builder import run_infer, write_studies

from mimir_engine.cli import DONE, WRONG_USE, main
from mimir_engine.cohort.image_dataset import project_studies
from mimir_engine.cohort.result_files import write_cohort
from mimir_engine.cohort.scanners.scan_number_table import read_numbers_of
from mimir_engine.cohort.sources import named_sources
from mimir_engine.errors import MimirError
from mimir_engine.measuring.one_study import prepare
from mimir_engine.study.read_options import ReadOptions
from mimir_engine.study.site import Site, write_site

SITE = Site("trial", "SIEMENS Aera 1.5 T", 60, 0.64, 0.03, 0.005, 0.8, 1.25)
WITH_SITE = ReadOptions(site=SITE)
OTHER = ReadOptions(site=replace(SITE, scanner="SIEMENS Skyra 3.0 T"))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (path,) = write_studies(tmp_path_factory.mktemp("archives"), ["1000000_20201_2_0"])
    return path


def test_a_study_with_a_site_has_a_note_and_another_fat_fraction(archive: Path) -> None:
    usual, scaled = prepare(archive), prepare(archive, reading=WITH_SITE)
    assert "SITE_HARMONISED" not in [finding.code for finding in usual.study.findings]
    assert [f.code for f in scaled.study.findings if f not in usual.study.findings] == [
        "SITE_HARMONISED"
    ]
    changed = (usual.projection.image != scaled.projection.image).any(axis=(1, 2))
    assert changed.tolist() == [False, False, True]
    ratio = usual.numbers["lean_to_fat"]
    assert scaled.numbers == {**usual.numbers, "lean_to_fat": pytest.approx(1.25 * ratio)}


def test_a_run_says_what_it_was_scaled_by(archive: Path, tmp_path: Path) -> None:
    run = run_infer([archive], (), tmp_path, reading=WITH_SITE)
    write_cohort(tmp_path, run.cohort, ["mimir"])
    (result,) = run.cohort.results
    assert "SITE_HARMONISED" in result.flags
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["site"]["water_factor"] == 1.25
    table = read_numbers_of(tmp_path)
    assert table.scanners == ("SIEMENS Aera 1.5 T",)
    assert table.months == ("2020-02",)


def test_results_with_and_without_a_site_are_not_mixed(archive: Path, tmp_path: Path) -> None:
    run_infer([archive], (), tmp_path)
    with pytest.raises(MimirError, match=r"OUTPUT_IN_USE.*site"):
        run_infer([archive], (), tmp_path, reading=WITH_SITE)


def test_a_study_of_another_scanner_fails_alone(archive: Path, tmp_path: Path) -> None:
    run = run_infer([archive], (), tmp_path, reading=OTHER)
    assert run.failed == {archive.stem: "SITE_OTHER_SCANNER"}


def test_the_site_of_another_module_is_refused(archive: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    from cohort_builder import write_trial_module

    module = write_trial_module(tmp_path / "trial")
    other = ReadOptions(site=replace(SITE, module="another"))
    with pytest.raises(MimirError, match="SITE_OTHER_MODULE"):
        run_infer([archive], [module], tmp_path / "out", reading=other)


def test_images_for_training_are_scaled_too(archive: Path, tmp_path: Path) -> None:
    sources = named_sources([str(archive)]).studies
    project_studies(sources, tmp_path, lambda event: None, jobs=1, reading=WITH_SITE)
    (image,) = np.load(tmp_path / "images.npy")
    assert (image == prepare(archive, reading=WITH_SITE).projection.image).all()
    assert "SITE_HARMONISED" in (tmp_path / "studies.csv").read_text()
    assert "SIEMENS Aera 1.5 T" in (tmp_path / "scan_numbers.csv").read_text()


def test_the_command_line_takes_the_file_of_a_site(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_site(tmp_path / "site.json", SITE)
    arguments = ["project", str(archive), "--site", str(tmp_path / "site.json")]
    assert main([*arguments, "--output", str(tmp_path / "image.npy")]) == DONE
    assert "SITE_HARMONISED: 1000000_20201_2_0: in the planes" in capsys.readouterr().err
    expected = prepare(archive, reading=WITH_SITE).projection.image
    assert (np.load(tmp_path / "image.npy") == expected).all()
    (tmp_path / "site.json").write_text("{}")
    assert main([*arguments, "--output", str(tmp_path / "again.npy")]) == WRONG_USE
    assert capsys.readouterr().err.startswith("SITE_INVALID")
