"""A folder of images that networks are trained on: of scans or of phantoms.

* ``images.npy``: uint8 ``(rows, 3, 256, 256)``, a file that grows (``GrowingArray``);
* ``studies.csv``: the row of each study, its name, and participant and visit if known; for scans
  also the hash of its image;
* ``targets.npy`` and ``dataset.json``: only if the targets are known with the images, as for
  phantoms: float32 ``(rows, targets)``, and the definitions and provenance of the targets.

Targets of scans come from tables of their own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mimir_engine.files.atomic import atomic_file
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.projection.project import PROJECTION_NAME
from mimir_engine.source.source_name import uk_biobank_ids

IMAGES, TARGETS, STUDIES, DESCRIPTION = "images.npy", "targets.npy", "studies.csv", "dataset.json"
#: First columns of ``studies.csv``; more may follow.
STUDY_COLUMNS = ("row", "name", "eid", "instance")
#: Version of ``dataset.json``; 1 was that of folders without ``studies.csv``.
SCHEMA = 2


#: Column of ``studies.csv`` with the hash of a study's image; folders of phantoms have none.
HASH_COLUMN = "image_sha256"


@dataclass(frozen=True)
class StudyId:
    """Name of a study in all results; participant and visit if UK Biobank's name has them.

    Attributes:
        given_person: The person by a table or a pattern; see `persons`.
    """

    name: str
    eid: str = ""
    instance: str = ""
    given_person: str = ""

    @property
    def person(self) -> str:
        """The same for all visits of a person; the study's name if the person is unknown."""
        return self.given_person or self.eid or self.name

    @property
    def ids(self) -> frozenset[str]:
        """All that may name the study, its person or its visit in a list of ids."""
        own_name = self.name.rpartition("/")[2]  # folders are in front of repeated names
        visit = f"{self.eid}_{self.instance}" if self.eid else ""
        return frozenset({self.name, own_name, self.eid, visit, self.given_person}) - {""}


def study_id(name: str, eid: str = "", instance: str = "", given_person: str = "") -> StudyId:
    """Identify a study; a name of UK Biobank's form gives participant and visit."""
    if not eid:
        eid, instance = uk_biobank_ids(name.rpartition("/")[2])
    return StudyId(name, eid, instance, given_person.strip())


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


def image_sha256(image: np.ndarray) -> str:
    """Return the SHA-256 of an image's bytes."""
    return hashlib.sha256(image.tobytes()).hexdigest()


def describe_folder(
    folder: Path,
    studies: Sequence[StudyId],
    definitions: Sequence[TargetDefinition],
    provenance: Mapping[str, Any],
) -> bool:
    """Write ``studies.csv`` and ``dataset.json`` of images with targets, before the images.

    Returns:
        True if the folder is for these images: new, or with the same description.
    """
    description = {
        "schema": SCHEMA,
        "projection": PROJECTION_NAME,
        "targets": [asdict(definition) for definition in definitions],
        "provenance": dict(provenance),
    }
    text = json.dumps(description, indent=1).encode("ascii") + b"\n"
    path = folder / DESCRIPTION
    if path.exists() or (folder / IMAGES).exists():
        return path.exists() and path.read_bytes() == text
    rows = [(row, s.name, s.eid, s.instance) for row, s in enumerate(studies)]
    write_csv(folder / STUDIES, STUDY_COLUMNS, rows)
    with atomic_file(path) as file:
        file.write(text)
    return True
