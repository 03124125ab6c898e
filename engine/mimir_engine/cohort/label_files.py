"""Find the label map of each study, by the names of files."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from mimir_engine.cohort.sources import NamedSource
from mimir_engine.errors import MimirError
from mimir_engine.source.entry import unreadable

#: What follows a study's name in the name of its label map; the first file that exists is taken.
ENDINGS = (
    *(".labels.nii.gz", ".labels.nii", ".labels.nrrd"),
    *(".nii.gz", ".nii", ".nrrd"),
)


def with_label_files(sources: Sequence[NamedSource], place: Path) -> list[NamedSource]:
    """Return the studies with their label maps.

    A study whose file does not exist keeps the path of the first ending: so it is told, and
    measured again once the file is there. A study that has a label map keeps it.

    Args:
        sources: Studies, by their own names.
        place: A file, for one study; or a folder with a file for each, named after the study.

    Raises:
        MimirError: ``LABELS_MISSING`` if there is no such file or folder, or none of the studies
            has a file there; ``FILE_UNREADABLE`` for the folder; ``WRONG_USE`` for one file and
            several studies.
    """
    if not place.exists():
        raise _missing(f"there is no file or folder '{place.name}'")
    if not place.is_dir():
        if len(sources) != 1:
            raise MimirError(
                "WRONG_USE",
                f"--labels names one file, but there are {len(sources)} studies",
                "Give a folder with a label map for each study, named after it.",
            )
        return [replace(sources[0], labels=place)]
    try:
        there = {*os.listdir(place)}
    except OSError as error:
        raise unreadable(str(place), error) from error
    labelled = [
        source if source.labels else replace(source, labels=_file_of(source.name, place, there))
        for source in sources
    ]
    if not any(source.labels and source.labels.exists() for source in labelled):
        raise _missing(f"the folder '{place.name}' has no label map for any study")
    return labelled


def _file_of(name: str, folder: Path, there: Collection[str]) -> Path:
    """Return the label map of a study; slashes in its name are folders within the folder.

    Args:
        name: Name of the study.
        folder: The folder of label maps.
        there: Names of all files in it: it may be slow, and the studies many.
    """
    stem = "/".join(part for part in name.split("/") if part not in ("", ".", ".."))
    names = [f"{stem}{ending}" for ending in ENDINGS]
    found = (n for n in names if n in there or ("/" in n and (folder / n).exists()))
    return folder / next(found, names[0])


def _missing(what: str) -> MimirError:
    return MimirError(
        "LABELS_MISSING",
        what,
        "Name each label map after its study, such as study1.labels.nii.gz or study1.nii.gz.",
    )
