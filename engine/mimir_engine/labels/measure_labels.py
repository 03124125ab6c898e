"""Measure the labels of a segmentation: from a label map and fused volumes to numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Optional

import numpy as np

from mimir_engine.direct.body import find_body
from mimir_engine.fusion import FusedVolumes
from mimir_engine.labels.check_labels import (
    find_label_faults,
    refuse_labels,
    refuse_large_slices,
)
from mimir_engine.labels.core_planes import core_planes, erosion_reach
from mimir_engine.labels.extension_names import title_of
from mimir_engine.labels.fat_fractions import FatFractions, Plane, fat_fractions
from mimir_engine.labels.label_map import LabelMap
from mimir_engine.labels.label_measurement import LabelMeasurement
from mimir_engine.labels.label_names import column_names
from mimir_engine.labels.label_tally import LabelTally, tally_labels
from mimir_engine.labels.nearest_voxels import nearest_voxels
from mimir_engine.labels.other_tissue import find_other_tissue
from mimir_engine.labels.station_slices import station_slices
from mimir_engine.projection.fat_fraction_map import AIR_THRESHOLD, fat_fraction_map
from mimir_engine.projection.project import body_threshold
from mimir_engine.study.finding import Finding

#: Why a label has no fat fraction, or its core none.
NO_SIGNAL = "no voxel has enough signal for a fat fraction"
NO_CORE = "no voxel is left after erosion"
NO_CORE_SIGNAL = "no voxel that is left after erosion has enough signal for a fat fraction"


@dataclass(frozen=True)
class MeasuredLabels:
    """The labels of one study, and what was noticed about them.

    Attributes:
        values: One per label that has voxels, by growing label.
        findings: Exchanged sides, a shifted label map, labels of other tissue.
    """

    values: tuple[LabelMeasurement, ...]
    findings: tuple[Finding, ...] = ()


def measure_labels(label_map: LabelMap, fused: FusedVolumes) -> tuple[LabelMeasurement, ...]:
    """Measure volume and signal fat fraction of each label.

    A label's volume is that of its voxels on its own grid, so that no resampling changes it. The
    fat fraction of a voxel is that of the nearest voxel of the fused volumes.

    Examples:
        >>> from mimir_engine import fuse, measure_directly, read_study
        >>> fused = fuse(read_study("6000000_20201_2_0.zip").stations)
        >>> parts = measure_directly(fused).regions().astype(np.uint16)
        >>> label_map = LabelMap(parts, fused.water.affine, {1: "Trunk"})
        >>> trunk = measure_labels(label_map, fused)[0]
        >>> trunk.name, round(trunk.volume_l), round(trunk.core_fat_fraction_percent)
        ('trunk', 54, 39)

    Args:
        label_map: The labels, on any axial grid.
        fused: Water and fat.

    Returns:
        One per label that has voxels, by growing label.

    Raises:
        MimirError: ``LABELS_INVALID`` if the map is empty or has too many labels;
            ``LABELS_OUTSIDE`` if most of it lies outside of the scan or of the body;
            ``VOLUME_TOO_LARGE`` if its slices are too large.
    """
    return examine_labels(label_map, fused).values


def examine_labels(label_map: LabelMap, fused: FusedVolumes) -> MeasuredLabels:
    """As `measure_labels`, with what was noticed about the label map."""
    refuse_large_slices(label_map)
    body = find_body(fused)
    tally = tally_labels(label_map, fused.water, body)
    refuse_labels(tally)
    names = column_names(label_map.names, tally.labels.tolist())
    findings = find_label_faults(label_map, names, tally, fused.water, body)
    fractions = _Fractions(label_map, fused)
    reach = erosion_reach(label_map.spacing_mm, fused.water.spacing_mm)
    whole = fat_fractions(lambda: fractions.of(label_map.array), tally.labels)
    core = fat_fractions(lambda: fractions.of(core_planes(label_map.array, reach)), tally.labels)
    core_voxels = _count(core_planes(label_map.array, reach), tally.labels)
    seams = _seams_crossed(tally, fused)
    of_label = [names[label] for label in tally.labels.tolist()]
    findings += tuple(find_other_tissue(of_label, core, core_voxels.tolist()))
    values = (
        _measurement(row, label_map, tally, name, seams, whole[row], core[row], voxels)
        for row, (name, voxels) in enumerate(zip(of_label, core_voxels.tolist()))
    )
    return MeasuredLabels(tuple(values), findings)


class _Fractions:
    """Fat fractions at the voxels of a label map.

    Args:
        label_map: The label map.
        fused: Water and fat.
    """

    def __init__(self, label_map: LabelMap, fused: FusedVolumes) -> None:
        water, fat = fused.water.array, fused.fat.array
        self._water, self._fat = water, fat
        self._map = fat_fraction_map(fused).array
        self._air = np.float32(max(AIR_THRESHOLD * body_threshold(water, fat), 0))
        affine, shape = label_map.affine, label_map.array.shape
        self._nearest = nearest_voxels(affine, shape, fused.water.affine, water.shape)

    def of(self, planes: Iterable[np.ndarray]) -> Iterator[Plane]:
        """Yield label and fat fraction of the voxels with enough signal, slice by slice."""
        for index, plane in enumerate(planes):
            water, fat, fraction = (
                self._nearest.plane(volume, index) for volume in (self._water, self._fat, self._map)
            )
            is_used = (plane != 0) & (water + fat > self._air)
            yield plane[is_used], fraction[is_used]


def _count(planes: Iterable[np.ndarray], labels: np.ndarray) -> np.ndarray:
    """Count the voxels of each label, int64."""
    counts = np.zeros(int(labels[-1]) + 1, np.int64)
    for plane in planes:
        counts += np.bincount(plane.reshape(-1), minlength=len(counts))
    return counts[labels]


def _seams_crossed(tally: LabelTally, fused: FusedVolumes) -> list[Optional[int]]:
    """Count, for each label, the neighbouring stations that both show it; None without layout."""
    if fused.layout is None:
        return [None] * len(tally.labels)
    shown = [tally.in_slice[:, slices].any(axis=1) for slices in station_slices(fused.layout)]
    crossed = np.zeros(len(tally.labels), np.int64)
    for upper, lower in zip(shown, shown[1:]):
        crossed += upper & lower
    return [*crossed.tolist()]


def _measurement(
    row: int,
    label_map: LabelMap,
    tally: LabelTally,
    name: str,
    seams: list[Optional[int]],
    whole: FatFractions,
    core: FatFractions,
    core_voxels: int,
) -> LabelMeasurement:
    label, voxels = int(tally.labels[row]), int(tally.voxels[row])
    return LabelMeasurement(
        label=label,
        name=name,
        title=title_of(label_map.names.get(label, "")) or name,
        voxels=voxels,
        volume_l=voxels * label_map.voxel_l,
        edge_share=int(tally.at_edge[row]) / voxels,
        air_share=(voxels - whole.voxels) / voxels,
        seams=seams[row],
        fat_fraction_percent=whole.mean,
        fat_fraction_median_percent=whole.median,
        fat_fraction_q1_percent=whole.q1,
        fat_fraction_q3_percent=whole.q3,
        core_voxels=core_voxels,
        core_fat_fraction_percent=core.mean,
        core_fat_fraction_median_percent=core.median,
        core_fat_fraction_q1_percent=core.q1,
        core_fat_fraction_q3_percent=core.q3,
        reason=_reason(whole, core, core_voxels),
    )


def _reason(whole: FatFractions, core: FatFractions, core_voxels: int) -> str:
    if not whole.voxels:
        return NO_SIGNAL
    if core.voxels:
        return ""
    return NO_CORE_SIGNAL if core_voxels else NO_CORE
