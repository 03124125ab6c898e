"""Errors about a volume file: one remedy for each code."""

from __future__ import annotations

from mimir_engine.errors import MimirError

#: What to do about each kind of error.
REMEDIES = {
    "VOLUME_UNREADABLE": "Copy it again, or write it again as .nii.gz or .nrrd.",
    "VOLUME_TOO_LARGE": "Crop it to the body, or resample it to larger voxels.",
    "VOLUME_NOT_SCALAR": "Give one contrast as a three-dimensional volume of plain numbers.",
    "VOLUME_GEOMETRY": "Convert the scan again, with its orientation, spacing and position.",
    "VOLUME_NOT_FINITE": "Replace these values by 0, or convert the scan again.",
    "LABELS_INVALID": "Give a label map of whole numbers from 0 to 65535.",
}


def volume_error(code: str, what: str) -> MimirError:
    """Make an error about a volume file.

    Args:
        code: One of `REMEDIES`.
        what: What is wrong, without the name of the file.
    """
    return MimirError(code, what, REMEDIES[code])
