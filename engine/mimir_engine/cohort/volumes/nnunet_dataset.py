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
from mimir_engine.files.atomic import output_errors
from mimir_engine.files.json_file import write_json

#: Name of the number 0.
BACKGROUND = "background"


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
        for number, name in ((int(key), name) for key, name in written.label_names.items()):
            if not names.get(number):
                names[number], givers[number] = name, study
            elif name and name != names[number]:
                raise _differ(number, (study, name), (givers[number], names[number]))
    content = {
        "channel_names": {str(k): volume for k, volume in enumerate(layout.wanted)},
        "labels": _consecutive(names),
        "numTraining": count,
        "file_ending": layout.ending,
    }
    write_json(folder / DATASET_FILE, content)


def remove_dataset(folder: Path) -> None:
    """Remove the file, if it is there.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    with output_errors(folder / DATASET_FILE):
        (folder / DATASET_FILE).unlink(missing_ok=True)


def _differ(number: int, one: tuple[str, str], other: tuple[str, str]) -> MimirError:
    """Say that two studies, each with a name, contradict each other about a label."""
    return MimirError(
        "LABEL_NAMES_DIFFER",
        f"the label map of '{one[0]}' calls label {number} '{one[1]}', that of '{other[0]}'"
        f" '{other[1]}'",
        "Give label maps with the same numbers and names.",
    )


def _consecutive(names: Mapping[int, str]) -> dict[str, int]:
    """Return each name with its number; numbers between them that no map has get a name, too."""
    numbers = {BACKGROUND: 0}
    for number in range(1, max(names, default=0) + 1):
        name = names.get(number) or f"label_{number}"
        numbers[f"{name} ({number})" if name in numbers else name] = number
    return numbers
