"""Batches of scans are compared with a reference by the mean of many."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from mimir_engine.cohort.scanners.batch_drift import drift_events, write_drift
from mimir_engine.cohort.scanners.drift import ALL_SCANS, MIN_SCANS, find_drift, reference_of_scans
from mimir_engine.cohort.scanners.scan_number_table import ScanNumberTable
from mimir_engine.errors import MimirError

NAMES = ("noise", "lean_to_fat", "ghosts", "voids_low", "shading_along", "seam_match")


def batch(count: int, seed: int, water: float = 1.0, scanner: str = "A") -> ScanNumberTable:
    """Made-up scans: skewed, correlated and mostly-zero numbers, some not shown."""
    rng = np.random.default_rng(seed)
    person = rng.normal(size=count)
    values = np.stack(
        [
            np.exp(0.4 * rng.normal(size=count)),
            0.8 * np.exp(0.06 * rng.normal(size=count)) * water,
            np.exp(person),
            np.maximum(rng.normal(size=count), 0.0),
            1.5 + 0.1 * (0.8 * person + 0.6 * rng.normal(size=count)),
            1.0 - 0.01 * np.exp(rng.normal(size=count)),
        ],
        axis=1,
    )
    values[rng.random(count) < 0.1, 5] = np.nan
    studies = tuple(f"{scanner}{k}" for k in range(count))
    months = ("2024-03",) * count
    return ScanNumberTable(studies, ((),) * count, NAMES, values, (scanner,) * count, months)


def joined(*tables: ScanNumberTable) -> ScanNumberTable:
    return ScanNumberTable(
        tuple(name for table in tables for name in table.studies),
        tuple(codes for table in tables for codes in table.findings),
        NAMES,
        np.concatenate([table.values for table in tables]),
        tuple(name for table in tables for name in table.scanners),
        tuple(month for table in tables for month in table.months),
    )


REFERENCE = reference_of_scans(batch(300, seed=1))


@pytest.mark.parametrize("count", [10, 20, 50, 400])
def test_one_usual_batch_in_a_hundred_seems_to_have_drifted_at_most(count: int) -> None:
    """Each reference is another sample too, as its own error is part of the limits."""
    alarms = [
        find_drift(reference_of_scans(batch(300, 2 * seed)), batch(count, 2 * seed + 1))[0]
        for seed in range(400)
    ]
    assert sum(group.has_drifted for group in alarms) <= 10  # 4 are expected


def test_a_tenth_less_water_shows_in_twenty_scans_and_is_named() -> None:
    groups = [find_drift(REFERENCE, batch(20, seed, water=0.9))[0] for seed in range(100, 200)]
    assert all(group.has_drifted for group in groups)
    assert all(group.numbers[0].name == "lean_to_fat" for group in groups)
    assert groups[0].numbers[0].z < -groups[0].z_limit
    own, usual = groups[0].numbers[0].median, groups[0].numbers[0].reference
    assert f"lean to fat signal {own:.3g} instead of {usual:.3g}" in groups[0].sentence
    assert own < 0.95 * usual


def test_a_small_change_of_all_numbers_is_found_together() -> None:
    own = batch(60, seed=5)
    shifted = own.values + 0.55 * np.nanstd(own.values, axis=0) * [1, 1, 1, 1, -1, 1]
    table = ScanNumberTable(own.studies, own.findings, NAMES, shifted)
    (group,) = find_drift(REFERENCE, table)
    assert group.has_drifted


def test_one_scan_unlike_all_others_is_no_drift_of_the_batch() -> None:
    own = batch(20, seed=13)
    assert not find_drift(REFERENCE, own)[0].has_drifted
    own.values[0, 0] = 1e6
    assert not find_drift(REFERENCE, own)[0].has_drifted


def test_a_difference_that_does_not_matter_is_no_drift_however_many_scans_show_it() -> None:
    own = batch(20_000, 14)
    own.values[:, 1] *= 1.006  # a tenth of the spread between people
    assert not find_drift(reference_of_scans(batch(20_000, 15)), own)[0].has_drifted


def test_the_scanner_that_drifted_is_named() -> None:
    table = joined(batch(40, 7, scanner="A"), batch(40, 8, water=0.85, scanner="B"))
    groups = {group.group: group for group in find_drift(REFERENCE, table)}
    assert set(groups) == {ALL_SCANS, "A, 2024-03", "B, 2024-03"}
    assert groups["B, 2024-03"].has_drifted
    assert not groups["A, 2024-03"].has_drifted


def test_few_scans_are_not_compared() -> None:
    (group,) = find_drift(REFERENCE, batch(MIN_SCANS - 1, 9, water=0.5))
    assert not group.has_drifted
    assert not group.numbers
    assert "too few" in group.sentence


def test_a_table_without_scans_or_common_numbers_is_not_compared() -> None:
    (group,) = find_drift(REFERENCE, batch(0, 1))
    assert not group.numbers
    other = ScanNumberTable(("a",) * 60, ((),) * 60, ("extent",), np.ones((60, 1)))
    assert not find_drift(REFERENCE, other)[0].numbers


def test_a_number_that_no_scan_of_the_batch_shows_does_not_count() -> None:
    own = batch(30, seed=10)
    own.values[:, 1] = np.nan
    (group,) = find_drift(REFERENCE, own)
    (gone,) = (number for number in group.numbers if number.name == "lean_to_fat")
    assert gone.z == 0.0
    assert np.isnan(gone.median)


def test_a_small_batch_is_no_reference() -> None:
    with pytest.raises(MimirError, match="REFERENCE_TOO_SMALL"):
        reference_of_scans(batch(99, seed=1))


def test_the_table_has_each_number_of_each_group(tmp_path: Path) -> None:
    groups = find_drift(REFERENCE, batch(30, 11, water=0.8))
    write_drift(tmp_path / "drift.csv", {"phantom": groups})
    with (tmp_path / "drift.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["verdict"] for row in rows if row["number"] == "all"] == ["drifted"]
    assert {row["number"] for row in rows} == {"all", *NAMES}
    by_name = {row["number"]: row for row in rows}
    assert by_name["lean_to_fat"]["verdict"] == "drifted"
    assert float(by_name["lean_to_fat"]["median"]) < float(
        by_name["lean_to_fat"]["reference_median"]
    )


def test_an_event_has_the_code_only_if_a_group_drifted() -> None:
    usual, drifted = (find_drift(REFERENCE, batch(30, 12, water)) for water in (1.0, 0.8))
    assert [e["code"] for e in drift_events({"phantom": usual})] == [""]
    (event,) = drift_events({"phantom": drifted})
    assert event["code"] == "BATCH_DRIFTED"
    assert event["groups"][0]["verdict"] == "drifted"
