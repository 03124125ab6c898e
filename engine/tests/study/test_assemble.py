"""Slices are grouped into stations by their headers; ambiguous studies are refused."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from assembly_builder import BELOW, SCAN, code, codes, plans_of, refusal, z_of
from changes import setting
from dicom_builder import EXPLICIT, IMPLICIT, all_files, complete_study
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from mimir_engine.study import Contrast

# ------------------------------------------------------------------ good studies


def test_slices_of_a_station_are_ordered_from_foot_to_head() -> None:
    (plan,), findings = plans_of(SCAN.files())
    assert findings == []
    assert z_of(plan) == z_of(plan, Contrast.FAT) == [-12, -6, 0, 6, 12, 18, 24, 30]
    np.testing.assert_allclose(
        plan.affine, [[4, 0, 0, -78], [0, 4, 0, -94], [0, 0, 6, -12], [0, 0, 0, 1]]
    )


def test_stations_are_ordered_from_head_to_foot_in_any_order_of_files() -> None:
    files = list(all_files(complete_study()))
    random.Random(5).shuffle(files)
    plans, findings = plans_of(files)
    assert findings == []
    assert [max(z_of(plan)) for plan in plans] == [0, -36, -81]


def test_neighbours_that_overlap_by_less_than_half_are_two_stations() -> None:
    assert len(plans_of(SCAN.files(), BELOW.files())[0]) == 2


def test_water_and_fat_of_one_series_are_separated() -> None:
    """Philips writes classic files as one series, with the contrast in ImageType."""

    def one_series(dataset: Dataset, k: int) -> None:
        dataset.SeriesInstanceUID, dataset.SeriesNumber = "2.25.5", 501
        dataset.SeriesDescription = "mDIXON"

    (plan,), _ = plans_of(SCAN.files(change=one_series))
    assert set(plan.crops) == {Contrast.WATER, Contrast.FAT}


# ------------------------------------------------------------------ studies and contrasts


def test_a_source_without_dixon_images_is_refused() -> None:
    assert code() == "NO_DIXON"
    assert code(SCAN.files(("in", "opp"))) == "NO_DIXON"


@pytest.mark.parametrize("present", ["W", "F"])
def test_a_missing_contrast_is_refused(present: str) -> None:
    assert code(SCAN.files((present, "in"))) == "CONTRAST_MISSING"


@pytest.mark.parametrize("missing", ["W", "F"])
def test_a_station_without_one_contrast_is_refused(missing: str) -> None:
    rest = [c for c in ("F", "W") if c != missing]
    assert code(SCAN.files(), BELOW.files(rest)) == "STATION_INCOMPLETE"


def test_the_error_names_the_series_that_were_seen_and_why_they_were_passed_over() -> None:
    def composed(dataset: Dataset, k: int) -> None:
        dataset.ImageType = [*dataset.ImageType, "COMPOSED"]
        dataset.SeriesDescription = "whole body"

    screen = setting(SOPClassUID="1.2.840.10008.5.1.4.1.1.7")
    other = setting(ImageType=["ORIGINAL", "PRIMARY", "M"], SeriesDescription="t2_haste")
    ratio = setting(
        ImageType=["DERIVED", "PRIMARY", "DIXON", "FAT_FRACTION"], SeriesDescription="ff"
    )
    error = refusal(
        SCAN.files(change=composed),
        replace(SCAN, slices=1, number=21).files(("W",), screen),
        replace(SCAN, number=31).files(("W",), other),
        replace(SCAN, number=41).files(("W",), ratio),
    )
    assert error.code == "NO_DIXON"
    for name, reason in (
        ("whole body", "composed from stations"),
        ("021_W_100000_000.dcm", "secondary capture"),
        ("t2_haste", "names no Dixon contrast"),
        ("ff", "computed from other images"),
    ):
        assert name in error.what
        assert reason in error.what
    assert "16 " not in error.what  # series are named, not slices


def test_the_error_names_some_of_very_many_series() -> None:
    groups = []
    for n in range(30):
        other = setting(
            ImageType=["ORIGINAL", "PRIMARY", "M"],
            SeriesDescription=f"series {n}",
            SeriesInstanceUID=f"2.25.{n}",
        )
        groups.append(replace(SCAN, slices=1, number=n).files(("W",), other))
    assert "and 22 others" in refusal(*groups).what


# ------------------------------------------------------------------ what headers say of a scan


@pytest.mark.parametrize("position", ["HFS", "FFS", "", None])
def test_a_patient_on_the_back_is_read_head_or_feet_first(position: str | None) -> None:
    assert plans_of(SCAN.files(change=setting(PatientPosition=position)))[1] == []


@pytest.mark.parametrize("position", ["HFP", "FFP", "HFDR", "FFDL", "SITTING"])
@pytest.mark.parametrize("station", [0, 1])
def test_a_patient_who_does_not_lie_on_the_back_is_refused(position: str, station: int) -> None:
    changes = [setting(), setting()]
    changes[station] = setting(PatientPosition=position)
    error = refusal(SCAN.files(change=changes[0]), BELOW.files(change=changes[1]))
    assert error.code == "NOT_SUPINE"
    assert position in error.what


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_pixels_that_were_compressed_with_loss_have_a_finding(syntax: str) -> None:
    lossy, not_lossy = (setting(LossyImageCompression=value) for value in ("01", "00"))
    _, findings = plans_of(
        SCAN.files(change=lossy, syntax=syntax), BELOW.files(change=not_lossy, syntax=syntax)
    )
    assert codes(findings) == ["LOSSY_COMPRESSION"]
    assert "2 of 4 series" in findings[0].sentence


@pytest.mark.parametrize("keyword", ["FrameOfReferenceUID", "SOPInstanceUID"])
def test_uids_that_say_nothing_about_a_place_are_not_compared(keyword: str) -> None:
    """Anonymisers and some scanners give each station, or each file, a new one."""

    def new(dataset: Dataset, k: int) -> None:
        setattr(dataset, keyword, generate_uid())

    plans, findings = plans_of(SCAN.files(change=new), BELOW.files(change=new))
    assert len(plans) == 2
    assert findings == []
