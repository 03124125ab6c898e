"""Names of the volumes of a study. Imports nothing."""

from __future__ import annotations

#: In the order in which they are made.
WATER, FAT, FAT_FRACTION, IN_PHASE, OPPOSED_PHASE = VOLUME_NAMES = (
    *("water", "fat", "fat_fraction", "in_phase", "opposed_phase"),
)
