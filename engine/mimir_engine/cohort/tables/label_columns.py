"""The columns of labels: those of ``predictions.csv`` on request, and those of ``labels.csv``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from operator import attrgetter

from mimir_engine.cohort.tables.column import Cell, Column, Measured
from mimir_engine.cohort.tables.styles import LONG, PUBLISHED, SHORT
from mimir_engine.labels.label_measurement import LabelMeasurement

#: What the columns of a label hold.
VOLUME, FAT_FRACTION = ("label volume", "label fat fraction")
CORE_FAT_FRACTION, EDGE_SHARE = ("label fat fraction after erosion", "label edge share")
#: The cell of each.
LABEL_CELLS: Mapping[str, Callable[[LabelMeasurement], Cell]] = {
    VOLUME: attrgetter("volume_l"),
    FAT_FRACTION: attrgetter("fat_fraction_percent"),
    CORE_FAT_FRACTION: attrgetter("core_fat_fraction_percent"),
    EDGE_SHARE: attrgetter("edge_share"),
}
#: Of each: the end of its name, the end of its short name, its unit and its meaning.
_NAMING = {
    VOLUME: ("volume_litres", "vol", "L", "volume"),
    FAT_FRACTION: ("fat_fraction_percent", "ff", "%", "mean signal fat fraction (not PDFF)"),
    CORE_FAT_FRACTION: (
        *("core_fat_fraction_percent", "cff", "%"),
        "mean signal fat fraction (not PDFF) after one voxel was eroded",
    ),
    EDGE_SHARE: ("edge_share", "edge", "", "share of its voxels at the edge of the view, 0 to 1"),
}
#: Characters of a label's name in short names of columns, so that 32 are enough for all.
MAX_SHORT = 20

#: Columns of ``labels.csv`` that follow ``name``, ``eid`` and ``instance``, with their cells.
TABLE_CELLS: Mapping[str, Callable[[LabelMeasurement], Cell]] = {
    "label": attrgetter("label"),
    "label_name": attrgetter("name"),
    "title": attrgetter("title"),
    "voxels": attrgetter("voxels"),
    "volume_litres": attrgetter("volume_l"),
    "edge_share": attrgetter("edge_share"),
    "air_share": attrgetter("air_share"),
    "seams": attrgetter("seams"),
    "fat_fraction_percent": attrgetter("fat_fraction_percent"),
    "fat_fraction_median_percent": attrgetter("fat_fraction_median_percent"),
    "fat_fraction_q1_percent": attrgetter("fat_fraction_q1_percent"),
    "fat_fraction_q3_percent": attrgetter("fat_fraction_q3_percent"),
    "core_voxels": attrgetter("core_voxels"),
    "core_fat_fraction_percent": attrgetter("core_fat_fraction_percent"),
    "core_fat_fraction_median_percent": attrgetter("core_fat_fraction_median_percent"),
    "core_fat_fraction_q1_percent": attrgetter("core_fat_fraction_q1_percent"),
    "core_fat_fraction_q3_percent": attrgetter("core_fat_fraction_q3_percent"),
    "reason": attrgetter("reason"),
}


def label_columns(name: str) -> list[Column]:
    """Return the columns of a label in ``predictions.csv``, the same in the published style.

    Args:
        name: Name of the label, of small letters, digits and underscores.
    """
    short = short_label_name(name)
    title = f"Label {name.replace('_', ' ')}"
    measured = Measured(f"label_{name}", short, title)
    columns = []
    for what, (long_end, short_end, unit, meaning) in _NAMING.items():
        long = f"label_{name}_{long_end}"
        names = {LONG: long, SHORT: f"{short}_{short_end}", PUBLISHED: long}
        columns.append(Column(what, f"{title}: {meaning}", names, unit, measured=measured))
    return columns


def short_label_name(name: str) -> str:
    """Return the beginning of the short names of a label's columns, valid in R and Stata.

    A long name is cut, and ends with six digits of its SHA-256.

    Examples:
        >>> short_label_name("liver"), short_label_name("portal_vein_and_splenic_vein")
        ('label_liver', 'label_portal_vein_a_09613e')
    """
    digits = hashlib.sha256(name.encode("utf-8")).hexdigest()[:6]
    return f"label_{name if len(name) <= MAX_SHORT else f'{name[:13]}_{digits}'}"
