"""Scans of the head or the calves beside the stations are left out."""

from __future__ import annotations

import pytest
from assembly_builder import STATIONS, codes, plans_of
from changes import setting
from dicom_builder import Scan
from pydicom.dataset import Dataset

HEAD = Scan(top_mm=60.0, slices=11, step_mm=6.0, pixel_mm=(2.0, 2.0), number=51, time="101000")
CALVES = Scan(top_mm=-138.0, slices=11, step_mm=6.0, pixel_mm=(2.0, 2.0), number=51, time="101000")


@pytest.mark.parametrize("scan", [HEAD, CALVES])
def test_a_scan_of_another_protocol_at_an_end_is_left_out(scan: Scan) -> None:
    def renamed(dataset: Dataset, k: int) -> None:
        dataset.SeriesDescription = f"brain_dixon_{dataset.SeriesDescription[-1]}"

    plans, findings = plans_of(*(s.files() for s in STATIONS), scan.files(change=renamed))
    assert len(plans) == 3
    assert codes(findings) == ["SERIES_LEFT_OUT"]
    assert "another protocol" in findings[0].sentence


@pytest.mark.parametrize("scan", [HEAD, CALVES])
def test_a_station_of_the_same_name_is_kept(scan: Scan) -> None:
    assert len(plans_of(*(s.files() for s in STATIONS), scan.files(change=setting()))[0]) == 4
