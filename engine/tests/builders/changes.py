"""Changes of the headers of a scan's slices, for ``Scan.files(change=...)``."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from dicom_builder import Change, Scan
from pydicom.dataset import Dataset


def setting(**attributes: Any) -> Change:
    """Set attributes of all slices; None deletes one."""

    def change(dataset: Dataset, k: int) -> None:
        for keyword, value in attributes.items():
            if value is not None:
                setattr(dataset, keyword, value)
            elif keyword in dataset:
                delattr(dataset, keyword)

    return change


def of_slices(numbers: Container[int], change: Change) -> Change:
    """Change only some slices."""

    def apply(dataset: Dataset, k: int) -> None:
        if k in numbers:
            change(dataset, k)

    return apply


def of_slice(number: int, **attributes: Any) -> Change:
    """Set attributes of one slice."""
    return of_slices((number,), setting(**attributes))


def all_of(*changes: Change) -> Change:
    """Make several changes."""

    def apply(dataset: Dataset, k: int) -> None:
        for change in changes:
            change(dataset, k)

    return apply


def philips_scale(value: Any, block: int = 0x10, vr: str = "FL") -> Change:
    """Set Philips' private scale slope."""

    def apply(dataset: Dataset, k: int) -> None:
        dataset.add_new(0x20050000 | block, "LO", "Philips MR Imaging DD 001")
        dataset.add_new(0x2005000E | block << 8, vr, value)

    return apply


#: Removes what tells when a slice was acquired.
without_times = setting(AcquisitionDate=None, AcquisitionTime=None)


def water(**attributes: Any) -> Dataset:
    """Return a water slice with some attributes set, or deleted (None)."""
    dataset = Scan().dataset("W", 0)
    setting(**attributes)(dataset, 0)
    return dataset
