"""Read label maps from files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Optional

from mimir_engine.errors import MimirError
from mimir_engine.fusion.volume_files.image_file import read_labels
from mimir_engine.labels.extension_names import extension_names
from mimir_engine.labels.label_map import LabelMap


def read_label_map(path: Path, names: Optional[Mapping[int, str]] = None) -> LabelMap:
    """Read a label map from a NIfTI or NRRD file.

    Args:
        path: The file.
        names: Names of the labels by number; by default those that the file has, if it has any.

    Raises:
        MimirError: ``LABELS_MISSING`` if there is no such file; those of `read_labels`;
            ``LABELS_INVALID`` if the names in the file cannot be read.
    """
    if not path.exists():
        raise MimirError(
            "LABELS_MISSING",
            "there is no label map for this study",
            "Check the folder of --labels: its files are named after the studies.",
        )
    image = read_labels(path)
    return LabelMap(image.array, image.affine, names or extension_names(image.extensions))
