"""The values that reading a study gives: a study of stations, and who scanned it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Optional

import numpy as np

from mimir_engine.study.contrast import Contrast
from mimir_engine.study.finding import Finding
from mimir_engine.study.volume import spacing_of


@dataclass(frozen=True)
class Station:
    """One table position: the images of one acquisition, all on the same voxels.

    Attributes:
        images: Per contrast ``[slice, row, column]`` (foot to head, anterior to posterior, right to
            left); uint16 as stored where the modality LUT is the identity, else float32.
        affine: ``(4, 4)`` float64, ``(column, row, slice, 1)`` to LPS millimetres.
    """

    images: Mapping[Contrast, np.ndarray]
    affine: np.ndarray

    @property
    def water(self) -> np.ndarray:
        """The water image."""
        return self.images[Contrast.WATER]

    @property
    def fat(self) -> np.ndarray:
        """The fat image."""
        return self.images[Contrast.FAT]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows, columns."""
        slices, rows, columns = self.water.shape
        return slices, rows, columns

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Voxel spacing along column, row and slice index, in millimetres."""
        return spacing_of(self.affine)

    @property
    def top_mm(self) -> tuple[float, float, float]:
        """LPS position of the first voxel (row 0, column 0) of the slice nearest the head."""
        x, y, z = (self.affine @ np.array([0.0, 0.0, self.shape[0] - 1.0, 1.0]))[:3].tolist()
        return x, y, z


@dataclass(frozen=True)
class Scanner:
    """What the headers say of the device; an empty string or None where they say nothing."""

    vendor: str = ""
    model: str = ""
    field_strength_t: Optional[float] = None


@dataclass(frozen=True)
class DixonStudy:
    """One imaging visit of one person, read and found consistent.

    Attributes:
        name: File name, folder name or study UID; never the patient's name.
        stations: From head to foot.
        scanner: Vendor, model and field strength.
        eid: UK Biobank's participant number out of its file name, else empty.
        instance: UK Biobank's visit number out of its file name, else empty.
        findings: What was mended or noticed while reading.
    """

    name: str
    stations: tuple[Station, ...]
    scanner: Scanner = Scanner()
    eid: str = ""
    instance: str = ""
    findings: tuple[Finding, ...] = ()

    def without_pixels(self) -> DixonStudy:
        """The same study with empty images: as what many can be held in memory."""
        return replace(self, stations=tuple(_without_pixels(s) for s in self.stations))


def _without_pixels(station: Station) -> Station:
    return replace(station, images={c: i[:0, :0, :0].copy() for c, i in station.images.items()})
