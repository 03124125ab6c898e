"""A folder of images that networks are trained on: of scans or of phantoms.

* ``images.npy``: uint8 ``(rows, 3, 256, 256)``, a file that grows (`GrowingArray`);
* ``studies.csv``: the row of each study, its name, and participant and visit if known;
* ``targets.npy`` and ``dataset.json``: only where the targets are known with the images, as for
  phantoms: float32 ``(rows, targets)``, and what the targets are and where they come from.

Targets of scans come from tables of their own.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import whole_file
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.files.table_reader import to_text
from mimir_engine.projection.project import IMAGE_SIZE, PROJECTION_NAME

IMAGES, TARGETS, STUDIES, DESCRIPTION = "images.npy", "targets.npy", "studies.csv", "dataset.json"
#: First columns of ``studies.csv``; more may follow.
STUDY_COLUMNS = ("row", "name", "eid", "instance")
IMAGE_SHAPE = (3, IMAGE_SIZE, IMAGE_SIZE)
#: Version of ``dataset.json``; 1 was that of folders without ``studies.csv``.
SCHEMA = 2


@dataclass(frozen=True)
class StudyId:
    """Name of a study in all results; participant and visit if UK Biobank's name has them."""

    name: str
    eid: str = ""
    instance: str = ""

    @property
    def person(self) -> str:
        """The same for all visits of a person; the study's name if the person is unknown."""
        return self.eid or self.name


@dataclass(frozen=True)
class TargetDefinition:
    """Meaning of one column of the targets.

    Attributes:
        divisor: Turns the network's unit (that of the column) into ``unit``: mL / 1000 = L.
        kind: "quantity", or "class" for a label such as sex (0 female, 1 male).
    """

    name: str
    unit: str
    ukb_field: str = ""
    divisor: float = 1.0
    kind: str = "quantity"
    non_negative: bool = True


@dataclass(frozen=True, eq=False)
class ImageFolder:
    """The content of a folder, images not yet read.

    Attributes:
        images: uint8 ``(rows, 3, 256, 256)``, mapped into memory.
        rows: Row of each study's image, int64 ``(studies,)``.
        targets: float64 ``(studies, targets)``; None where the folder has none.
        definitions, provenance: Meaning and origin of the targets; empty where it has none.
    """

    images: np.ndarray
    rows: np.ndarray
    studies: tuple[StudyId, ...]
    targets: Optional[np.ndarray] = None
    definitions: tuple[TargetDefinition, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    projection: str = PROJECTION_NAME


def describe_folder(
    folder: Path,
    studies: Sequence[StudyId],
    definitions: Sequence[TargetDefinition],
    provenance: Mapping[str, Any],
    projection: str = PROJECTION_NAME,
) -> bool:
    """Write ``studies.csv`` and ``dataset.json`` of images with targets, before the images.

    Returns:
        Whether the folder is for these images: new, or described alike by an earlier run.
    """
    description = {
        "schema": SCHEMA,
        "projection": projection,
        "targets": [asdict(definition) for definition in definitions],
        "provenance": dict(provenance),
    }
    text = json.dumps(description, indent=1).encode("ascii") + b"\n"
    path = folder / DESCRIPTION
    if path.exists() or (folder / IMAGES).exists():
        return path.exists() and path.read_bytes() == text
    rows = [(row, s.name, s.eid, s.instance) for row, s in enumerate(studies)]
    write_csv(folder / STUDIES, STUDY_COLUMNS, rows)
    with whole_file(path) as file:
        file.write(text)
    return True


def read_image_folder(folder: Path) -> ImageFolder:
    """Open a folder of images.

    Raises:
        MimirError: ``DATASET_UNREADABLE``, ``DATASET_INCOMPLETE`` where images are missing.
    """
    try:
        images = np.load(folder / IMAGES, mmap_mode="r", allow_pickle=False)
        studies, rows = _read_studies(folder / STUDIES)
        known = _read_targets(folder) if (folder / DESCRIPTION).exists() else {}
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise MimirError(
            "DATASET_UNREADABLE",
            f"{folder.name} is not a folder of images ({error})",
            "Make one with `mimir project --dataset` or `mimir phantom --projections`; phantoms"
            " made by an earlier version have to be made again.",
        ) from error
    found = ImageFolder(images, rows, studies, **known)
    counts = [len(array) for array in (images, found.targets) if array is not None]
    missing = int((rows >= min(counts)).sum())
    if missing:
        raise MimirError(
            "DATASET_INCOMPLETE",
            f"{missing} of {len(rows)} images in {folder.name} are missing",
            "Let `mimir project` or `mimir phantom` finish the folder.",
        )
    return found if found.targets is None else replace(found, targets=found.targets[rows])


def _read_studies(path: Path) -> tuple[tuple[StudyId, ...], np.ndarray]:
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    studies = (StudyId(to_text(line["name"]), line["eid"], line["instance"]) for line in lines)
    return tuple(studies), np.array([int(line["row"]) for line in lines], dtype=np.int64)


def _read_targets(folder: Path) -> dict[str, Any]:
    """Read the fields of `ImageFolder` that only images with targets have; targets by row."""
    description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    if description["schema"] != SCHEMA:
        raise ValueError(f"{DESCRIPTION} has schema {description['schema']}, not {SCHEMA}")
    return {
        "targets": np.load(folder / TARGETS, allow_pickle=False).astype(np.float64),
        "definitions": tuple(TargetDefinition(**entry) for entry in description["targets"]),
        "provenance": dict(description["provenance"]),
        "projection": str(description["projection"]),
    }
