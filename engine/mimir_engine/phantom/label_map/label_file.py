"""Write the labels of a phantom as a NIfTI file that names them."""

from __future__ import annotations

from pathlib import Path

from mimir_engine.fusion.volume_files.image_file import write_image
from mimir_engine.phantom.label_map.label_map import PhantomLabels
from mimir_engine.phantom.label_map.names import LABELS
from mimir_engine.study.volume import Volume


def write_labels(path: Path, labels: PhantomLabels) -> None:
    """Write a label map, uint8; the same labels, the same bytes.

    Args:
        path: Ends with ``.nii.gz``.
        labels: Of a scan.

    Raises:
        MimirError: ``EXTRA_MISSING`` without nibabel, ``OUTPUT_UNWRITABLE``.
    """
    write_image(path, Volume(labels.array, labels.affine), label_table())


def label_table() -> str:
    """Return the table of labels that stands in the file's header, in the XML of Caret.

    TotalSegmentator writes the same form: number, colour and name of each label.
    """
    rows = []
    for number, label in LABELS.items():
        red, green, blue = (f"{part / 255:.3f}" for part in label.colour)
        rows.append(
            f'<Label Key="{number}" Red="{red}" Green="{green}" Blue="{blue}" Alpha="1">'
            f"<![CDATA[{label.name}]]></Label>"
        )
    return "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<CaretExtension><VolumeInformation Index="0"><LabelTable>',
            *rows,
            "</LabelTable><VolumeType><![CDATA[Label]]></VolumeType></VolumeInformation>",
            "</CaretExtension>",
        )
    )
