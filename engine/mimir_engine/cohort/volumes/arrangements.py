"""Names of the layouts and formats that can be asked for. Imports nothing heavy."""

from __future__ import annotations

from mimir_engine.measuring.volume_names import FAT, WATER

#: One folder per study; the flat folder that nnU-Net reads; each station for itself.
PLAIN, NNUNET, STATIONS = LAYOUTS = ("plain", "nnunet", "stations")
NIFTI, NRRD = FORMATS = ("nifti", "nrrd")
#: Volumes that nnU-Net gets as its channels if none are named: those that every study has.
CHANNELS = (WATER, FAT)
