"""Build stations and slices of the small studies of ``dicom_builder``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from dicom_builder import EXPLICIT, File, Scan, encoded
from pydicom.dataset import Dataset

from mimir_engine.errors import MimirError
from mimir_engine.headers.slices import Headers, Slice, read_headers
from mimir_engine.source.open_source import FIRST_BYTES, Entry
from mimir_engine.study import Contrast, Station
from mimir_engine.study.volume import axial_affine


def entry_of(file: File) -> Entry:
    def read(count: int) -> bytes:
        return file.content if count < 0 else file.content[:count]

    return Entry(file.name, len(file.content), read)


def headers_of(*files: File) -> Headers:
    return read_headers((entry_of(file), file.content[:FIRST_BYTES]) for file in files)


def slices_of(*files: File) -> list[Slice]:
    return headers_of(*files).slices


def slice_of(dataset: Dataset, syntax: str = EXPLICIT) -> Slice:
    (image,) = slices_of(File("image.dcm", encoded(dataset, syntax)))
    return image


def code(*files: File) -> str:
    """Return the code of the error with which headers are refused."""
    with pytest.raises(MimirError) as raised:
        slices_of(*files)
    return raised.value.code


def station_of(scan: Scan, images: dict[str, np.ndarray] | None = None) -> Station:
    """Return the station that reading this scan's files gives."""
    pixels = images or {
        suffix: np.stack([scan.pixels(suffix, k) for k in reversed(range(scan.slices))])
        for suffix in ("W", "F")
    }
    dy, dx = scan.pixel_mm
    affine = axial_affine((*scan.first_mm, scan.z_mm[-1]), (dx, dy, scan.step_mm))
    return Station({Contrast.WATER: pixels["W"], Contrast.FAT: pixels["F"]}, affine)


def stations_of(scans: Sequence[Scan]) -> list[Station]:
    return [station_of(scan) for scan in scans]
