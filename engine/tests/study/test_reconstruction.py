"""Of two reconstructions of one acquisition, one kind is used for all stations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from assembly_builder import STATIONS, code, codes, plans_of, refusal
from changes import all_of, setting, without_times
from dicom_builder import Change, File, Scan
from pydicom.dataset import Dataset

from mimir_engine.study.reconstruction import NORMALISED, RAW
from mimir_engine.study.station_plan import StationPlan


def reconstructed(*words: str) -> Change:
    """Add words to ImageType, and make a series of its own."""

    def change(dataset: Dataset, k: int) -> None:
        dataset.ImageType = [*dataset.ImageType, *words]
        suffix = sum(1 + ["ND", "NORM", "DIS2D", "DIS3D"].index(word) for word in words)
        dataset.SeriesInstanceUID = f"{dataset.SeriesInstanceUID[:50]}.{suffix}"

    return change


def twice(scan: Scan, one: Change, other: Change, common: Change | None = None) -> list[File]:
    """Return both reconstructions; their series are numbered in the order F, F, W, W."""
    common = common or setting()
    files = []
    for suffix, change, number in (("F", one, 0), ("F", other, 1), ("W", other, 2), ("W", one, 3)):
        own = all_of(change, common, setting(SeriesNumber=scan.number + number))
        files += [
            File(f"{number}_{file.name}", file.content)
            for file in replace(scan, number=scan.number + number).files((suffix,), own)
        ]
    return files


RAW_KIND, NORM_KIND = reconstructed("ND"), reconstructed("NORM", "DIS3D")


def kinds_of(plans: Iterable[StationPlan]) -> set[frozenset[str]]:
    return {
        s.series.reconstruction for plan in plans for c in plan.crops.values() for s in c.slices
    }


@pytest.mark.parametrize(("preferred", "expected"), [(NORMALISED, {"NORM", "DIS3D"}), (RAW, set())])
@pytest.mark.parametrize("common", [setting(), without_times], ids=["with times", "without"])
def test_the_preferred_reconstruction_is_used_for_all_stations(
    preferred: str, expected: set[str], common: Change
) -> None:
    files = [f for scan in STATIONS for f in twice(scan, RAW_KIND, NORM_KIND, common)]
    plans, findings = plans_of(files, reconstruction=preferred)
    assert len(plans) == 3
    assert kinds_of(plans) == {frozenset(expected)}
    assert codes(findings) == ["RECONSTRUCTION_CHOSEN"]
    assert (" ".join(sorted(expected)) or "raw") in findings[0].sentence


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (reconstructed("ND"), reconstructed("DIS3D"), {"DIS3D"}),
        (reconstructed("DIS2D"), reconstructed("DIS3D"), {"DIS3D"}),
        (reconstructed(), reconstructed("DIS2D"), {"DIS2D"}),
        (reconstructed("NORM", "ND"), reconstructed("NORM", "DIS2D"), {"NORM", "DIS2D"}),
    ],
)
def test_of_corrections_of_distortion_the_better_is_used(
    one: Change, other: Change, expected: set[str]
) -> None:
    files = [f for scan in STATIONS for f in twice(scan, one, other)]
    plans, _ = plans_of(files)
    assert kinds_of(plans) == {frozenset(expected)}


@pytest.mark.parametrize("lacking", range(3))
def test_a_kind_that_lacks_a_station_is_not_used_for_the_others(lacking: int) -> None:
    files = []
    for n, scan in enumerate(STATIONS):
        both = twice(scan, RAW_KIND, NORM_KIND)
        files += scan.files(change=RAW_KIND) if n == lacking else both
    plans, _ = plans_of(files)
    assert kinds_of(plans) == {frozenset()}


@pytest.mark.parametrize("kind", [RAW_KIND, NORM_KIND])
def test_a_single_kind_says_nothing(kind: Change) -> None:
    _, findings = plans_of(*(scan.files(change=kind) for scan in STATIONS))
    assert findings == []


@pytest.mark.parametrize("swapped", [False, True])
def test_water_of_one_kind_never_goes_with_fat_of_the_other(swapped: bool) -> None:
    water, fat = (RAW_KIND, NORM_KIND) if swapped else (NORM_KIND, RAW_KIND)
    scan = STATIONS[0]
    files = [*scan.files(("W",), water), *replace(scan, number=3).files(("F",), fat)]
    others = [f for s in STATIONS[1:] for f in s.files(change=NORM_KIND)]
    assert code(files, others) == "STATION_INCOMPLETE"


def test_rescans_with_two_reconstructions_are_told_apart() -> None:
    repeat = replace(STATIONS[1], time="110000", number=41)
    files = [f for s in (*STATIONS, repeat) for f in twice(s, RAW_KIND, NORM_KIND)]
    plans, findings = plans_of(files)
    assert kinds_of(plans) == {frozenset({"NORM", "DIS3D"})}
    assert sorted(codes(findings)) == ["RECONSTRUCTION_CHOSEN", "STATION_RESCANNED"]
    numbers = {s.series.number for c in plans[1].crops.values() for s in c.slices}
    assert numbers <= {41, 42, 43, 44}


@pytest.mark.parametrize("order", [1, -1])
def test_a_study_reconstructed_twice_is_read_in_one_way_whenever_that_was(order: int) -> None:
    again = [replace(scan, number=scan.number + 40, time="113000") for scan in STATIONS]
    groups = [
        [f for scan in STATIONS for f in scan.files(change=NORM_KIND)],
        [f for scan in again for f in scan.files(change=RAW_KIND)],
    ]
    plans, findings = plans_of(*groups[::order])
    assert codes(findings) == ["RECONSTRUCTION_CHOSEN"]
    assert kinds_of(plans) == {frozenset({"NORM", "DIS3D"})}


def test_water_and_fat_of_different_reconstructions_are_refused_for_that_reason() -> None:
    groups = [s.files((c,), k) for s in STATIONS for c, k in (("W", NORM_KIND), ("F", RAW_KIND))]
    error = refusal(*groups)
    assert error.code == "STATION_INCOMPLETE"
    assert "normalised" in error.what
