"""Read label maps from files, and measure them with their study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from mimir_engine.errors import MimirError
from mimir_engine.fusion import FusedVolumes
from mimir_engine.fusion.volume_files.image_file import read_labels
from mimir_engine.labels.extension_names import extension_names
from mimir_engine.labels.label_map import LabelMap
from mimir_engine.labels.measure_labels import MeasuredLabels, examine_labels
from mimir_engine.study.finding import Finding


@dataclass(frozen=True)
class LabelFile:
    """The label map of a study.

    Attributes:
        path: NIfTI or NRRD file.
        names: Names of the labels by number; if empty, those that the file has.
    """

    path: Path
    names: Mapping[int, str] = field(default_factory=dict)


def read_label_map(path: Path, names: Optional[Mapping[int, str]] = None) -> LabelMap:
    """Read a label map from a NIfTI or NRRD file.

    Examples:
        >>> import numpy as np
        >>> from mimir_engine.fusion.volume_files.image_file import write_image
        >>> from mimir_engine.study.volume import Volume
        >>> organs = Volume(np.full((20, 30, 40), 7, np.uint8), np.diag([2.0, 2.0, 5.0, 1.0]))
        >>> write_image(Path("organs.nii.gz"), organs)
        >>> read_label_map(Path("organs.nii.gz"), {7: "spleen"}).array.shape
        (20, 30, 40)

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
            "Check --labels: in a folder, files are named after the studies.",
        )
    image = read_labels(path)
    return LabelMap(image.array, image.affine, names or extension_names(image.extensions))


def measure_label_file(file: LabelFile, fused: FusedVolumes) -> MeasuredLabels:
    """Measure the labels of a file; what is wrong with it is a finding, and no label is measured.

    So a label map that is missing, damaged or of another scan does not stop its study.
    """
    try:
        return examine_labels(read_label_map(file.path, file.names), fused)
    except MimirError as error:
        return MeasuredLabels((), (_finding_of(error),))


def _finding_of(error: MimirError) -> Finding:
    if error.code.startswith("LABELS_"):
        return Finding(error.code, error.what, remedy=error.remedy)
    return Finding("LABELS_UNREADABLE", f"{error.what} ({error.code})", remedy=error.remedy)
