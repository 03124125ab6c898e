"""``mimir measure`` measures studies without a network."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cohort_builder import write_studies

from mimir_engine.cli import DONE, SOME_FAILED, main
from mimir_engine.cohort.study_folder import StudyFolders, read_study_folder
from mimir_engine.direct import PART_NAMES
from mimir_engine.errors import MimirError


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    """Two studies and a broken archive, measured with details."""
    write_studies(tmp_path / "scans", ["a", "b"])
    (tmp_path / "scans" / "broken.zip").write_bytes(b"PK\x03\x04")
    assert measure(tmp_path) == SOME_FAILED
    return tmp_path


def measure(folder: Path, *options: str) -> int:
    places = ["--output", str(folder / "results"), "--details", str(folder / "details")]
    return main(["measure", str(folder / "scans"), *places, *options])


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_study_has_a_row_or_a_reason(measured: Path) -> None:
    rows = table(measured / "results" / "measurements.csv")
    assert [row["name"] for row in rows] == ["a", "b"]
    for row in rows:
        assert float(row["direct_body_volume_in_L"]) > float(row["direct_fat_volume_in_L"]) > 0
        assert row["direct_waist_in_cm"] == ""  # three small stations show no trunk
        assert "EXTENT_SHORT" in row["flags"].split(";")
    (failure,) = table(measured / "results" / "failures.csv")
    assert failure["name"] == "broken"
    run = json.loads((measured / "results" / "run.json").read_text("utf-8"))
    assert (run["done"], run["failed"], run["modules"]) == (2, 1, [])


def test_a_run_is_resumed(measured: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (measured / "scans" / "broken.zip").unlink()
    assert measure(measured, "--events") in (DONE, SOME_FAILED)
    events = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    (run,) = (event for event in events if event["event"] == "run")
    assert (run["studies"], run["already_done"], run["modules"]) == (2, 2, [])


def test_details_hold_the_profile_and_the_parts_of_the_body(measured: Path) -> None:
    folder = read_study_folder(StudyFolders(measured / "details").path("a"), "a")
    profile, regions = folder.profile(), folder.regions()
    assert [*profile] == ["z_mm", "body_cm2", "fat_cm2", "lean_cm2"]
    assert np.all(np.diff(profile["z_mm"]) > 0)
    assert regions.array.shape == folder.water().array.shape
    assert {*np.unique(regions.array)} <= {0, *PART_NAMES}
    volume = (regions.array > 0).sum() * np.prod(regions.spacing_mm) / 1e6
    (body,) = (q.value for q in folder.result.direct if q.name == "body_volume")
    assert volume == pytest.approx(body, rel=0.05)


@pytest.mark.parametrize("text", ["", "z_mm,body_cm2\n1\n", "z_mm\nup\n"])
def test_a_damaged_profile_is_one_sentence(measured: Path, text: str) -> None:
    path = StudyFolders(measured / "details").path("a")
    (path / "profile.csv").write_text(text, "utf-8")
    with pytest.raises(MimirError, match="DETAILS_INVALID"):
        read_study_folder(path).profile()


def test_no_network_library_is_imported(tmp_path: Path) -> None:
    write_studies(tmp_path / "scans", ["a"])
    lines = (
        "import sys",
        "sys.modules['torch'] = None",  # as if it were not installed
        "from mimir_engine.cli import main",
        "sys.exit(main(sys.argv[1:]))",
    )
    command = ["measure", str(tmp_path / "scans"), "--output", str(tmp_path / "results")]
    program = [sys.executable, "-c", "\n".join(lines), *command]
    assert subprocess.run(program, check=False).returncode == DONE
    assert len(table(tmp_path / "results" / "measurements.csv")) == 1
