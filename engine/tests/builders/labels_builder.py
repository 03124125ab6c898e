"""Make measurements of labels with chosen volumes and fat fractions."""

from __future__ import annotations

from typing import Optional

from mimir_engine.labels.label_measurement import LabelMeasurement


def label_measured(
    name: str,
    volume_l: float,
    percent: Optional[float] = 5.0,
    edge_share: float = 0.0,
    title: str = "",
) -> LabelMeasurement:
    """A label of 1 mL voxels; half a percent less fat in its inner voxels than in all.

    Args:
        name: Its name in columns.
        volume_l: Its volume.
        percent: Mean fat fraction of all voxels; None if there is none.
        edge_share: Share of voxels at the edge of the view.
        title: Its name as it was given; by default the one in columns.
    """
    voxels = round(1000 * volume_l)
    core = None if percent is None else percent - 0.5
    return LabelMeasurement(
        label=1,
        name=name,
        title=title or name,
        voxels=voxels,
        volume_l=volume_l,
        edge_share=edge_share,
        air_share=0.0,
        seams=None,
        fat_fraction_percent=percent,
        fat_fraction_median_percent=percent,
        fat_fraction_q1_percent=percent,
        fat_fraction_q3_percent=percent,
        core_voxels=voxels // 2,
        core_fat_fraction_percent=core,
        core_fat_fraction_median_percent=core,
        core_fat_fraction_q1_percent=core,
        core_fat_fraction_q3_percent=core,
        reason="no voxel has enough signal" if percent is None else "",
    )
