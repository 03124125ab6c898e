"""Volumes as NIfTI and NRRD files, read with suspicion and written in patient coordinates.

``volume_stream`` opens a file, compressed or not; ``nifti_header`` and ``nrrd_header`` say what
follows; ``axial_order`` puts it into the engine's axes; ``image_file`` reads and writes volumes;
``sidecar`` describes the study that they came from.
"""
