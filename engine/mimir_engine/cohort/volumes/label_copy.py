"""Copy the label map of a study, checked, to where nnU-Net looks for it."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import numpy as np

from mimir_engine.cohort.volumes.study_files import StudyFiles
from mimir_engine.cohort.volumes.written_study import MAX_LABEL
from mimir_engine.errors import MimirError
from mimir_engine.labels.label_file import read_label_map
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
        Name of each number that is in the map, or has a name there; empty if it has none.

    Raises:
        MimirError: ``LABELS_MISSING`` without a map; ``LABELS_OTHER_GRID`` if its voxels are not
            those of the volumes; ``LABELS_NOT_FOR_NNUNET`` for too large numbers; as
            `read_label_map`.
    """
    if path is None:
        raise MimirError(
            "LABELS_MISSING",
            "the study has no label map",
            "Name it after the study, such as NAME.nii.gz, or leave the study out.",
        )
    labels = read_label_map(path)
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
    counts = np.bincount(labels.array.ravel(), minlength=1)
    unnamed = {int(number): "" for number in np.flatnonzero(counts) if number}
    names = {**unnamed, **labels.names}
    return {str(number): name for number, name in names.items() if number <= MAX_LABEL}
