"""Signals are only compared if the headers lead to one unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from assembly_builder import SCAN, code, plans_of
from changes import all_of, of_slice, philips_scale, setting
from dicom_builder import EXPLICIT, IMPLICIT, Change, File
from pydicom.dataset import Dataset
from station_builder import slices_of

from mimir_engine.study import Contrast
from mimir_engine.study.pixels import load_slices

PHILIPS = {"Manufacturer": "Philips Medical Systems", "RescaleType": "normalized"}
NOBODY = {"Manufacturer": "", "RescaleType": "normalized"}


def scaled(
    water: dict[str, Any], fat: dict[str, Any], common: dict[str, Any]
) -> tuple[list[File], list[File]]:
    """Return water and fat with attributes of their own; ``scale`` is Philips' private one."""

    def change(scale: Any = None, **attributes: Any) -> Change:
        scaling = [philips_scale(scale)] if scale else []
        return all_of(setting(**{**common, **attributes}), *scaling)

    return (
        SCAN.files(("W",), change(**water)),
        replace(SCAN, number=2).files(("F",), change(**fat)),
    )


@pytest.mark.parametrize(
    ("water", "fat", "common"),
    [
        ({"RescaleSlope": "2"}, {"RescaleSlope": "2"}, {}),
        ({"RescaleSlope": "2"}, {"RescaleSlope": "3"}, {}),  # both lead to the same unit
        ({"RescaleSlope": "2"}, {"RescaleSlope": "3"}, {"Manufacturer": "GE MEDICAL SYSTEMS"}),
        ({"RescaleSlope": "1"}, {}, {}),
        ({"RescaleSlope": "2"}, {"RescaleSlope": "2"}, PHILIPS),
        ({"RescaleSlope": "2", "scale": 0.5}, {"RescaleSlope": "4", "scale": 0.25}, PHILIPS),
        ({"RescaleSlope": "2", "scale": 0.5}, {"RescaleSlope": "3", "scale": 0.3}, PHILIPS),
        ({"RescaleSlope": "2", "scale": 0.5}, {"RescaleSlope": "3", "scale": 0.3}, NOBODY),
        ({"RescaleSlope": "2"}, {"RescaleSlope": "2"}, NOBODY),
    ],
)
def test_signals_in_one_unit_are_accepted(
    water: dict[str, Any], fat: dict[str, Any], common: dict[str, Any]
) -> None:
    assert len(plans_of(*scaled(water, fat, common))[0]) == 1


@pytest.mark.parametrize(
    ("water", "fat", "common"),
    [
        ({"RescaleType": "US"}, {"RescaleType": "normalized"}, {}),
        ({"RescaleIntercept": "0"}, {"RescaleIntercept": "100"}, {}),
        ({"RescaleSlope": "2"}, {"RescaleSlope": "3"}, PHILIPS),
        ({"RescaleSlope": "2"}, {"RescaleSlope": "3"}, NOBODY),
        ({"RescaleSlope": "2", "scale": 0.5}, {"RescaleSlope": "2"}, NOBODY),
        ({"RescaleSlope": "2", "scale": 0.5}, {"RescaleSlope": "2"}, PHILIPS),
    ],
)
def test_signals_in_different_units_are_refused(
    water: dict[str, Any], fat: dict[str, Any], common: dict[str, Any]
) -> None:
    assert code(*scaled(water, fat, common)) == "SCALE_MISMATCH"


def test_a_scale_that_changes_from_slice_to_slice_is_refused() -> None:
    changing = of_slice(3, RescaleType="other")
    files = SCAN.files(("W",), changing), replace(SCAN, number=2).files(("F",))
    assert code(*files) == "SCALE_MISMATCH"


def signal_of(files: Sequence[File]) -> np.ndarray:
    return load_slices(slices_of(*files)).array


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_slopes_and_scales_that_change_from_slice_to_slice_lead_to_the_same_signal(
    syntax: str,
) -> None:
    """Philips stores each slice with the scale that fills the range of integers."""

    def change(factor: int) -> Change:
        def apply(dataset: Dataset, k: int) -> None:
            stored = np.frombuffer(dataset.PixelData, np.uint16) * (factor + k)
            dataset.PixelData = stored.astype(np.uint16).tobytes()
            setting(**PHILIPS, RescaleSlope=str(3 * (factor + k)))(dataset, k)
            philips_scale(0.5 * (factor + k))(dataset, k)

        return apply

    files = [
        *SCAN.files(("W",), change(1), syntax=syntax),
        *replace(SCAN, number=2).files(("F",), change(2), syntax=syntax),
    ]
    ((plan,), findings) = plans_of(files)
    assert findings == []
    for contrast, suffix in ((Contrast.WATER, "W"), (Contrast.FAT, "F")):
        signal = load_slices(plan.crops[contrast].slices).array
        expected = [2.0 * SCAN.pixels(suffix, k) for k in reversed(range(SCAN.slices))]
        np.testing.assert_allclose(signal, expected, rtol=1e-6)


def test_a_rescale_intercept_is_divided_by_slope_and_scale() -> None:
    water = all_of(setting(**PHILIPS, RescaleSlope="4", RescaleIntercept="8"), philips_scale(0.5))
    signal = signal_of(SCAN.files(("W",), water))
    expected = [(SCAN.pixels("W", k) * 4.0 + 8) / (4 * 0.5) for k in range(SCAN.slices)]
    np.testing.assert_allclose(signal, expected, rtol=1e-6)


def test_unequal_slopes_of_another_vendor_lead_to_one_unit() -> None:
    water = signal_of(SCAN.files(("W",), setting(RescaleSlope="2", Manufacturer="GE")))
    np.testing.assert_array_equal(water, [2 * SCAN.pixels("W", k) for k in range(SCAN.slices)])
