"""Copy the label map of a study, checked, to where nnU-Net looks for it."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import numpy as np

from mimir_engine.cohort.volumes.nnunet_dataset import MAX_LABEL
from mimir_engine.cohort.volumes.study_files import StudyFiles
from mimir_engine.errors import MimirError
from mimir_engine.fusion.volume_files.image_file import read_labels
from mimir_engine.study.volume import Volume

#: Difference of a label map's place and spacing from the volumes' that rounding explains: of
#: affines stored in single precision, over the whole volume.
MAX_DIFFERENCE_MM = 1e-2


def copy_labels(path: Optional[Path], files: StudyFiles) -> dict[str, str]:
    """Check the label map of a study and write it beside the volumes.

    Args:
        path: NIfTI or NRRD.
        files: Files of the study, with its volumes.

    Returns:
        Name of each number that the map gives one.

    Raises:
        MimirError: ``LABELS_MISSING`` without a map; ``LABELS_OTHER_GRID`` if its voxels are not
            those of the volumes; ``LABELS_NOT_FOR_NNUNET`` for too large numbers; as `read_labels`.
    """
    if path is None:
        raise MimirError(
            "LABELS_MISSING",
            "the study has no label map",
            "Name it after the study, such as NAME.nii.gz, or leave the study out.",
        )
    labels = read_labels(path)
    (grid,) = files.grids
    same_shape = labels.array.shape == grid.shape
    corners = np.array([[0, 0, 0, 1], [*(size - 1 for size in reversed(grid.shape)), 1]]).T
    if not same_shape or np.abs((labels.affine - grid.affine) @ corners).max() > MAX_DIFFERENCE_MM:
        raise MimirError(
            "LABELS_OTHER_GRID",
            "the voxels of the label map are not those of the stitched volumes",
            "Make it on volumes that `mimir fuse` wrote, or resample it to them.",
        )
    largest = int(labels.array.max(initial=0))
    if largest > MAX_LABEL:
        raise MimirError(
            "LABELS_NOT_FOR_NNUNET",
            f"the label map has the number {largest}; nnU-Net needs consecutive numbers, and at"
            f" most {MAX_LABEL} are written",
            "Number the labels 1, 2, 3 and so on.",
        )
    files.write_labels(Volume(labels.array.astype(np.uint8), grid.affine))
    return {str(number): f"label_{number}" for number in np.unique(labels.array).tolist() if number}
