"""A sidecar says what a volume file cannot, and nothing about a person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mimir_engine.errors import MimirError
from mimir_engine.fusion.fused_folder import MAX_STATIONS
from mimir_engine.fusion.volume_files.sidecar import (
    MAX_SIDECAR_BYTES,
    Sidecar,
    read_sidecar,
    sidecar_of,
    write_sidecar,
)
from mimir_engine.headers.scanner import Scanner
from mimir_engine.study.finding import Finding

SIDECAR = Sidecar(
    name="6000000_20201_2_0",
    mimir_version="0.9.0",
    scanner=Scanner("SIEMENS", "Aera", 1.5, "ab12cd34"),
    stations=6,
    contrasts=("water", "fat"),
    spacing_mm=(2.25, 2.25, 3.0),
    findings=(Finding("STATION_SHIFT", "stations 2 and 3 are shifted", station=2, value=4.5),),
)


def test_a_sidecar_is_read_as_it_was_written(tmp_path: Path) -> None:
    for sidecar in (SIDECAR, Sidecar("a", "0.9.0"), Sidecar("é", "1", month="2024-03")):
        write_sidecar(tmp_path / "a.json", sidecar)
        assert read_sidecar(tmp_path / "a.json") == sidecar


def test_its_keys_are_those_of_its_fields(tmp_path: Path) -> None:
    write_sidecar(tmp_path / "a.json", SIDECAR)
    content = json.loads((tmp_path / "a.json").read_text())
    assert content == SIDECAR.to_json()
    assert content["ends_cut"] is True
    assert content["spacing_mm"] == [2.25, 2.25, 3.0]
    assert content["scanner"]["field_strength_t"] == 1.5
    assert content["month"] == "", "unless it is asked for"


@pytest.mark.parametrize(
    "volume",
    [
        *("scan.nii.gz", "scan_water.nii.gz", "scan_fat.nii", "scan_in_phase.nrrd"),
        *("scan_opposed_phase.NRRD", "scan_fat_fraction.nii.gz", "scan_0001.nii.gz"),
        "scan.labels.nii.gz",
    ],
)
def test_the_sidecar_of_a_volume_has_the_name_of_its_study(volume: str, tmp_path: Path) -> None:
    assert sidecar_of(tmp_path / volume) is None
    write_sidecar(tmp_path / "scan.json", SIDECAR)
    assert sidecar_of(tmp_path / volume) == SIDECAR


def test_a_sidecar_of_another_study_is_not_taken(tmp_path: Path) -> None:
    write_sidecar(tmp_path / "scan.json", SIDECAR)
    assert sidecar_of(tmp_path / "scan_2_water.nii.gz") is None


@pytest.mark.parametrize(
    "content",
    [
        b'{"Modality": "MR", "ConversionSoftware": "dcm2niix"}',
        *(b"", b"[]", b"[" * 100_000, b"\xff", b"{", b" " * (MAX_SIDECAR_BYTES + 1)),
    ],
    ids=("of dcm2niix", "empty", "a list", "nested", "no text", "cut off", "too large"),
)
def test_other_programs_files_are_passed_over(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "scan.json").write_bytes(content)
    assert sidecar_of(tmp_path / "scan_water.nii.gz") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"stations": -1},
        {"stations": "six"},
        {"scanner": {"field_strength_t": -1.5}},
        {"scanner": {"field_strength_t": 1e6}},
        {"scanner": "SIEMENS"},
        {"ends_cut": "yes"},
        {"findings": [{"code": 3}]},
        {"spacing_mm": [1, 2]},
        {"unknown": 1},
        {"name": None},
    ],
)
def test_a_sidecar_that_was_changed_is_refused(changes: dict[str, Any], tmp_path: Path) -> None:
    content = {**SIDECAR.to_json(), **changes}
    (tmp_path / "scan.json").write_text(json.dumps(content))
    with pytest.raises(MimirError) as caught:
        read_sidecar(tmp_path / "scan.json")
    assert caught.value.code == "SIDECAR_INVALID"


def test_texts_are_safe_and_stations_few(tmp_path: Path) -> None:
    content = {**SIDECAR.to_json(), "name": "\x1b[31m\u202ea", "stations": 10**9}
    content["scanner"] = {"vendor": "GE\nX", "model": "\x00"}
    (tmp_path / "scan.json").write_text(json.dumps(content))
    sidecar = read_sidecar(tmp_path / "scan.json")
    assert sidecar is not None
    assert sidecar.name == " [31m a"
    assert sidecar.scanner == Scanner("GE X", " ")
    assert sidecar.stations == MAX_STATIONS
