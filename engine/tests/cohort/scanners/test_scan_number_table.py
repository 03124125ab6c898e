"""The table of what scans are like: written, added to, cut off after a kill, read again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mimir_engine.checks.scan_numbers import SCAN_NUMBERS, scan_numbers
from mimir_engine.cohort.scanners.scan_number_table import (
    ScanRow,
    append_scan_numbers,
    keep_rows,
    read_scan_numbers,
    write_scan_numbers,
)
from mimir_engine.errors import MimirError
from mimir_engine.fusion import FusedVolumes, fuse
from mimir_engine.phantom.scan import scan_stations

ROWS = [
    ScanRow("a", ["SHADING", "GHOSTS", "SHADING"], {"noise": 0.1, "extent": 1100.0}),
    ScanRow("b", [], {"noise": 0.125}),
]


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_scan_numbers(tmp_path / "n.csv", ROWS)
    table = read_scan_numbers(tmp_path / "n.csv")
    assert table.studies == ("a", "b")
    assert table.findings == (("SHADING", "GHOSTS"), ())
    assert table.names == tuple(SCAN_NUMBERS)
    noise, extent = (table.values[:, table.names.index(name)] for name in ("noise", "extent"))
    assert noise.tolist() == [0.1, 0.125]
    assert extent[0] == 1100.0
    assert np.isnan(extent[1]), "a number that the scan does not show"


def test_rows_that_are_added_stand_behind_the_others(tmp_path: Path) -> None:
    append_scan_numbers(tmp_path / "n.csv", ROWS[:1])
    append_scan_numbers(tmp_path / "n.csv", ROWS[1:])
    assert read_scan_numbers(tmp_path / "n.csv").studies == ("a", "b")


def test_a_table_is_cut_off_where_a_killed_run_stopped(tmp_path: Path) -> None:
    path = tmp_path / "n.csv"
    assert keep_rows(path, 5) == 0, "no table"
    append_scan_numbers(path, ROWS)
    with path.open("a") as file:
        file.write("c,,0.1")
    assert keep_rows(path, 5) == 2, "half a row does not count"
    assert keep_rows(path, 1) == 1
    assert read_scan_numbers(path).studies == ("a",)


def test_a_table_with_text_for_a_number_is_refused(tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_text("name,findings,noise\na,,much\n")
    with pytest.raises(MimirError, match="SCAN_NUMBERS_INVALID"):
        read_scan_numbers(tmp_path / "n.csv")


def test_a_phantom_shows_all_numbers_and_its_volumes_alone_a_part() -> None:
    stations = scan_stations(100_000)
    fused = fuse(stations)
    numbers = scan_numbers(stations, fused)
    phases = {"phase_residual"}  # of slices that only reading a study gives
    assert set(numbers) == set(SCAN_NUMBERS) - phases
    assert all(np.isfinite(value) for value in numbers.values())
    alone = scan_numbers(stations, FusedVolumes(fused.water, fused.fat))
    assert "extent" in alone
    assert "noise" not in alone
    assert all(alone[name] == numbers[name] for name in alone)
