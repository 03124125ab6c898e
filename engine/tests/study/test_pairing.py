"""Water is paired with the fat that was scanned together with it, or the study is refused."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from assembly_builder import BELOW, SCAN, code, codes, numbers_of, plans_of, z_of
from changes import all_of, of_slices, setting, without_times
from dicom_builder import Change, File, Scan
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from station_builder import headers_of

from mimir_engine.errors import MimirError
from mimir_engine.study import Contrast
from mimir_engine.study.assemble import assemble
from mimir_engine.study.finding import Finding
from mimir_engine.study.read import load_stations

#: A second scan of the same station.
AGAIN = replace(SCAN, number=21, time="100500")
without_numbers = setting(SeriesNumber=None)
without_all = all_of(without_times, without_numbers)


def contrast_of(scan: Scan, suffix: str, change: Change | None = None) -> list[File]:
    """Return one contrast of a scan, with the series number that it has beside the other."""
    number = scan.number + ("F", "W").index(suffix)
    return replace(scan, number=number).files((suffix,), change)


def brighter(dataset: Dataset, k: int) -> None:
    """Change one pixel by one."""
    pixels = bytearray(dataset.PixelData)
    pixels[2000] ^= 1
    dataset.PixelData = bytes(pixels)


def read(files: Sequence[File]) -> list[Finding]:
    """Assemble a study and compare the pixels of copies; return the findings."""
    assembly = assemble(headers_of(*files))
    return [*assembly.findings, *load_stations(assembly.plans)[1]]


def code_of_reading(files: Sequence[File]) -> str:
    with pytest.raises(MimirError) as raised:
        read(files)
    return raised.value.code


# ------------------------------------------------------------------ one water and one fat


@pytest.mark.parametrize("time", ["100000.4", "100010", "113000"])
def test_the_only_water_and_fat_of_a_place_belong_together_at_any_times(time: str) -> None:
    late = replace(SCAN, number=2, time=time)
    assert len(plans_of(SCAN.files(("W",)), late.files(("F",)))[0]) == 1


def test_water_and_fat_before_and_after_midnight_are_one_station() -> None:
    before = replace(SCAN, date="20200229", time="235959.9")
    after = replace(SCAN, date="20200301", time="000000.1", number=2)
    assert len(plans_of(before.files(("W",)), after.files(("F",)))[0]) == 1


def test_neighbours_are_never_paired_whatever_their_times() -> None:
    """All waters were reconstructed first, and then all fats."""
    files = []
    for scan, water, fat in ((SCAN, "100000", "100202"), (BELOW, "100200", "100002")):
        files += contrast_of(replace(scan, time=water), "W")
        files += contrast_of(replace(scan, time=fat), "F")
    plans, findings = plans_of(files)
    assert findings == []
    assert [numbers_of(plan) for plan in plans] == [[1, 2], [11, 12]]


# ------------------------------------------------------------------ several scans of a place


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_files_does_not_matter(seed: int) -> None:
    files = [*SCAN.files(), *AGAIN.files(), *BELOW.files()]
    random.Random(seed).shuffle(files)
    (plan, _), _ = plans_of(files)
    assert numbers_of(plan) == [21, 22]


def test_contrasts_that_were_written_some_seconds_apart_are_one_scan() -> None:
    files = [*BELOW.files()]
    for time, scan in (("100000", SCAN), ("100500", AGAIN)):
        files += contrast_of(replace(scan, time=time), "W", without_numbers)
        files += contrast_of(replace(scan, time=f"{time[:4]}25"), "F", without_numbers)
    (plan, _), findings = plans_of(files)
    assert codes(findings) == ["STATION_RESCANNED"]
    names = {s.entry.name for crop in plan.crops.values() for s in crop.slices}
    assert {name.split("_")[2] for name in names} == {"100500", "100525"}


@pytest.mark.parametrize(
    "nothing",
    [without_all, all_of(without_numbers, setting(AcquisitionTime="120000"))],
    ids=["missing", "constant"],
)
def test_scans_that_nothing_tells_apart_must_have_the_same_pixels(nothing: Change) -> None:
    others = [*SCAN.files(change=nothing), *BELOW.files(change=nothing)]
    assert codes(read([*others, *AGAIN.files(change=nothing)])) == ["SERIES_COPIED"]
    different = AGAIN.files(change=all_of(nothing, brighter))
    assert code_of_reading([*others, *different]) == "STATION_AMBIGUOUS"


@pytest.mark.parametrize("seed", range(12))
def test_with_scrambled_times_water_never_goes_with_fat_of_another_scan(seed: int) -> None:
    rng = random.Random(seed)
    files = [*BELOW.files()]
    for scan in (SCAN, AGAIN):
        for suffix in ("F", "W"):
            hours, minutes, seconds = rng.randrange(24), rng.randrange(60), rng.randrange(60)
            time = f"{hours:02d}{minutes:02d}{seconds:02d}"
            files += contrast_of(
                scan, suffix, all_of(without_numbers, setting(AcquisitionTime=time))
            )
    assert code(files) == "STATION_AMBIGUOUS"


def test_exchanged_times_are_refused_where_series_numbers_contradict_them() -> None:
    """An anonymiser gave the fat of each scan the time of the other."""
    files = [*BELOW.files()]
    for scan, other in ((SCAN, AGAIN), (AGAIN, SCAN)):
        files += contrast_of(scan, "W")
        files += contrast_of(scan, "F", setting(AcquisitionTime=other.time))
    assert code(files) == "STATION_AMBIGUOUS"


@pytest.mark.parametrize("numbers", [(1, 2, 3, 4), (3, 9, 6, 12)])
def test_series_numbers_without_a_unique_nearest_partner_are_refused(
    numbers: tuple[int, ...],
) -> None:
    """All fats are numbered before all waters, or numbers are scattered."""
    files = [*BELOW.files(change=without_times)]
    for number, (scan, suffix) in zip(
        numbers, [(SCAN, "F"), (AGAIN, "F"), (SCAN, "W"), (AGAIN, "W")]
    ):
        files += contrast_of(scan, suffix, all_of(without_times, setting(SeriesNumber=number)))
    assert code(files) == "STATION_AMBIGUOUS"


def test_contrasts_of_one_series_belong_together_at_any_times() -> None:
    files = [*BELOW.files()]
    for scan, uid, times in ((SCAN, "2.25.1", (0, 7)), (AGAIN, "2.25.2", (6, 1))):
        for suffix, minutes in zip(("F", "W"), times):
            time = f"10{minutes:02d}00"
            change = setting(SeriesInstanceUID=uid, SeriesNumber=5, AcquisitionTime=time)
            files += contrast_of(scan, suffix, change)
    (plan, _), findings = plans_of(files)
    assert codes(findings) == ["STATION_RESCANNED"]
    assert len({crop.slices[0].series.uid for crop in plan.crops.values()}) == 1


def test_scans_that_each_lost_a_slice_of_another_contrast_are_not_mixed() -> None:
    """Water of the first is as long as fat of the second, and the other way round."""
    files = [
        *contrast_of(SCAN, "W"),
        *replace(SCAN, slices=7).files(("F",)),
        *contrast_of(replace(AGAIN, slices=7), "W"),
        *AGAIN.files(("F",)),
        *BELOW.files(),
    ]
    assert code(files) == "STATION_AMBIGUOUS"


@pytest.mark.parametrize("lacking", ["F", "W"])
def test_without_times_and_numbers_a_scan_that_lacks_a_contrast_is_refused(lacking: str) -> None:
    (other,) = {"F", "W"} - {lacking}
    files = [
        *SCAN.files(change=without_all),
        *AGAIN.files((other,), change=all_of(without_all, brighter)),
        *BELOW.files(change=without_all),
    ]
    assert code_of_reading(files) == "STATION_AMBIGUOUS"


# ------------------------------------------------------------------ copies


def new_uid(dataset: Dataset, k: int) -> None:
    dataset.SeriesInstanceUID = generate_uid("2.25.", [dataset.SeriesInstanceUID])


@pytest.mark.parametrize("change", [setting(), without_times], ids=["with times", "without"])
def test_a_study_that_is_there_twice_under_new_uids_is_read_once(change: Change) -> None:
    files = [f for scan in (SCAN, BELOW) for f in scan.files(change=change)]
    copies = [f for scan in (SCAN, BELOW) for f in scan.files(change=all_of(change, new_uid))]
    findings = read([*files, *(File(f"copy_{f.name}", f.content) for f in copies)])
    assert codes(findings) == ["SERIES_COPIED"] * 2


@pytest.mark.parametrize("contrast", ["F", "W"])
def test_copies_whose_pixels_differ_are_refused(contrast: str) -> None:
    copy = contrast_of(SCAN, contrast, all_of(new_uid, of_slices((3,), brighter)))
    assert code_of_reading([*SCAN.files(), *copy, *BELOW.files()]) == "STATION_AMBIGUOUS"


def test_the_copy_of_one_contrast_is_left_out() -> None:
    copy = contrast_of(SCAN, "W", new_uid)
    findings = read([*SCAN.files(), *copy, *BELOW.files()])
    assert codes(findings) == ["SERIES_COPIED"]


def test_half_a_copy_is_left_out() -> None:
    half = replace(SCAN, slices=4).files(change=new_uid)
    (plan, _), findings = plans_of(SCAN.files(), half, BELOW.files())
    assert z_of(plan) == z_of(plan, Contrast.FAT) == sorted(SCAN.z_mm)
    assert codes(findings) == ["STATION_RESCANNED"]


def test_noise_below_zero_in_copies_of_air_is_no_fault() -> None:
    """A slice that shows nothing but air has noise of either sign, which is no magnitude."""

    def air(dataset: Dataset, k: int) -> None:
        dataset.PixelRepresentation = 1
        if k == 0:
            dataset.PixelData = b"\3\0\xfd\xff" * (len(dataset.PixelData) // 4)

    files = [*SCAN.files(change=air), *BELOW.files(change=setting(PixelRepresentation=1))]
    findings = read([*files, *SCAN.files(change=all_of(air, new_uid))])
    assert {*codes(findings)} == {"SERIES_COPIED", "NEGATIVE_SIGNAL"}
