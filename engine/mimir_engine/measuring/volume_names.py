"""Names of the volumes of a study. Imports nothing."""

from __future__ import annotations

WATER, FAT, IN_PHASE, OPPOSED_PHASE, FAT_FRACTION = VOLUMES = (
    *("water", "fat", "in_phase", "opposed_phase", "fat_fraction"),
)
