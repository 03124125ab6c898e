"""Names of the volumes, layouts and formats that can be asked for. Imports nothing."""

from __future__ import annotations

WATER, FAT, IN_PHASE, OPPOSED_PHASE, FAT_FRACTION = VOLUMES = (
    *("water", "fat", "in_phase", "opposed_phase", "fat_fraction"),
)
#: One folder per study; the flat folder that nnU-Net reads; each station for itself.
PLAIN, NNUNET, STATIONS = LAYOUTS = ("plain", "nnunet", "stations")
NIFTI, NRRD = FORMATS = ("nifti", "nrrd")
#: Volumes that nnU-Net gets as its channels if none are named: those that every study has.
CHANNELS = (WATER, FAT)
