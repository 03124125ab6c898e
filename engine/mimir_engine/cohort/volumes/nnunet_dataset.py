"""Write ``dataset.json``, which nnU-Net needs to be trained.

Its form is that of nnU-Net v2 (documentation/dataset_format.md): ``channel_names``, ``labels`` with
consecutive numbers of which 0 is the background, ``numTraining`` and ``file_ending``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from mimir_engine.cohort.output_files import DATASET_FILE
from mimir_engine.cohort.volumes.volume_layout import VolumeLayout
from mimir_engine.cohort.volumes.written_study import WrittenStudy
from mimir_engine.errors import MimirError
from mimir_engine.files.json_file import write_json

BACKGROUND = "background"
#: Largest number of a label: nnU-Net learns a class for each number up to the largest.
MAX_LABEL = 255


def write_dataset(
    folder: Path, layout: VolumeLayout, studies: Iterable[tuple[str, WrittenStudy]]
) -> None:
    """Write the file.

    Args:
        folder: The output folder.
        layout: With labels.
        studies: Name and volumes of each study.

    Raises:
        MimirError: ``LABEL_NAMES_DIFFER`` if two maps give one number different names;
            ``OUTPUT_UNWRITABLE``.
    """
    names: dict[int, str] = {}
    givers: dict[int, str] = {}
    count = 0
    for study, written in studies:
        count += 1
        for number, name in ((int(text), name) for text, name in written.label_names.items()):
            if names.setdefault(number, name) != name:
                raise MimirError(
                    "LABEL_NAMES_DIFFER",
                    f"the label map of '{study}' calls label {number} '{name}', that of"
                    f" '{givers[number]}' '{names[number]}'",
                    "Give label maps with the same numbers and names.",
                )
            givers.setdefault(number, study)
    write_json(
        folder / DATASET_FILE,
        {
            "channel_names": {str(k): volume for k, volume in enumerate(layout.wanted)},
            "labels": _consecutive(names),
            "numTraining": count,
            "file_ending": layout.ending,
        },
    )


def _consecutive(names: Mapping[int, str]) -> dict[str, int]:
    """Return each name with its number; numbers between them that no map has get a name, too."""
    numbers = {BACKGROUND: 0}
    for number in range(1, max(names, default=0) + 1):
        name = names.get(number) or f"label_{number}"
        numbers[f"{name} ({number})" if name in numbers else name] = number
    return numbers
