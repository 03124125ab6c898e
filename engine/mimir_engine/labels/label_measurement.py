"""What was measured of one label of a segmentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class LabelMeasurement:
    """Volume and signal fat fraction of one label; see docs/labels.md for the definitions.

    Fat fractions are those of the two-point Dixon images: T1-weighted, not corrected for T2*, and
    so not PDFF. They are in percent, of the voxels with enough signal for a fraction.

    Attributes:
        label: Number of the label in its file, 1 to 65535.
        name: Its name in columns: small letters, digits and underscores, unique in its study.
        title: Its name as it was given, on one line; that of the columns if none was given.
        voxels: Voxels of the label in its file.
        volume_l: Their volume in litres, on the file's own grid.
        edge_share: Share of the voxels that lie at the edge of the view or beyond it, 0 to 1; a
            label that is complete in the view has 0.
        air_share: Share of the voxels with too little signal for a fraction, 0 to 1.
        seams: Seams between stations that the label crosses; None if they are not known.
        fat_fraction_percent: Mean; None if no voxel has enough signal.
        fat_fraction_median_percent: Median.
        fat_fraction_q1_percent: First quartile.
        fat_fraction_q3_percent: Third quartile.
        core_voxels: Voxels that are left after one voxel was eroded.
        core_fat_fraction_percent: As `fat_fraction_percent`, of these voxels.
        core_fat_fraction_median_percent: Their median.
        core_fat_fraction_q1_percent: Their first quartile.
        core_fat_fraction_q3_percent: Their third quartile.
        reason: Why a fat fraction is missing; empty if none is.
    """

    label: int
    name: str
    title: str
    voxels: int
    volume_l: float
    edge_share: float
    air_share: float
    seams: Optional[int]
    fat_fraction_percent: Optional[float]
    fat_fraction_median_percent: Optional[float]
    fat_fraction_q1_percent: Optional[float]
    fat_fraction_q3_percent: Optional[float]
    core_voxels: int
    core_fat_fraction_percent: Optional[float]
    core_fat_fraction_median_percent: Optional[float]
    core_fat_fraction_q1_percent: Optional[float]
    core_fat_fraction_q3_percent: Optional[float]
    reason: str = ""
